// server.mjs with a page to watch events in, on the loopback interface unless HOST says otherwise.
//
// The database is found as psql finds it, through PGHOST, PGPORT, PGUSER, PGPASSWORD and PGDATABASE; it needs
// CREATE EXTENSION socketio_emitter.

import { readFileSync } from 'node:fs';

process.env.HOST ??= '127.0.0.1';
const { io } = await import('./io.mjs');
await import('./server.mjs');
const { httpServer } = io;

// Socket.IO serves the browser's client library beside it.
const page = readFileSync(new URL('index.html', import.meta.url));
const [serve] = httpServer.listeners('request');
httpServer.removeAllListeners('request').on('request', (request, response) => {
  if (request.url.startsWith(io.path())) serve(request, response);
  else response.setHeader('Content-Type', 'text/html; charset=utf-8').end(page);
});

if (!httpServer.listening) await new Promise((resolve) => { httpServer.once('listening', resolve); });
console.log(`Socket.IO server on http://127.0.0.1:${httpServer.address().port}/`);
