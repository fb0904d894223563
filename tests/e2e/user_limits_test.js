// Limits by user: of connections, whichever way the token comes, and of messages; and that SIGHUP changes them.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { generous, serve, sleep, until, within } from './lib/server.js';
import { Client, refusal } from './lib/websocket.js';
import { machineToken } from './lib/oauth.js';

const config = (realtime) => `${generous}[server]\ncores = 1\n[realtime]\n${realtime}`;
const grant = ['--grant', 'client_credentials', '--scope', 'topic:>:subscribe topic:>:publish'];

test('a user has so many connections and no more, until the configuration allows it', async () => {
  const server = await serve({ config: config('connections_by_user_max = 1\n') });
  const [one, other] = [await server.addClient('--name', 'one', ...grant), await server.addClient('--name', 'other', ...grant)];
  const token = await machineToken(server, one);
  const first = await Client.open(server.ws(), { token });

  const refused = await refusal(server.ws(), { headers: { Authorization: `Bearer ${token}` } });
  assert.equal(refused.statusCode, 503);
  assert.ok(refused.headers['retry-after']);
  const late = await Client.open(server.ws(), { welcome: false });
  const answer = await late.ask({ type: 'authenticate', token });
  assert.equal(answer.code, 'overloaded');
  assert.match(answer.message, /too many connections of this user/);
  assert.equal((await within(10_000, late.closed))?.code, 4008);
  await Client.open(server.ws(), { token: await machineToken(server, other) });  // somebody else

  writeFileSync(server.config, config('connections_by_user_max = 2\n'));
  server.process.kill('SIGHUP');
  assert.ok(await until(() => server.log.includes('configuration read again')), server.log);
  await Client.open(server.ws(), { token });
  await first.quiet();
});

test('the messages of all connections of a user are counted together', async () => {
  const server = await serve({ config: config('user_messages_per_second = 1\nuser_messages_burst = 4\n') });
  const client = await server.addClient('--name', 'one', ...grant);
  const token = await machineToken(server, client);
  const sockets = [await Client.open(server.ws(), { token }), await Client.open(server.ws(), { token })];
  const answers = [];
  for (let i = 0; i < 20; ++i) answers.push(await sockets[i % 2].ask({ type: 'publish', topic: 'a', payload: i }));
  const refused = answers.filter((answer) => answer.type === 'error');
  assert.ok(refused.length >= 2, JSON.stringify(answers));
  for (const answer of refused) {
    assert.equal(answer.code, 'rate_limited');
    assert.match(answer.message, /of this user/);
    assert.ok(answer.retry_after_ms > 0);
  }
  await sleep(refused.at(-1).retry_after_ms + 100);
  const back = await sockets[0].ask({ type: 'ping' });
  assert.equal(back.type, 'pong', JSON.stringify([answers, back]));
});
