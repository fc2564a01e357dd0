// The program of a server process: see lib/server-process.js.

import { once } from 'node:events';
import { createServer } from 'node:http';
import pg from 'pg';
import { Server } from 'socket.io';
import { CLEANUP_INTERVAL, listeningConnections, loadAdapter } from './adapters.js';

const HEARTBEAT = 2;

const { version, database } = JSON.parse(process.argv[2]);
const { createAdapter } = await loadAdapter(version);
const pool = new pg.Pool({ database, max: listeningConnections(version, ['/']) + 1 });
const http = createServer();
const io = new Server(http, {
  adapter: createAdapter(pool, { cleanupInterval: CLEANUP_INTERVAL, errorHandler: (error) => { throw error; } }),
  pingInterval: 600_000,
});
const { adapter } = io.of('/');

io.on('connection', (socket) => socket.join(socket.handshake.auth.rooms ?? []));
io.once('e2e:heard?', () => process.send('heard'));
io.on('question', (...args) => args.pop()({ pid: process.pid }));
// Die with the question heard, and everybody knowing of this server.
io.on('die', async () => {
  adapter.publish({ type: HEARTBEAT });
  // One connection of the pool publishes, so that the heartbeat is out before this is answered.
  await pool.query('SELECT 1');
  process.kill(process.pid, 'SIGKILL');
});

process.on('message', async () => {
  await io.close();
  // With what the adapter has to say in closing.
  await pool.end();
  process.exit();
});
// Whoever started this has gone.
process.on('disconnect', () => process.exit(1));

http.listen(0, '127.0.0.1');
await once(http, 'listening');
process.send({ url: `http://127.0.0.1:${http.address().port}`, uid: adapter.uid });
