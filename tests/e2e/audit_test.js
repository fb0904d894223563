// The audit trail of a running server: what requests leave in it, what verifies it, and who is told of it live.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { generous, serve, sleep, until } from './lib/server.js';
import { Client } from './lib/websocket.js';
import { machineToken, post } from './lib/oauth.js';

const secret = 'the secret of the webhook';
process.env.TROUPE_OAUTH_WEBHOOK_SECRET = secret;  // for commands, too
const taken = [];
let refusals = 1;  // the receiver fails at first
const receiver = createServer(async (request, response) => {
  let body = '';
  for await (const piece of request) body += piece;
  if (refusals-- > 0) return response.writeHead(503).end();
  taken.push({ signature: request.headers['troupe-signature'], body });
  response.writeHead(204).end();
});
await new Promise((done) => receiver.listen(0, '127.0.0.1', done));
after(() => receiver.close());

const server = await serve({
  config: `${generous}[oauth]\naudit_stream = true\nwebhook_url = "http://127.0.0.1:${receiver.address().port}/"\n` +
          'webhook_kinds = ["client_refused"]\n',
});
let client;
before(async () => {
  client = await server.addClient('--name', 'audited', '--grant', 'client_credentials',
                                  '--scope', 'read topic:system.oauth.>:subscribe topic:>:subscribe');
});
const ask = (form = {}, as = client) => post(`${server.url}/oauth/token`, { grant_type: 'client_credentials', ...form }, { client: as });
const list = (...flags) => JSON.parse(server.command('audit', 'list', '--json', ...flags).out);

test('a token and a refusal are found by the X-Request-Id of their answers, and explained', async () => {
  const issued = await ask({ scope: 'read' });
  assert.equal(issued.status, 200);
  const [event] = list('--request', issued.headers.get('x-request-id'));
  assert.equal(event.kind, 'token_issued');
  assert.equal(event.reason, 'client_credentials');
  assert.equal(event.client, client.client_id);

  const refused = await ask({}, { ...client, client_secret: 'guess' });
  assert.equal(refused.status, 401);
  const reason = /A client was not let in, client .*: the secret is wrong\./;
  let told;
  await until(() => reason.test((told = server.command('explain', refused.headers.get('x-request-id'))).out));  // it is noted behind the answer
  assert.equal(told.status, 0);
  assert.match(told.out, reason);
  const token = server.command('explain', event.token);
  assert.match(token.out, /An access token was issued/);
  assert.match(token.out, /It is an access token of client .* it expires at/);
});

test('an id of the request that a stranger sends is not taken over', async () => {
  const answer = await post(`${server.url}/oauth/token`, { grant_type: 'client_credentials' },
                            { client, headers: { 'X-Request-Id': 'forged' } });
  assert.notEqual(answer.headers.get('x-request-id'), 'forged');
});

test('the trail of a running server is whole, and its head is found again later', async () => {
  const head = JSON.parse(server.command('audit', 'head', '--json').out).event;
  await ask();
  assert.equal(server.command('audit', 'verify', '--checkpoint', head).status, 0);
  assert.equal(server.command('audit', 'verify', '--checkpoint', '0'.repeat(64)).status, 1);
});

test('events are told live to whom a scope allows it, in order, and to nobody else', async () => {
  const auditor = await Client.open(server.ws(), { token: await machineToken(server, client, 'topic:system.oauth.>:subscribe') });
  await auditor.subscribe('system.oauth.>');
  const other = await Client.open(server.ws(), { token: await machineToken(server, client, 'topic:>:subscribe') });
  await sleep(1000);
  const requests = [];
  for (let i = 0; i < 5; ++i) requests.push((await ask({ scope: 'read' })).headers.get('x-request-id'));
  const heard = [];
  while (heard.length < 5) {
    const message = await auditor.next('message');
    if (requests.includes(message.payload.request)) heard.push(message.payload.request);
    assert.equal(message.topic, `system.oauth.${message.payload.kind}`);
  }
  assert.deepEqual(heard, requests);
  other.send({ type: 'subscribe', id: 's', topics: ['system.oauth.>'] });
  assert.equal((await other.next('error')).code, 'forbidden');
  await auditor.close();
  await other.close();
});

test('a receiver gets each event, signed, though it has failed before', async () => {
  await ask({}, { ...client, client_secret: 'another guess' });
  assert.ok(await until(() => taken.flatMap(({ body }) => JSON.parse(body).events).length >= 2), 'nothing was posted');
  for (const { signature, body } of taken) {
    const [, time, mac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(signature);
    assert.equal(mac, createHmac('sha256', secret).update(`${time}.${body}`).digest('hex'));
    for (const event of JSON.parse(body).events) assert.equal(event.kind, 'client_refused');
  }
});

test('a row that somebody has changed in the file is found', async () => {
  const sql = "UPDATE events SET client = 'c_other' WHERE kind = 'token_issued'";
  execFileSync('/usr/bin/python3', ['-c', 'import sqlite3, sys; file = sqlite3.connect(sys.argv[1]); ' +
    'file.execute(sys.argv[2]); file.commit()', join(server.data, 'troupe.db'), sql]);
  const verdict = server.command('audit', 'verify');
  assert.equal(verdict.status, 1);
  assert.match(verdict.err, /its hash does not fit/);
});
