// A client on HTTP long-polling by hand, to see which answers are compressed: what the older socket.io-client polls
// with in Node.js does not take compressed ones.

export class LegacyPoller {
  #url;

  // `version` is that of the Engine.IO protocol: 3 for Socket.IO 2, 4 for Socket.IO 3.
  static async connect(url, version) {
    const poller = new LegacyPoller();
    poller.#url = `${url}/socket.io/?EIO=${version}&transport=polling&b64=1`;
    let { body } = await poller.#poll();
    poller.#url += `&sid=${body.match(/"sid":"(.*?)"/)[1]}`;
    // With version 3 the server connects everybody to '/' by itself.
    if (version > 3) await poller.#post('40');
    while (!/(?:^|:|\x1e)40/.test(body)) ({ body } = await poller.#poll());
    return poller;
  }

  async #poll() {
    const answer = await fetch(this.#url);
    return { body: await answer.text(), encoding: answer.headers.get('content-encoding') };
  }

  #post(packet) {
    const body = this.#url.includes('EIO=3') ? `${packet.length}:${packet}` : packet;
    return fetch(this.#url, { method: 'POST', headers: { 'content-type': 'text/plain;charset=UTF-8' }, body });
  }

  // The event of the first answer that has this text in it, and how the answer was encoded.
  async answerWith(text) {
    for (;;) {
      const { body, encoding } = await this.#poll();
      if (body.includes(text)) return { event: body.match(/42\["(.*?)"/)[1], encoding };
    }
  }

  close() {
    return this.#post('1');
  }
}
