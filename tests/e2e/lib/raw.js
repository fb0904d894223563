// Bytes as they stand: a TCP connection that writes what it is told and keeps what it gets.
import net from 'node:net';
import { sleep } from './server.js';

export class Raw {
  constructor(port) {
    this.bytes = Buffer.alloc(0);
    this.closed = false;
    this.socket = net.connect(port, '127.0.0.1');
    this.socket.setNoDelay(true);
    this.socket.on('data', (bytes) => { this.bytes = Buffer.concat([this.bytes, bytes]); this.changed?.(); });
    this.socket.on('close', () => { this.closed = true; this.changed?.(); });
    this.socket.on('error', () => {});
  }

  get text() { return this.bytes.toString('latin1'); }
  write(bytes) { this.socket.write(bytes); }
  /// Closes our direction; what comes back is still read.
  end() { this.socket.end(); }
  destroy() { this.socket.destroy(); }

  /// Waits until `done(this)` is true or the time is over; gives whether it became true.
  async until(done, within = 10_000) {
    const end = Date.now() + within;
    while (!done(this)) {
      const left = end - Date.now();
      if (left <= 0) return false;
      await Promise.race([new Promise((changed) => { this.changed = changed; }), sleep(Math.min(left, 50))]);
    }
    return true;
  }
}

const statusesIn = (text) => [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));

/// Sends raw bytes over a new connection; gives the statuses of all answers and whether the server closed. It waits for
/// so many answers or the end (Infinity: for the end alone), and then a moment for what nobody expects.
export async function exchange(port, bytes, { answers = 1, within, half = false } = {}) {
  const raw = new Raw(port);
  raw.write(bytes);
  if (half) raw.end();
  await raw.until((r) => r.closed || statusesIn(r.text).length >= answers, within);
  await raw.until((r) => r.closed, 150);
  const result = { statuses: statusesIn(raw.text), closed: raw.closed, text: raw.text };
  raw.destroy();
  return result;
}
