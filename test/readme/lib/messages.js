// The messages that arrive on some channels, as a Socket.IO server would read them.

import assert from 'node:assert/strict';
import { decode } from '@msgpack/msgpack';
import { connect } from './database.js';
import { within } from './waiting.js';

const SENTINEL = 'readme_sentinel';

export class Messages {
  #client;
  #notifications = [];
  #sentinels = 0;

  static async on(channels, database) {
    const messages = new Messages();
    messages.#client = await connect(database);
    messages.#client.on('notification', (notification) => messages.#notifications.push(notification));
    for (const channel of [...channels, SENTINEL]) {
      await messages.#client.query(`LISTEN ${messages.#client.escapeIdentifier(channel)}`);
    }
    return messages;
  }

  // The messages committed while `action` runs, decoded.
  async during(action) {
    await this.#drain();
    await action();
    return Promise.all((await this.#drain()).map((notification) => this.#read(notification)));
  }

  // What has come so far. Notifications arrive in the order of the commits, so nothing is under way any more behind one
  // that is sent now.
  async #drain() {
    const number = String(++this.#sentinels);
    const isSentinel = ({ channel, payload }) => channel === SENTINEL && payload === number;
    const arrived = new Promise((resolve) => {
      const look = (notification) => {
        if (!isSentinel(notification)) return;
        this.#client.off('notification', look);
        resolve();
      };
      this.#client.on('notification', look);
    });
    await this.#client.query('SELECT pg_notify($1, $2)', [SENTINEL, number]);
    await within(arrived, 'the notifications to arrive');
    return this.#notifications.splice(0).filter(({ channel }) => channel !== SENTINEL);
  }

  // `envelopes` are the notification and, for an attachment, the message it stands for; both say whose and what it is.
  async #read({ channel, payload }) {
    const header = JSON.parse(payload);
    if (header.attachmentId === undefined) return message(channel, [header]);
    const { rows } = await this.#client.query('SELECT payload FROM socket_io_attachments WHERE id = $1',
      [header.attachmentId]);
    assert.equal(rows.length, 1, `there is no attachment ${header.attachmentId}`);
    return message(channel, [header, decode(rows[0].payload)]);
  }

  async close() {
    await this.#client.end();
  }
}

function message(channel, envelopes) {
  const { uid, type, data } = envelopes.at(-1);
  for (const envelope of envelopes) assert.deepEqual([envelope.uid, envelope.type], [uid, type]);
  return { channel, uid, type, data, namespaces: envelopes.map(({ nsp }) => nsp) };
}
