// The one file that the demo page is served with is what the source compiles to, to the byte.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const here = (path) => join(import.meta.dirname, '..', path);
const served = here('../../troupe/app/demo/troupe.js');

function folderOf(t) {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-client-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('troupe/app/demo/troupe.js is made of this source: `./dev client` makes it anew', (t) => {
  const folder = folderOf(t);
  execFileSync(process.execPath, [here('node_modules/typescript/bin/tsc'), '-p', here('tsconfig.bundle.json'), '--outDir', join(folder, 'modules')]);
  execFileSync(process.execPath, [here('bundle.js'), join(folder, 'modules'), join(folder, 'troupe.js')]);
  assert.equal(readFileSync(join(folder, 'troupe.js'), 'utf8'), readFileSync(served, 'utf8'));
});

test('it offers what the package offers, and stays small', async (t) => {
  const module = join(folderOf(t), 'troupe.mjs'); // Node takes no .js for a module where no package says so
  copyFileSync(served, module);
  const [one, all] = await Promise.all([import(module), import('../dist/index.js')]);
  assert.deepEqual(Object.keys(one).sort(), Object.keys(all).sort());
  const bytes = gzipSync(readFileSync(served), { level: 9 }).length;
  console.log(`${bytes} bytes gzipped, not minified`);
  assert.ok(bytes < 13_000, `${bytes} bytes`);
});
