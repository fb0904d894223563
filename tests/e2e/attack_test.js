// `troupe selftest --attack` against a real server: every row of docs/protocol/oauth_threats.md that
// applies to ours passes, each is a test of its own, and which do not apply is written down here.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { machineToken } from './lib/oauth.js';
import { binary, serve, generous } from './lib/server.js';

const callback = 'http://127.0.0.1:9/callback';
const otherCallback = 'https://other.example/cb';  // of a client of its own, whose codes are nobody else's to see
const people = { mallory: 'eight words that nobody would guess', victim: 'another eight words of no meaning' };
// A thousand connections at once come from one address here.
const many = 'connections_max = 5000\n';

async function attacked(oauth) {
  const server = await serve({
    config: `${generous}${many}[server]\ncores = 2\n[oauth]\n${oauth}`,
    prepare: async (s) => { for (const [name, password] of Object.entries(people)) await s.addUser(name, password); },
  });
  const codes = ['--grant', 'authorization_code', '--grant', 'refresh_token', '--scope', 'openid offline_access profile email'];
  const add = (name, ...more) => server.addClient('--name', name, ...more);
  const clients = {
    client: await add('Client', '--redirect-uri', callback, ...codes),
    other_client: await add('Other', '--redirect-uri', otherCallback, '--redirect-uri', `${otherCallback}/2`, ...codes),
    public_client: await add('Public', '--public', '--redirect-uri', 'http://127.0.0.1/cb', ...codes),
    machine: await add('Machine', '--grant', 'client_credentials', '--scope', 'read'),
  };
  const disabled = await add('Disabled', '--redirect-uri', callback, ...codes);
  server.command('client', 'update', disabled.client_id, '--disable');
  const portal = await add('Portal', '--grant', 'client_credentials', '--scope', 'register');
  return { server, clients, disabled, registrationToken: await machineToken(server, portal, 'register') };
}

/// The file of --target.
function targetOf({ server, clients, disabled, registrationToken }, more) {
  const lines = [...more, `admin_url = "${server.url}/admin/v1/clients"`, `disabled_client = "${disabled.client_id}"`, `registration_token = "${registrationToken}"`];
  for (const [name, client] of Object.entries(clients)) {
    lines.push(`[${name}]`, `id = "${client.client_id}"`, `scope = "${client.scope}"`);
    if (client.client_secret) lines.push(`secret = "${client.client_secret}"`);
    if (client.redirect_uris?.length) lines.push(`redirect_uri = "${client.redirect_uris[0]}"`);
    if (client.redirect_uris?.length > 1) lines.push(`another_redirect_uri = "${client.redirect_uris[1]}"`);
  }
  lines.push('[user]', 'name = "mallory"', `password = "${people.mallory}"`, '[victim]', 'name = "victim"', `password = "${people.victim}"`);
  const file = join(server.home, 'target.toml');
  writeFileSync(file, lines.join('\n') + '\n');
  return file;
}

/// Runs the command to its end; gives { status, out, err }.
function selftest(server, file, ...args) {
  const child = spawn(binary, ['selftest', '--attack', server.url, '--target', file, '--json', ...args]);
  const done = { out: '', err: '' };
  child.stdout.on('data', (bytes) => { done.out += bytes; });
  child.stderr.on('data', (bytes) => { done.err += bytes; });
  return new Promise((ended) => child.on('close', (status) => ended({ status, ...done })));
}

// What our server does not offer, or what cannot be seen over HTTP.
const elsewhere = new Set(['T34', 'T69', 'T76', 'T77']);
const ids = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
             32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 47, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 62, 64, 65,
             66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80].map((number) => `T${number}`);
// Rows that wait for a time to be over, on a server where it is short, and one whose user must sign in before others
// have guessed from the same address.
const apart = ['T16', 'T41', 'T64'];
const verdicts = new Map();

const [one, quick] = [await attacked(''), await attacked('code_lifetime = "3s"\nrefresh_grace = "0s"\n')];
const runs = [await selftest(one.server, targetOf(one, [])),
              await selftest(quick.server, targetOf(quick, ['code_lifetime = "3s"', 'refresh_grace = "0s"']), '--only', apart.join())];
for (const [at, run] of runs.entries()) {
  assert.ok(run.out, run.err);
  for (const verdict of JSON.parse(run.out).rows) {
    if (at === 1 || !apart.includes(verdict.id)) verdicts.set(verdict.id, verdict);
  }
}

test('every row is run, and none besides', () => {
  const byNumber = (a, b) => Number(a.slice(1)) - Number(b.slice(1));
  assert.deepEqual([...verdicts.keys()].sort(byNumber), ids);
});

test('the exit status says whether a row has failed', () => {
  for (const run of runs) {
    const failed = JSON.parse(run.out).rows.some((verdict) => verdict.outcome === 'fail');
    assert.equal(run.status, failed ? 1 : 0);
  }
});

for (const [id, verdict] of verdicts) {
  const applies = !elsewhere.has(id);
  test(`${id} ${verdict.title}${applies ? '' : ': does not apply'}`, () => {
    assert.equal(verdict.outcome, applies ? 'pass' : 'not_applicable', `${verdict.title}\n${verdict.reasons.join('\n')}`);
    if (applies) assert.ok(verdict.checks > 0);
  });
}
