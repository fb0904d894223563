// The JavaScript client of clients/js in one file, made by `./dev client`; change it there.
class Emitter {
 #listeners = new Map();
 on(name, listener) {
  let all = this.#listeners.get(name);
  if (!all)
   this.#listeners.set(name, all = new Set());
  all.add(listener);
  return () => { all.delete(listener); };
 }
 emit(name, event) {
  const all = (this.#listeners.get(name) ?? new Set());
  const called = [...all];
  for (const listener of called)
   if (all.has(listener))
    this.guard(() => listener(event), name !== 'error');
  return called.length > 0;
 }
 guard(run, tell = true) {
  const failed = (error) => {
   if (tell)
    this.report(error);
   else
    queueMicrotask(() => { throw error; });
  };
  try {
   const result = run();
   if (typeof result?.then === 'function')
    result.then(undefined, failed);
  }
  catch (error) {
   failed(error);
  }
 }
 report(error) {
  if (!this.emit('error', error))
   queueMicrotask(() => { throw error; });
 }
}
const passing = new Set(['overloaded', 'rate_limited', 'internal', 'timeout', 'buffer_full']);
class TroupeError extends Error {
 name = 'TroupeError';
 code;
 retryAfterMs;
 details;
 constructor(code, message, more = {}) {
  super(message, more.cause === undefined ? undefined : { cause: more.cause });
  this.code = code;
  this.retryAfterMs = typeof more.retryAfterMs === 'number' ? more.retryAfterMs : undefined;
  this.details = more.details;
 }
}
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const bytesOf = (payload) => payload instanceof ArrayBuffer ? new Uint8Array(payload)
 : ArrayBuffer.isView(payload) ? new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength)
  : undefined;
function encodeWithPayload(head, payload) {
 const bytes = bytesOf(payload);
 if (!bytes)
  return JSON.stringify({ ...head, payload: payload === undefined ? null : payload });
 const start = encoder.encode(`${JSON.stringify(head)}\n`);
 const wire = new Uint8Array(start.length + bytes.length);
 wire.set(start);
 wire.set(bytes, start.length);
 return wire;
}
const sizeOf = (wire) => typeof wire === 'string' ? encoder.encode(wire).length : wire.length;
function decode(data) {
 try {
  if (typeof data === 'string')
   return frameOf(JSON.parse(data));
  const bytes = bytesOf(data);
  const end = bytes?.indexOf(10) ?? -1;
  if (!bytes || end < 0)
   return undefined;
  const frame = frameOf(JSON.parse(decoder.decode(bytes.subarray(0, end))));
  return frame && { ...frame, payload: bytes.slice(end + 1) };
 }
 catch {
  return undefined;
 }
}
const frameOf = (value) => typeof value === 'object' && value !== null && typeof value.type === 'string' ? value : undefined;
const errorOf = (frame) => new TroupeError(frame['code'], String(frame['message']), { retryAfterMs: frame['retry_after_ms'], details: frame['details'] });
class History {
 complete;
 #start;
 #items = [];
 #cancel;
 #state = 'new';
 #error;
 #wakes = [];
 constructor(start) { this.#start = start; }
 [Symbol.asyncIterator]() { return this; }
 async next() {
  if (this.#state === 'new')
   this.#open();
  while (this.#items.length === 0 && this.#state === 'open')
   await new Promise((wake) => this.#wakes.push(wake));
  const value = this.#items.shift();
  if (value)
   return { done: false, value };
  const error = this.#error;
  this.#error = undefined;
  if (error !== undefined)
   throw error;
  return { done: true, value: undefined };
 }
 async return() {
  if (this.#state === 'open')
   this.#cancel?.();
  this.#state = 'ended';
  this.#items.length = 0;
  this.#wakeAll();
  return { done: true, value: undefined };
 }
 #open() {
  const { end, cancel } = this.#start((frame) => {
   if (this.#state === 'ended')
    return;
   const { topic, payload, epoch, offset, sender, sent_at: sentAt } = frame;
   this.#items.push({ topic, payload, epoch, offset, sentAt, ...(sender === undefined ? {} : { sender }) });
   this.#wakeAll();
  });
  this.#state = 'open';
  this.#cancel = cancel;
  end.then((frame) => { this.complete = frame['complete'] === true; }, (error) => {
   if (this.#state !== 'open')
    return;
   this.#error = error;
   if (error.code === 'timeout')
    cancel();
  }).finally(() => {
   this.#state = 'ended';
   this.#wakeAll();
  });
 }
 #wakeAll() {
  for (const wake of this.#wakes.splice(0))
   wake();
 }
}
const rememberedMax = 4000;
const waitingMax = 1000;
class Inbox {
 #received;
 #failed;
 #handled = new Set();
 #waiting = [];
 #handler;
 #busy = false;
 #stuckAt = Infinity;
 #turn = 0;
 constructor(received, failed) {
  this.#received = received;
  this.#failed = failed;
 }
 handle(handler) {
  const mine = (message) => handler(message);
  this.#handler = mine;
  void this.#work();
  return () => { if (this.#handler === mine)
   this.#handler = undefined; };
 }
 opened() {
  ++this.#turn;
  this.#waiting = [];
  this.#stuckAt = Infinity;
 }
 restarted() {
  ++this.#turn;
  this.#stuckAt = Infinity;
 }
 take(message) {
  this.#waiting.push({ message, turn: this.#turn });
  while (!this.#handler && this.#waiting.length > waitingMax)
   this.#drop(this.#waiting.shift());
  void this.#work();
 }
 #drop({ message, turn }) {
  if (turn === this.#turn)
   this.#stuckAt = Math.min(this.#stuckAt, message.offset);
 }
 async #work() {
  if (this.#busy)
   return;
  this.#busy = true;
  for (let next; this.#handler && (next = this.#waiting.shift());) {
   const { message, turn } = next;
   const done = this.#handled.has(message.messageId) || await this.#run(this.#handler, message);
   if (turn !== this.#turn)
    continue;
   if (!done)
    this.#stuckAt = Math.min(this.#stuckAt, message.offset);
   if (message.offset < this.#stuckAt)
    this.#received(message);
  }
  this.#busy = false;
 }
 async #run(handler, message) {
  try {
   await handler(message);
  }
  catch (error) {
   this.#failed(error);
   return false;
  }
  this.#handled.add(message.messageId);
  if (this.#handled.size > rememberedMax)
   for (const oldest of this.#handled) {
    this.#handled.delete(oldest);
    break;
   }
  return true;
 }
}
const backoffMs = (attempt, { baseMs, maxMs }, random = Math.random()) => Math.floor(random * Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30)));
const stableMs = 10_000;
const replaced = 4004;
const refusedToken = 4001;
const noToken = 1008;
const isRefusal = /response: 401$/;
const givenUp = 4000;
const isSendable = (token) => /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(token);
const page = globalThis;
class Link {
 #url;
 #options;
 #events;
 #state = 'idle';
 #socket;
 #turn = 0;
 #attempt = 0;
 #session;
 #strayed = false;
 token;
 #refused;
 #fresh = false;
 #onlineSince = 0;
 #drainMs;
 #heardAt = 0;
 #timer;
 #pulse;
 #hasTold = false;
 #networkCame = () => { if (this.#state === 'waiting')
  this.start(); };
 constructor(url, options, events) {
  this.#url = url;
  this.#options = options;
  this.#events = events;
 }
 get state() { return this.#state; }
 get backlog() { return this.#socket?.bufferedAmount ?? 0; }
 start() {
  if (this.#state === 'idle')
   page.addEventListener?.('online', this.#networkCame);
  if (this.#state !== 'idle' && this.#state !== 'waiting')
   return;
  clearTimeout(this.#timer);
  void this.#connect();
 }
 send(wire) {
  if (this.#state !== 'online')
   return false;
  this.#socket?.send(wire);
  return true;
 }
 stop(error) {
  if (this.#state === 'closed')
   return;
  const wasOnline = this.#state === 'online';
  this.#forget(1000);
  this.#leave(wasOnline, { state: 'closed', ...(error ? { error } : {}) });
 }
 drain(reconnectAfterMs) { this.#drainMs = reconnectAfterMs; }
 async freshToken() {
  const turn = this.#turn;
  const token = await this.#askToken(true);
  if (turn !== this.#turn)
   return undefined;
  if (token === null)
   this.stop(new TroupeError('unauthorized', 'there is no token any more'));
  return token ?? undefined;
 }
 async #askToken(fresh) {
  const { token } = this.#options;
  return typeof token === 'function' ? await token({ fresh }) : token;
 }
 async #connect() {
  const turn = ++this.#turn;
  this.#enter({ state: 'connecting' });
  if (turn !== this.#turn)
   return;
  this.#timer = setTimeout(() => this.#drop(1006, `not connected within ${this.#options.connectTimeoutMs} ms`), this.#options.connectTimeoutMs);
  try {
   const token = await this.#askToken(this.#fresh);
   if (turn !== this.#turn)
    return;
   if (token === null)
    return this.stop(new TroupeError('unauthorized', 'there is no token any more'));
   if (token !== undefined && !isSendable(token))
    return this.#cannotSend(token);
   if (token !== undefined && token === this.#refused)
    return this.stop(new TroupeError('unauthorized', 'the token was refused, and there is no other'));
   this.token = token;
  }
  catch (error) {
   return this.#fail(turn, error, 'no token could be got');
  }
  try {
   this.#open(this.token);
  }
  catch (error) {
   this.#fail(turn, error, `no socket could be made: ${error.message}`);
  }
 }
 #fail(turn, error, reason) {
  if (turn !== this.#turn)
   return;
  this.#hasTold = true;
  this.#events.error(error);
  if (turn === this.#turn)
   this.#drop(1006, reason);
 }
 #cannotSend(token) {
  const error = new TroupeError('unauthorized', token === '' ? 'the token is empty' : 'the token has a character that no token may have: perhaps a space, or the end of a line');
  if (typeof this.#options.token === 'string' || token === this.#refused)
   return this.stop(error);
  this.#refused = token;
  this.#fail(this.#turn, error, error.message);
 }
 #open(token) {
  const url = new URL(this.#url);
  if (this.#session)
   url.searchParams.set('session', this.#session);
  const protocols = ['troupe.v1', ...(token === undefined ? [] : [`bearer.${token}`])];
  const socket = this.#socket = new this.#options.WebSocket(url.href, protocols);
  socket.binaryType = 'arraybuffer';
  let failure = '';
  socket.onerror = ({ message }) => {
   failure = typeof message === 'string' ? message : '';
   if (this.#state === 'online')
    return;
   setTimeout(() => { if (socket === this.#socket)
    this.#drop(1006, failure); }, 0);
  };
  socket.onmessage = ({ data }) => this.#hear(decode(data));
  socket.onclose = ({ code, reason }) => this.#drop(code, `${reason}` || failure);
 }
 #hear(frame) {
  if (!frame)
   return this.#events.error(new TroupeError('bad_request', 'the server sent what is no frame'));
  this.#heardAt = Date.now();
  if (this.#state === 'online')
   return this.#events.frame(frame);
  if (frame.type !== 'welcome')
   return;
  clearTimeout(this.#timer);
  const session = frame['session'];
  if (session !== this.#session)
   this.#strayed = false;
  this.#session = session;
  this.#fresh = false;
  this.#refused = undefined;
  this.#onlineSince = Date.now();
  const turn = this.#turn;
  this.#state = 'online';
  this.#beat(this.#options.pingIntervalMs ?? Number(frame['heartbeat_interval_ms'] ?? 25_000));
  this.#events.welcome(frame);
  if (turn === this.#turn)
   this.#enter({ state: 'online' });
 }
 #beat(intervalMs) {
  this.#heardAt = Math.min(this.#heardAt, Date.now());
  const silence = Date.now() - this.#heardAt;
  if (silence < intervalMs) {
   this.#pulse = setTimeout(() => this.#beat(intervalMs), intervalMs - silence);
   return;
  }
  const asked = this.#heardAt;
  this.send('{"type":"ping"}');
  this.#pulse = setTimeout(() => {
   if (this.#heardAt === asked)
    this.#drop(4002, 'the server does not answer');
   else
    this.#beat(intervalMs);
  }, this.#options.pongTimeoutMs);
 }
 #drop(code, reason) {
  const wasOnline = this.#state === 'online';
  if (!wasOnline && this.#socket && this.#session)
   this.#strayed = true;
  this.#forget();
  this.#fresh = !wasOnline || code === refusedToken || code === noToken;
  const unauthorized = !wasOnline && (code === noToken || isRefusal.test(reason));
  if (code === refusedToken || unauthorized)
   this.#refused = this.token;
  if (unauthorized && this.#options.token === undefined) {
   return this.#leave(false, { state: 'closed', code, reason, error: new TroupeError('unauthorized', 'the server wants a token') });
  }
  if (code === replaced && this.#strayed) {
   this.#session = '';
  }
  else if (code === replaced) {
   const error = new TroupeError('closed', 'another connection has taken over this session');
   return this.#leave(wasOnline, { state: 'closed', code, reason, error });
  }
  if (wasOnline && Date.now() - this.#onlineSince >= stableMs)
   this.#attempt = 0;
  const retryInMs = this.#drainMs ?? backoffMs(this.#attempt++, this.#options.backoff);
  this.#drainMs = undefined;
  this.#timer = setTimeout(() => void this.#connect(), retryInMs);
  const tells = this.#session === undefined && !this.#hasTold;
  if (tells)
   this.#hasTold = true;
  const turn = this.#turn;
  this.#leave(wasOnline, { state: 'waiting', code, reason, retryInMs });
  if (tells && turn === this.#turn)
   this.#events.error(new TroupeError('disconnected', `no connection yet, another try follows: ${reason || code}`));
 }
 #leave(wasOnline, event) {
  this.#state = event.state;
  if (event.state === 'closed')
   page.removeEventListener?.('online', this.#networkCame);
  if (wasOnline)
   this.#events.lost();
  this.#enter(event);
 }
 #forget(code) {
  ++this.#turn;
  clearTimeout(this.#timer);
  clearTimeout(this.#pulse);
  const socket = this.#socket;
  this.#socket = undefined;
  if (!socket)
   return;
  socket.onopen = socket.onmessage = socket.onclose = null;
  if (code === undefined && socket.terminate)
   socket.terminate();
  else
   socket.close(code ?? givenUp);
 }
 #enter(event) {
  this.#state = event.state;
  this.#events.state(event);
 }
}
class Members {
 #page;
 #changed;
 #backoff;
 #users = new Set();
 #loading;
 #turn = 0;
 #endPause = () => { };
 constructor(page, changed, backoff) {
  this.#page = page;
  this.#changed = changed;
  this.#backoff = backoff;
 }
 get users() { return this.#users; }
 async load() {
  const turn = this.#begin();
  const changes = this.#loading = new Map();
  const users = new Set();
  let after;
  do {
   const page = await this.#read(after, turn);
   if (!page)
    return false;
   for (const user of page.users)
    users.add(user);
   after = page.next;
  } while (after !== undefined);
  for (const [user, there] of changes) {
   if (there)
    users.add(user);
   else
    users.delete(user);
  }
  this.#loading = undefined;
  const before = this.#users;
  this.#users = users;
  this.#tell([...users].filter((user) => !before.has(user)), [...before].filter((user) => !users.has(user)));
  return true;
 }
 change({ joined, left }) {
  if (this.#loading) {
   for (const user of joined)
    this.#loading.set(user, true);
   for (const user of left)
    this.#loading.set(user, false);
   return;
  }
  const come = joined.filter((user) => !this.#users.has(user));
  const gone = left.filter((user) => this.#users.has(user));
  for (const user of come)
   this.#users.add(user);
  for (const user of gone)
   this.#users.delete(user);
  this.#tell(come, gone);
 }
 close() {
  this.#begin();
  this.#loading = undefined;
 }
 #begin() {
  this.#endPause();
  return ++this.#turn;
 }
 async #read(after, turn) {
  for (let failures = 0; turn === this.#turn; ++failures) {
   try {
    const page = await this.#page(after);
    return turn === this.#turn ? page : undefined;
   }
   catch (error) {
    if (turn !== this.#turn)
     return undefined;
    const { code, retryAfterMs } = error;
    if (!passing.has(code)) {
     this.#loading = undefined;
     throw error;
    }
    await this.#pause(Math.max(retryAfterMs ?? 0, backoffMs(failures, this.#backoff)));
   }
  }
  return undefined;
 }
 #pause(ms) {
  return new Promise((over) => {
   const timer = setTimeout(over, ms);
   this.#endPause = () => {
    clearTimeout(timer);
    over();
   };
  });
 }
 #tell(joined, left) {
  if (joined.length > 0 || left.length > 0)
   this.#changed({ joined, left });
 }
}
const leastMs = 1000;
class Refresh {
 #show;
 #failed;
 #backoff;
 #turn = 0;
 #active = false;
 #attempt = 0;
 #triedAt = -Infinity;
 #expiresAt = 0;
 #timer;
 constructor(show, failed, backoff) {
  this.#show = show;
  this.#failed = failed;
  this.#backoff = backoff;
 }
 begin(expiresAt) {
  this.#expiresAt = expiresAt;
  if (this.#active)
   return;
  this.#active = true;
  this.#attempt = 0;
  const soonest = this.#triedAt + Math.max(leastMs, this.#half) - Date.now();
  if (soonest > 0)
   this.#after(soonest);
  else
   void this.#try();
 }
 end() {
  ++this.#turn;
  this.#active = false;
  clearTimeout(this.#timer);
 }
 get #half() { return Math.max(0, this.#expiresAt - Date.now()) / 2; }
 #after(waitMs) {
  this.#timer = setTimeout(() => void this.#try(), waitMs);
 }
 async #try() {
  const turn = this.#turn;
  this.#triedAt = Date.now();
  let shown = false;
  try {
   shown = await this.#show();
  }
  catch (error) {
   if (turn === this.#turn)
    this.#failed(error);
  }
  if (turn !== this.#turn)
   return;
  if (shown)
   this.#active = false;
  else
   this.#after(Math.max(leastMs, Math.min(this.#half || Infinity, backoffMs(this.#attempt++, this.#backoff))));
 }
}
class Requests {
 #open = new Map();
 #socket;
 #limits;
 #ids = 0;
 #waiting = 0;
 #waitingBytes = 0;
 #frameBytesMax = Infinity;
 constructor(socket, limits) {
  this.#socket = socket;
  this.#limits = limits;
 }
 get nextId() { return `r${this.#ids + 1}`; }
 ask(ask) {
  return new Promise((resolve, reject) => {
   const id = `r${++this.#ids}`;
   const wire = ask.encode(id);
   const request = { ...ask, id, wire, bytes: sizeOf(wire), sent: false, started: false, resolve, reject };
   const refusal = this.#refusal(request);
   if (refusal)
    return reject(refusal);
   this.#open.set(id, request);
   ++this.#waiting;
   this.#waitingBytes += request.bytes;
   this.#await(request);
   this.#send(request);
  });
 }
 take(frame) {
  const request = frame.id === undefined ? undefined : this.#open.get(frame.id);
  if (!request)
   return false;
  if (request.item && frame.type !== 'error' && frame.type !== 'history_end') {
   this.#await(request);
   request.item(frame);
  }
  else
   this.#end(request, frame.type === 'error' ? errorOf(frame) : frame);
  return true;
 }
 opened(frameBytesMax) {
  this.#frameBytesMax = frameBytesMax;
  for (const request of [...this.#open.values()]) {
   if (request.bytes > frameBytesMax)
    this.#end(request, tooLarge(request.bytes, frameBytesMax));
   else
    this.#send(request);
  }
 }
 lost() {
  for (const request of [...this.#open.values()]) {
   const kept = request.repeat === 'always' || (request.repeat === 'unsent' && !request.started);
   if (!kept)
    this.#end(request, new TroupeError('disconnected', 'the connection was lost before the answer came'));
   else
    this.#wait(request);
  }
 }
 failStarted(why) {
  for (const request of [...this.#open.values()]) {
   if (request.started)
    this.#end(request, new TroupeError('disconnected', why));
  }
 }
 close(error) {
  for (const request of [...this.#open.values()])
   this.#end(request, error);
 }
 #await(request) {
  const { timeoutMs } = request;
  clearTimeout(request.timer);
  request.timer = setTimeout(() => this.#end(request, new TroupeError('timeout', `no answer within ${timeoutMs} ms`)), timeoutMs);
 }
 #refusal(request) {
  if (request.bytes > this.#frameBytesMax)
   return tooLarge(request.bytes, this.#frameBytesMax);
  if (request.repeat === 'never')
   return undefined;
  const { count, bytes } = this.#limits;
  const waits = this.#waiting >= count || this.#waitingBytes + this.#socket.backlog + request.bytes > bytes;
  return waits ? new TroupeError('buffer_full', `${this.#waiting} frames wait to be sent, and there is no room for more`) : undefined;
 }
 #send(request) {
  if (request.sent || !this.#socket.send(request.wire))
   return;
  request.sent = request.started = true;
  --this.#waiting;
  this.#waitingBytes -= request.bytes;
 }
 #wait(request) {
  if (!request.sent)
   return;
  request.sent = false;
  ++this.#waiting;
  this.#waitingBytes += request.bytes;
 }
 #end(request, outcome) {
  this.#open.delete(request.id);
  clearTimeout(request.timer);
  if (!request.sent) {
   --this.#waiting;
   this.#waitingBytes -= request.bytes;
  }
  if (outcome instanceof TroupeError)
   return request.reject(outcome);
  request.answer?.(outcome);
  request.resolve(outcome);
 }
}
const tooLarge = (bytes, max) => new TroupeError('too_large', `the frame has ${bytes} bytes, and the server takes ${max}`);
const isPattern = (topic) => /(^|\.)(\*(\.|$)|>$)/.test(topic);
function matches(pattern, topic) {
 if (pattern === topic)
  return true;
 if (/^(\$|system\.)/.test(topic) && /^[*>]/.test(pattern))
  return false;
 const wanted = pattern.split('.');
 const segments = topic.split('.');
 for (let at = 0; at < wanted.length; ++at) {
  if (at >= segments.length)
   return false;
  if (wanted[at] === '>' && at === wanted.length - 1)
   return true;
  if (wanted[at] !== '*' && wanted[at] !== segments[at])
   return false;
 }
 return wanted.length === segments.length;
}
function step(last, now) {
 if (!last)
  return { kind: 'first' };
 if (last.epoch !== now.epoch)
  return { kind: 'epoch' };
 if (now.offset <= last.offset)
  return { kind: 'duplicate' };
 if (now.offset === last.offset + 1)
  return { kind: 'next' };
 return { kind: 'jump', missing: { from: last.offset + 1, to: now.offset - 1 } };
}
function without(range, offsets) {
 const inside = [...offsets].filter((offset) => offset >= range.from && offset <= range.to).sort((a, b) => a - b);
 const parts = [];
 let from = range.from;
 for (const offset of inside) {
  if (offset > from)
   parts.push({ from, to: offset - 1 });
  from = offset + 1;
 }
 if (from <= range.to)
  parts.push({ from, to: range.to });
 return parts;
}
const topicsMax = 1000;
class Positions {
 #seen = new Map();
 get(topic) { return this.#seen.get(topic); }
 clear() { this.#seen.clear(); }
 set(topic, position) {
  this.#seen.delete(topic);
  this.#seen.set(topic, position);
  if (this.#seen.size > topicsMax)
   for (const [oldest] of this.#seen) {
    this.#seen.delete(oldest);
    break;
   }
 }
}
class Entry {
 topic;
 isPattern;
 options;
 handles = new Set();
 settled = [];
 live = false;
 held = false;
 asking = false;
 inherited = false;
 failures = 0;
 together = Infinity;
 retry;
 #seen = new Positions();
 #shards;
 #started;
 #recovered;
 #tell;
 #own = new Map();
 #suspects = [];
 constructor(topic, options, tell) {
  this.topic = topic;
  this.isPattern = isPattern(topic);
  this.options = options;
  this.#tell = tell;
  const recover = options.recover ?? undefined;
  this.#started = recover !== undefined;
  if (recover === undefined)
   return;
  if (this.isPattern)
   this.#shards = { ...recover };
  else
   this.#seen.set(topic, recover);
 }
 get position() {
  return this.isPattern ? this.#shards && { ...this.#shards } : this.#seen.get(this.topic);
 }
 get place() {
  return this.isPattern ? this.#shards && { shards: { ...this.#shards } } : this.#seen.get(this.topic);
 }
 confirm(confirmed) {
  const before = this.position;
  const recovered = confirmed.recovered === true && this.#started;
  this.#recovered = recovered ? confirmed : undefined;
  if (!recovered)
   this.#restart(confirmed);
  if (!recovered && this.#started) {
   const reason = epochsDiffer(before, this.position) ? 'epoch' : 'expired';
   this.#tell.lost(this, { topic: this.topic, reason, before, now: this.position });
  }
  this.#started = true;
  this.live = this.held = true;
  this.failures = 0;
  this.together = Infinity;
  return recovered;
 }
 recovers({ epoch, offset }) {
  return epoch === this.#recovered?.epoch && offset <= this.#recovered.offset;
 }
 follows(topic, shard = '', seq = 0) {
  return this.#seen.get(topic) !== undefined || seq > (this.#shards?.[shard]?.seq ?? (this.#recovered ? 0 : Infinity));
 }
 continues({ epoch }) {
  return epoch !== undefined && epoch === this.#seen.get(this.topic)?.epoch;
 }
 #restart({ epoch, offset, shards }) {
  this.#own.clear();
  this.#suspects = [];
  this.#seen.clear();
  this.#shards = shards && { ...shards };
  if (epoch !== undefined && offset !== undefined)
   this.#seen.set(this.topic, { epoch, offset });
 }
 message(message, ownPending, shard, seq) {
  if (!this.live)
   return;
  const now = { epoch: message.epoch, offset: message.offset };
  const before = this.#seen.get(message.topic);
  const next = step(before, now);
  if (next.kind === 'duplicate')
   return;
  if (shard !== undefined && seq !== undefined)
   this.#advance(shard, seq);
  if (next.kind === 'epoch') {
   this.#own.delete(message.topic);
   this.#tell.lost(this, { topic: message.topic, reason: 'epoch', before, now });
  }
  if (next.kind === 'jump')
   this.#miss(message, next.missing, ownPending);
  this.#arrive(message.topic, now);
  this.#tell.message(this, message);
 }
 #advance(shard, seq) {
  const at = this.#shards?.[shard];
  if (at && seq > at.seq)
   this.#shards[shard] = { epoch: at.epoch, seq };
 }
 #miss({ topic, epoch }, missing, ownPending) {
  const own = this.#own.get(topic) ?? new Set();
  for (const part of without(missing, own)) {
   const gap = { topic, epoch, ...part, reason: 'missing' };
   if (ownPending)
    this.#suspects.push(gap);
   else
    this.#tell.gap(this, gap);
  }
  for (const offset of own)
   if (offset <= missing.to)
    own.delete(offset);
 }
 gap(gap) {
  if (!this.live)
   return;
  const at = this.#seen.get(gap.topic);
  if (at && at.epoch === gap.epoch && gap.to <= at.offset)
   return;
  const from = at && at.epoch === gap.epoch ? Math.max(gap.from, at.offset + 1) : gap.from;
  this.#arrive(gap.topic, { epoch: gap.epoch, offset: gap.to });
  this.#tell.gap(this, { ...gap, from });
 }
 own(topic, { epoch, offset }) {
  const at = this.#seen.get(topic);
  if (at && at.epoch === epoch && offset > at.offset)
   this.#keepOwn(topic, at, offset);
  const excuse = (gap) => without(gap, new Set([offset])).map((part) => ({ ...gap, ...part }));
  this.#suspects = this.#suspects.flatMap((gap) => gap.topic === topic && gap.epoch === epoch ? excuse(gap) : [gap]);
 }
 tellSuspects(topic) {
  const told = this.#suspects.filter((gap) => gap.topic === topic);
  this.#suspects = this.#suspects.filter((gap) => gap.topic !== topic);
  for (const gap of told)
   this.#tell.gap(this, gap);
 }
 #keepOwn(topic, at, offset) {
  let own = this.#own.get(topic);
  if (!own)
   this.#own.set(topic, own = new Set());
  own.add(offset);
  this.#arrive(topic, at);
 }
 #arrive(topic, { epoch, offset }) {
  const own = this.#own.get(topic);
  while (own?.delete(offset + 1))
   ++offset;
  if (own?.size === 0)
   this.#own.delete(topic);
  this.#seen.set(topic, { epoch, offset });
 }
}
function epochsDiffer(before, now) {
 const epochs = (at) => at === undefined ? '' : typeof at.epoch === 'string' ? at.epoch
  : Object.entries(at).map(([shard, { epoch }]) => `${shard}=${epoch}`).sort().join();
 return epochs(before) !== epochs(now);
}
class Subscriptions {
 #entries = new Map();
 #patterns = new Map();
 #stale = new Set();
 #ownPending = new Map();
 #dropping;
 #way;
 #backoff;
 #tell;
 #planned = false;
 #filled = false;
 #emptying = false;
 constructor(way, backoff) {
  this.#way = way;
  this.#backoff = backoff;
  this.#tell = {
   message: (entry, message) => this.#each(entry, (handlers) => handlers.message?.(message)),
   gap: (entry, gap) => { this.#each(entry, (handlers) => handlers.gap?.(gap)); way.told('gap', gap); },
   lost: (entry, lost) => { this.#each(entry, (handlers) => handlers.lost?.(lost)); way.told('lost', lost); },
  };
 }
 #each(entry, run) {
  for (const handle of [...entry.handles])
   if (!handle.gone)
    this.#way.guard(() => run(handle.handlers));
 }
 add(topic, handlers, options) {
  const old = this.#entries.get(topic);
  let wanted;
  if (!old) {
   this.#put(wanted = new Entry(topic, options, this.#tell));
  }
  else if (options.presence && !old.options.presence) {
   wanted = this.#replace(old, true);
  }
  else {
   wanted = old;
  }
  const mine = { handlers, presence: options.presence === true, at: wanted };
  wanted.handles.add(mine);
  const ready = wanted.live ? Promise.resolve() : new Promise((resolve, reject) => wanted.settled.push({ of: mine, resolve, reject }));
  ready.catch(() => { });
  if (wanted.live)
   queueMicrotask(() => this.#tellSubscribed(wanted, mine));
  this.#plan();
  return {
   topic,
   ready,
   get position() { return mine.at.position; },
   unsubscribe: () => this.#remove(topic, mine),
  };
 }
 #tellSubscribed(entry, handle) {
  if (!entry.live || handle.at !== entry || handle.gone)
   return;
  this.#way.guard(() => handle.handlers.subscribed?.({ topic: entry.topic, recovered: false, resumed: false }));
 }
 #put(entry) {
  this.#entries.set(entry.topic, entry);
  if (entry.isPattern)
   this.#patterns.set(entry.topic, entry);
 }
 #replace(old, presence) {
  const { position } = old;
  const entry = new Entry(old.topic, { ...old.options, presence, ...(position ? { recover: position } : {}) }, this.#tell);
  this.#put(entry);
  clearTimeout(old.retry);
  entry.inherited = old.held || old.asking || old.inherited;
  for (const handle of old.handles) {
   handle.at = entry;
   entry.handles.add(handle);
  }
  entry.settled.push(...old.settled.splice(0));
  return entry;
 }
 #remove(topic, handle) {
  handle.gone = true;
  const entry = this.#entries.get(topic);
  if (!entry?.handles.delete(handle))
   return;
  handle.at = { position: entry.position };
  if (entry.handles.size > 0)
   return;
  this.#forget(entry, new TroupeError('closed', 'unsubscribed'));
  this.#leave(entry);
 }
 #leave(entry) {
  if (this.#way.isOnline() && !entry.held && !entry.asking && !entry.inherited)
   return;
  this.#stale.add(entry.topic);
  this.#drop();
 }
 #forget(entry, error) {
  entry.live = false;
  clearTimeout(entry.retry);
  if (this.#entries.get(entry.topic) === entry) {
   this.#entries.delete(entry.topic);
   this.#patterns.delete(entry.topic);
  }
  for (const { reject } of entry.settled.splice(0))
   reject(error);
 }
 #drop(failures = 0) {
  if (!this.#way.isOnline())
   return;
  const topics = [...this.#stale].filter((topic) => !this.#entries.has(topic));
  this.#stale.clear();
  if (topics.length === 0)
   return;
  this.#way.askNow({ type: 'unsubscribe', topics }).catch(({ code, retryAfterMs }) => {
   for (const topic of topics)
    this.#stale.add(topic);
   if (!passing.has(code) || !this.#way.isOnline())
    return;
   clearTimeout(this.#dropping);
   this.#dropping = setTimeout(() => this.#drop(failures + 1), Math.max(retryAfterMs ?? 0, backoffMs(failures, this.#backoff)));
  });
 }
 #plan() {
  if (this.#planned)
   return;
  this.#planned = true;
  queueMicrotask(() => {
   this.#planned = false;
   this.#sync();
  });
 }
 opened(resumed) {
  const held = [...this.#entries.values()].filter((entry) => entry.held);
  if (!resumed) {
   this.#stale.clear();
   for (const entry of this.#entries.values())
    entry.held = entry.inherited = false;
  }
  this.#drop();
  if (resumed && held.length > 0)
   void this.#resume(held);
  this.#sync();
 }
 lost() {
  this.#filled = false;
  clearTimeout(this.#dropping);
  for (const entry of this.#entries.values()) {
   entry.live = entry.asking = false;
   entry.together = Infinity;
   clearTimeout(entry.retry);
  }
 }
 close(error) {
  for (const entry of [...this.#entries.values()])
   this.#forget(entry, error);
 }
 async #resume(entries) {
  for (const entry of entries)
   entry.asking = true;
  const positions = Object.fromEntries(entries.map((entry) => [entry.topic, entry.place]));
  try {
   await this.#way.askNow({ type: 'resume', positions }, (answer) => this.#confirm(entries, answer['topics'], true));
  }
  catch {
   for (const entry of entries)
    entry.held = entry.asking = false;
  }
  if (this.#way.isOnline())
   this.#sync();
 }
 #sync() {
  if (!this.#way.isOnline())
   return;
  const groups = new Map();
  for (const entry of this.#entries.values()) {
   if (entry.live || entry.asking)
    continue;
   const key = `${entry.options.overflow ?? ''} ${entry.options.presence === true} ${entry.together} ${entry.failures > 0 ? entry.topic : ''}`;
   groups.set(key, [...groups.get(key) ?? [], entry]);
  }
  for (const group of groups.values()) {
   const { together } = group[0];
   if (together === Infinity)
    void this.#ask(group);
   else if (!this.#emptying)
    void this.#askEmptied(group.slice(0, together));
  }
 }
 async #askEmptied(entries) {
  this.#emptying = true;
  for (const entry of entries)
   entry.asking = true;
  try {
   await this.#way.askNow({ type: 'info' }, () => { this.#filled = false; });
   const left = entries.filter((entry) => this.#entries.get(entry.topic) === entry);
   if (left.length > 0)
    await this.#ask(left);
  }
  catch (error) {
   this.#refused(entries, error, true);
  }
  this.#emptying = false;
  this.#sync();
 }
 async #ask(entries, recover = true) {
  const { overflow, presence } = entries[0].options;
  const positions = Object.fromEntries(entries.flatMap((entry) => entry.place && (recover || !entry.isPattern) ? [[entry.topic, entry.place]] : []));
  const frame = {
   type: 'subscribe', topics: entries.map(({ topic }) => topic),
   ...(Object.keys(positions).length > 0 ? { recover: positions } : {}),
   ...(overflow === undefined ? {} : { overflow }),
   ...(presence ? { presence } : {}),
  };
  for (const entry of entries)
   entry.asking = true;
  try {
   await this.#way.askNow(frame, (answer) => this.#confirm(entries, answer['topics'] ?? [], false));
  }
  catch (error) {
   this.#refused(entries, error, recover);
  }
 }
 #confirm(entries, confirmed, resumed) {
  const byTopic = new Map(confirmed?.map((each) => [each.topic, each]));
  const crowded = [];
  for (const { place, topic } of entries) {
   const told = byTopic.get(topic);
   if (told?.recovered && (told.shards || told.offset > (place?.offset ?? Infinity)))
    this.#filled = true;
  }
  for (const entry of entries) {
   entry.asking = false;
   if (this.#entries.get(entry.topic) !== entry)
    continue;
   const told = confirmed ? byTopic.get(entry.topic) : { topic: entry.topic, recovered: true };
   entry.held = told !== undefined;
   if (!told)
    continue;
   if (!told.recovered && this.#filled && entry.continues(told)) {
    crowded.push(entry);
    continue;
   }
   const recovered = entry.confirm(told);
   for (const { resolve } of entry.settled.splice(0))
    resolve();
   this.#each(entry, (handlers) => handlers.subscribed?.({ topic: entry.topic, recovered, resumed }));
  }
  for (const entry of crowded)
   entry.together = Math.ceil(crowded.length / 2);
  if (crowded.length > 0)
   this.#plan();
 }
 #refused(entries, error, recover) {
  for (const entry of entries)
   entry.asking = false;
  if (!this.#way.isOnline())
   return;
  const left = entries.filter((entry) => this.#entries.get(entry.topic) === entry);
  if (passing.has(error.code))
   return this.#later(left, error);
  if (entries.length > 1) {
   for (const entry of left)
    void this.#ask([entry], recover);
   return;
  }
  const [entry] = left;
  if (entry && error.code === 'bad_request' && recover && entry.isPattern && entry.position)
   return void this.#ask(left, false);
  if (!entry)
   return;
  if (entry.options.presence)
   return this.#endPresence(entry, error);
  this.#end(entry, error.code, error);
 }
 #endPresence(entry, error) {
  const rest = this.#replace(entry, false);
  for (const handle of entry.handles) {
   if (!handle.presence)
    continue;
   rest.handles.delete(handle);
   handle.at = entry;
  }
  entry.settled.push(...rest.settled.filter(({ of }) => of.presence));
  for (const handle of rest.handles)
   entry.handles.delete(handle);
  this.#end(entry, error.code, error);
  if (rest.handles.size > 0)
   return this.#plan();
  this.#forget(rest, error);
  this.#leave(rest);
 }
 #later(entries, error) {
  for (const entry of entries) {
   entry.asking = true;
   entry.retry = setTimeout(() => {
    entry.asking = false;
    this.#sync();
   }, Math.max(error.retryAfterMs ?? 0, backoffMs(entry.failures++, this.#backoff)));
  }
 }
 #end(entry, reason, error) {
  this.#forget(entry, error);
  this.#each(entry, (handlers) => handlers.unsubscribed?.({ topic: entry.topic, reason, error }));
  this.#way.told('unsubscribed', { topic: entry.topic, reason, error });
 }
 message(frame) {
  const { topic, payload, epoch, offset, sender, sent_at: sentAt, shard, seq } = frame;
  const message = { topic, payload, epoch, offset, sentAt, ...(sender === undefined ? {} : { sender }) };
  const pending = this.#ownPending.has(topic);
  const place = [shard, seq];
  for (const entry of this.#for(message, ...place))
   entry.message(message, pending, ...place);
 }
 gap(frame) {
  const { topic, epoch, from, to, reason } = frame;
  const entries = this.#for({ topic, epoch, offset: to }, '', Infinity);
  for (const entry of entries)
   entry.gap({ topic, epoch, from, to, reason });
  if (entries.length === 0 && isInbox(topic))
   this.#way.told('gap', { topic, epoch, from, to, reason });
 }
 presence(frame) {
  const { topic, joined = [], left = [] } = frame;
  for (const entry of this.#in(topic))
   this.#each(entry, (handlers) => handlers.presence?.({ topic, joined, left }));
 }
 unsubscribed(frame) {
  const reason = String(frame['reason']);
  for (const topic of frame['topics']) {
   const entry = this.#entries.get(topic);
   if (entry)
    this.#end(entry, reason, new TroupeError('forbidden', reason));
  }
 }
 restarted(frame) {
  for (const told of frame['topics']) {
   const entry = this.#entries.get(told.topic);
   if (!entry) {
    if (isInbox(told.topic))
     this.#way.told('lost', { topic: told.topic, reason: 'epoch', before: undefined, now: { epoch: told.epoch, offset: told.offset } });
   }
   else if (entry.live && entry.continues(told)) {
    entry.live = false;
    this.#plan();
   }
   else if (entry.live) {
    entry.confirm({ ...told, recovered: false });
   }
  }
 }
 excluding(topic) {
  this.#ownPending.set(topic, (this.#ownPending.get(topic) ?? 0) + 1);
  return (ack) => {
   const left = this.#ownPending.get(topic) - 1;
   if (left > 0)
    this.#ownPending.set(topic, left);
   else
    this.#ownPending.delete(topic);
   const sentTo = ack?.topic ?? topic;
   if (ack)
    for (const entry of this.#in(sentTo))
     entry.own(sentTo, ack);
   if (left === 0)
    for (const entry of this.#in(topic))
     entry.tellSuspects(topic);
  };
 }
 #for(place, ...within) {
  const { topic } = place;
  const exact = this.#entries.get(topic);
  const all = this.#in(topic);
  return exact?.recovers(place) ? all.filter((entry) => entry === exact || entry.follows(topic, ...within)) : all;
 }
 #in(topic) {
  const exact = this.#entries.get(topic);
  const found = exact ? [exact] : [];
  for (const entry of this.#patterns.values())
   if (entry !== exact && matches(entry.topic, topic))
    found.push(entry);
  return found;
 }
}
const isInbox = (topic) => topic.startsWith('$user.');
const timerMs = (ms) => Math.min(ms, 2 ** 31 - 1);
const keyMemoryMs = 4 * 60_000;
class Client extends Emitter {
 #link;
 #requests;
 #subscriptions;
 #inbox;
 #refresh;
 #backoff;
 #timeoutMs;
 #keys = Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join('');
 #published = 0;
 #welcome;
 #aheadMs = 0;
 #next;
 constructor(url, options = {}) {
  super();
  const socketClass = options.WebSocket ?? globalThis.WebSocket;
  if (!socketClass)
   throw new TypeError('this platform has no WebSocket: give the option `WebSocket`, for example that of npm `ws`');
  const backoff = this.#backoff = { baseMs: 500, maxMs: 30_000, ...options.backoff };
  this.#timeoutMs = timerMs(options.timeoutMs ?? 10_000);
  this.#link = new Link(absolute(url), {
   token: options.token, WebSocket: socketClass, backoff,
   connectTimeoutMs: timerMs(options.connectTimeoutMs ?? 10_000),
   pingIntervalMs: options.pingIntervalMs === undefined ? undefined : timerMs(options.pingIntervalMs),
   pongTimeoutMs: timerMs(options.pongTimeoutMs ?? 10_000),
  }, {
   state: (event) => this.#changed(event),
   welcome: (frame) => this.#welcomed(frame),
   frame: (frame) => this.#take(frame),
   lost: () => this.#lost(),
   error: (error) => void this.emit('error', error),
  });
  const link = this.#link;
  this.#requests = new Requests({ send: (wire) => link.send(wire), get backlog() { return link.backlog; } }, { count: 1000, bytes: 4 * 1024 * 1024, ...options.buffer });
  this.#subscriptions = new Subscriptions({
   askNow: (frame, answer) => this.#ask(frame, 'never', answer ? { answer } : {}),
   isOnline: () => link.state === 'online',
   guard: (run) => this.guard(run),
   told: (name, event) => void this.emit(name, event),
  }, backoff);
  this.#refresh = new Refresh(() => this.#renewToken(), (error) => void this.emit('error', error), backoff);
  this.#inbox = new Inbox(({ epoch, offset }) => link.send(JSON.stringify({ type: 'received', epoch, offset })), (error) => this.report(error));
 }
 get state() { return this.#link.state; }
 get welcome() { return this.#welcome; }
 connect() {
  if (this.#link.state === 'closed')
   return Promise.reject(new TroupeError('closed', 'this client is closed'));
  const next = this.#next ??= settling();
  this.#link.start();
  return next.promise;
 }
 close() { this.#link.stop(); }
 subscribe(topic, handlers, options = {}) {
  this.#refuseClosed();
  const all = typeof handlers === 'function' ? { message: handlers } : handlers;
  return this.#subscriptions.add(topic, all, options);
 }
 async publish(topic, payload, options = {}) {
  this.#refuseClosed();
  const key = options.idempotencyKey ?? `${this.#keys}-${++this.#published}`;
  const head = {
   type: 'publish', topic,
   ...(key === false ? {} : { idempotency_key: key }),
   ...(options.excludeSelf ? { exclude_self: true } : {}),
   ...(options.priority === undefined ? {} : { priority: options.priority }),
  };
  const timeoutMs = Math.min(options.timeoutMs ?? this.#timeoutMs, keyMemoryMs);
  const settle = options.excludeSelf ? this.#subscriptions.excluding(topic) : undefined;
  const answer = (frame) => settle?.(frame);
  try {
   const frame = await this.#ask(head, key === false ? 'unsent' : 'always', { payload, timeoutMs, answer });
   const { epoch, offset, delivered_to: deliveredTo, queued, topic: sentTo } = frame;
   return { epoch, offset, deliveredTo, queued, ...(sentTo === undefined ? {} : { topic: sentTo }) };
  }
  catch (error) {
   settle?.();
   throw error;
  }
 }
 async direct(user, payload) {
  this.#refuseClosed();
  const { message_id, connections, queued } = await this.#ask({ type: 'direct', user }, 'unsent', { payload });
  return { messageId: message_id, connections, queued };
 }
 inbox(handler) { return this.#inbox.handle(handler); }
 history(topic, { limit = 100, ...range } = {}) {
  return new History((item) => {
   this.#refuseClosed();
   const id = this.#requests.nextId;
   const end = this.#ask({ type: 'history', topic, limit, ...range }, 'unsent', { item });
   return { end, cancel: () => void this.#link.send(JSON.stringify({ type: 'cancel', target: id })) };
  });
 }
 async presence(topic, options = {}) {
  this.#refuseClosed();
  const { count, users, next } = await this.#ask({ type: 'presence', topic, ...options }, 'always');
  return { count, users, ...(next === undefined || next === null ? {} : { next }) };
 }
 members(topic, changed = () => { }) {
  const members = new Members((after) => this.presence(topic, after === undefined ? {} : { after }), (change) => this.guard(() => changed(change)), this.#backoff);
  const loaded = settling();
  const end = (error) => {
   stopListening();
   members.close();
   loaded.reject(error);
  };
  const subscription = this.subscribe(topic, {
   presence: (change) => members.change(change),
   subscribed: () => {
    members.load().then((whole) => { if (whole)
     loaded.resolve(); }, (error) => {
     if (error.code === 'disconnected')
      return;
     loaded.reject(error);
     this.emit('error', error);
    });
   },
   unsubscribed: ({ error }) => end(error),
  }, { presence: true });
  const stopListening = this.on('state', (event) => { if (event.state === 'closed')
   end(whyClosed(event)); });
  const close = () => {
   subscription.unsubscribe();
   end(new TroupeError('closed', 'these members are no longer kept'));
  };
  return { get users() { return members.users; }, ready: loaded.promise, close };
 }
 async info() {
  this.#refuseClosed();
  const { connection_id, user, subscriptions, queue, rtt_ms } = await this.#ask({ type: 'info' }, 'always');
  return { connectionId: connection_id, user, subscriptions, queue, ...(rtt_ms === undefined ? {} : { rttMs: rtt_ms }) };
 }
 #refuseClosed() {
  if (this.#link.state === 'closed')
   throw new TroupeError('closed', 'this client is closed');
 }
 #ask(head, repeat, more = {}) {
  const encode = (id) => 'payload' in more ? encodeWithPayload({ id, ...head }, more.payload) : JSON.stringify({ id, ...head });
  return this.#requests.ask({ timeoutMs: this.#timeoutMs, ...more, encode, repeat });
 }
 #changed(event) {
  if (event.state === 'closed') {
   const error = whyClosed(event);
   this.#requests.close(error);
   this.#subscriptions.close(error);
   this.#next?.reject(error);
  }
  this.emit('state', event);
 }
 #welcomed(frame) {
  const welcome = { connectionId: frame['connection_id'], user: frame['user'], resumed: frame['resumed'] === true };
  if (this.#welcome && this.#welcome.user !== welcome.user)
   this.#requests.failStarted('the connection came back as another user');
  this.#welcome = welcome;
  this.#aheadMs = Number(frame['server_time'] ?? Date.now()) - Date.now();
  this.#inbox.opened();
  this.#subscriptions.opened(welcome.resumed);
  this.#requests.opened(frame['limits']?.frame_bytes ?? Infinity);
  (this.#next ??= settling()).resolve(welcome);
 }
 #lost() {
  this.#next = undefined;
  this.#refresh.end();
  this.#subscriptions.lost();
  this.#requests.lost();
 }
 #frames = {
  message: (frame) => this.#subscriptions.message(frame),
  gap: (frame) => this.#subscriptions.gap(frame),
  presence_changed: (frame) => this.#subscriptions.presence(frame),
  unsubscribed: (frame) => this.#subscriptions.unsubscribed(frame),
  restarted: (frame) => {
   const topics = frame['topics'];
   if (topics.some(({ topic }) => topic === `$user.${this.#welcome?.user}`))
    this.#inbox.restarted();
   this.#subscriptions.restarted(frame);
  },
  direct: ({ from, payload, message_id, epoch, offset, sent_at }) => this.#inbox.take({ from, payload, messageId: message_id, epoch, offset, sentAt: sent_at }),
  token_expiring: (frame) => this.#refresh.begin(Number(frame['expires_at'] ?? 0) - this.#aheadMs),
  draining: (frame) => {
   const reconnectAfterMs = Number(frame['reconnect_after_ms'] ?? 0);
   this.#link.drain(reconnectAfterMs);
   this.emit('draining', { reconnectAfterMs });
  },
  error: (frame) => {
   if (frame.id === undefined)
    this.emit('error', errorOf(frame));
  },
 };
 #take(frame) {
  if (!this.#requests.take(frame))
   this.#frames[frame.type]?.(frame);
 }
 async #renewToken() {
  const token = await this.#link.freshToken();
  if (token === undefined)
   return true;
  if (token === this.#link.token)
   return false;
  await this.#ask({ type: 'authenticate', token }, 'never');
  this.#link.token = token;
  return true;
 }
}
function settling() {
 let settle;
 const promise = new Promise((resolve, reject) => { settle = { resolve, reject }; });
 promise.catch(() => { });
 return { promise, ...settle };
}
const whyClosed = ({ error }) => error ?? new TroupeError('closed', 'this client was closed');
function absolute(url) {
 const whole = new URL(url, globalThis.location?.href);
 return whole.href.replace(/^http/, 'ws');
}
export { Client, TroupeError };
