// One `troupe serve` for the tests of a file: a free port of 127.0.0.1, a data folder of
// its own, ready when it says `listening on`. Its log is printed when a test has failed.
// A server that ends by itself, or does not end well after SIGTERM, fails the file.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, afterEach } from 'node:test';
import assert from 'node:assert/strict';

const root = resolve(import.meta.dirname, '../../..');
export const binary = process.env.TROUPE_BIN ?? join(root, 'build/release/troupe');
if (!existsSync(binary)) throw new Error(`${binary} is not there: run \`./dev build\` first`);

// Of one address come more requests here than a person would send.
export const generous = '[http]\nrequests_per_second = 1000000\nrequests_burst = 1000000\nconnections_by_address_max = 100000\n';

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/// What `promise` gives, or undefined after `ms`. No timer is left behind.
export async function within(ms, promise) {
  let timer;
  const late = new Promise((done) => { timer = setTimeout(done, ms); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/// Asks again and again until the answer is true or `ms` are over; gives the last answer.
export async function until(what, ms = 10_000) {
  const end = Date.now() + ms;
  let answer = await what();
  while (!answer && Date.now() < end) {
    await sleep(20);
    answer = await what();
  }
  return answer;
}

/// A folder that lives as long as the test file, with a configuration in it.
export function folder(config = '') {
  const path = mkdtempSync(join(tmpdir(), 'troupe-e2e-'));
  after(() => rmSync(path, { recursive: true, force: true }));
  writeFileSync(join(path, 'troupe.toml'), config);
  return path;
}

/// Runs one command to its end; gives { status, out, err }.
export function troupe(args, { input, env = {} } = {}) {
  const done = spawnSync(binary, args, { input, encoding: 'utf8', timeout: 30_000, env: { ...process.env, ...env } });
  return { status: done.status, out: done.stdout, err: done.stderr };
}

// Printed once for each failed test, and then forgotten.
const servers = new Set();
afterEach((test) => {
  for (const server of servers) {
    if (test.passed === false) console.error(`--- log of the server on ${server.url} ---\n${server.log.slice(-8000)}`);
    if (server.process?.exitCode !== null) servers.delete(server);
  }
});

export class Server {
  constructor(home, { args = [], env = {} } = {}) {
    this.home = home;
    this.data = join(home, 'data');
    this.config = join(home, 'troupe.toml');
    this.args = args;
    this.env = env;
    this.log = '';
    servers.add(this);
    after(() => this.stop());  // a test that fails in its middle leaves no process that the file would wait for
  }

  /// A port that is asked for was ours a moment ago: who has it meanwhile is given time to go.
  async start(port = 0) {
    for (let tries = port === 0 ? 1 : 5; ; --tries) {
      const begin = this.log.length;
      const first = await this.#begin(port);
      if (Array.isArray(first)) {
        [, this.url] = first;
        this.port = Number(first[2]);
        this.seen = this.log.length;
        return this;
      }
      const taken = /is in use by another process/.test(this.log.slice(begin));
      if (!taken || tries === 1) throw new Error(`the server did not start (${JSON.stringify(first)}):\n${this.log}`);
      await sleep(500);
    }
  }

  /// Gives the line that says where it listens, or how it ended, or undefined when it does neither.
  #begin(port) {
    // Passwords at the least cost and beside everybody: here other tests want the processors, too.
    const args = ['serve', '--config', this.config, '--data', this.data, '--listen', `127.0.0.1:${port}`,
      '--set', 'oauth.password_time=0s', '--set', 'oauth.password_threads=usual', ...this.args];
    this.process = spawn(binary, args, { env: { ...process.env, ...this.env } });
    // When it is closed, all that it said is in the log.
    this.ended = new Promise((done) => this.process.on('close', (code, signal) => done({ code, signal })));
    const ready = new Promise((done) => {
      const read = (bytes) => {
        this.log += bytes;
        const line = /listening on (https?:\/\/127\.0\.0\.1:(\d+))/.exec(this.log.slice(this.seen ?? 0));
        if (line) done(line);
      };
      this.process.stdout.on('data', read);
      this.process.stderr.on('data', read);
    });
    return within(30_000, Promise.race([ready, this.ended]));
  }

  get pid() { return this.process.pid; }
  ws(path = '/ws') { return `ws://127.0.0.1:${this.port}${path}`; }

  /// Ends it with SIGTERM, as an operator does, and asserts that it ended well.
  async stop() {
    if (!this.process || this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.kill('SIGTERM');
    const end = await within(20_000, this.ended);
    if (!end) this.process.kill('SIGKILL');
    assert.deepEqual(end, { code: 0, signal: null }, `SIGTERM did not end the server well:\n${this.log}`);
  }

  /// Ends it as a power cut would.
  async kill() {
    this.process.kill('SIGKILL');
    await this.ended;
  }

  /// Runs a command on the same configuration and data.
  command(...args) {
    const input = typeof args.at(-1) === 'object' ? args.pop().input : undefined;
    return troupe([...args, '--config', this.config, '--data', this.data], { input });
  }

  /// Adds a client; gives its JSON. A running server knows it within a second; this waits until it does.
  async addClient(...args) {
    const done = this.command('client', 'add', '--json', ...args);
    assert.equal(done.status, 0, `client add: ${done.err}${done.out}`);
    const client = JSON.parse(done.out);
    if (this.process?.exitCode === null) await sleep(1000);
    return client;
  }

  async addUser(name, password, ...args) {
    const done = this.command('user', 'add', name, ...args, '--password-stdin', { input: `${password}\n` });
    assert.equal(done.status, 0, `user add: ${done.err}${done.out}`);
  }
}

/// A server for this file or test. `config`: TOML; `prepare`: called before the start, when commands write alone.
export async function serve({ config = generous, args = [], env = {}, port = 0, prepare } = {}) {
  const server = new Server(folder(config), { args, env });
  await prepare?.(server);
  await server.start(port);
  return server;
}
