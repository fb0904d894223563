// RFC 6455 at `/echo`, case by case: framing, pings, reserved bits, opcodes, fragments,
// UTF-8, closing, limits. A row sends frames and names the answers; then, unless the row
// expects the server to fail the connection, the client closes and the server must follow.
import { test, after } from 'node:test';
import assert from 'node:assert/strict';
import { serve } from './lib/server.js';
import { RawWebSocket, frame, closing, opcode } from './lib/raw_websocket.js';

// TROUPE_ECHO_PORT runs the table against any other echo server, to test the table itself.
const port = process.env.TROUPE_ECHO_PORT
  ? Number(process.env.TROUPE_ECHO_PORT)
  : (await serve({ env: { TROUPE_REALTIME_ECHO: 'true' } })).port;
after(() => setImmediate(() => process.env.TROUPE_ECHO_PORT && process.exit()));

const { continuation, text, binary, close, ping, pong } = opcode;
const first = { fin: false };
const chop = (bytes, size) => {
  const parts = [];
  for (let at = 0; at < bytes.length; at += size) parts.push(bytes.subarray(at, at + size));
  return parts;
};
const fragments = (op, payload, size) => {
  const parts = chop(Buffer.from(payload), size);
  return parts.map((part, i) => frame(i === 0 ? op : continuation, part, { fin: i === parts.length - 1 }));
};

/// Sends writes one after the other; checks the answers [op, payload]...; `fails`: the code the server closes with.
async function play(writes, answers, fails) {
  const socket = await RawWebSocket.open(port, '/echo');
  for (const bytes of writes) {
    socket.raw.write(bytes);
    if (writes.length > 1) await new Promise(setImmediate);
  }
  if (!fails) {
    const all = await socket.raw.until(() => socket.frames.length >= answers.length || socket.raw.closed, 20_000);
    assert.ok(all && !socket.raw.closed, `answers are missing: ${JSON.stringify(socket.frames.map((f) => f.op))}`);
    socket.send(close, closing(1000));
  }
  const end = await socket.ended();
  assert.ok(end.closed, 'the server did not close the connection');
  for (const each of end.frames) {
    assert.ok(each.fin && !each.masked && each.rsv === 0, `an unsound frame: ${JSON.stringify(each)}`);
  }
  const said = end.frames.filter((each) => each.op !== close);
  assert.deepEqual(said.map((each) => each.op), answers.map(([op]) => op));
  answers.forEach(([, payload], i) => assert.ok(Buffer.from(payload).equals(said[i].payload), `answer ${i} differs`));
  assert.ok([fails ?? 1000].flat().includes(end.code), `closed with ${end.code}, not ${fails ?? 1000}`);
}

const rows = (title, table) => test(title, async (t) => {
  for (const [name, writes, answers, fails] of table) await t.test(name, () => play(writes, answers, fails));
});

// 1. Framing
const sizes = [0, 125, 126, 127, 128, 65535, 65536];
rows('a message of any size comes back as it was', [
  ...sizes.map((size) => [`${size} bytes of text`, [frame(text, '*'.repeat(size))], [[text, '*'.repeat(size)]]]),
  ...sizes.map((size) => [`${size} bytes`, [frame(binary, Buffer.alloc(size, 0xfe))], [[binary, Buffer.alloc(size, 0xfe)]]]),
  ['65536 bytes of text in writes of 997', chop(frame(text, 'x'.repeat(65536)), 997), [[text, 'x'.repeat(65536)]]],
  ['65536 bytes in writes of 997', chop(frame(binary, Buffer.alloc(65536, 0xfe)), 997), [[binary, Buffer.alloc(65536, 0xfe)]]],
  ['a frame byte by byte', chop(frame(text, 'slowly'), 1), [[text, 'slowly']]],
  ['bytes, byte by byte', chop(frame(binary, Buffer.alloc(300, 0xfe)), 1), [[binary, Buffer.alloc(300, 0xfe)]]],
  ['five frames in one write', [Buffer.concat(['a', 'b', 'c', 'd', 'e'].map((s) => frame(text, s)))],
   ['a', 'b', 'c', 'd', 'e'].map((s) => [text, s])],
]);

rows('a frame whose form is wrong fails the connection', [
  ['a client frame without a mask', [frame(text, 'bare', { mask: false })], [], 1002],
  ['an unmasked ping', [frame(ping, '', { mask: false })], [], 1002],
  ['a length in 16 bits that fits in 7', [frame(text, 'short', { length: 16 })], [], 1002],
  ['a length in 64 bits that fits in 16', [frame(text, 'y'.repeat(200), { length: 64 })], [], 1002],
  ['a length with its highest bit set', [Buffer.from([0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4, 5])], [], [1002, 1009]],
  ['a length of 2^62', [Buffer.from([0x82, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4])], [], [1002, 1009]],
]);

// 2. Pings and pongs
rows('a ping is answered with its own payload', [
  ['no payload', [frame(ping)], [[pong, '']]],
  ['text', [frame(ping, 'Hello, world!')], [[pong, 'Hello, world!']]],
  ['bytes that are no text', [frame(ping, Buffer.from([0, 255, 254, 253]))], [[pong, Buffer.from([0, 255, 254, 253])]]],
  ['125 bytes', [frame(ping, Buffer.alloc(125, 254))], [[pong, Buffer.alloc(125, 254)]]],
  ['125 bytes, byte by byte', chop(frame(ping, Buffer.alloc(125, 254)), 1), [[pong, Buffer.alloc(125, 254)]]],
  ['126 bytes are too many', [frame(ping, Buffer.alloc(126, 254))], [], 1002],
  ['a pong without a payload is ignored', [frame(pong), frame(ping)], [[pong, '']]],
  ['a pong nobody asked for is ignored', [Buffer.concat([frame(pong, 'unasked'), frame(ping, 'p')])], [[pong, 'p']]],
  ['ten pings in one write', [Buffer.concat([...'0123456789'].map((s) => frame(ping, s)))], [...'0123456789'].map((s) => [pong, s])],
  ['ten pings, byte by byte', chop(Buffer.concat([...'0123456789'].map((s) => frame(ping, s))), 1),
   [...'0123456789'].map((s) => [pong, s])],
]);

// 3. Reserved bits
rows('a reserved bit without an extension fails the connection', [
  ...[1, 2, 3, 4, 5, 6, 7].map((rsv) => [`rsv ${rsv} on text`, [frame(text, 'x', { rsv })], [], 1002]),
  ['on bytes', [frame(binary, 'x', { rsv: 5 })], [], 1002],
  ['on a ping', [frame(ping, 'x', { rsv: 1 })], [], 1002],
  ['on a pong', [frame(pong, 'x', { rsv: 6 })], [], 1002],
  ['on a fragment', [frame(text, 'x', { ...first, rsv: 2 })], [], 1002],
  ['byte by byte, after a sound message', chop(Buffer.concat([frame(text, 'sound'), frame(text, 'x', { rsv: 4 })]), 1), [[text, 'sound']], 1002],
  ['and a ping behind it is not answered', [Buffer.concat([frame(text, 'sound'), frame(text, 'x', { rsv: 3 }), frame(ping)])], [[text, 'sound']], 1002],
  ['on a close', [frame(close, closing(1000), { rsv: 4 })], [], 1002],
  ['after a sound message, which is answered', [frame(text, 'sound'), frame(text, 'x', { rsv: 2 })], [[text, 'sound']], 1002],
]);

// 4. Opcodes
rows('a reserved opcode fails the connection', [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((op) => [
  [`opcode ${op}`, [frame(op)], [], 1002],
  [`opcode ${op} without an end`, [frame(op, '', first)], [], 1002],
  [`opcode ${op}, byte by byte, and a ping behind it`, chop(Buffer.concat([frame(op, 'x'), frame(ping)]), 1), [], 1002],
  [`opcode ${op} with a payload, after a message`, [frame(text, 'before'), frame(op, 'x')], [[text, 'before']], 1002],
]));

// 5. Fragments
rows('fragments make one message, in the order they came', [
  ['a text of two', fragments(text, 'fragment1fragment2', 9), [[text, 'fragment1fragment2']]],
  ['bytes of two', fragments(binary, 'fragment1fragment2', 9), [[binary, 'fragment1fragment2']]],
  ['all in one write', [Buffer.concat(fragments(text, 'all at once', 2))], [[text, 'all at once']]],
  ['empty fragments', [frame(text, '', first), frame(continuation, '', first), frame(continuation)], [[text, '']]],
  ['an empty one around a middle', [frame(text, '', first), frame(continuation, 'middle', first), frame(continuation)],
   [[text, 'middle']]],
  ['a ping between them', [frame(text, 'one', first), frame(ping, 'now'), frame(continuation, 'two')],
   [[pong, 'now'], [text, 'onetwo']]],
  ['pings between five', [frame(text, '1', first), frame(continuation, '2', first), frame(ping, 'a'),
                          frame(continuation, '3', first), frame(continuation, '4', first), frame(ping, 'b'), frame(continuation, '5')],
   [[pong, 'a'], [pong, 'b'], [text, '12345']]],
  ['byte by byte, with a ping between them', chop(Buffer.concat([frame(text, 'one', first), frame(ping, 'now'), frame(continuation, 'two')]), 1),
   [[pong, 'now'], [text, 'onetwo']]],
  ['in one write, with a ping between them', [Buffer.concat([frame(text, 'one', first), frame(ping, 'now'), frame(continuation, 'two')])],
   [[pong, 'now'], [text, 'onetwo']]],
  ['an unasked pong between them', [frame(text, 'one', first), frame(pong, 'now'), frame(continuation, 'two')], [[text, 'onetwo']]],
  ['two messages, one after the other', [...fragments(text, 'abcd', 2), ...fragments(binary, 'efgh', 2)],
   [[text, 'abcd'], [binary, 'efgh']]],
]);

rows('fragments out of order fail the connection', [
  ['a ping in fragments', [frame(ping, 'x', first), frame(continuation, 'y')], [], 1002],
  ['a pong in fragments', [frame(pong, 'x', first), frame(continuation, 'y')], [], 1002],
  ['a close in fragments', [frame(close, closing(1000), first)], [], 1002],
  ['a continuation of nothing', [frame(continuation, 'x')], [], 1002],
  ['an unfinished continuation of nothing', [frame(continuation, 'x', first)], [], 1002],
  ['continuations of nothing, again and again', [Buffer.concat([1, 2, 3].map(() => frame(continuation, 'x', first)))], [], 1002],
  ['a continuation of nothing before a message', [frame(continuation, 'x'), frame(text, 'late')], [], 1002],
  ['byte by byte', chop(Buffer.concat([frame(text, 'one', first), frame(text, 'two')]), 1), [], 1002],
  ['two texts in fragments, one within the other', [frame(text, '1', first), frame(text, '2', first), frame(continuation, '3')], [], 1002],
  ['a continuation after the end', [...fragments(text, 'abcd', 2), frame(continuation, 'x')], [[text, 'abcd']], 1002],
  ['a new text inside a message', [frame(text, 'one', first), frame(text, 'two')], [], 1002],
  ['new bytes inside a message', [frame(text, 'one', first), frame(binary, 'two', first)], [], 1002],
]);

// 6. UTF-8
const utf8 = (...bytes) => Buffer.from(bytes);
const good = [
  ['ASCII and beyond', 'Hello-µ@ßöäüàá-UTF-8!!'], ['κόσμε', 'κόσμε'], ['U+0000', '\u0000'], ['U+007F', '\u007f'], ['U+0080', '\u0080'],
  ['U+07FF', '\u07ff'], ['U+0800', '\u0800'], ['U+D7FF', '\ud7ff'], ['U+E000', '\ue000'], ['U+FFFD', '\ufffd'],
  ['U+FFFE, no character but a code point', '\ufffe'], ['U+FFFF', '\uffff'], ['U+FDD0', '\ufdd0'], ['U+10000', '\u{10000}'],
  ['U+1FFFE', '\u{1fffe}'], ['U+10FFFF, the last', '\u{10ffff}'],
];
const bad = [
  ['a lone continuation byte', utf8(0x80)], ['0xBF alone', utf8(0xbf)], ['six continuation bytes', utf8(0x80, 0xbf, 0x80, 0xbf, 0x80, 0xbf)],
  ['two bytes cut short', utf8(0xc3)], ['three bytes cut short', utf8(0xe2, 0x82)], ['four bytes cut short', utf8(0xf0, 0x9f, 0x98)],
  ['a start followed by ASCII', utf8(0xc3, 0x28)], ['0xFE', utf8(0xfe)], ['0xFF', utf8(0xff)],
  ['an overlong slash in two bytes', utf8(0xc0, 0xaf)], ['an overlong slash in three', utf8(0xe0, 0x80, 0xaf)],
  ['an overlong slash in four', utf8(0xf0, 0x80, 0x80, 0xaf)], ['an overlong U+007F', utf8(0xc1, 0xbf)], ['an overlong U+07FF', utf8(0xe0, 0x9f, 0xbf)],
  ['an overlong U+FFFF', utf8(0xf0, 0x8f, 0xbf, 0xbf)], ['an overlong zero', utf8(0xc0, 0x80)],
  ['a high surrogate', utf8(0xed, 0xa0, 0x80)], ['the last low surrogate', utf8(0xed, 0xbf, 0xbf)],
  ['a surrogate pair', utf8(0xed, 0xa0, 0x80, 0xed, 0xb0, 0x80)], ['U+110000', utf8(0xf4, 0x90, 0x80, 0x80)],
  ['five bytes', utf8(0xf8, 0x88, 0x80, 0x80, 0x80)], ['six bytes', utf8(0xfc, 0x84, 0x80, 0x80, 0x80, 0x80)],
  ['good before, bad at the end', Buffer.concat([Buffer.from('κόσμε'), utf8(0xed, 0xa0, 0x80), Buffer.from('edited')])],
];
rows('valid UTF-8 is text, however it is cut', good.flatMap(([name, string]) => [
  [name, [frame(text, string)], [[text, string]]],
  [`${name}, in fragments of one byte`, fragments(text, string, 1), [[text, string]]],
]));
rows('text that is not UTF-8 closes 1007', bad.flatMap(([name, bytes]) => [
  [name, [frame(text, bytes)], [], 1007],
  [`${name}, in fragments of one byte`, fragments(text, bytes, 1), [], 1007],
]));
rows('a text of nothing, and of fragments of nothing, is text', [
  ['an empty one', [frame(text)], [[text, '']]],
  ['three empty fragments', [frame(text, '', first), frame(continuation, '', first), frame(continuation)], [[text, '']]],
  ['a character that is cut by an empty one', [frame(text, utf8(0xce), first), frame(continuation, '', first), frame(continuation, utf8(0xba))],
   [[text, 'κ']]],
  ['a character that is cut by a ping', [frame(text, utf8(0xce), first), frame(ping, utf8(0xff)), frame(continuation, utf8(0xba))],
   [[pong, utf8(0xff)], [text, 'κ']]],
  ['byte by byte', chop(frame(text, 'Hello-µ@ßöäüàá-UTF-8!!'), 1), [[text, 'Hello-µ@ßöäüàá-UTF-8!!']]],
]);
rows('bytes may be anything', bad.map(([name, bytes]) => [name, [frame(binary, bytes)], [[binary, bytes]]]));

test('a message that can no longer become UTF-8 is refused before it ends', async () => {
  const socket = await RawWebSocket.open(port, '/echo');
  socket.send(text, Buffer.concat([Buffer.from('κόσμε'), utf8(0xf4, 0x90)]), first);
  const end = await socket.ended(10_000);
  assert.deepEqual([end.closed, end.code], [true, 1007]);
});

test('and so it is in a frame that has not come to its end', async () => {
  const socket = await RawWebSocket.open(port, '/echo');
  const whole = frame(text, Buffer.concat([Buffer.from('κόσμε'), utf8(0xf4, 0x90), Buffer.alloc(100, 0x80)]));
  socket.raw.write(whole.subarray(0, whole.length - 50));
  const end = await socket.ended(10_000);
  assert.deepEqual([end.closed, end.code], [true, 1007]);
});

// 7. Closing
rows('a close frame is answered with its code', [
  ['without a code', [frame(close)], [], 1005],
  ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999].map((code) =>
    [`${code}`, [frame(close, closing(code))], [], code]),
  ['with a reason', [frame(close, closing(1000, 'κόσμε'))], [], 1000],
  ['with the longest reason', [frame(close, closing(1000, '*'.repeat(123)))], [], 1000],
  ['what follows it is not read', [Buffer.concat([frame(close, closing(1000)), frame(text, 'late'), frame(ping, 'late')])], [], 1000],
  ['a second close is not read', [Buffer.concat([frame(close, closing(1000)), frame(close, closing(1001))])], [], 1000],
  ['a fragment behind it is not read', [Buffer.concat([frame(close, closing(1000)), frame(continuation, 'late')])], [], 1000],
  ['a large message before it is answered, a ping behind it is not',
   [Buffer.concat([frame(text, 'x'.repeat(256 * 1024)), frame(close, closing(1000)), frame(ping)])], [[text, 'x'.repeat(256 * 1024)]], 1000],
  ['byte by byte', chop(frame(close, closing(1000, 'κόσμε')), 1), [], 1000],
  ['between fragments', [frame(text, 'half', first), frame(close, closing(1000))], [], 1000],
  ['after a message, which is answered', [Buffer.concat([frame(text, 'last words'), frame(close, closing(1000))])],
   [[text, 'last words']], 1000],
]);
rows('a close frame whose form is wrong is a protocol error', [
  ['one byte', [frame(close, Buffer.from([3]))], [], 1002],
  ['126 bytes', [frame(close, closing(1000, '*'.repeat(124)))], [], 1002],
  ['a reason that is not UTF-8', [frame(close, Buffer.concat([closing(1000), utf8(0xce, 0xba, 0xff)]))], [], 1007],
  ...[0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535].map((code) =>
    [`code ${code}`, [frame(close, closing(code))], [], 1002]),
]);

// 9 and 10. Size
const big = (size) => Buffer.alloc(size, 'abcdefghij');
const MiB = 1024 * 1024;
rows('large messages come back whole', [
  ...[64 * 1024, 256 * 1024, MiB, 4 * MiB, 16 * MiB].map((size) => [`${size} bytes of text`, [frame(text, big(size))], [[text, big(size)]]]),
  ...[MiB, 16 * MiB].map((size) => [`${size} bytes`, [frame(binary, big(size))], [[binary, big(size)]]]),
  ...[64, 256, 1024, 4096, 16_384, 65_536, 262_144, MiB, 4 * MiB].map((size, i) => [size, i % 2 === 0 ? binary : text]).map(([size, op]) =>
    [`4 MiB in fragments of ${size}, opcode ${op}`, [Buffer.concat(fragments(op, big(4 * MiB), size))], [[op, big(4 * MiB)]]]),
  ...[128, 256, 512, 1024, 2048, 4096].map((size, i) => [size, i % 2 === 0 ? binary : text]).map(([size, op]) =>
    [`1 MiB in writes of ${size}, opcode ${op}`, chop(frame(op, big(MiB)), size), [[op, big(MiB)]]]),
  ['65536 bytes in fragments of 1300', fragments(text, big(65536), 1300), [[text, big(65536)]]],
]);
rows('more than 16 MiB closes 1009', [
  ['in one frame, by its header alone', [frame(binary, big(16 * MiB + 1)).subarray(0, 14)], [], 1009],
  ['in fragments', [Buffer.concat(fragments(binary, big(16 * MiB + 1), 4 * MiB))], [], 1009],
]);
rows('a thousand messages come back in order', [text, binary].flatMap((op) => [0, 16, 64, 256, 1024, 4096].map((size) => [op, size])).map(([op, size]) => {
  const messages = Array.from({ length: 1000 }, (_, i) => Buffer.from(size === 0 ? '' : `${i}`.padEnd(size, '.')));
  return [`of ${size} bytes, opcode ${op}`, [Buffer.concat(messages.map((message) => frame(op, message)))], messages.map((message) => [op, message])];
}));
