// WebSocket frames as bytes, right or wrong: what no proper client library lets one send.
import { randomBytes } from 'node:crypto';
import { Raw } from './raw.js';

export const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

/// One client frame. `rsv` 0..7, `mask` false leaves it out, `length` lies about the payload's length form (7, 16, 64).
export function frame(op, payload = '', { fin = true, rsv = 0, mask = true, length } = {}) {
  const body = Buffer.from(payload);
  const form = length ?? (body.length < 126 ? 7 : body.length < 65536 ? 16 : 64);
  const head = Buffer.alloc(form === 7 ? 2 : form === 16 ? 4 : 10);
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | op;
  head[1] = (mask ? 0x80 : 0) | (form === 7 ? body.length : form === 16 ? 126 : 127);
  if (form === 16) head.writeUInt16BE(body.length, 2);
  if (form === 64) head.writeBigUInt64BE(BigInt(body.length), 2);
  if (!mask) return Buffer.concat([head, body]);
  const key = randomBytes(4);
  const masked = Buffer.alloc(body.length);
  for (let i = 0; i < body.length; ++i) masked[i] = body[i] ^ key[i & 3];
  return Buffer.concat([head, key, masked]);
}

/// A close frame's payload.
export const closing = (code, reason = '') => {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return Buffer.concat([head, Buffer.from(reason)]);
};

export class RawWebSocket {
  /// Connects and upgrades; throws with the answer when refused.
  static async open(port, path, headers = {}) {
    const self = new RawWebSocket();
    self.raw = new Raw(port);
    const all = {
      Host: `127.0.0.1:${port}`, Upgrade: 'websocket', Connection: 'Upgrade',
      'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==', ...headers,
    };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join('');
    self.raw.write(`GET ${path} HTTP/1.1\r\n${lines}\r\n`);
    await self.raw.until((raw) => raw.text.includes('\r\n\r\n') || raw.closed);
    self.head = self.raw.text.slice(0, self.raw.text.indexOf('\r\n\r\n') + 4);
    if (!self.head.startsWith('HTTP/1.1 101')) throw new Error(`upgrade refused: ${self.raw.text}`);
    self.raw.bytes = self.raw.bytes.subarray(self.head.length);
    return self;
  }

  send(...args) { this.raw.write(frame(...args)); }

  /// All whole frames that have come so far, as [opcode, payload]; { fin, masked } are checked by `sound`.
  get frames() {
    const frames = [];
    let at = 0;
    const bytes = this.raw.bytes;
    while (bytes.length - at >= 2) {
      let length = bytes[at + 1] & 0x7f;
      let head = 2;
      if (length === 126) { if (bytes.length - at < 4) break; length = bytes.readUInt16BE(at + 2); head = 4; }
      else if (length === 127) { if (bytes.length - at < 10) break; length = Number(bytes.readBigUInt64BE(at + 2)); head = 10; }
      if (bytes.length - at < head + length) break;
      frames.push({ op: bytes[at] & 15, fin: (bytes[at] & 0x80) !== 0, rsv: (bytes[at] >> 4) & 7,
                    masked: (bytes[at + 1] & 0x80) !== 0, payload: bytes.subarray(at + head, at + head + length) });
      at += head + length;
    }
    return frames;
  }

  /// Waits until the server has closed; gives everything it said.
  async ended(within = 5000) {
    const closed = await this.raw.until((raw) => raw.closed, within);
    const last = this.frames.at(-1);
    const code = last?.op === opcode.close ? (last.payload.length >= 2 ? last.payload.readUInt16BE(0) : 1005) : 1006;
    return { closed, code, frames: this.frames };
  }
}
