// The server's end of a client's transport, held up and watched, for what depends on whether it can take a packet.

// Keep a connection from sending, as a slow network does, until the function returned is called.
export function hold(conn) {
  const { transport } = conn;
  Object.defineProperty(transport, 'writable', { configurable: true, get: () => false, set: () => {} });
  return () => {
    Object.defineProperty(transport, 'writable', { configurable: true, writable: true, value: true });
    conn.flush();
  };
}

// A transport still busy with the packet before would drop a volatile one by right.
export async function untilWritable(transport) {
  while (!transport.writable) await new Promise((resolve) => { transport.once('ready', resolve); });
}
