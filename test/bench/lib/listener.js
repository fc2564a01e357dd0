// A connection that listens and does as little as can be with what it hears, so that it is not what bounds the server: it finds
// the notifications in what the server sends, and counts them.

import pg from 'pg';

const notificationResponse = 'A'.charCodeAt(0);

export class Listener {
  count = 0;
  #client = new pg.Client();
  #rest = Buffer.alloc(0); // of a message that has not arrived whole
  #inspect;
  #waiting;

  // `inspect(buffer, begin, end)`, if given, is called with every notification.
  static async open(channel, inspect) {
    const listener = new Listener();
    listener.#inspect = inspect;
    await listener.#client.connect();
    await listener.#client.query(`LISTEN "${channel}"`);
    // From here on the client's own reader, which makes objects and strings, is left out.
    listener.#stream.removeAllListeners('data');
    listener.#stream.on('data', (data) => listener.#read(data));
    return listener;
  }

  get #stream() {
    return this.#client.connection.stream;
  }

  close() {
    return this.#client.end();
  }

  // Wait until `count` notifications have arrived since the last time. None may be missing for long, or be too many.
  async expect(count, patience = 30_000) {
    await new Promise((resolve, reject) => {
      const timeout = setTimeout(() => reject(new Error(`heard ${this.count} of ${count} notifications`)), patience);
      this.#waiting = () => {
        if (this.count < count) return;
        clearTimeout(timeout);
        this.#waiting = undefined;
        resolve();
      };
      this.#waiting();
    });
    if (this.count > count) throw new Error(`heard ${this.count} notifications, ${count} were sent`);
    this.count = 0;
  }

  #read(data) {
    const buffer = this.#rest.length > 0 ? Buffer.concat([this.#rest, data]) : data;
    let begin = 0;
    while (buffer.length - begin >= 5) {
      const end = begin + 1 + buffer.readUInt32BE(begin + 1);
      if (end > buffer.length) break;
      if (buffer[begin] === notificationResponse) this.#hear(buffer, begin, end);
      begin = end;
    }
    this.#rest = buffer.subarray(begin);
    this.#waiting?.();
  }

  #hear(buffer, begin, end) {
    this.count++;
    this.#inspect?.(buffer, begin, end);
  }
}
