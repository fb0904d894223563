// The commands that are clients of a running server: publish, subscribe and watch, and how they end.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { binary, folder, generous, serve, until, within } from './lib/server.js';
import { machineToken } from './lib/oauth.js';

const server = await serve({ config: generous });
const scope = 'topic:>:publish topic:>:subscribe';
const client = await server.addClient('--name', 'Terminal', '--grant', 'client_credentials', '--scope', scope);
const token = await machineToken(server, client);
const home = folder();
const tokenFile = join(home, 'token');
writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
const env = { ...process.env, TROUPE_URL: server.ws(), TROUPE_TOKEN: token };

const run = (args, options = {}) =>
  spawnSync(binary, args, { env, encoding: 'utf8', timeout: 30_000, ...options });

/// A command that runs: what it says so far, and how it ended.
class Running {
  constructor(args, options = {}) {
    this.out = '';
    this.err = '';
    this.process = spawn(binary, args, { env, ...options });
    this.process.stdout.on('data', (bytes) => { this.out += bytes; });
    this.process.stderr.on('data', (bytes) => { this.err += bytes; });
    this.ended = new Promise((done) => this.process.on('close', (code, signal) => done({ code, signal })));
  }

  async says(stream, text) {
    assert.ok(await until(() => this[stream].includes(text), 20_000), `${text} did not come:\n${this.out}\n${this.err}`);
  }

  async end(signal) {
    if (signal) this.process.kill(signal);
    return within(20_000, this.ended);
  }
}

test('what is published is printed by who subscribes, one JSON line a message', async () => {
  const subscriber = new Running(['subscribe', '--count', '3', 'shop.orders', 'shop.*.eu']);
  await subscriber.says('err', 'subscribed');
  const done = run(['publish', 'shop.orders', '{"n": 1}']);
  assert.equal(done.status, 0, done.stderr);
  const ack = JSON.parse(done.stdout);
  assert.deepEqual([ack.type, ack.delivered_to, ack.offset], ['ack', 1, 1]);
  const lines = run(['publish', '--lines', '--text', 'shop.orders.eu'], { input: 'two\n\nthree "3"\n' });
  assert.equal(lines.status, 0, lines.stderr);
  assert.equal(lines.stdout.trim().split('\n').length, 2);
  assert.deepEqual(await subscriber.end(), { code: 0, signal: null });
  const messages = subscriber.out.trim().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(messages.map((each) => each.payload), [{ n: 1 }, 'two', 'three "3"']);
});

test('with a closed standard stream a command reads nothing of its own, and says that it cannot write', () => {
  const closed = (stream, ...args) =>
    spawnSync('sh', ['-c', `exec "$0" "$@" ${stream}`, binary, ...args], { env, encoding: 'utf8', timeout: 20_000 });
  assert.equal(closed('<&-', 'publish', 'shop.closed').status, 1);
  assert.equal(closed('<&-', 'publish', '--lines', 'shop.closed').status, 0);
  const unheard = closed('>&-', '--version');
  assert.equal(unheard.status, 1);
  assert.match(unheard.stderr, /standard output cannot be written/);
});

test('the payload comes from standard input, the token from a file', () => {
  const bare = { ...env };
  delete bare.TROUPE_TOKEN;
  const done = run(['publish', '--token-file', tokenFile, 'pipe'], { input: '[1,\n2]', env: bare });
  assert.equal(done.status, 0, done.stderr);
  const none = run(['publish', 'pipe', '1'], { env: bare });
  assert.equal(none.status, 1);
  assert.match(none.stderr, /token/);
});

test('what cannot be published is told, with exit status 1', () => {
  for (const [args, input, says] of [
    [['publish', 't', 'hello'], undefined, /JSON/],
    [['publish', 'a.*', '1'], undefined, /topic/],
    [['publish', '$user.x', '1'], undefined, /forbidden|not acknowledged/],
    [['publish', '--lines', 't'], '1\nnonsense\n3\n', /line 2 was not acknowledged/],
  ]) {
    const done = run(args, { input });
    assert.equal(done.status, 1, `${args}: ${done.stdout}${done.stderr}`);
    assert.match(done.stderr, says);
  }
});

test('a line that is refused keeps the next ones from nobody, and is told', async () => {
  const subscriber = new Running(['subscribe', '--count', '3', 'lines']);
  await subscriber.says('err', 'subscribed');
  const done = run(['publish', '--lines', 'lines'], { input: '1\nnonsense\n3\n{"a":\n5\n' });
  assert.equal(done.status, 1);
  assert.deepEqual(done.stderr.match(/line \d was not acknowledged/g), ['line 2 was not acknowledged', 'line 4 was not acknowledged']);
  assert.equal(done.stdout.trim().split('\n').length, 3);
  assert.deepEqual(await subscriber.end(), { code: 0, signal: null });
  assert.deepEqual(subscriber.out.trim().split('\n').map((line) => JSON.parse(line).payload), [1, 3, 5]);
});

test('lines without a server are told once, and that nothing followed', () => {
  const done = run(['publish', '--lines', '--server', 'ws://127.0.0.1:1', 'lines'], { input: '1\n2\n3\n' });
  assert.equal(done.status, 1);
  assert.match(done.stderr, /line 1 was not acknowledged: nobody answers.*\ntroupe: nothing after line 1 was published\n$/);
});

test('Ctrl-C ends each of them well, also while it waits for a line', async () => {
  const subscriber = new Running(['subscribe', 'idle']);
  const watcher = new Running(['watch', 'idle']);
  const publisher = new Running(['publish', '--lines', 'idle']);
  await subscriber.says('err', 'subscribed');
  await watcher.says('out', 'subscribed');
  publisher.process.stdin.write('1\n');
  await publisher.says('out', 'ack');
  for (const each of [subscriber, watcher, publisher]) assert.deepEqual(await each.end('SIGINT'), { code: 0, signal: null }, each.err);
  assert.match(watcher.out, /\d\d:\d\d:\d\d\.\d{3} {2}idle +\S+ +1\n/);
});

test('who stops reading ends it without a word', async () => {
  const subscriber = new Running(['subscribe', 'closed.pipe']);
  await subscriber.says('err', 'subscribed');
  subscriber.process.stdout.destroy();
  run(['publish', 'closed.pipe', '1']);
  run(['publish', 'closed.pipe', '2']);
  assert.deepEqual(await subscriber.end(), { code: 0, signal: null });
  assert.doesNotMatch(subscriber.err, /pipe|error/i);
});

test('a watch outlives its server, says so, and goes on', async () => {
  const other = await serve({ config: generous });
  const its = await other.addClient('--name', 'Terminal', '--grant', 'client_credentials', '--scope', scope);
  const theirs = { ...env, TROUPE_URL: other.ws(), TROUPE_TOKEN: await machineToken(other, its) };
  const watcher = new Running(['watch', 'news'], { env: theirs });
  await watcher.says('out', 'subscribed');
  await other.kill();
  await watcher.says('out', 'again in');
  await other.start(other.port);
  await watcher.says('out', 'goes on from now');
  assert.equal(run(['publish', '--text', 'news', 'after the restart'], { env: theirs }).status, 0);
  await watcher.says('out', 'after the restart');
  assert.deepEqual(await watcher.end('SIGTERM'), { code: 0, signal: null });
});

test('a watch goes on with the token that its file has by then, before its own has expired and after', async () => {
  const short = await server.addClient('--name', 'Short', '--grant', 'client_credentials', '--scope', scope, '--access-token-lifetime', '12s');
  const file = join(home, 'short');
  const renew = async () => writeFileSync(file, `${await machineToken(server, short)}\n`, { mode: 0o600 });
  await renew();
  const watcher = new Running(['watch', '--token-file', file, 'short.lived']);
  await watcher.says('out', 'expires within a minute');
  await renew();
  await watcher.says('out', 'the server has taken another token');
  await watcher.says('out', 'the token has expired (4001)');
  await watcher.says('out', 'there is no other token yet');
  assert.equal(run(['publish', '--text', 'short.lived', 'meanwhile']).status, 0);
  await renew();
  await watcher.says('out', 'meanwhile');
  assert.deepEqual(await watcher.end('SIGINT'), { code: 0, signal: null });
});

test('a token that is revoked ends a subscription with the reason', async () => {
  const short = await machineToken(server, client);
  const subscriber = new Running(['subscribe', 'secret'], { env: { ...env, TROUPE_TOKEN: short } });
  await subscriber.says('err', 'subscribed');
  const form = new URLSearchParams({ token: short, client_id: client.client_id, client_secret: client.client_secret });
  await fetch(`${server.url}/oauth/revoke`, { method: 'POST', body: form });
  assert.deepEqual(await subscriber.end(), { code: 1, signal: null });
  assert.match(subscriber.err, /4001/);
});

test('over TLS the server must be the one that is trusted', async () => {
  const made = spawnSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost',
    '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', join(home, 'key.pem'), '-out', join(home, 'cert.pem')]);
  assert.equal(made.status, 0, String(made.stderr));
  const secure = await serve({ config: `${generous}[server]\ntls_certificate = "${join(home, 'cert.pem')}"\ntls_key = "${join(home, 'key.pem')}"\n` });
  const added = JSON.parse(secure.command('client', 'add', '--json', '--name', 'T', '--grant', 'client_credentials', '--scope', scope).out);
  const ask = () => spawnSync('curl', ['-s', '--cacert', join(home, 'cert.pem'), '-u', `${added.client_id}:${added.client_secret}`, '-d', 'grant_type=client_credentials', `${secure.url}/oauth/token`], { encoding: 'utf8' });
  const theirs = { ...env, TROUPE_TOKEN: await until(() => JSON.parse(ask().stdout).access_token) };
  for (const host of ['127.0.0.1', 'localhost']) {
    const url = `wss://${host}:${secure.port}`;
    const done = run(['publish', '--server', url, '--ca-file', join(home, 'cert.pem'), 't', '1'], { env: theirs });
    assert.equal(done.status, 0, `${host}: ${done.stderr}`);
    const distrusted = run(['publish', '--server', url, 't', '1'], { env: theirs });
    assert.equal(distrusted.status, 1);
    assert.match(distrusted.stderr, /the certificate of \S+ is not trusted: self-signed certificate/);
  }
  for (const [url, says] of [
    [`wss://127.0.0.1:${server.port}`, /TLS with \S+ fails: .*does it want ws:/],
    [`ws://127.0.0.1:${secure.port}`, /closed the connection without an answer; does it want wss:/],
    ['wss://127.0.0.1:1', /nobody answers at 127\.0\.0\.1:1/],
  ]) {
    const done = run(['publish', '--server', url, '--ca-file', join(home, 'cert.pem'), 't', '1']);
    assert.equal(done.status, 1);
    assert.match(done.stderr, says);
  }
});

test('a recording of a subscription is judged by history_check', async (t) => {
  const judge = join(dirname(binary), 'tools', 'history_check');
  if (!existsSync(judge)) return t.skip('it is not built');
  const record = join(home, 'traffic.jsonl');
  const subscriber = new Running(['subscribe', '--recover', '--record', record, '--count', '20', 'recorded']);
  await subscriber.says('err', 'subscribed');
  run(['publish', '--lines', 'recorded'], { input: Array.from({ length: 20 }, (_, i) => `{"n": ${i}}\n`).join('') });
  assert.deepEqual(await subscriber.end(), { code: 0, signal: null });
  const judged = spawnSync(judge, [record], { encoding: 'utf8' });
  assert.equal(judged.status, 0, judged.stdout + readFileSync(record, 'utf8'));
  assert.match(judged.stdout, /^20 deliveries/);
});

test('a load publishes at its rate, counts every delivery and tells it as JSON', () => {
  const done = run(['load', '--connections', '20', '--topics', '5', '--subscribers-per-topic', '8', '--rate', '200', '--for', '2s', '--json']);
  assert.equal(done.status, 0, done.stderr + done.stdout);
  const summary = JSON.parse(done.stdout);
  assert.equal(summary.published, 400);
  assert.equal(summary.expected, summary.published * 8);
  assert.deepEqual([summary.delivered, summary.missing, summary.errors], [summary.expected, 0, 0]);
  assert.ok(summary.latency_us['p99.9'] >= summary.latency_us.p50 && summary.latency_us.p50 > 0);
  assert.match(done.stderr, /20 live/);
});

test('a load on a token that may not publish fails, and says why', () => {
  const done = run(['load', '--connections', '2', '--subscribers-per-topic', '2', '--rate', '10', '--for', '500ms', '--topic-prefix', '$private']);
  assert.equal(done.status, 1);
  assert.match(done.stdout, /fault +.*forbidden/);
});
