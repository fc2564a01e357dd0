// The Socket.IO server of examples/server, in a process of its own.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const PATIENCE = 60_000;

// Resolves when it listens: { url, stopped, stop() }.
export async function startServer() {
  const child = fork(new URL('server-process.js', import.meta.url), {
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const stopped = once(child, 'exit');
  const stop = async () => {
    child.kill();
    await stopped;
  };

  const ended = stopped.then(() => { throw new Error('the Socket.IO server did not start'); });
  const [line] = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line', { signal: AbortSignal.timeout(PATIENCE) }),
    ended,
  ]);
  return { url: /http:\S+/.exec(line)[0], stopped, stop };
}
