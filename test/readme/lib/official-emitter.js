// Runs JavaScript with the official emitter as `io`, until it has sent everything, or failed to.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { Emitter } from '@socket.io/postgres-emitter';
import pg from 'pg';
import { within } from './waiting.js';

export class OfficialEmitter {
  #pool;

  constructor(database) {
    this.#pool = new pg.Pool({ database, max: 1 }); // or several emits would overtake each other
  }

  async run(javascript) {
    const watched = new WatchedPool(this.#pool);
    // Errors, and results to wait for, are the pool's to tell.
    new Function('io', 'Buffer', `"use strict"; ${javascript}\n`)(new Emitter(watched), Buffer);
    await within(watched.idle(), `@socket.io/postgres-emitter to send ${javascript}`);
    if (watched.error) throw watched.error;
  }

  async close() {
    await this.#pool.end();
  }
}

// The emitter's methods return before anything is sent, and keep errors to themselves: this pool tells.
class WatchedPool {
  error;
  #pool;
  #running = new Set();

  constructor(pool) {
    this.#pool = pool;
  }

  query(...args) {
    // The emitter answers an error by broadcasting an event "error", whose error it would broadcast again, and so on.
    if (this.error) return new Promise(() => {});
    const result = this.#pool.query(...args);
    const ended = result.catch((error) => { this.error ??= error; }).finally(() => this.#running.delete(ended));
    this.#running.add(ended);
    return result;
  }

  // A query that follows from another is started before the next turn of the event loop.
  async idle() {
    while (this.#running.size > 0) {
      await Promise.all(this.#running);
      await nextTurn();
    }
  }
}
