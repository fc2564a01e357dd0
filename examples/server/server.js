// A Socket.IO server whose clients PostgreSQL can reach: the adapter listens to the database, so what SQL emits there
// arrives at every client of every server that runs this.
//
// The database is found as psql finds it, through PGHOST, PGPORT, PGUSER, PGPASSWORD and PGDATABASE; it needs
// CREATE EXTENSION socketio_emitter.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createAdapter } from '@socket.io/postgres-adapter';
import pg from 'pg';
import { Server } from 'socket.io';

const pool = new pg.Pool();
pool.on('error', (error) => console.error(`database: ${error.message}`)); // the pool replaces a lost connection

// A page to watch events with; Socket.IO serves the browser's client library beside it.
const page = readFileSync(new URL('index.html', import.meta.url));
const httpServer = createServer((request, response) => {
  response.setHeader('Content-Type', 'text/html; charset=utf-8').end(page);
});

const io = new Server(httpServer, {
  adapter: createAdapter(pool, { errorHandler: (error) => console.error(`adapter: ${error.message}`) }),
});

io.on('connection', (socket) => {
  socket.on('join', (room) => socket.join(room)); // an application decides here who may join what
});

httpServer.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`Socket.IO server on http://127.0.0.1:${httpServer.address().port}/`);
});
