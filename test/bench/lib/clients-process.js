// The program of all clients of lib/cluster.js: they are connected when it says so to its parent, and go when its parent does.
//
//   node clients-process.js '[[url, count]...]'

import { once } from 'node:events';
import { io } from 'socket.io-client';

const atOnce = 50; // clients that connect to a server

// What a browser sends along: it makes most of what a server tells about a socket.
const headers = {
  'accept-encoding': 'gzip, deflate, br, zstd',
  'accept-language': 'en-GB,en;q=0.9,de;q=0.8',
  'cache-control': 'no-cache',
  cookie: 'session=s%3AhK3v9Qm2xR7tYb1NfE5wZc8LdP4sJg6A.kU0oIi3yVn7HqXr2TeMl9BzDw5CfGa1S; theme=dark; consent=1',
  origin: 'https://www.example.com',
  pragma: 'no-cache',
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36',
};

let users = 0;

async function connectClient(url) {
  const query = { user: ++users };
  const socket = io(url, { transports: ['websocket'], forceNew: true, reconnection: false, extraHeaders: headers, query });
  socket.on('question', (callback) => callback('answer'));
  socket.on('disconnect', (reason) => { throw new Error(`a client was disconnected: ${reason}`); });
  socket.on('connect_error', (error) => { throw error; });
  await once(socket, 'connect');
}

async function connectClients([url, count]) {
  let left = count;
  const connectSome = async () => {
    while (left-- > 0) await connectClient(url);
  };
  await Promise.all(Array.from({ length: atOnce }, connectSome));
}

process.on('disconnect', () => process.exit());
await Promise.all(JSON.parse(process.argv[2]).map(connectClients));
process.send('connected');
