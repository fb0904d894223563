// Takes pictures of the pages that people see: `./dev pictures`, where a page looks different than it did. It fails where
// one of them is too large for a repository.
import { mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { browser } from './lib/chromium.js';
import { addShop, pages, prepare } from './lib/pages.js';
import { serve } from './lib/server.js';

const folder = resolve(import.meta.dirname, '../../docs/images');
const server = await serve({ prepare });
const chromium = await browser();

test('a picture of each page', async () => {
  mkdirSync(folder, { recursive: true });
  const shop = await addShop(server);
  for (const [name, open] of Object.entries(pages)) {
    if (name === 'login-refused') continue;
    for (const colorScheme of ['light', 'dark']) {
      const page = await chromium.newPerson({ colorScheme, viewport: { width: 560, height: 620 } });
      await open(page, server, shop);
      const path = join(folder, `${name}-${colorScheme}.png`);
      await page.screenshot({ path, animations: 'disabled' });
      assert.ok(statSync(path).size < 60_000, `${path} has ${statSync(path).size} bytes`);
      await page.context().close();
    }
  }
});
