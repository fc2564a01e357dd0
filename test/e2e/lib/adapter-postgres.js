// A cluster of Socket.IO 2 servers with socket.io-adapter-postgres, as far as it still runs: the adapter's own pg never
// connects on today's Node.js, so it is given connections of today's.

import { once } from 'node:events';
import pg from 'pg';
import Server from 'socket.io-2';
import createAdapter from 'socket.io-adapter-postgres';
import { connectLegacyClient } from './legacy-client.js';
import { LegacyCluster } from './legacy-cluster.js';

export class AdapterPostgresCluster extends LegacyCluster {
  static protocol = 'adapter-postgres';

  async open(http, options, report) {
    const publisher = this.database.newPool();
    const subscriber = new Subscriber({ database: this.database.name });
    await subscriber.connect();
    // Every namespace has listeners of its own on both.
    publisher.setMaxListeners(0);
    subscriber.setMaxListeners(0);
    for (const connection of [publisher, subscriber]) connection.on('error', report);

    const adapter = createAdapter({ key: this.prefix, pubClient: publisher, subClient: subscriber });
    // The adapter of a namespace sets the application_name and listens as soon as it is made: it is ready when there is
    // nothing left to do on its connection.
    let io;
    for (const name of this.namespaces) {
      const drained = once(subscriber, 'drain');
      io ??= new Server(http, { ...options, adapter });
      io.of(name);
      await drained;
    }
    const close = async () => {
      await publisher.end();
      await subscriber.end();
    };
    return { io, close };
  }

  connectClient = connectLegacyClient;

  roomsOf(socket) {
    return JSON.parse(socket.handshake.query.rooms ?? '[]');
  }

  onBroadcast(adapter, listener) {
    const { broadcast } = adapter;
    adapter.broadcast = (packet, ...rest) => {
      broadcast.call(adapter, packet, ...rest);
      listener(packet);
    };
  }
}

// The adapter waits a minute for the pieces of a message, and does not take the timer back when all have come: it must
// not keep the process from ending.
class Subscriber extends pg.Client {
  on(event, listener) {
    return super.on(event, event === 'notification' ? withIdleTimers(listener) : listener);
  }
}

function withIdleTimers(listener) {
  return (...args) => {
    const { setTimeout } = globalThis;
    globalThis.setTimeout = (...timer) => setTimeout(...timer).unref();
    try {
      listener(...args);
    } finally {
      globalThis.setTimeout = setTimeout;
    }
  };
}
