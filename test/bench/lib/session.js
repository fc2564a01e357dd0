// A connection to the cluster that tells what its statements cost.
//
// Cost is the processor time of the backend, user and system, as the server itself accounts for it
// (log_statement_stats). On an idle machine that is the time that passes; on a busy one the other work stays out of it.

import pg from 'pg';

const statistics = /([\d.]+) s user, ([\d.]+) s system/;

export class Session {
  // Notices and warnings.
  said = [];
  #client;
  #reported;

  // `options` are those of pg.Client, for another server than the one of the environment.
  static async open(options) {
    const session = new Session();
    session.#client = new pg.Client(options);
    session.#client.on('notice', ({ message, detail }) => {
      if (message === 'QUERY STATISTICS') session.#reported = statistics.exec(detail);
      else session.said.push(message);
    });
    await session.#client.connect();
    return session;
  }

  close() {
    return this.#client.end();
  }

  async query(sql, values) {
    return (await this.#client.query(sql, values)).rows;
  }

  // The first column of the first row.
  async value(sql, values) {
    const { rows } = await this.#client.query({ text: sql, values, rowMode: 'array' });
    return rows[0][0];
  }

  // Seconds of processor time that `sql`, one or more statements, takes.
  async cost(sql) {
    await this.query('SET client_min_messages = log; SET log_statement_stats = on');
    this.#reported = undefined;
    await this.query(sql);
    const reported = this.#reported;
    await this.query('SET log_statement_stats = off; RESET client_min_messages');
    if (!reported) throw new Error('the server reported no statistics');
    return Number(reported[1]) + Number(reported[2]);
  }

  // The same inside a transaction that is rolled back, which does not count.
  async costRolledBack(sql) {
    await this.query('BEGIN');
    const cost = await this.cost(sql);
    await this.query('ROLLBACK');
    return cost;
  }

  // The payloads that `sql` notifies this session of on `channel`. PostgreSQL hands a session its own notifications
  // before it reports the end of the statement that committed them.
  async notificationsOf(channel, sql) {
    const payloads = [];
    const collect = (notification) => payloads.push(notification.payload);
    this.#client.on('notification', collect);
    await this.query(`LISTEN "${channel}"`);
    await this.query(sql);
    await this.query(`UNLISTEN "${channel}"`);
    this.#client.off('notification', collect);
    return payloads;
  }
}
