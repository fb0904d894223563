// TLS in the executable: curl and npm `ws` with a certificate of our own making, its replacement
// under open connections, bad files, what speaks no TLS, and handshakes that nobody goes on with.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import tls from 'node:tls';
import WebSocket from 'ws';
import { binary, folder, generous, serve, sleep, troupe, until, within } from './lib/server.js';
import { Raw } from './lib/raw.js';
import { Client } from './lib/websocket.js';

const home = folder();
const file = (name) => join(home, name);

/// A certificate for 127.0.0.1 and its key, as NAME.pem and NAME.key.
function certificate(name) {
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
    '-keyout', file(`${name}.key`), '-out', file(`${name}.pem`), '-subj', `/CN=${name}`,
    '-addext', 'subjectAltName=IP:127.0.0.1'], { stdio: 'ignore' });
  return readFileSync(file(`${name}.pem`));
}
/// Puts a certificate into the place that the server reads, as careful tools do.
function install(name, key = name) {
  for (const [from, to] of [[`${name}.pem`, 'live.pem'], [`${key}.key`, 'live.key']]) {
    copyFileSync(file(from), file(`${to}.new`));
    renameSync(file(`${to}.new`), file(to));
  }
}
const [first, second] = [certificate('first'), certificate('second')];
install('first');

const scope = 'topic:>:subscribe topic:>:publish';
const configuration = (name, limits = generous) => `${limits}
[server]
tls_handshakes_by_address_max = 1000
tls_certificate = "${file(`${name}.pem`)}"
tls_key = "${file(`${name}.key`)}"
[realtime]
echo = true
anonymous_scopes = "${scope}"
`;
const server = await serve({ config: configuration('live') });

/// The name in the certificate that the server at `port` shows.
const shown = (port = server.port) => new Promise((done, fail) => {
  const socket = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
    done(socket.getPeerCertificate().subject.CN);
    socket.destroy();
  });
  socket.on('error', fail);
});
const open = async (ca) => {
  const client = new Client(new WebSocket(`wss://127.0.0.1:${server.port}/ws`, [], { ca }));
  await client.next('welcome');
  return client;
};
const curl = (...args) => spawnSync('curl', ['-s', '-S', '--max-time', '10', ...args], { encoding: 'utf8' });

test('it says https, and so does the issuer', async () => {
  assert.match(server.url, /^https:/);
  const done = curl('--cacert', file('first.pem'), `${server.url}/.well-known/openid-configuration`);
  assert.equal(done.status, 0, done.stderr);
  assert.equal(JSON.parse(done.stdout).issuer, server.url);
});

test('curl agrees on TLS 1.3, 1.2 and HTTP/1.1, and on nothing older', () => {
  const ask = (...args) => curl('--cacert', file('first.pem'), '-o', '/dev/null', '-w', '%{http_code} %{http_version}', ...args,
    `${server.url}/health/live`);
  assert.equal(ask('--tlsv1.3').stdout, '200 1.1');
  assert.equal(ask('--tls-max', '1.2').stdout, '200 1.1');
  assert.notEqual(ask('--tls-max', '1.1', '--ciphers', 'DEFAULT:@SECLEVEL=0').status, 0);
  assert.notEqual(curl(`${server.url}/health/live`).status, 0, 'a certificate that nobody vouches for was trusted');
  const headers = curl('--cacert', file('first.pem'), '-D', '-', '-o', '/dev/null', `${server.url}/health/live`).stdout;
  assert.match(headers, /strict-transport-security/i);
});

test('WebSockets work, large messages come back whole', async () => {
  const alice = await open(first);
  const bob = await open(first);
  await alice.subscribe('tls.room');
  const ack = await bob.ask({ type: 'publish', topic: 'tls.room', payload: { text: 'hello' } });
  assert.equal(ack.delivered_to, 1);
  assert.deepEqual((await alice.next('message')).payload, { text: 'hello' });
  const echo = new WebSocket(`wss://127.0.0.1:${server.port}/echo`, { ca: first, perMessageDeflate: false, maxPayload: 0 });
  await new Promise((done) => echo.on('open', done));
  const big = Buffer.alloc(8 << 20, 'abcdefghij');
  const back = new Promise((done) => echo.once('message', done));
  echo.send(big);
  assert.ok(big.equals(await back));
  echo.terminate();
  await alice.close();
  await bob.close();
});

test('SIGHUP and a change of the files replace the certificate, and open connections go on', async () => {
  const before = await open(first);
  install('second');
  process.kill(server.pid, 'SIGHUP');
  assert.ok(await until(async () => await shown() === 'second'), 'it still shows the first one');
  assert.equal((await before.ask({ type: 'ping' })).type, 'pong');
  const after = await open(second);
  await before.subscribe('tls.reload');
  await after.ask({ type: 'publish', topic: 'tls.reload', payload: 1 });
  assert.equal((await before.next('message')).payload, 1);

  // Files that do not go together change nothing, and the log says so.
  install('first', 'second');
  process.kill(server.pid, 'SIGHUP');
  await until(() => server.log.includes('was not replaced'));
  assert.match(server.log, /the TLS certificate was not replaced.*the key is not the certificate's/);
  assert.equal(await shown(), 'second');
  install('first');
  assert.ok(await until(async () => await shown() === 'first', 40_000), 'it still shows the second one');

  // Other files take the place of these; a mistake in the configuration keeps none from being read.
  writeFileSync(server.config, configuration('second'));
  process.kill(server.pid, 'SIGHUP');
  assert.ok(await until(async () => await shown() === 'second'), 'it still shows the first one');
  const seen = server.log.length;
  writeFileSync(server.config, configuration('first', 'nonsense = 1\n'));
  process.kill(server.pid, 'SIGHUP');
  await until(() => server.log.slice(seen).includes('certificate was read'));
  assert.match(server.log.slice(seen), /the configuration stays as it was[^]*the TLS certificate was read/);
  assert.equal(await shown(), 'second');
  writeFileSync(server.config, configuration('live'));
  process.kill(server.pid, 'SIGHUP');
  assert.ok(await until(async () => await shown() === 'first'), 'it still shows the second one');
  assert.equal((await before.ask({ type: 'ping' })).type, 'pong');
  await before.close();
  await after.close();
});

test('a server without a configuration file reads its certificate at SIGHUP, too', async () => {
  const env = { ...process.env, TROUPE_SERVER_TLS_CERTIFICATE: file('env.pem'), TROUPE_SERVER_TLS_KEY: file('env.key') };
  const put = (name) => ['pem', 'key'].forEach((kind) => copyFileSync(file(`${name}.${kind}`), file(`env.${kind}`)));
  put('first');
  const alone = spawn(binary, ['serve', '--data', file('alone'), '--listen', '127.0.0.1:0'], { env });
  const ended = new Promise((done) => alone.on('exit', (code) => done(code)));
  let log = '';
  for (const stream of [alone.stdout, alone.stderr]) stream.on('data', (bytes) => { log += bytes; });
  const listening = () => /listening on https:\/\/127\.0\.0\.1:(\d+)/.exec(log);
  assert.ok(await until(listening, 30_000), log);
  const port = Number(listening()[1]);
  assert.equal(await shown(port), 'first');
  put('second');
  alone.kill('SIGHUP');
  assert.ok(await until(async () => await shown(port) === 'second'), 'it still shows the first one');
  alone.kill('SIGTERM');
  assert.equal(await within(20_000, ended), 0, log);
});

test('plain HTTP at the port is refused, and handshakes that nobody goes on with end after five seconds', async () => {
  const plain = new Raw(server.port);
  plain.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  assert.ok(await plain.until((raw) => raw.closed, 4500), 'plain HTTP was not refused');
  const silent = Array.from({ length: 200 }, () => new Raw(server.port));
  const half = new Raw(server.port);
  half.write(Buffer.from('1603010200010001fc', 'hex'));
  await sleep(200);
  const current = await open(readFileSync(file('live.pem')));
  assert.equal((await current.ask({ type: 'ping' })).type, 'pong');
  assert.ok(![...silent, half].some((raw) => raw.closed), 'a handshake ended too early');
  for (const raw of [...silent, half]) assert.ok(await raw.until(() => raw.closed), 'a handshake stayed');
  await current.close();
});

test('files that are missing or wrong are told at the start', () => {
  const start = (config) => {
    writeFileSync(file('bad.toml'), config);
    return troupe(['serve', '--config', file('bad.toml'), '--data', file('data'), '--listen', '127.0.0.1:0']);
  };
  const half = start('[server]\ntls_certificate = "x.pem"\n');
  assert.equal(half.status, 2);
  assert.match(half.err, /server.tls_key is needed/);
  const missing = start(`[server]\ntls_certificate = "${file('none.pem')}"\ntls_key = "${file('live.key')}"\n`);
  assert.notEqual(missing.status, 0);
  assert.match(missing.err, /bad.toml:2: server.tls_certificate names .*none.pem, which cannot be read/);
});
