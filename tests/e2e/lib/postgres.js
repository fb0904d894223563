// A PostgreSQL for one test file: in a temporary folder, reached by a unix socket alone, gone with the file. It refuses
// to be root's, so where the tests are root it runs as `postgres`. Where none can be started, the file fails.
import { spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import assert from 'node:assert/strict';
import { sleep } from './server.js';

function program(name) {
  const found = [20, 19, 18, 17, 16, 15, 14, 13].map((version) => `/usr/lib/postgresql/${version}/bin/${name}`).find(existsSync);
  return found ?? name;
}

/// Whose the server is: of the tests themselves, unless they are root.
function user() {
  if (process.getuid() !== 0) return {};
  const line = readFileSync('/etc/passwd', 'utf8').split('\n').find((each) => each.startsWith('postgres:'));
  assert.ok(line, 'there is no user `postgres`; the package `postgresql` makes it');
  const [, , uid, gid] = line.split(':').map(Number);
  return { uid, gid };
}

export class Postgres {
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'troupe-postgres-'));
    this.as = { ...user(), cwd: '/', stdio: 'ignore' };
    if (this.as.uid) chownSync(this.folder, this.as.uid, this.as.gid);
    const made = spawnSync(program('initdb'), ['-D', join(this.folder, 'data'), '-U', 'troupe', '-A', 'trust', '-E', 'UTF8',
                                               '--locale=C.UTF-8', '--no-sync', '--no-instructions'], this.as);
    assert.equal(made.status, 0, 'initdb of PostgreSQL failed; the package `postgresql` brings it');
  }

  static async start() {
    const server = new Postgres();
    await server.start();
    after(async () => {
      await server.stop();
      rmSync(server.folder, { recursive: true, force: true });
    });
    return server;
  }

  url(database = 'postgres') { return `postgresql:///${database}?host=${this.folder}&user=troupe`; }

  /// Gives what a statement prints, without headings.
  query(sql) {
    const done = spawnSync(program('psql'), ['-X', '-q', '-t', '-A', '-v', 'ON_ERROR_STOP=1', '-d', this.url(), '-c', sql],
                           { encoding: 'utf8' });
    assert.equal(done.status, 0, done.stderr);
    return done.stdout.trim();
  }

  async start() {
    this.process = spawn(program('postgres'), ['-D', join(this.folder, 'data'), '-k', this.folder, '-h', '', '-F'], this.as);
    this.ended = new Promise((done) => this.process.on('exit', done));
    for (let attempt = 0; attempt < 400; ++attempt) {
      if (spawnSync(program('psql'), ['-X', '-d', this.url(), '-c', 'SELECT 1'], { stdio: 'ignore' }).status === 0) return;
      await sleep(25);
    }
    assert.fail('PostgreSQL does not answer');
  }

  async stop() {
    if (this.process.exitCode !== null) return;
    this.process.kill('SIGINT');
    await this.ended;
  }
}
