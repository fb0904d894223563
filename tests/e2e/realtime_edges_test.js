// Bad input at the WebSocket: every row gets a clear error, and the connection goes on, or
// the close code that the protocol names; nobody else notices.
import { test, before, afterEach } from 'node:test';
import assert from 'node:assert/strict';
import { serve, sleep } from './lib/server.js';
import { Client, refusal } from './lib/websocket.js';
import { exchange } from './lib/raw.js';
import { machineToken } from './lib/oauth.js';

const server = await serve();
let token, bystander;
before(async () => {
  const client = await server.addClient('--name', 'edges', '--grant', 'client_credentials', '--scope', 'topic:>:subscribe topic:>:publish topic:$user.*:publish');
  token = await machineToken(server, client);
  bystander = await Client.open(server.ws(), { token });
});
const open = () => Client.open(server.ws(), { token });
afterEach(async () => assert.equal((await bystander.ask({ type: 'ping' })).type, 'pong', 'somebody else was disturbed'));

const nested = (depth) => '['.repeat(depth) + ']'.repeat(depth);
const badFrames = [
  ['not JSON', 'hello'],
  ['an empty frame', ''],
  ['white space', '   '],
  ['JSON cut short', '{"type":"ping"'],
  ['two objects', '{"type":"ping"}{"type":"ping"}'],
  ['something after the object', '{"type":"ping"} x'],
  ['an array', '[{"type":"ping"}]'],
  ['a string', '"ping"'], ['a number', '42'], ['null', 'null'],
  ['no type', '{"id":"a"}'],
  ['a type that is no string', '{"type":1}'],
  ['an unknown type', '{"type":"dance"}'],
  ['a type twice', '{"type":"ping","type":"info"}'],
  ['an id that is no string', '{"type":"ping","id":1}'],
  ['an id over 64 bytes', `{"type":"ping","id":"${'i'.repeat(65)}"}`],
  ['an id twice', '{"type":"ping","id":"a","id":"b"}'],
  ['depth without end', `{"type":"publish","topic":"a","payload":${nested(5000)}}`],
  ['an unfinished escape', '{"type":"publish","topic":"a","payload":"\\u12"}'],
  ['a control character in a string', '{"type":"publish","topic":"a","payload":"\u0001"}'],
  ['NaN', '{"type":"publish","topic":"a","payload":NaN}'],
];
for (const [name, frame] of badFrames) {
  test(`${name} is answered bad_request, and the connection goes on`, async () => {
    const client = await open();
    client.send(frame);
    const answer = await client.next((m) => m.type !== 'pong' && m.type !== 'ack');
    assert.deepEqual([answer.type, answer.code], ['error', 'bad_request'], JSON.stringify(answer));
    assert.ok(answer.message?.length > 0, 'a sentence that says what is wrong');
    assert.equal((await client.ask({ type: 'ping' })).type, 'pong');
    assert.deepEqual(client.inbox, [], 'one answer, not more');
    await client.close();
  });
}

const long = 'x'.repeat(257);
const segments = (n) => Array(n).fill('s').join('.');
const badTopics = ['', '.', 'a.', '.a', 'a..b', long, segments(17), 'a.b*', '*a', 'a.>.b', 'a>'];
const badCommands = [
  ['subscribe without topics', { type: 'subscribe' }],
  ['subscribe to a string', { type: 'subscribe', topics: 'a' }],
  ['subscribe to nothing', { type: 'subscribe', topics: [] }],
  ['subscribe to a number', { type: 'subscribe', topics: [7] }],
  ['subscribe with a recover that is a list', { type: 'subscribe', topics: ['a'], recover: [1] }],
  ['subscribe with a negative offset', { type: 'subscribe', topics: ['a'], recover: { a: { epoch: 'e', offset: -1 } } }],
  ['subscribe with an offset of 1.5', { type: 'subscribe', topics: ['a'], recover: { a: { epoch: 'e', offset: 1.5 } } }],
  ['unsubscribe without topics', { type: 'unsubscribe' }],
  ['publish without a topic', { type: 'publish', payload: 1 }],
  ['publish without a payload', { type: 'publish', topic: 'a' }],
  ['publish to a pattern', { type: 'publish', topic: 'a.*', payload: 1 }],
  ['publish to everything', { type: 'publish', topic: '>', payload: 1 }],
  ['publish to a number', { type: 'publish', topic: 5, payload: 1 }],
  ['publish with an exclude_self that is a string', { type: 'publish', topic: 'a', payload: 1, exclude_self: 'yes' }],
  ['direct to nobody', { type: 'direct', payload: 1 }],
  ['direct to a number', { type: 'direct', user: 7, payload: 1 }],
  ['direct without a payload', { type: 'direct', user: 'u' }],
  ['history without a topic', { type: 'history', limit: 1 }],
  ['history of a pattern', { type: 'history', topic: 'a.*', limit: 1 }],
  ['history with a negative limit', { type: 'history', topic: 'a', limit: -1 }],
  ['history with a limit of zero', { type: 'history', topic: 'a', limit: 0 }],
  ['history with a limit of text', { type: 'history', topic: 'a', limit: 'ten' }],
  ['history since and before', { type: 'history', topic: 'a', limit: 1, since: { epoch: 'e', offset: 1 }, before: { epoch: 'e', offset: 2 } }],
  ...badTopics.flatMap((topic) => [
    [`subscribe to "${topic.slice(0, 20)}"`, { type: 'subscribe', topics: [topic] }],
    [`publish to "${topic.slice(0, 20)}"`, { type: 'publish', topic, payload: 1 }],
  ]),
];
test('a command whose fields are wrong is answered bad_request with its id', async (t) => {
  const client = await open();
  for (const [name, frame] of badCommands) {
    await t.test(name, async () => {
      const answer = await client.ask(frame);
      assert.deepEqual([answer.type, answer.code], ['error', 'bad_request'], JSON.stringify(answer));
    });
  }
  assert.equal((await client.subscribe('sound')).active_subscriptions, 1, 'no bad frame left a subscription');
  await client.close();
});

test('topics of the system are forbidden to publish to', async (t) => {
  const client = await open();
  for (const topic of ['$user.somebody', '$sys.a', 'system.metrics']) {
    await t.test(topic, async () => assert.equal((await client.ask({ type: 'publish', topic, payload: 1 })).code, 'forbidden'));
  }
  await client.close();
});

test('unknown fields are ignored', async () => {
  const client = await open();
  assert.equal((await client.ask({ type: 'ping', new_field: { of: 'tomorrow' } })).type, 'pong');
  await client.close();
});

test('a topic of 16 segments and of 256 bytes is allowed', async () => {
  const client = await open();
  await client.subscribe(segments(16), 'y'.repeat(256));
  await client.close();
});

test('a frame over the limit closes 1009', async () => {
  const client = await open();
  client.send({ type: 'publish', topic: 'a', payload: 'p'.repeat(1024 * 1024 + 1) });
  assert.equal((await client.closed).code, 1009);
});

test('a frame just under the limit is delivered', async () => {
  const client = await open();
  await client.subscribe('large');
  const payload = 'p'.repeat(1024 * 1024 - 200);
  client.send({ type: 'publish', topic: 'large', payload });
  assert.equal((await client.next('message')).payload.length, payload.length);
  await client.close();
});

test('more than a thousand subscriptions are refused, and the first thousand stay', async () => {
  const client = await open();
  for (let i = 0; i < 10; ++i) await client.subscribe(...Array.from({ length: 100 }, (_, k) => `many.${i}.${k}`));
  const answer = await client.ask({ type: 'subscribe', topics: ['one.more'] });
  assert.equal(answer.type, 'error', JSON.stringify(answer).slice(0, 200));
  assert.equal((await client.ask({ type: 'publish', topic: 'many.0.0', payload: 1 })).delivered_to, 1);
  await client.close();
});

test('more messages than the rate allows are refused with retry_after_ms or close 4008', async () => {
  const client = await open();
  const end = client.closed;
  const limited = client.next((m) => m.type === 'error', 15_000).catch(() => undefined);
  for (let i = 0; i < 12_000; ++i) client.socket.send('{"type":"ping"}');
  const first = await Promise.race([limited, end]);
  assert.ok(first?.code === 4008 || (first?.code === 'rate_limited' && first.retry_after_ms > 0), JSON.stringify(first));
  client.socket.terminate();
});

test('a reader that reads nothing disturbs nobody', async () => {
  const [slow, publisher, quick] = await Promise.all([open(), open(), open()]);
  await slow.subscribe('slow.topic');
  await quick.subscribe('slow.topic');
  slow.socket.pause();
  const payload = 'p'.repeat(60_000);
  for (let i = 0; i < 200; ++i) {
    const ack = await publisher.ask({ type: 'publish', topic: 'slow.topic', payload });
    assert.equal(ack.type, 'ack', JSON.stringify(ack));
    await quick.next('message');
  }
  slow.socket.resume();
  await slow.ask({ type: 'ping' }).catch(() => undefined);
  // No silent loss: what did not come is named by gaps, without holes or overlaps.
  let expected = 1;
  for (const message of slow.inbox.filter((m) => m.topic === 'slow.topic')) {
    if (message.type === 'message') assert.equal(message.offset, expected++);
    if (message.type === 'gap') {
      assert.equal(message.from, expected);
      expected = message.to + 1;
    }
  }
  assert.equal(expected, 201, 'all 200 messages came or were named by a gap');
  for (const client of [slow, publisher, quick]) client.socket.terminate();
});

const upgrade = (lines) => `GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines.join('\r\n')}\r\n\r\n`;
const sound = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];
const without = (name) => sound.filter((line) => !line.startsWith(name));
const upgrades = [
  ['no Upgrade', without('Upgrade'), [400, 426]],
  ['no Connection', without('Connection'), [400, 426]],
  ['no key', without('Sec-WebSocket-Key'), [400]],
  ['a key of the wrong length', [...without('Sec-WebSocket-Key'), 'Sec-WebSocket-Key: c2hvcnQ='], [400]],
  ['a key that is no base64', [...without('Sec-WebSocket-Key'), 'Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!=='], [400]],
  ['no version', without('Sec-WebSocket-Version'), [400, 426]],
  ['version 8', [...without('Sec-WebSocket-Version'), 'Sec-WebSocket-Version: 8'], [400, 426]],
];
for (const [name, lines, expected] of upgrades) {
  test(`an upgrade with ${name} is refused`, async () => {
    const { statuses } = await exchange(server.port, upgrade(lines));
    assert.equal(statuses.length, 1);
    assert.ok(expected.includes(statuses[0]), `${statuses}`);
  });
}

test('a POST to /ws is no upgrade', async () => {
  const { statuses } = await exchange(server.port, `POST /ws HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n${sound.join('\r\n')}\r\n\r\n`);
  assert.ok([400, 404, 405, 426].includes(statuses[0]), `${statuses}`);
});

test('/echo is off unless the configuration turns it on', async () => {
  assert.equal((await refusal(server.ws('/echo'))).statusCode, 404);
});

test('a connection that sends half a frame and stays is no burden', async () => {
  const client = await open();
  client.socket._socket.write(Buffer.from([0x81, 0xfe]));
  await sleep(50);
  client.socket.terminate();
});
