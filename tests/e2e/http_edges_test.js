// Bytes that are no sound HTTP/1.1: each is refused with the right status, the connection
// ends where its framing can no longer be trusted, and no second request is smuggled in.
import { test, afterEach } from 'node:test';
import assert from 'node:assert/strict';
import { serve, sleep } from './lib/server.js';
import { Raw, exchange } from './lib/raw.js';

const server = await serve();
afterEach(async () => assert.equal((await fetch(`${server.url}/health/live`)).status, 200, 'the server suffered'));

const host = 'Host: 127.0.0.1\r\n';
const get = (path = '/health/live', headers = '') => `GET ${path} HTTP/1.1\r\n${host}${headers}\r\n`;
const postTo = (headers, body = '') => `POST /oauth/token HTTP/1.1\r\n${host}Content-Type: application/x-www-form-urlencoded\r\n${headers}\r\n${body}`;
const smuggled = get('/.well-known/openid-configuration');
const chunked = 'Transfer-Encoding: chunked\r\n';

// [name, bytes, statuses allowed]: one answer, then the connection is closed.
const refused = [
  ['no HTTP at all', 'hello\r\n\r\n', [400]],
  ['TLS', Buffer.from([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0, 13, 10, 13, 10]), [400]],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400, 505]],
  ['version 3.1', `GET / HTTP/3.1\r\n${host}\r\n`, [400, 505]],
  ['no version', `GET /\r\n${host}\r\n`, [400]],
  ['a lower-case version', `GET / http/1.1\r\n${host}\r\n`, [400]],
  ['two spaces', `GET  / HTTP/1.1\r\n${host}\r\n`, [400]],
  ['a space in the target', `GET /a b HTTP/1.1\r\n${host}\r\n`, [400]],
  ['a tab in the target', `GET /a\tb HTTP/1.1\r\n${host}\r\n`, [400]],
  ['no host', 'GET /health/live HTTP/1.1\r\n\r\n', [400]],
  ['two hosts', `GET /health/live HTTP/1.1\r\n${host}${host}\r\n`, [400]],
  ['a header without a colon', get(undefined, 'Broken\r\n'), [400]],
  ['a space before the colon', get(undefined, 'Broken : x\r\n'), [400]],
  ['a header that is folded', get(undefined, 'Folded: a\r\n b\r\n'), [400]],
  ['a header name that is empty', get(undefined, ': x\r\n'), [400]],
  ['a NUL in a header', get(undefined, 'X: a\0b\r\n'), [400]],
  ['a carriage return in a header', get(undefined, 'X: a\rb\r\n'), [400]],
  ['a letter beyond ASCII in a header name', get(undefined, 'Xé: a\r\n'), [400]],
  ['length and chunks', postTo(`Content-Length: 5\r\n${chunked}`, '0\r\n\r\n') + smuggled, [400]],
  ['chunks and length', postTo(`${chunked}Content-Length: 5\r\n`, '0\r\n\r\n') + smuggled, [400]],
  ['two lengths', postTo('Content-Length: 5\r\nContent-Length: 6\r\n', 'hello') + smuggled, [400]],
  ['two lengths in one', postTo('Content-Length: 5, 6\r\n', 'hello') + smuggled, [400]],
  ['a length with a sign', postTo('Content-Length: +5\r\n', 'hello') + smuggled, [400]],
  ['a length below zero', postTo('Content-Length: -1\r\n') + smuggled, [400]],
  ['a length in hex', postTo('Content-Length: 0x5\r\n', 'hello') + smuggled, [400]],
  ['a length of text', postTo('Content-Length: five\r\n', 'hello') + smuggled, [400]],
  ['an empty length', postTo('Content-Length: \r\n') + smuggled, [400]],
  ['a length beyond 64 bits', postTo('Content-Length: 99999999999999999999999\r\n', 'x'), [400, 413]],
  ['a length of a terabyte', postTo('Content-Length: 1099511627776\r\n', 'x'), [400, 413]],
  ['chunks twice', postTo('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n') + smuggled, [400, 501]],
  ['chunks in two headers', postTo(`${chunked}${chunked}`, '0\r\n\r\n') + smuggled, [400, 501]],
  ['an encoding after chunks', postTo('Transfer-Encoding: chunked, gzip\r\n', '0\r\n\r\n') + smuggled, [400, 501]],
  ['an unknown encoding', postTo('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n') + smuggled, [400, 501]],
  ['identity', postTo('Transfer-Encoding: identity\r\nContent-Length: 3\r\n', 'abc') + smuggled, [400, 501]],
  ['chunks in HTTP/1.0', `POST /oauth/token HTTP/1.0\r\n${host}${chunked}\r\n0\r\n\r\n`, [400, 501, 505]],
  ['a chunk size that is no number', postTo(chunked, 'zz\r\nhello\r\n0\r\n\r\n') + smuggled, [400]],
  ['a chunk size below zero', postTo(chunked, '-1\r\nhello\r\n0\r\n\r\n') + smuggled, [400]],
  ['a chunk size with 0x', postTo(chunked, '0x5\r\nhello\r\n0\r\n\r\n') + smuggled, [400]],
  ['a chunk size beyond 64 bits', postTo(chunked, 'fffffffffffffffff\r\nhello\r\n0\r\n\r\n') + smuggled, [400, 413]],
  ['a chunk longer than its size', postTo(chunked, '3\r\nhello\r\n0\r\n\r\n') + smuggled, [400]],
  ['a target of 64 KiB', get(`/${'a'.repeat(64 * 1024)}`), [400, 414, 431]],
  ['a header of 64 KiB', get(undefined, `X: ${'a'.repeat(64 * 1024)}\r\n`), [400, 431]],
  ['ten thousand headers', get(undefined, 'X: a\r\n'.repeat(10_000)), [400, 431]],
  ['a body over the limit', postTo(`Content-Length: ${2 * 1024 * 1024}\r\n`, 'x'.repeat(65536)), [413]],
  ['chunks over the limit', postTo(chunked, `${(100 * 1024).toString(16)}\r\n${'x'.repeat(100 * 1024)}\r\n`.repeat(20)), [413]],
];
const toTheEnd = { answers: Infinity, within: 4500 };  // after five seconds any head that is not whole ends a connection
for (const [name, bytes, statuses] of refused) {
  test(`${name} is refused and ends the connection`, async () => {
    const answer = await exchange(server.port, bytes, toTheEnd);
    assert.equal(answer.statuses.length, 1, `one answer, not ${answer.statuses}: ${answer.text.slice(0, 300)}`);
    assert.ok(statuses.includes(answer.statuses[0]), `${answer.statuses} is not in ${statuses}`);
    assert.ok(answer.closed, 'the connection is still open');
  });
}

// [name, bytes, status]: the connection stays sound.
const answered = [
  ['GET', get(), [200]],
  ['HEAD, without a body', `HEAD /health/live HTTP/1.1\r\n${host}\r\n`, [200]],
  ['an absolute target', `GET http://127.0.0.1/health/live HTTP/1.1\r\n${host}\r\n`, [200, 400]],
  ['a header name in capitals', get(undefined, 'X-UPPER: a\r\n'), [200]],
  ['an empty header value', get(undefined, 'X-Empty:\r\n'), [200]],
  ['an unknown path', get('/nowhere'), [404]],
  ['a path upwards', get('/demo/../../etc/passwd'), [400, 404]],
  ['a path upwards, encoded', get('/demo/%2e%2e/%2e%2e/etc/passwd'), [400, 404]],
  ['an encoded slash', get('/demo/..%2f..%2fetc%2fpasswd'), [400, 404]],
  ['an encoded NUL', get('/health/live%00'), [400, 404]],
  ['a broken percent sign', get('/%zz'), [400, 404]],
  ['a double slash', get('//evil.example/health/live'), [400, 404]],
  ['a method unknown here', `BREW /health/live HTTP/1.1\r\n${host}\r\n`, [400, 405, 501]],
  ['a method not for this path', `DELETE /health/live HTTP/1.1\r\n${host}\r\n`, [405]],
  ['CONNECT', `CONNECT evil.example:443 HTTP/1.1\r\n${host}\r\n`, [400, 404, 405, 501]],
  ['TRACE', `TRACE / HTTP/1.1\r\n${host}\r\n`, [400, 404, 405, 501]],
  ['OPTIONS', `OPTIONS /health/live HTTP/1.1\r\n${host}\r\n`, [200, 204]],
];
for (const [name, bytes, statuses] of answered) {
  test(`${name} is answered`, async () => {
    const { statuses: got, text } = await exchange(server.port, bytes);
    assert.equal(got.length, 1, text);
    assert.ok(statuses.includes(got[0]), `${got} is not in ${statuses}`);
    if (name.startsWith('HEAD')) assert.ok(text.endsWith('\r\n\r\n'), 'HEAD has no body');
    assert.ok(!text.includes('root:'), 'a file of this machine');
  });
}

test('three requests in one write get three answers in order', async () => {
  const { statuses, closed } = await exchange(server.port, get() + get('/nowhere') + get(), { answers: 3 });
  assert.deepEqual([statuses, closed], [[200, 404, 200], false]);
});

test('a hundred requests in one write get a hundred answers', async () => {
  const { statuses } = await exchange(server.port, get().repeat(100), { answers: 100 });
  assert.equal(statuses.length, 100);
});

test('a request byte by byte is understood', async () => {
  const raw = new Raw(server.port);
  for (const byte of get()) { raw.write(byte); await sleep(1); }
  assert.ok(await raw.until((r) => r.text.startsWith('HTTP/1.1 200')));
  raw.destroy();
});

test('chunks byte by byte, with extensions and trailers, make one body', async () => {
  const raw = new Raw(server.port);
  const body = '5;ext="1"\r\ngrant\r\n6\r\n_type=\r\n5\r\nmagic\r\n0\r\nTrailer: x\r\n\r\n';
  for (const byte of postTo(chunked, body)) { raw.write(byte); await sleep(1); }
  assert.ok(await raw.until((r) => r.text.includes('\r\n\r\n')));
  assert.match(raw.text, /^HTTP\/1\.1 40[01]/);
  raw.destroy();
});

test('the connection goes on after a request with a body', async () => {
  const { statuses } = await exchange(server.port, postTo('Content-Length: 16\r\n', 'grant_type=magic') + get(), { answers: 2 });
  assert.equal(statuses.length, 2);
  assert.equal(statuses[1], 200);
});

test('Connection: close and HTTP/1.0 end the connection after the answer', async () => {
  for (const bytes of [get(undefined, 'Connection: close\r\n'), `GET /health/live HTTP/1.0\r\n${host}\r\n`]) {
    const { statuses, closed } = await exchange(server.port, bytes, toTheEnd);
    assert.deepEqual([statuses, closed], [[200], true]);
  }
});

test('HTTP/1.0 with keep-alive keeps it', async () => {
  const { statuses } = await exchange(server.port, `GET /health/live HTTP/1.0\r\n${host}Connection: keep-alive\r\n\r\n`);
  assert.deepEqual(statuses, [200]);
});

test('Expect: 100-continue is answered before the body is sent', async () => {
  const raw = new Raw(server.port);
  raw.write(postTo('Content-Length: 16\r\nExpect: 100-continue\r\n'));
  assert.ok(await raw.until((r) => r.text.includes('\r\n\r\n')), 'no interim answer');
  assert.match(raw.text, /^HTTP\/1\.1 (100|4\d\d)/);
  raw.write('grant_type=magic');
  assert.ok(await raw.until((r) => /HTTP\/1\.1 40[01]/.test(r.text)));
  raw.destroy();
});

test('a body cut short gets no answer as if it were whole', async () => {
  const { statuses } = await exchange(server.port, postTo('Content-Length: 100\r\n', 'grant_type=client'), { half: true });
  assert.ok(statuses.length === 0 || statuses[0] >= 400, `${statuses}`);
});

test('a client that leaves in the middle is no burden', async () => {
  for (const bytes of ['G', 'GET / HTTP/1.1\r\n', get().slice(0, -2), postTo('Content-Length: 100\r\n', 'x')]) {
    const raw = new Raw(server.port);
    raw.write(bytes);
    await sleep(20);
    raw.socket.resetAndDestroy();
  }
});

test('a client that closes its direction still gets its answer', async () => {
  const { statuses } = await exchange(server.port, get(), { half: true });
  assert.deepEqual(statuses, [200]);
});

test('405 names what is allowed, and errors are no HTML with what was sent', async () => {
  const response = await fetch(`${server.url}/health/live`, { method: 'DELETE' });
  assert.match(response.headers.get('allow'), /GET/);
  const { text } = await exchange(server.port, get('/<script>alert(1)</script>'));
  assert.ok(!/text\/html[\s\S]*<script>alert/.test(text));
});

test('two hundred connections that say nothing leave room for others', async () => {
  const idle = Array.from({ length: 200 }, () => new Raw(server.port));
  await sleep(100);
  assert.equal((await fetch(`${server.url}/health/live`)).status, 200);
  idle.forEach((raw) => raw.destroy());
});

test('an address that asks too often gets 429 with Retry-After', async () => {
  const strict = await serve({ config: '[server]\ncores = 1\n[http]\nrequests_per_second = 1\nrequests_burst = 5\n' });
  const begin = Date.now();
  const answers = await Promise.all(Array.from({ length: 20 }, () => fetch(`${strict.url}/.well-known/openid-configuration`)));
  const seconds = Math.ceil((Date.now() - begin) / 1000);
  const refused = answers.filter((each) => each.status === 429);
  const good = answers.filter((each) => each.status === 200).length;
  assert.ok(refused.length > 0 && good + refused.length === 20, `${answers.map((each) => each.status)}`);
  assert.ok(good >= 5 && good <= 5 + seconds, `${good} good ones in ${seconds} s`);
  for (const each of refused) assert.ok(Number(each.headers.get('retry-after')) >= 1);
  // In the manner of each path: OAuth, people's pages, and everything else.
  const expected = [['/oauth/token', /^application\/json/, /"error":"temporarily_unavailable"/], ['/account', /^text\/html/, /<h1>/],
                    ['/api/v1/topics', /^application\/problem\+json/, /"code":"rate_limited"/]];
  for (const [path, type, body] of expected) {
    const seen = await Promise.all(Array.from({ length: 20 }, () => fetch(`${strict.url}${path}`, { redirect: 'manual' })));
    const told = seen.find((each) => each.status === 429);
    assert.match(told.headers.get('content-type'), type);
    assert.match(await told.text(), body);
  }
});
