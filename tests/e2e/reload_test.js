// SIGHUP: a server reads its configuration again while clients are connected.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { generous, serve, troupe, until, within } from './lib/server.js';
import { Client, refusal } from './lib/websocket.js';
import { machineToken } from './lib/oauth.js';

/// Writes the file, sends SIGHUP, and gives the log from there to a line that matches.
async function reload(server, config, last) {
  const seen = server.log.length;
  writeFileSync(server.config, config);
  server.process.kill('SIGHUP');
  const said = () => server.log.slice(seen);
  assert.ok(await until(() => last.test(said())), `no ${last} in the log:\n${said()}`);
  return said();
}

const done = /configuration read again/;
const refused = /the configuration stays as it was/;

test('a good file widens and narrows what connected clients may do; a bad one changes nothing', async () => {
  const server = await serve();
  const client = await server.addClient('--name', 'reload', '--grant', 'client_credentials', '--scope', 'topic:own:subscribe');
  const socket = await Client.open(server.ws(), { token: await machineToken(server, client) });
  await socket.subscribe('own');
  const code = async (frame) => (await socket.ask(frame)).code ?? 'ok';
  assert.equal(await code({ type: 'subscribe', topics: ['chat.a'] }), 'forbidden');

  // Wider.
  const chat = '[realtime.namespace.chat]\ndefault_scopes = "topic:chat.>:subscribe topic:chat.a:publish"\n';
  const wider = await reload(server, `${generous}${chat}payload_bytes_max = 8\n`, done);
  assert.match(wider, /realtime\.namespace\.chat\.default_scopes/);
  assert.match(wider, /realtime\.namespace\.chat\.payload_bytes_max/);
  await socket.subscribe('chat.a', 'chat.*');
  assert.equal(await code({ type: 'publish', topic: 'chat.a', payload: 1 }), 'ok');
  await socket.next('message');
  assert.equal(await code({ type: 'publish', topic: 'chat.a', payload: 123456789 }), 'too_large');

  // Wrong in two places: both are told with their lines, and nothing is taken, not even what is right.
  const wrong = await reload(server, `${generous}${chat}payload_bytes_max = "much"\n[realtime]\nmesages_per_second = 1\nsubscriptions_max = 1\n`, refused);
  const line = generous.split('\n').length + 2;  // of the first mistake
  assert.match(wrong, new RegExp(`troupe\\.toml:${line}\\b.*payload_bytes_max wants a size`));
  assert.match(wrong, new RegExp(`troupe\\.toml:${line + 2}\\b.*realtime\\.mesages_per_second.*do you mean realtime\\.messages_per_second`));
  assert.match(await reload(server, '[realtime\n', refused), /troupe\.toml:1\b.*is no TOML/);
  await socket.subscribe('own', 'chat.a', 'chat.b');
  assert.equal(await code({ type: 'publish', topic: 'chat.a', payload: 123456789 }), 'too_large');

  // Narrower: what is no longer permitted ends, the rest goes on, and what cannot be live is named.
  const narrower = await reload(server, `${generous}[realtime]\necho = true\n[realtime.namespace.chat]\ndefault_scopes = "topic:chat.a:subscribe"\n`, done);
  assert.match(narrower, /waits for the next start.*realtime\.echo/);
  const ended = await socket.next('unsubscribed');
  assert.deepEqual(ended.topics.sort(), ['chat.*', 'chat.b']);
  assert.equal(ended.reason, 'forbidden');
  assert.equal(await code({ type: 'publish', topic: 'chat.a', payload: 1 }), 'forbidden');
  assert.equal((await socket.ask({ type: 'info' })).subscriptions, 2);
  assert.equal((await refusal(server.ws('/echo'))).statusCode, 404);
  await socket.close();
});

test('anonymous access comes and goes', async () => {
  const server = await serve();
  await reload(server, `${generous}[realtime.namespace.news]\nanonymous_scopes = "topic:news.>:subscribe"\n`, done);
  const reader = await Client.open(server.ws());
  assert.match(reader.welcome.user, /^anon:/);
  await reader.subscribe('news.today');
  await reload(server, generous, done);
  assert.equal((await within(10_000, reader.closed))?.code, 4001);
});

test('`troupe config check` tells what SIGHUP would, without a server', async () => {
  const server = await serve();
  writeFileSync(server.config, '[realtime.namespace.chat]\noverflow = "newest"\n');
  const done = troupe(['config', 'check', '--config', server.config]);
  assert.notEqual(done.status, 0);
  assert.match(done.err, /troupe\.toml:2: realtime\.namespace\.chat\.overflow wants one of/);
});

test('a server that goes away does not read its file again, and says so', async () => {
  const anonymous = 'anonymous_scopes = "topic:news:subscribe"\n';
  const server = await serve({ config: `${generous}[realtime]\ndrain_time = "10m"\n${anonymous}` });
  const reader = await Client.open(server.ws());
  server.process.kill('SIGTERM');
  assert.ok(await until(() => server.log.includes('phase=drain-connections')), server.log);
  await reload(server, generous, /the configuration is not read again: the server is going away/);
  server.process.kill('SIGTERM');
  assert.deepEqual(await within(20_000, server.ended), { code: 0, signal: null });
  assert.equal((await reader.closed).code, 1001);
});
