// Where the machine gives too few threads (TasksMax= of a unit, RLIMIT_NPROC): a sentence, or a server that ends well.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binary, within } from './lib/server.js';

const nobody = 64_001;  // a user of no other process, for the limit counts all of its user's threads

/// Serves until it says that it listens, then ends it; or sees it end by itself.
async function run(executable, home, threads) {
  const limits = [`--nproc=${threads}`, 'setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'];
  const args = ['serve', '--data', home, '--listen', '127.0.0.1:0', '--set', 'server.cores=2', '--set', 'realtime.drain_time=0s'];
  const server = spawn('prlimit', [...limits, executable, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise((done) => server.on('close', (code, signal) => done({ code, signal })));
  let said = '', served = false;
  for (const stream of [server.stdout, server.stderr]) stream.on('data', (bytes) => {
    said += bytes;
    if (served || !said.includes('listening on')) return;
    served = true;
    server.kill('SIGTERM');
  });
  try {
    const { code, signal } = await within(30_000, ended);
    return { code, signal, served, said };
  } finally {
    server.kill('SIGKILL');
  }
}

test('a server that cannot have its threads says so and ends with 1; with just enough it serves and ends with 0',
  { skip: process.getuid() !== 0 && 'only root can run it as somebody else' }, async () => {
    const home = mkdtempSync(join(tmpdir(), 'troupe-threads-'));
    try {
      chmodSync(home, 0o755);
      const executable = join(home, 'troupe');
      copyFileSync(binary, executable);
      const outcomes = { served: 0, refused: 0 };
      for (let threads = 2; threads <= 26; ++threads) {
        const data = mkdtempSync(join(home, 'data-'));
        chownSync(data, nobody, nobody);
        const { code, signal, served, said } = await run(executable, data, threads);
        assert.equal(signal, null, `${threads} threads: ${said}`);
        assert.equal(code, served ? 0 : 1, `${threads} threads: ${said}`);
        if (!served) assert.match(said, /troupe: .*thread.*: Resource temporarily unavailable/);
        ++outcomes[served ? 'served' : 'refused'];
      }
      assert.ok(outcomes.served >= 3 && outcomes.refused >= 3, JSON.stringify(outcomes));
    } finally {
      rmSync(home, { recursive: true });
    }
  });
