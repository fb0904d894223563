// docs/protocol/realtime.md is the protocol: it names what the code knows, each frame that a server sends has the fields
// that stand there, and what a client may send is understood.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { serve } from './lib/server.js';
import { Client } from './lib/websocket.js';
import { machineToken } from './lib/oauth.js';

const root = resolve(import.meta.dirname, '../..');
const read = (path) => readFileSync(join(root, path), 'utf8');
const page = read('docs/protocol/realtime.md');
const section = (heading) => page.split(`\n${heading}\n`)[1].split(/\n#/)[0];
const rows = (heading) => section(heading).split(/\n\|[-|]+\|\n/)[1].split('\n\n')[0].trim().split('\n')
  .map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()));
const quoted = (text) => [...text.matchAll(/`([a-z_]+)`/g)].map(([, word]) => word);
const all = (text, pattern) => [...text.matchAll(pattern)].map(([, word]) => word);

const commands = rows('### From the client').map(([type, fields, answer]) => ({ type: quoted(type)[0], fields: quoted(fields), answer }));
const events = rows('### From the server').map(([type, fields]) => ({ type: quoted(type)[0], fields: quoted(fields) }));
const codes = quoted(section('### From the client').split('Codes: ')[1]);

test('the types of commands are those that the decoder knows', () => {
  const table = read('troupe/realtime/protocol/decoder.cc').split('command_types[] = {')[1].split('};')[0];
  assert.deepEqual(commands.map(({ type }) => type).sort(), all(table, /\{"([a-z_]+)",/g).sort());
});

test('the types of frames that the server sends all stand on the page, and none else', () => {
  const source = read('troupe/realtime/protocol/answer.cc') + read('troupe/realtime/protocol/message.cc');
  const sent = new Set(all(source, /(?:begin\(out, |member\("type", |\{"type":)"([a-z_]+)"/g));
  const answers = commands.flatMap(({ answer }) => quoted(answer.replaceAll(/\{[^}]*\}/g, ''))).filter((word) => word !== 'id' && word !== 'history');
  const named = new Set([...events.map(({ type }) => type), ...answers, 'error']);
  assert.deepEqual([...named].sort(), [...sent].sort());
});

test('the codes of errors and of closing are those of the code', () => {
  const source = read('troupe/realtime/protocol/error.h');
  assert.deepEqual([...codes].sort(), all(source, /return "([a-z_]+)";/g).filter((code, i, list) => list.indexOf(code) === i).sort());
  const listed = new Set(rows('## Limits and closing').flatMap(([cell]) => cell.match(/\d{4}/g)).map(Number));
  for (const code of all(source, /= (4\d{3});/g)) assert.ok(listed.has(Number(code)), code);
  for (const code of listed) assert.ok(code < 4000 || source.includes(`= ${code};`), `${code} is in no code`);
});

test('frames have the fields that stand on the page, and commands are understood', async () => {
  const server = await serve();
  const account = await server.addClient('--name', 'page', '--grant', 'client_credentials', '--scope', 'topic:>:subscribe topic:>:publish topic:$user.*:publish');
  const token = await machineToken(server, account);
  const client = await Client.open(server.ws(), { token });
  const frames = [];
  const hear = (frame) => frames.push(frame) && frame;

  const asks = [
    { type: 'subscribe', topics: ['page.a'], presence: true },
    { type: 'publish', topic: 'page.a', payload: 1, priority: 'high', idempotency_key: 'k' },
    { type: 'history', topic: 'page.a', limit: 5 },
    { type: 'presence', topic: 'page.a' },
    { type: 'received', offset: 0 },
    { type: 'info' },
    { type: 'ping', timestamp: 1 },
    { type: 'authenticate', token },
    { type: 'resume', positions: {} },
    { type: 'cancel', target: 'none' },
    { type: 'unsubscribe', topics: ['page.a'] },
    { type: 'direct', user: account.client_id, payload: 1 },
  ];
  assert.deepEqual(asks.map(({ type }) => type).sort(), commands.map(({ type }) => type).sort(), 'each command is tried');
  for (const [i, ask] of asks.entries()) {
    const answer = hear(await client.ask({ ...ask, id: `id${i}` }));
    assert.doesNotMatch(answer.message ?? '', /no command|unknown type/i, JSON.stringify(answer));
  }
  frames.push(...client.inbox);

  const entries = ['topic', 'epoch', 'offset', 'recovered', 'shards', 'topics'];
  for (const frame of frames) {
    const row = events.find(({ type }) => type === frame.type);
    const answer = commands.find(({ answer }) => quoted(answer).includes(frame.type))?.answer ?? '';
    const known = new Set(['type', 'id', ...(row?.fields ?? []), ...quoted(answer),
                           ...(frame.type === 'error' ? ['code', 'message', 'retry_after_ms'] : []),
                           ...(/^(subscription_confirmed|resumed|unsubscription_confirmed|restarted)$/.test(frame.type) ? entries : []),
                           ...(frame.type === 'ack' ? commands.flatMap((one) => quoted(one.answer)) : []),
                           ...(frame.type === 'history_item' ? ['offset', 'sent_at', 'payload', 'sender', 'topic', 'epoch'] : [])]);
    for (const key of Object.keys(frame)) assert.ok(known.has(key), `\`${key}\` of ${JSON.stringify(frame)} is not on the page`);
  }
  assert.ok(frames.some(({ type }) => type === 'message') && frames.some(({ type }) => type === 'direct'), JSON.stringify(frames.map(({ type }) => type)));
  await client.close();
});
