// A worker process of a Node.js cluster: one Socket.IO server. lib/node-cluster.js forks it.

import { createServer } from 'node:http';
import pg from 'pg';
import { createAdapter as createClusterAdapter } from '@socket.io/cluster-adapter';
import { Server } from 'socket.io';
import { CLEANUP_INTERVAL, listeningConnections, loadAdapter } from './adapters.js';

const { version, database, behindPrimary, namespaces, events } = JSON.parse(process.argv[2]);

const http = createServer();
const io = new Server(http, { adapter: await makeAdapter(), pingInterval: 600_000 });
for (const name of namespaces) {
  const namespace = io.of(name);
  namespace.on('connection', (socket) => {
    socket.join(socket.handshake.auth.rooms ?? []);
    socket.emit(events.worker, process.pid, namespace.adapter.uid);
  });
  // Only the clients of this worker are told, so that each knows what its own server has heard.
  namespace.once(events.ready, () => namespace.local.emit(events.ready));
  namespace.on(events.serverSide, (...args) => namespace.local.emit('heard', ...args));
  namespace.on(events.question, (...args) => {
    const callback = args.pop();
    callback({ worker: process.pid, args });
  });
}
// The port is the primary's choice and the same for all workers.
http.listen(0, '127.0.0.1');

// Behind setupPrimary a worker talks to its primary only; otherwise it has PostgreSQL connections of its own.
async function makeAdapter() {
  if (behindPrimary) return createClusterAdapter();
  const pool = new pg.Pool({ database, max: listeningConnections(version, namespaces) + 1 });
  const { createAdapter } = await loadAdapter(version);
  // An error ends the process, which the test notices.
  return createAdapter(pool, { cleanupInterval: CLEANUP_INTERVAL, errorHandler: (error) => { throw error; } });
}
