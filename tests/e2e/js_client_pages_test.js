// The pages about the JavaScript client do what they say: their `js` pieces are run as one module, and the `text`
// pieces are what it prints. Only the port, the paths of the imports and the credentials are the test's own.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { folder, serve, within } from './lib/server.js';

const root = resolve(import.meta.dirname, '../..');
const scope = 'topic:>:subscribe topic:>:publish topic:$user.*:publish';

for (const page of ['clients/js/README.md', 'docs/guide/realtime.md']) {
  test(`${page} does what it says`, async () => {
    const server = await serve();
    const { client_id: CLIENT_ID, client_secret: CLIENT_SECRET } =
      await server.addClient('--name', page, '--grant', 'client_credentials', '--scope', scope);
    const text = readFileSync(join(root, page), 'utf8');
    const pieces = (language) => [...text.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, piece]) => piece).join('');
    let code = pieces('js');
    for (const [theirs, ours] of [['127.0.0.1:8080', `127.0.0.1:${server.port}`],
                                  ["from 'troupe-client'", `from '${join(root, 'clients/js/dist/index.js')}'`],
                                  ["from 'ws'", `from '${join(import.meta.dirname, 'node_modules/ws/wrapper.mjs')}'`]]) {
      assert.ok(code.includes(theirs), theirs);
      code = code.replaceAll(theirs, ours);
    }
    const script = join(folder(), 'page.mjs');
    writeFileSync(script, code);

    const child = spawn(process.execPath, [script], { env: { ...process.env, CLIENT_ID, CLIENT_SECRET, NO_COLOR: '1' } });
    let said = '';
    let complaints = '';
    child.stdout.on('data', (bytes) => { said += bytes; });
    child.stderr.on('data', (bytes) => { complaints += bytes; });
    const ended = await within(60_000, new Promise((done) => child.on('exit', done)));
    if (ended === undefined) child.kill('SIGKILL');
    assert.equal(ended, 0, `it must end by itself and well\n${said}${complaints}`);
    assert.equal(said, pieces('text'));
  });
}
