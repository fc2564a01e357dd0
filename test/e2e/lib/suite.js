// The frame around a test file: the same tests on each adapter version, with a cluster of its own for each.

import { after, afterEach, before, describe } from 'node:test';
import { versions } from './adapters.js';
import { Cluster } from './cluster.js';
import { createDatabase } from './database.js';

// `options.database` goes to createDatabase, `options.prepare` is SQL for the new database, `options.cluster` goes to
// Cluster.start, and `options.versions` are the versions to run with if not all. One database serves them one after the
// other, so tests must not expect to find it empty.
// `define` is called once for each version with a stage, whose functions work as soon as the tests run.
export function onEachAdapter(topic, options, define) {
  describe(topic, () => {
    let database;
    before(async () => {
      database = await createDatabase(options.database);
      if (options.prepare) await database.query(options.prepare);
    });
    after(() => database?.close());

    for (const version of options.versions ?? versions) {
      describe(`${topic}, adapter ${version}`, () => {
        const stage = new Stage(version);
        before(() => stage.open(database, options.cluster));
        afterEach(() => stage.endTest());
        after(() => stage.close());
        define(stage);
      });
    }
  });
}

class Stage {
  constructor(version) {
    this.version = version;
  }

  async open(database, clusterOptions) {
    this.database = database;
    this.cluster = await Cluster.start(this.version, database, clusterOptions);
  }

  query = (text, parameters) => this.database.query(text, parameters);
  connect = (...descriptions) => this.cluster.connect(...descriptions);
  settled = (...clients) => this.cluster.settled(...clients);

  async endTest() {
    await this.database.reset();
    await this.cluster.endTest();
  }

  async close() {
    await this.cluster?.close();
  }
}
