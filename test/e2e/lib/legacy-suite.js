// The frame around a test file about one of the older adapters: a database whose sessions speak its protocol unless
// they say otherwise, and a cluster.

import { after, afterEach, before, describe } from 'node:test';
import { createDatabase } from './database.js';

// `options.database` goes to createDatabase, `options.prepare` is SQL for the new database, and `options.cluster` goes
// to the cluster. `define` is called with a stage, whose functions work as soon as the tests run.
export function onLegacyCluster(Cluster, topic, options, define) {
  describe(`${Cluster.protocol}: ${topic}`, () => {
    const stage = new Stage();
    before(() => stage.open(Cluster, options));
    afterEach(() => stage.endTest());
    after(() => stage.close());
    define(stage);
  });
}

class Stage {
  async open(Cluster, { database, prepare, cluster }) {
    const settings = { 'socketio_emitter.protocol': Cluster.protocol, ...database?.settings };
    this.database = await createDatabase({ ...database, settings });
    if (prepare) await this.database.query(prepare);
    this.cluster = await Cluster.start(this.database, cluster);
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
    await this.database?.close();
  }
}
