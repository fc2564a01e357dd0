// What the measures of delivery have in common.

export const deliverBy = (delivery) => ({ 'socketio_emitter.delivery': delivery });

export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export async function readStatus(session) {
  const [status] = await session.query('SELECT * FROM socketio_stats WHERE database = current_database()');
  return status;
}

// Seconds until the worker has sent what is in the queue: what it takes is part of what its emits take.
export async function drain(session) {
  const start = performance.now();
  for (let polls = 0; ; polls++) {
    const status = await readStatus(session);
    if (!status || Number(status.queue_used) === 0) return polls === 0 ? 0 : (performance.now() - start) / 1000;
    await sleep(1);
  }
}

// Whoever fell back to NOTIFY was measured with the wrong name.
export async function assertNoFallbacks(session) {
  const { fallbacks, last_error: error } = await readStatus(session);
  if (Number(fallbacks) > 0 || error) throw new Error(`${fallbacks} transactions fell back to NOTIFY; the worker: ${error}`);
}
