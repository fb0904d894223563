// A reader of `/events` on fetch: it keeps the events in the order they came, the last id, and why it ended.
export class EventStream {
  constructor(response, abort) {
    this.response = response;
    this.abort = abort;
    this.events = [];
    this.waiters = [];
    this.lastId = '';
    this.ended = response.ok ? this.#read() : Promise.resolve();
  }

  /// Asks for `url`; `lastId` is where to go on. An answer that is no stream has `response` alone.
  static async open(url, { token, lastId, headers = {} } = {}) {
    const abort = new AbortController();
    const all = { ...headers };
    if (token) all.Authorization = `Bearer ${token}`;
    if (lastId) all['Last-Event-ID'] = lastId;
    const response = await fetch(url, { headers: all, signal: abort.signal });
    return new EventStream(response, abort);
  }

  async #read() {
    const decoder = new TextDecoder();
    let text = '';
    try {
      for await (const bytes of this.response.body) {
        text += decoder.decode(bytes, { stream: true });
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          this.#take(text.slice(0, end));
          text = text.slice(end + 2);
        }
      }
    } catch { /* cut */ }
  }

  #take(lines) {
    const event = { type: 'message', data: [] };
    for (const line of lines.split('\n')) {
      const [, name, value] = /^([^:]*): ?(.*)$/.exec(line) ?? [];
      if (name === 'event') event.type = value;
      if (name === 'data') event.data.push(value);
      if (name === 'id') event.id = this.lastId = value;
      if (name === 'retry') event.retry = Number(value);
    }
    if (event.data.length === 0) return;  // a comment
    Object.assign(event, { data: JSON.parse(event.data.join('\n')) });
    this.events.push(event);
    this.waiters = this.waiters.filter((look) => !look());
  }

  /// The first event of this type that nobody has taken yet, kept or coming.
  next(type, within = 10_000) {
    const take = () => {
      const at = this.events.findIndex((event) => event.type === type);
      return at < 0 ? undefined : this.events.splice(at, 1)[0];
    };
    const kept = take();
    if (kept) return Promise.resolve(kept);
    return new Promise((done, fail) => {
      const timer = setTimeout(() => fail(new Error(`no ${type} came; kept: ${JSON.stringify(this.events)}`)), within);
      this.waiters.push(() => {
        const event = take();
        if (!event) return false;
        clearTimeout(timer);
        done(event);
        return true;
      });
    });
  }

  close() { this.abort.abort(); }
}
