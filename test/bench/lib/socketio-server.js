// A Socket.IO server as one writes it with @socket.io/postgres-adapter, on a port of its own.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { createAdapter } from '@socket.io/postgres-adapter';
import pg from 'pg';
import { Server } from 'socket.io';

// What a server does now and then, by default every 25 and 30 seconds, is not what is measured.
const never = 24 * 3600 * 1000;

export async function startServer() {
  const pool = new pg.Pool();
  const errorHandler = (error) => { throw error; };
  const http = createServer();
  const io = new Server(http, {
    adapter: createAdapter(pool, { cleanupInterval: never, errorHandler }),
    pingInterval: never,
  });
  io.on('connection', (socket) => {
    const { user } = socket.handshake.query;
    socket.join(`user:${user}`);
    socket.data.user = user;
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const close = async () => {
    await io.close();
    await pool.end();
  };
  return { io, close, url: `http://127.0.0.1:${http.address().port}` };
}
