// The pure pieces of the client, as tables: waits, steps between positions, patterns, frames.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { backoffMs } from '../dist/backoff.js';
import { decode, encodeWithPayload } from '../dist/frame.js';
import { Positions, step, without } from '../dist/position.js';
import { isPattern, matches } from '../dist/topic.js';

test('a wait is anywhere below base * 2^attempt and never over the bound', () => {
  for (const [attempt, bound] of [[0, 500], [1, 1000], [2, 2000], [5, 16_000], [6, 30_000], [7, 30_000], [5000, 30_000]]) {
    const wait = (random) => backoffMs(attempt, { baseMs: 500, maxMs: 30_000 }, random);
    assert.deepEqual([wait(0), wait(0.5), wait(1)], [0, bound / 2, bound], `attempt ${attempt}`);
  }
  const waits = Array.from({ length: 1000 }, () => backoffMs(3, { baseMs: 500, maxMs: 30_000 }));
  assert.ok(new Set(waits.map((wait) => Math.floor(wait / 400))).size === 10, 'spread over the whole of it');
});

test('what a message is to somebody at a position', () => {
  const at = { epoch: 'e', offset: 5 };
  for (const [last, epoch, offset, expected] of [
    [undefined, 'e', 9, { kind: 'first' }],
    [at, 'e', 6, { kind: 'next' }],
    [at, 'e', 5, { kind: 'duplicate' }],
    [at, 'e', 1, { kind: 'duplicate' }],
    [at, 'e', 7, { kind: 'jump', missing: { from: 6, to: 6 } }],
    [at, 'e', 20, { kind: 'jump', missing: { from: 6, to: 19 } }],
    [at, 'f', 6, { kind: 'epoch' }],
    [at, 'f', 1, { kind: 'epoch' }],
    [{ epoch: 'e', offset: 0 }, 'e', 1, { kind: 'next' }],
    [{ epoch: 'e', offset: 2 ** 53 - 2 }, 'e', 2 ** 53 - 1, { kind: 'next' }],
  ]) assert.deepEqual(step(last, { epoch, offset }), expected, JSON.stringify([last, epoch, offset]));
});

test('a range without some offsets', () => {
  const range = (from, to) => ({ from, to });
  for (const [from, to, offsets, expected] of [
    [3, 5, [], [range(3, 5)]],
    [3, 5, [4], [range(3, 3), range(5, 5)]],
    [3, 5, [3], [range(4, 5)]],
    [3, 5, [5, 3], [range(4, 4)]],
    [3, 5, [3, 4, 5], []],
    [3, 5, [1, 9], [range(3, 5)]],
  ]) assert.deepEqual(without({ from, to }, new Set(offsets)), expected);
});

test('of a pattern with more topics than are remembered, the least recent is forgotten', () => {
  const positions = new Positions();
  for (let i = 0; i < 1000; ++i) positions.set(`t${i}`, { epoch: 'e', offset: 1 });
  positions.set('t0', { epoch: 'e', offset: 2 });
  positions.set('one more', { epoch: 'e', offset: 1 });
  assert.deepEqual([positions.get('t0')?.offset, positions.get('t1'), positions.get('t2')?.offset], [2, undefined, 1]);
});

test('which topics lie in a pattern', () => {
  for (const [pattern, topic, expected] of [
    ['a.b', 'a.b', true], ['a.b', 'a.c', false], ['a.*', 'a.b', true], ['a.*', 'a', false], ['a.*', 'a.b.c', false],
    ['*.b', 'a.b', true], ['a.*.c', 'a.b.c', true], ['a.*.c', 'a.b.d', false], ['a.>', 'a.b', true], ['a.>', 'a.b.c', true],
    ['a.>', 'a', false], ['>', 'a', true], ['>', 'a.b', true], ['*', 'a', true], ['a.>', 'ab.c', false],
    ['>', '$user.x', false], ['*.x', 'system.x', false], ['a.*', 'a.$b', true],
  ]) assert.equal(matches(pattern, topic), expected, `${pattern} ${topic}`);
  for (const [topic, expected] of [['a.b', false], ['a.*', true], ['*', true], ['>', true], ['a.>', true], ['a.*b', false], ['a>', false]]) {
    assert.equal(isPattern(topic), expected, topic);
  }
});

test('payloads travel as JSON or as bytes, and what is no frame is undefined', () => {
  assert.equal(encodeWithPayload({ type: 'x' }, undefined), '{"type":"x","payload":null}');
  assert.equal(encodeWithPayload({ type: 'x' }, [1, 'ü']), '{"type":"x","payload":[1,"ü"]}');
  const whole = Uint8Array.of(9, 10, 11, 12);
  for (const bytes of [whole.subarray(1, 3), new DataView(whole.buffer, 1, 2), whole.buffer.slice(1, 3)]) {
    const wire = encodeWithPayload({ type: 'x' }, bytes);
    assert.deepEqual(decode(wire.buffer), { type: 'x', payload: Uint8Array.of(10, 11) });
  }
  const utf8 = (text) => new TextEncoder().encode(text).buffer;
  for (const data of ['', '{', 'null', '[]', '{"type":1}', utf8('{"type":"x"}'), utf8('{\n'), utf8(''), undefined]) {
    assert.equal(decode(data), undefined, `${data}`);
  }
});

test('the declarations say nothing that TypeScript 5.0 does not know: a Uint8Array has an argument since 5.7', () => {
  const dist = new URL('../dist/', import.meta.url);
  for (const name of readdirSync(dist).filter((each) => each.endsWith('.d.ts'))) {
    assert.doesNotMatch(readFileSync(new URL(name, dist), 'utf8'), /Uint8Array</, name);
  }
});
