// What can go wrong, as one class with a code: the server's codes, and the few that are the client's own.

/** The server's codes, and then: `timeout`, no answer in time; `disconnected`, the socket was lost and nobody knows
 * whether the frame arrived; `buffer_full`, too much waits to be sent; `closed`, this client was closed. */
export type ErrorCode =
  | 'bad_request' | 'unauthorized' | 'forbidden' | 'not_found' | 'rate_limited' | 'too_large' | 'overloaded' | 'internal'
  | 'timeout' | 'disconnected' | 'buffer_full' | 'closed';

/** What another try may bring to a good end a moment later. */
export const passing: ReadonlySet<unknown> = new Set<ErrorCode>(['overloaded', 'rate_limited', 'internal', 'timeout', 'buffer_full']);

export class TroupeError extends Error {
  override readonly name = 'TroupeError';
  readonly code: ErrorCode;
  /** When the server said so: it is worth trying again after this time. */
  readonly retryAfterMs: number | undefined;
  readonly details: unknown;

  constructor(code: ErrorCode, message: string, more: { retryAfterMs?: unknown; details?: unknown; cause?: unknown } = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.retryAfterMs = typeof more.retryAfterMs === 'number' ? more.retryAfterMs : undefined;
    this.details = more.details;
  }
}
