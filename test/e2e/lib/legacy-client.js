// A real socket.io-client of version 2, which keeps everything it receives as lib/client.js has it.

import io from 'socket.io-client-2';
import { Client } from './client.js';

// `shared` is another client, whose connection this one uses for a namespace of its own.
export function connectLegacyClient(url, { namespace = '/', rooms = [], transports = ['websocket'], shared, server }) {
  const query = { rooms: JSON.stringify(rooms) };
  // The server makes a socket in '/' for every connection: the connection's query would be that one's, too.
  const manager = shared?.manager ?? new io.Manager(url, {
    transports, reconnection: false, autoConnect: false, query: namespace === '/' ? query : {},
  });
  const socket = manager.socket(namespace, { query });
  hearEverything(socket);
  return new Client(socket, namespace, server).connect();
}

// What newer clients have: onAny(), and a namespace that was refused as an error of connecting.
function hearEverything(socket) {
  const listeners = [];
  socket.onAny = (listener) => listeners.push(listener);
  const { onevent } = socket;
  socket.onevent = (packet) => {
    const { data } = packet;
    onevent.call(socket, packet);
    for (const listener of listeners) listener(...data);
  };
  socket.on('error', (reason) => socket.emit('connect_error', new Error(reason)));
}
