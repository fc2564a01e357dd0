// A way to the database that cuts a connection off as a statement passes, the first few times: what a failing network or
// database does in the worst moment.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';

export class CuttingProxy {
  #server;
  #left;

  // `socket` is the database's; connections are cut at `statement`, so many times.
  static async start(socket, statement, times) {
    const proxy = new CuttingProxy();
    proxy.#left = times;
    proxy.#server = createServer((client) => {
      const database = connect(socket);
      const end = () => { client.destroy(); database.destroy(); };
      for (const each of [client, database]) each.on('error', end).on('close', end);
      database.pipe(client);
      client.on('data', (data) => {
        if (proxy.#left > 0 && data.includes(statement)) {
          proxy.#left--;
          end();
        } else {
          database.write(data);
        }
      });
    });
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get environment() {
    return { PGHOST: '127.0.0.1', PGPORT: String(this.#server.address().port) };
  }

  // Those that are open stay so.
  close() {
    this.#server.close();
  }
}
