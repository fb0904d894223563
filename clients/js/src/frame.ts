// Frames: one JSON object as text; or, with a binary payload, the object, one line feed and the bytes.

import { TroupeError, type ErrorCode } from './error.js';

export interface Frame {
  readonly type: string;
  readonly id?: string;
  readonly [field: string]: unknown;
}

// Without a type argument, which TypeScript has known since 5.7 only: the declarations are for older ones, too.
export type Wire = string | Uint8Array;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Whether a payload travels as bytes. */
const bytesOf = (payload: unknown): Uint8Array | undefined =>
  payload instanceof ArrayBuffer ? new Uint8Array(payload)
  : ArrayBuffer.isView(payload) ? new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength)
  : undefined;

/** The frame as it is sent. An undefined payload is null, for a payload must be there. */
export function encodeWithPayload(head: object, payload: unknown): Wire {
  const bytes = bytesOf(payload);
  if (!bytes) return JSON.stringify({ ...head, payload: payload === undefined ? null : payload });
  const start = encoder.encode(`${JSON.stringify(head)}\n`);
  const wire = new Uint8Array(start.length + bytes.length);
  wire.set(start);
  wire.set(bytes, start.length);
  return wire;
}

/** What a frame weighs on the wire. */
export const sizeOf = (wire: Wire): number => typeof wire === 'string' ? encoder.encode(wire).length : wire.length;

/** A received frame; undefined for what is none. */
export function decode(data: unknown): Frame | undefined {
  try {
    if (typeof data === 'string') return frameOf(JSON.parse(data));
    const bytes = bytesOf(data);
    const end = bytes?.indexOf(10) ?? -1;
    if (!bytes || end < 0) return undefined;
    const frame = frameOf(JSON.parse(decoder.decode(bytes.subarray(0, end))));
    return frame && { ...frame, payload: bytes.slice(end + 1) };
  } catch {
    return undefined;
  }
}

const frameOf = (value: unknown): Frame | undefined =>
  typeof value === 'object' && value !== null && typeof (value as Frame).type === 'string' ? value as Frame : undefined;

export const errorOf = (frame: Frame): TroupeError =>
  new TroupeError(frame['code'] as ErrorCode, String(frame['message']),
    { retryAfterMs: frame['retry_after_ms'], details: frame['details'] });
