// Start, health, drain, crash: what an operator sees, and what outlives a power cut.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Server, binary, folder, generous, serve, sleep, troupe, until, within } from './lib/server.js';
import { Client, refusal } from './lib/websocket.js';
import { UserAgent } from './lib/user_agent.js';
import { callback, introspect, machineToken, newCode, post, redeem } from './lib/oauth.js';

const user = { name: 'erin', password: 'a very good password' };
const scope = 'openid offline_access notes';
const web = ['--name', 'Web', '--redirect-uri', callback, '--grant', 'authorization_code', '--grant', 'refresh_token', '--scope', scope];
const machine = ['--name', 'Machine', '--grant', 'client_credentials', '--scope', 'topic:>:subscribe topic:>:publish'];

/// Sends SIGTERM, and waits until the log says what that brings about: two that wait at once would be one.
async function terminate(server, said) {
  server.process.kill('SIGTERM');
  assert.ok(await until(() => server.log.includes(said), 20_000), `no ${said} in the log:\n${server.log}`);
}

test('live, ready, metrics and the actor tree', async () => {
  const server = await serve();
  for (const path of ['/health/live', '/health/ready']) assert.equal((await fetch(server.url + path)).status, 200, path);
  const [, soft, hard] = /^Max open files +(\d+) +(\d+)/m.exec(readFileSync(`/proc/${server.pid}/limits`, 'utf8'));
  assert.equal(soft, hard);
  assert.match(server.log, new RegExp(`what this server can hold.* open_files_max=${hard}`));
  const metrics = await fetch(`${server.url}/metrics`);
  assert.match(metrics.headers.get('content-type'), /^text\/plain/);
  const text = await metrics.text();
  assert.match(text, /^# TYPE troupe_\w+ (counter|gauge|histogram)$/m);
  for (const line of text.split('\n').filter((each) => each && !each.startsWith('#'))) {
    assert.match(line, /^[a-zA-Z_:][a-zA-Z0-9_:]*(\{[^}]*\})? [0-9.eE+-]+(Inf|NaN)?$/, line);
  }
  const tree = JSON.stringify(await (await fetch(`${server.url}/inspect`)).json());
  for (const name of ['SystemSupervisor', 'ServerActor', 'ConnectionSupervisor', 'MessageRouterActor', 'MetricsCollector', 'TokenActor', 'ClientActor', 'AuthActor']) {
    assert.ok(tree.includes(name), `${name} is not in the tree`);
  }
});

test('while no file can grow the server is not ready, and it is ready again when one can', async () => {
  const server = await serve();
  const ready = async () => {
    const answer = await fetch(`${server.url}/health/ready`);
    return [answer.status, (await answer.json()).database];
  };
  const files = (bytes) => assert.equal(spawnSync('prlimit', ['--pid', `${server.pid}`, `--fsize=${bytes}:`]).status, 0);
  assert.deepEqual(await ready(), [200, undefined]);
  files(0);  // which is told as a full disk is
  assert.ok(await until(async () => (await ready())[0] === 503), 'it says that it is ready');
  assert.deepEqual(await ready(), [503, 'takes no writes']);
  assert.equal((await fetch(`${server.url}/health/live`)).status, 200);
  files('unlimited');
  assert.ok(await until(async () => (await ready())[0] === 200), 'it does not come back');
});

test('metrics and the actor tree are not told through a proxy, and one that says nothing of itself is known by the issuer', async () => {
  const server = await serve();
  const behind = await serve({ args: ['--set', 'server.issuer=https://id.example.org'] });
  for (const path of ['/metrics', '/inspect']) {
    assert.equal((await fetch(server.url + path)).status, 200);
    assert.equal((await fetch(server.url + path, { headers: { 'X-Forwarded-For': '203.0.113.7' } })).status, 401);
    assert.equal((await fetch(behind.url + path)).status, 401);
  }
});

test('every answer bears a request id of its own', async () => {
  const server = await serve();
  const ids = await Promise.all([1, 2, 3].map(async () => (await fetch(`${server.url}/health/live`)).headers.get('x-request-id')));
  assert.equal(new Set(ids).size, 3, `${ids}`);
});

test('codes, refresh families and keys outlive kill -9', async () => {
  const server = await serve({ prepare: (s) => s.addUser(user.name, user.password) });
  const client = await server.addClient(...web);
  const agent = new UserAgent(server.url);
  const code = await newCode(server, client, agent, user, { scope });
  const used = await newCode(server, client, agent, user, { scope });
  const tokens = (await redeem(server, client, used)).body;
  const revoked = (await redeem(server, client, await newCode(server, client, agent, user, { scope }))).body;
  await post(`${server.url}/oauth/revoke`, { token: revoked.refresh_token }, { client });
  const keys = await (await fetch(`${server.url}/oauth/jwks`)).json();

  await server.kill();
  await server.start(server.port);
  assert.deepEqual((await (await fetch(`${server.url}/oauth/jwks`)).json()).keys.map((key) => key.kid).sort(), keys.keys.map((key) => key.kid).sort());
  assert.equal((await introspect(server, client, tokens.access_token)).active, true);
  assert.deepEqual(await introspect(server, client, revoked.access_token), { active: false });
  const refresh = (refresh_token) => post(`${server.url}/oauth/token`, { grant_type: 'refresh_token', refresh_token }, { client });
  assert.equal((await refresh(revoked.refresh_token)).body.error, 'invalid_grant');
  assert.equal((await refresh(tokens.refresh_token)).status, 200);
  const first = await redeem(server, client, code);
  assert.equal(first.status, 200, 'a live code is still good');
  assert.equal((await redeem(server, client, used)).body.error, 'invalid_grant', 'a used one is still used');
});

test('a code redeemed in the moment of a kill -9 is never redeemed twice', async () => {
  const server = await serve({ prepare: (s) => s.addUser(user.name, user.password) });
  const client = await server.addClient(...web);
  for (let round = 0; round < 5; ++round) {
    const code = await newCode(server, client, new UserAgent(server.url), user, { scope });
    const racing = redeem(server, client, code).catch(() => undefined);
    await sleep(round * 2);
    const [first] = await Promise.all([racing, server.kill()]);
    await server.start(server.port);
    const second = await redeem(server, client, code);
    assert.ok(!(first?.status === 200 && second.status === 200), 'both redemptions succeeded');
  }
});

test('SIGTERM tells WebSocket clients, closes them with 1001 and ends with 0', async () => {
  const server = await serve();
  const token = await machineToken(server, await server.addClient(...machine));
  const clients = await Promise.all(Array.from({ length: 10 }, () => Client.open(server.ws(), { token })));
  const begin = Date.now();
  const stopped = server.stop();
  for (const client of clients) {
    const draining = await client.next('draining', 10_000);
    assert.equal(typeof draining.reconnect_after_ms, 'number');
    assert.equal((await client.closed).code, 1001);
  }
  await stopped;
  assert.ok(Date.now() - begin < 15_000);
});

test('SIGTERM ends a start that waits for who holds the database', async () => {
  const server = await serve();
  await server.stop();
  const holds = 'import sqlite3, sys; file = sqlite3.connect(sys.argv[1], isolation_level=None); ' +
    'file.execute("BEGIN EXCLUSIVE"); print("held", flush=True); sys.stdin.read()';
  const holder = spawn('/usr/bin/python3', ['-c', holds, join(server.data, 'troupe.db')]);
  await new Promise((held) => holder.stdout.once('data', held));
  const waiting = spawn(binary, ['serve', '--config', server.config, '--data', server.data, '--listen', '127.0.0.1:0']);
  try {
    const ended = new Promise((done) => waiting.once('exit', (code, signal) => done({ code, signal })));
    await sleep(1000);  // it waits five seconds for the database
    waiting.kill('SIGTERM');
    assert.deepEqual(await within(2000, ended), { code: 0, signal: null });
  } finally {
    holder.kill('SIGKILL');
    waiting.kill('SIGKILL');
  }
});

test('SIGTERM lets a message that was accepted reach its subscriber', async () => {
  const server = await serve();
  const token = await machineToken(server, await server.addClient(...machine));
  const [publisher, subscriber] = await Promise.all([1, 2].map(() => Client.open(server.ws(), { token })));
  await subscriber.subscribe('last.words');
  const ack = await publisher.ask({ type: 'publish', topic: 'last.words', payload: 'x' });
  assert.equal(ack.delivered_to, 1);
  await server.stop();
  assert.equal((await subscriber.next('message')).payload, 'x');
});

/// A server with ten minutes for its drain, a client that reads nothing more, and two signals that it has heard.
async function hurrying() {
  const server = await serve({ config: `${generous}[realtime]\ndrain_time = "10m"\n` });
  const token = await machineToken(server, await server.addClient(...machine));
  const client = await Client.open(server.ws(), { token });
  client.socket.pause();
  await terminate(server, 'draining');
  await terminate(server, 'hurrying');
  return { server, client };
}

test('a second SIGTERM hurries', async () => {
  const { server, client } = await hurrying();
  assert.ok(await within(20_000, server.ended), 'still running after twenty seconds');
  client.socket.terminate();
});

test('who is sent away in a hurry is told so, whatever time the drain had, and a stuck client holds up nobody', async () => {
  const server = await serve({ config: `${generous}[realtime]\ndrain_time = "10m"\n` });
  const token = await machineToken(server, await server.addClient(...machine));
  const [stuck, ...clients] = await Promise.all(Array.from({ length: 20 }, () => Client.open(server.ws(), { token })));
  stuck.socket.pause();
  await terminate(server, 'draining');
  await sleep(500);
  assert.equal(server.process.exitCode, null);
  await terminate(server, 'hurrying');
  for (const client of clients) {
    assert.equal(typeof (await client.next('draining', 20_000)).reconnect_after_ms, 'number');
    assert.equal((await client.closed).code, 1001);
  }
  assert.deepEqual(await within(20_000, server.ended), { code: 0, signal: null });
  assert.match(server.log, /"shutdown phase cut short" phase=drain-connections/);
  stuck.socket.terminate();
});

test('a third SIGTERM waits for nothing, and the end is still an orderly one', async () => {
  let took;  // by the drain: after two signals it still has a second and a half
  for (let tries = 0; tries < 3 && !(took < 1500); ++tries) {
    const { server, client } = await hurrying();
    server.process.kill('SIGTERM');
    assert.deepEqual(await within(20_000, server.ended), { code: 0, signal: null });
    took = Number(/"shutdown phase cut short" phase=drain-connections took_ms=(\d+)/.exec(server.log)?.[1]);
    client.socket.terminate();
  }
  assert.ok(took < 1500, `the drain took ${took} ms`);
});

test('a signal that nobody waits for any more does not spoil the exit status', async () => {
  const server = await serve({ config: `${generous}[realtime]\ndrain_time = "2s"\n` });
  const token = await machineToken(server, await server.addClient(...machine));
  const client = await Client.open(server.ws(), { token });
  await terminate(server, 'draining');
  server.process.kill('SIGUSR1');  // what the cores say when all is over: it comes too early, and once more at the end
  assert.equal((await client.closed).code, 1001);
  assert.deepEqual(await within(20_000, server.ended), { code: 0, signal: null });
});

test('while it drains it is live and not ready, and what is new is told to go elsewhere', async () => {
  const server = await serve({ config: `${generous}[realtime]\ndrain_time = "15s"\n` });
  const token = await machineToken(server, await server.addClient(...machine));
  const clients = await Promise.all(Array.from({ length: 20 }, () => Client.open(server.ws(), { token })));
  assert.equal((await fetch(`${server.url}/health/ready`)).status, 200);
  server.process.kill('SIGTERM');

  let ready;
  await until(async () => {
    ready = await fetch(`${server.url}/health/ready`).catch(() => undefined);  // on a connection that the drain closed
    return ready?.status === 503;
  });
  assert.equal(ready?.status, 503);
  assert.equal((await ready.json()).status, 'draining');
  const served = Promise.any(clients.map((client) => client.ask({ type: 'ping' })));  // by those not yet sent away
  assert.equal((await served).type, 'pong');
  // What comes on a connection that the drain closes at that moment is said again, on another one.
  const ask = (...request) => fetch(...request).catch(() => fetch(...request));
  for (const path of ['/health/ready', '/health/live', '/health/ready']) {
    const answer = await ask(server.url + path);
    assert.equal(answer.status, path === '/health/live' ? 200 : 503, path);
  }
  for (const [path, init] of [['/.well-known/openid-configuration', {}], ['/oauth/token', { method: 'POST' }], ['/nowhere', {}]]) {
    const answer = await ask(server.url + path, init);
    assert.deepEqual([answer.status, answer.headers.get('connection')], [503, 'close'], path);
    assert.match(answer.headers.get('retry-after'), /^\d+$/);
  }
  const refused = /^troupe_shutdown_phase_state\{phase="refuse"\} 2$/m;  // all cores have said so
  let metrics;
  await until(async () => refused.test(metrics = await (await fetch(`${server.url}/metrics`)).text()));
  assert.match(metrics, refused);
  assert.match(metrics, /^troupe_shutdown_phase_state\{phase="drain-connections"\} 1$/m);
  assert.match(metrics, /^troupe_realtime_connections \d+$/m);
  const late = await refusal(server.ws(), { headers: { Authorization: `Bearer ${token}` } });
  assert.equal(late.statusCode, 503);
  assert.match(late.headers['retry-after'], /^\d+$/);

  for (const client of clients) assert.equal((await client.closed).code, 1001);
  assert.deepEqual(await within(30_000, server.ended), { code: 0, signal: null });
  await assert.rejects(fetch(`${server.url}/health/live`));
  const phases = [...server.log.matchAll(/"?shutdown phase over"? phase=([a-z-]+)/g)].map(([, name]) => name);
  assert.deepEqual(phases.slice(0, 4), ['refuse', 'drain-connections', 'close-doors', 'stop-services']);
  assert.deepEqual(phases.slice(4).sort(), ['flush-store', 'flush-traces']);
  assert.match(server.log, /connections are sent away"? left=\d+/);
});

test('a taken port is told in one sentence', async () => {
  const server = await serve();
  const home = folder();
  const { status, out, err } = troupe(['serve', '--config', `${home}/troupe.toml`, '--data', `${home}/data`, '--listen', `127.0.0.1:${server.port}`]);
  assert.notEqual(status, 0);
  assert.match(out + err, new RegExp(`${server.port}.*(in use|taken)|(in use|taken).*${server.port}`, 'i'));
});

test('plain HTTP on an address that is not loopback is refused', () => {
  const home = folder();
  const { status, out, err } = troupe(['serve', '--config', `${home}/troupe.toml`, '--data', `${home}/data`, '--listen', '0.0.0.0:0']);
  assert.notEqual(status, 0);
  assert.match(out + err, /insecure_http|trusted|loopback/);
});

test('idle, it uses next to no processor time and little memory', async () => {
  const server = await serve();
  await sleep(500);
  const ticks = () => readFileSync(`/proc/${server.pid}/stat`, 'utf8').split(') ')[1].split(' ').slice(11, 13).reduce((a, b) => a + Number(b), 0);
  let used;
  for (let tries = 0; tries < 5 && !(used <= 3); ++tries) {  // on a busy machine the start is not over yet
    const before = ticks();
    await sleep(3000);
    used = ticks() - before;
  }
  assert.ok(used <= 3, `${used * 10} ms in 3 s`);
});

test('the secret of a client is in no log and in no file', async () => {
  const home = folder();
  const server = await new Server(home).start();
  const client = await server.addClient(...machine);
  const token = await machineToken(server, client);
  await Client.open(server.ws(`/ws?access_token=${token}`)).then((socket) => socket.close());
  await post(`${server.url}/oauth/token`, { grant_type: 'client_credentials' }, { client: { ...client, client_secret: 'wr0ng-secret' } });
  await server.stop();
  assert.ok(!server.log.includes(client.client_secret) && !server.log.includes(token) && !server.log.includes('wr0ng-secret'));
  const found = spawnSync('grep', ['-rlaF', '-e', client.client_secret, '-e', token, home], { encoding: 'utf8' }).stdout;
  assert.equal(found, '');
});

test('the hash of a password that nobody waits for any more keeps no server from its end', async () => {
  const dear = ['oauth.password_threads=idle', 'oauth.password_time=1s', 'oauth.password_memory=256MiB', 'oauth.password_passes=64'];
  const server = new Server(folder(), { args: dear.flatMap((one) => ['--set', one]) });
  await server.start();  // and it finds out what a hash costs, which takes half a minute
  const begin = performance.now();
  await server.stop();
  assert.ok(performance.now() - begin < 10_000, `${performance.now() - begin} ms`);
});

test('a server whose standard output cannot be written says so in its log, serves, and ends with 0', async () => {
  const first = await serve();
  const { port, home } = first;
  await first.stop();
  const full = openSync('/dev/full', 'w');
  const args = ['serve', '--config', join(home, 'troupe.toml'), '--data', join(home, 'data'), '--listen', `127.0.0.1:${port}`];
  const server = spawn(binary, args, { stdio: ['ignore', full, 'pipe'] });
  const ended = new Promise((done) => server.on('close', (code, signal) => done({ code, signal })));
  let log = '';
  server.stderr.on('data', (bytes) => { log += bytes; });
  try {
    const said = /level=warning .*nobody is told that the server listens: standard output cannot be written/;
    assert.ok(await until(() => said.test(log)), log);
    assert.equal((await fetch(`http://127.0.0.1:${port}/health/ready`)).status, 200);
    server.kill('SIGTERM');
    assert.deepEqual(await within(20_000, ended), { code: 0, signal: null }, log);
  } finally {
    server.kill('SIGKILL');
    closeSync(full);
  }
});
