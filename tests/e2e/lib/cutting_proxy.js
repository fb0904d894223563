// A TCP proxy that is as bad as a network can be: it cuts its connections, or goes silent without a word.
import { connect, createServer } from 'node:net';
import { after } from 'node:test';

export class CuttingProxy {
  #pairs = new Set();
  #silent = false;
  cuts = 0;

  /// Listens on a port of its own and brings everything to `port`.
  static async before(port) {
    const proxy = new CuttingProxy();
    proxy.to = port;
    proxy.server = createServer((near) => proxy.#join(near));
    await new Promise((done) => proxy.server.listen(0, '127.0.0.1', done));
    after(() => proxy.close());
    return proxy;
  }

  get url() { return `ws://127.0.0.1:${this.server.address().port}/ws`; }
  get open() { return this.#pairs.size; }

  #join(near) {
    const far = connect(this.to, '127.0.0.1');
    const pair = [near, far];
    this.#pairs.add(pair);
    const end = () => {
      this.#pairs.delete(pair);
      for (const socket of pair) socket.destroy();
    };
    for (const [from, to] of [[near, far], [far, near]]) {
      from.on('data', (bytes) => { if (!this.#silent) to.write(bytes); });
      from.on('error', end);
      from.on('close', end);
    }
  }

  /// Cuts what is open; with `share`, each connection with that probability.
  cut(share = 1, random = Math.random) {
    for (const pair of [...this.#pairs]) {
      if (random() >= share) continue;
      ++this.cuts;
      for (const socket of pair) socket.destroy();
    }
  }

  /// From now on bytes vanish, and nobody is told.
  silence(silent = true) { this.#silent = silent; }

  close() {
    this.cut();
    this.server.close();
  }
}
