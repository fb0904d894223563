// Debian's Chromium under playwright-core, without a word to the outside.
import { chromium } from 'playwright-core';
import { after } from 'node:test';

const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
              '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'];

/// A browser for this file; `newPerson()` gives a page with cookies of its own.
export async function browser() {
  const executablePath = process.env.TROUPE_CHROMIUM ?? '/usr/bin/chromium';
  const running = await chromium.launch({ executablePath, headless: true, args });
  after(() => running.close());
  return {
    async newPerson(options = {}) {
      const context = await running.newContext(options);
      const page = await context.newPage();
      page.setDefaultTimeout(10_000);
      page.errors = [];
      page.on('pageerror', (error) => page.errors.push(`${error}`));
      page.on('console', (message) => message.type() === 'error' && page.errors.push(message.text()));
      return page;
    },
  };
}
