// Waiting for what happens, never for time to pass.

// Far above what anything here takes, so that a busy machine does not make a test fail.
const PATIENCE = 120_000;

// The promise's value, or an error saying what did not happen. `what` may be a function, called when time is up.
export async function within(promise, what) {
  let timer;
  const timeUp = new Promise((resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`still waiting after ${PATIENCE} ms: ${typeof what === 'function' ? what() : what}`));
    }, PATIENCE);
  });
  try {
    return await Promise.race([promise, timeUp]);
  } finally {
    clearTimeout(timer);
  }
}
