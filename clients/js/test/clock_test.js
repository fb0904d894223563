// What a clock does that is set while the client runs.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { World } from './lib/world.js';

test('a clock that is set back does not keep a dead socket for longer', async (t) => {
  const world = new World(t, { pingIntervalMs: 25_000, pongTimeoutMs: 10_000 });
  const socket = await world.online();
  const now = Date.now.bind(Date);
  t.mock.method(Date, 'now', () => now() - 3_600_000);
  for (let i = 0; i < 7; ++i) await world.pass(10_000);
  assert.equal(socket.frames('ping').length, 1);
  assert.equal(socket.closedBy?.code, 4000);
});
