// Requests: frames that bear an id and wait for the one answer with the same id.
//
// What was not answered when a socket is lost is sent again in its order on the next one, if that is harmless;
// otherwise it fails with `disconnected`. What waits for a socket is bounded; each wait has an end.

import { TroupeError } from './error.js';
import { errorOf, sizeOf, type Frame, type Wire } from './frame.js';

/** `always`: safe to send twice. `unsent`: only while no socket had it. `never`: it belongs to this socket. */
export type Repeat = 'always' | 'unsent' | 'never';

export interface Ask {
  readonly repeat: Repeat;
  readonly timeoutMs: number;
  readonly encode: (id: string) => Wire;
  /** Takes the frames that come before the answer. */
  readonly item?: (frame: Frame) => void;
  /** Takes the answer before the next frame is looked at; the promise is settled only after that. */
  readonly answer?: (frame: Frame) => void;
}

interface Request extends Ask {
  readonly id: string;
  readonly wire: Wire;
  readonly bytes: number;
  sent: boolean;    // on the socket that is open now
  started: boolean; // on any socket
  readonly resolve: (frame: Frame) => void;
  readonly reject: (error: TroupeError) => void;
  timer?: ReturnType<typeof setTimeout>;
}

export interface Limits {
  readonly count: number;
  readonly bytes: number;
}

export interface Socket {
  send(wire: Wire): boolean;
  /** Bytes that the socket holds back. */
  readonly backlog: number;
}

export class Requests {
  readonly #open = new Map<string, Request>();
  readonly #socket: Socket;
  readonly #limits: Limits;
  #ids = 0;
  #waiting = 0;      // requests that no open socket has
  #waitingBytes = 0;
  #frameBytesMax = Infinity;

  constructor(socket: Socket, limits: Limits) {
    this.#socket = socket;
    this.#limits = limits;
  }

  /** The id that the next request will bear. */
  get nextId(): string { return `r${this.#ids + 1}`; }

  ask(ask: Ask): Promise<Frame> {
    return new Promise((resolve, reject) => {
      const id = `r${++this.#ids}`;
      const wire = ask.encode(id);
      const request: Request = { ...ask, id, wire, bytes: sizeOf(wire), sent: false, started: false, resolve, reject };
      const refusal = this.#refusal(request);
      if (refusal) return reject(refusal);
      this.#open.set(id, request);
      ++this.#waiting;
      this.#waitingBytes += request.bytes;
      this.#await(request);
      this.#send(request);
    });
  }

  /** Takes a frame that bears the id of a request; false where nobody waits for it. */
  take(frame: Frame): boolean {
    const request = frame.id === undefined ? undefined : this.#open.get(frame.id);
    if (!request) return false;
    if (request.item && frame.type !== 'error' && frame.type !== 'history_end') {
      this.#await(request); // it is being answered
      request.item(frame);
    } else this.#end(request, frame.type === 'error' ? errorOf(frame) : frame);
    return true;
  }

  /** A socket is there: all that waits goes out, in its order. */
  opened(frameBytesMax: number): void {
    this.#frameBytesMax = frameBytesMax;
    for (const request of [...this.#open.values()]) {
      if (request.bytes > frameBytesMax) this.#end(request, tooLarge(request.bytes, frameBytesMax));
      else this.#send(request);
    }
  }

  /** The socket is gone. */
  lost(): void {
    for (const request of [...this.#open.values()]) {
      const kept = request.repeat === 'always' || (request.repeat === 'unsent' && !request.started);
      if (!kept) this.#end(request, new TroupeError('disconnected', 'the connection was lost before the answer came'));
      else this.#wait(request);
    }
  }

  /** Fails what may have been carried out already and cannot be told from a new one. */
  failStarted(why: string): void {
    for (const request of [...this.#open.values()]) {
      if (request.started) this.#end(request, new TroupeError('disconnected', why));
    }
  }

  close(error: TroupeError): void {
    for (const request of [...this.#open.values()]) this.#end(request, error);
  }

  #await(request: Request): void {
    const { timeoutMs } = request;
    clearTimeout(request.timer);
    request.timer = setTimeout(() => this.#end(request, new TroupeError('timeout', `no answer within ${timeoutMs} ms`)), timeoutMs);
  }

  #refusal(request: Request): TroupeError | undefined {
    if (request.bytes > this.#frameBytesMax) return tooLarge(request.bytes, this.#frameBytesMax);
    if (request.repeat === 'never') return undefined;
    const { count, bytes } = this.#limits;
    const waits = this.#waiting >= count || this.#waitingBytes + this.#socket.backlog + request.bytes > bytes;
    return waits ? new TroupeError('buffer_full', `${this.#waiting} frames wait to be sent, and there is no room for more`) : undefined;
  }

  #send(request: Request): void {
    if (request.sent || !this.#socket.send(request.wire)) return;
    request.sent = request.started = true;
    --this.#waiting;
    this.#waitingBytes -= request.bytes;
  }

  #wait(request: Request): void {
    if (!request.sent) return;
    request.sent = false;
    ++this.#waiting;
    this.#waitingBytes += request.bytes;
  }

  #end(request: Request, outcome: Frame | TroupeError): void {
    this.#open.delete(request.id);
    clearTimeout(request.timer);
    if (!request.sent) {
      --this.#waiting;
      this.#waitingBytes -= request.bytes;
    }
    if (outcome instanceof TroupeError) return request.reject(outcome);
    request.answer?.(outcome);
    request.resolve(outcome);
  }
}

const tooLarge = (bytes: number, max: number): TroupeError =>
  new TroupeError('too_large', `the frame has ${bytes} bytes, and the server takes ${max}`);
