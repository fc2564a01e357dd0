// Waiting for events, never for time to pass: every wait ends with what it waits for, or fails with what was missing.

import { setTimeout as delay } from 'node:timers/promises';

// Far above what anything here takes, so that a busy machine does not make a test fail.
const PATIENCE = 120_000;
// Once something has not come in that time, the verdict is in, and the tests that remain need not take as long.
const PATIENCE_LOST = 20_000;

let patience = PATIENCE;

// The promise's value, or an error saying what did not happen. `what` may be a function, called when time is up.
export async function within(promise, what) {
  let timer;
  const timeUp = new Promise((resolve, reject) => {
    const limit = patience;
    timer = setTimeout(() => {
      patience = PATIENCE_LOST;
      reject(new Error(`still waiting after ${limit} ms: ${typeof what === 'function' ? what() : what}`));
    }, limit);
  });
  try {
    return await Promise.race([promise, timeUp]);
  } finally {
    clearTimeout(timer);
  }
}

// Call `attempt` again and again until `done` settles: for asking something that does not answer before it is ready.
export async function repeatUntil(done, attempt, what, interval = 50) {
  let settled = false;
  const finished = within(done, what).finally(() => { settled = true; });
  // The rejection is handled below, once the loop has ended; until then Node.js must not call it unhandled.
  finished.catch(() => {});
  while (!settled) {
    await attempt();
    await Promise.race([finished.catch(() => {}), delay(interval)]);
  }
  return finished;
}

// A condition on something that changes with events: check() on each of them, until() to wait for it.
export class Watch {
  #waiting = new Set();

  check() {
    for (const waiter of this.#waiting) {
      if (waiter.condition()) {
        this.#waiting.delete(waiter);
        waiter.resolve();
      }
    }
  }

  async until(condition, what) {
    if (condition()) return;
    let waiter;
    const met = new Promise((resolve) => { waiter = { condition, resolve }; });
    this.#waiting.add(waiter);
    try {
      await within(met, what);
    } finally {
      this.#waiting.delete(waiter);
    }
  }
}
