// How long to wait before the next try: full jitter, so that clients that were cut together do not come back together.

export interface Backoff {
  /** The bound of the first wait; each further one doubles it. */
  readonly baseMs: number;
  /** No wait is longer. */
  readonly maxMs: number;
}

/** Between 0 and min(max, base * 2^attempt); attempts count from 0. */
export const backoffMs = (attempt: number, { baseMs, maxMs }: Backoff, random: number = Math.random()): number =>
  Math.floor(random * Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30)));
