// permessage-deflate (RFC 7692) with npm `ws`: what is agreed on for which offer and
// configuration, messages of all sizes through /echo with each of them (the kinds of cases 12
// and 13 of the public WebSocket suite), and one publication for subscribers with and without it.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { deflateRawSync, constants } from 'node:zlib';
import WebSocket from 'ws';
import { generous, serve } from './lib/server.js';
import { machineToken } from './lib/oauth.js';
import { Client } from './lib/websocket.js';
import { RawWebSocket, frame, opcode } from './lib/raw_websocket.js';

const scope = 'topic:>:subscribe topic:>:publish';
const configuration = (deflate) => `${generous}[realtime]\necho = true\ndeflate = "${deflate}"\n`;
const start = (deflate) => serve({ config: configuration(deflate) });
const shared = await start('shared');
const own = await start('own');
const off = await start('off');

async function open(url, options) {
  const socket = new WebSocket(url, options);
  await new Promise((done, fail) => { socket.on('open', done); socket.on('error', fail); });
  return socket;
}
async function ended(socket) {
  const closed = new Promise((done) => socket.on('close', done));
  socket.close(1000);
  assert.equal(await closed, 1000);
}

const sizes = [0, 16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131072];
const prose = (size, seed) => {
  let text = '';
  for (let i = seed; text.length < size; ++i) text += `{"type":"message","offset":${i * 7919},"payload":"hello, wörld"}`;
  return text.slice(0, size);
};
const offers = [
  ['what ws offers by itself', true],
  ['no context of either side', { serverNoContextTakeover: true, clientNoContextTakeover: true }],
  ['no context of ours', { serverNoContextTakeover: true }],
  ['no context of the client', { clientNoContextTakeover: true }],
  ['a window of 2^9 both ways', { serverMaxWindowBits: 9, clientMaxWindowBits: 9 }],
  ['a window of 2^15 both ways', { serverMaxWindowBits: 15, clientMaxWindowBits: 15 }],
  ['both', { serverNoContextTakeover: true, clientNoContextTakeover: true, serverMaxWindowBits: 9, clientMaxWindowBits: 9 }],
];
for (const [kind, server] of [['shared', shared], ['own', own]]) {
  for (const [what, offer] of offers) {
    test(`messages of every size come back, ${kind}, with ${what}`, async () => {
      const perMessageDeflate = { threshold: 0, ...(offer === true ? {} : offer) };
      const socket = await open(server.ws('/echo'), { perMessageDeflate, maxPayload: 0 });
      assert.match(socket.extensions, /^permessage-deflate/);
      for (const size of sizes) {
        for (let i = 0; i < 10; ++i) {
          const binary = i % 2 === 1;
          const sent = Buffer.from(prose(size, i));
          const back = new Promise((done) => socket.once('message', (data, isBinary) => done([data, isBinary])));
          socket.send(binary ? sent : sent.toString(), { binary });
          const [data, isBinary] = await back;
          assert.equal(isBinary, binary);
          assert.ok(data.equals(binary ? sent : Buffer.from(sent.toString())), `${size} bytes differ`);
        }
      }
      await ended(socket);
    });
  }
}

test('a thousand compressed messages in fragments come back in order', async () => {
  const socket = await open(shared.ws('/echo'), { perMessageDeflate: { threshold: 0 } });
  const got = [];
  const all = new Promise((done) => socket.on('message', (data) => got.push(`${data}`) === 1000 && done()));
  for (let i = 0; i < 1000; ++i) {
    const text = `${i} ${prose(300, i)}`;
    for (let at = 0; at < text.length; at += 100) {
      socket.send(text.slice(at, at + 100), { fin: at + 100 >= text.length, compress: true });
    }
  }
  await all;
  got.forEach((text, i) => assert.equal(text, `${i} ${prose(300, i)}`));
  await ended(socket);
});

test('what is agreed on follows the configuration', async () => {
  const asked = { perMessageDeflate: true };
  const agreed = async (server) => {
    const socket = new WebSocket(server.ws('/echo'), asked);
    const [[answer]] = await Promise.all([once(socket, 'upgrade'), once(socket, 'open')]);
    await ended(socket);
    return answer.headers['sec-websocket-extensions'] ?? '';  // socket.extensions has the name alone
  };
  assert.equal(await agreed(off), '');
  assert.match(await agreed(shared), /server_no_context_takeover; client_no_context_takeover/);
  assert.match(await agreed(own), /server_max_window_bits=12; client_max_window_bits=12/);
});

const bit = { rsv: 4 };
const packed = (bytes) => deflateRawSync(Buffer.from(bytes), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
const rows = [
  ['a compressed ping', frame(opcode.ping, '', bit), 1002],
  ['a second reserved bit', frame(opcode.text, packed('x'), { rsv: 6 }), 1002],
  ['the bit on a continuation', Buffer.concat([frame(opcode.text, 'a', { fin: false }), frame(opcode.continuation, 'b', bit)]), 1002],
  ['no DEFLATE data', frame(opcode.binary, Buffer.from([255, 255, 255]), bit), 1007],
  ['text that is not UTF-8', frame(opcode.text, packed(Buffer.from([0xc0, 0xaf])), bit), 1007],
  ['a bomb of 64 MiB', frame(opcode.binary, packed(Buffer.alloc(64 << 20)), bit), 1009],
];
for (const [what, bytes, code] of rows) {
  test(`${what} closes ${code}`, async () => {
    const socket = await RawWebSocket.open(shared.port, '/echo', { 'Sec-WebSocket-Extensions': 'permessage-deflate' });
    socket.raw.write(bytes);
    const end = await socket.ended();
    assert.deepEqual([end.closed, end.code], [true, code]);
  });
}

test('without an agreement the bit closes 1002, and a header without form is refused', async () => {
  const socket = await RawWebSocket.open(shared.port, '/echo');
  socket.raw.write(frame(opcode.text, packed('x'), bit));
  assert.equal((await socket.ended()).code, 1002);
  await assert.rejects(RawWebSocket.open(shared.port, '/echo', { 'Sec-WebSocket-Extensions': 'permessage-deflate; =' }), /400/);
});

test('subscribers with and without compression see the same, and it is counted', async () => {
  const machine = await shared.addClient('--name', 'deflate', '--grant', 'client_credentials', '--scope', scope);
  const token = await machineToken(shared, machine);
  const compressed = await Promise.all([1, 2, 3].map(() => Client.open(shared.ws(), { token })));
  const plain = new Client(new WebSocket(shared.ws(), { perMessageDeflate: false, headers: { Authorization: `Bearer ${token}` } }));
  await plain.next('welcome');
  const all = [...compressed, plain];
  for (const client of all) await client.subscribe('deflate.room');
  const payload = { text: prose(5000, 1) };
  const ack = await plain.ask({ type: 'publish', topic: 'deflate.room', payload });
  assert.equal(ack.delivered_to, 4);
  for (const client of all) assert.deepEqual((await client.next('message')).payload, payload);
  const metrics = await (await fetch(`${shared.url}/metrics`)).text();
  const saved = Number(/^troupe_realtime_deflate_saved_bytes_total (\S+)/m.exec(metrics)[1]);
  assert.ok(saved > 3 * 4000, `${saved} bytes were saved`);
  for (const client of all) await client.close();
});
