// Positions: where in a topic one is, and what the next message or gap means there. Pure functions and one small
// table; who holds it is a subscription.

/** A place in a topic: the offset of the last message seen, within an epoch. Offset 0: before the first. */
export interface Position {
  readonly epoch: string;
  readonly offset: number;
}

/** A range of offsets, both ends included. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

export type Step =
  | { readonly kind: 'first' | 'next' | 'duplicate' }
  | { readonly kind: 'epoch' }                          // another epoch: nothing is known of what came between
  | { readonly kind: 'jump'; readonly missing: Range }; // offsets were left out

/** What a message at `now` is to somebody who is at `last`. */
export function step(last: Position | undefined, now: Position): Step {
  if (!last) return { kind: 'first' };
  if (last.epoch !== now.epoch) return { kind: 'epoch' };
  if (now.offset <= last.offset) return { kind: 'duplicate' };
  if (now.offset === last.offset + 1) return { kind: 'next' };
  return { kind: 'jump', missing: { from: last.offset + 1, to: now.offset - 1 } };
}

/** The parts of a range that are not among these offsets. */
export function without(range: Range, offsets: ReadonlySet<number>): Range[] {
  const inside = [...offsets].filter((offset) => offset >= range.from && offset <= range.to).sort((a, b) => a - b);
  const parts: Range[] = [];
  let from = range.from;
  for (const offset of inside) {
    if (offset > from) parts.push({ from, to: offset - 1 });
    from = offset + 1;
  }
  if (from <= range.to) parts.push({ from, to: range.to });
  return parts;
}

const topicsMax = 1000; // of one pattern; what is forgotten can no longer be checked for doubles

/** The last position seen of each topic, the least recent forgotten first. */
export class Positions {
  readonly #seen = new Map<string, Position>();

  get(topic: string): Position | undefined { return this.#seen.get(topic); }
  clear(): void { this.#seen.clear(); }

  set(topic: string, position: Position): void {
    this.#seen.delete(topic);
    this.#seen.set(topic, position);
    if (this.#seen.size > topicsMax) for (const [oldest] of this.#seen) { this.#seen.delete(oldest); break; }
  }
}
