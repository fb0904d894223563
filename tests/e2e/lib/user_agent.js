// A person with a browser that has no JavaScript: keeps cookies, follows redirects to the
// server itself, fills in the forms it finds, and stops where the client's callback begins.
import assert from 'node:assert/strict';

const entities = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#x27': "'", '#34': '"' };
const decode = (text) => text.replace(/&(#?\w+);/g, (all, name) => entities[name] ?? all);
const attribute = (tag, name) => {
  const found = new RegExp(`\\s${name}(?:\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s>]+)))?(?=[\\s/>])`, 'i').exec(tag);
  return found ? decode(found[1] ?? found[2] ?? found[3] ?? '') : undefined;
};

export class Page {
  constructor(url, response, body) {
    this.url = url;
    this.status = response.status;
    this.headers = response.headers;
    this.body = body;
  }

  /// The first form of the page that has a field or button of this name or type.
  form(having = '') {
    for (const [whole] of this.body.matchAll(/<form[\s\S]*?<\/form>/gi)) {
      if (whole.includes(having)) return parseForm(whole);
    }
    throw new Error(`no form with ${having} in ${this.status} ${this.url}:\n${this.body}`);
  }
}

function parseForm(html) {
  const open = /<form[^>]*>/i.exec(html)[0];
  const fields = [...html.matchAll(/<(?:input|button)[^>]*>/gi)].map(([tag]) => ({
    name: attribute(tag, 'name'), type: attribute(tag, 'type') ?? 'text', value: attribute(tag, 'value') ?? '',
    checked: attribute(tag, 'checked') !== undefined, button: /^<button/i.test(tag),
  }));
  return { action: attribute(open, 'action') ?? '', method: (attribute(open, 'method') ?? 'get').toLowerCase(), fields };
}

export class UserAgent {
  constructor(origin) {
    this.origin = origin;
    this.cookies = new Map();
  }

  /// Follows redirects on the origin. Arriving anywhere else gives { callback: URL }.
  async open(url, init = {}) {
    let next = new URL(url, this.origin);
    for (let hops = 0; hops < 10; ++hops) {
      if (next.origin !== this.origin) return { callback: next };
      const response = await this.fetch(next, init);
      if (response.status < 300 || response.status >= 400) return new Page(next, response, await response.text());
      init = {};
      next = new URL(response.headers.get('location'), next);
    }
    throw new Error(`redirected for ever: ${next}`);
  }

  /// One request with this person's cookies; redirects are not followed.
  async fetch(url, init = {}) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { Accept: 'text/html', ...(cookie ? { Cookie: cookie } : {}), ...init.headers };
    const response = await fetch(new URL(url, this.origin), { ...init, headers, redirect: 'manual' });
    for (const set of response.headers.getSetCookie()) {
      const [pair] = set.split(';');
      const at = pair.indexOf('=');
      if (/max-age=0|expires=thu, 01 jan 1970/i.test(set)) this.cookies.delete(pair.slice(0, at));
      else this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return response;
  }

  /// Sends a form with its hidden fields, these values and one button.
  submit(page, form, values, button) {
    const body = new URLSearchParams();
    for (const field of form.fields) {
      if (!field.name) continue;
      const isButton = field.button || field.type === 'submit';
      if (isButton ? field !== button : ['checkbox', 'radio'].includes(field.type) && !field.checked) continue;
      body.append(field.name, values[field.name] ?? field.value);
    }
    const url = new URL(form.action, page.url);
    if (form.method === 'get') return this.open(`${url.pathname}?${body}`);
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded', Origin: this.origin };
    return this.open(url, { method: 'POST', body: `${body}`, headers });
  }

  /// Fills in the login page.
  login(page, name, password) {
    const form = page.form('password');
    assert.equal(form.method, 'post');
    const secret = form.fields.find((field) => field.type === 'password');
    const user = form.fields.find((field) => ['text', 'email'].includes(field.type) && !field.button);
    return this.submit(page, form, { [user.name]: name, [secret.name]: password });
  }

  /// Presses the consent page's button: `allow` or `deny`.
  decide(page, decision = 'allow') {
    const form = page.form('consent');
    assert.equal(form.method, 'post');
    const words = decision === 'allow' ? /allow|approve|accept|yes|grant/i : /deny|cancel|refuse|no\b/i;
    const button = form.fields.find((field) => words.test(field.value) && (field.button || field.type === 'submit'));
    assert.ok(button, `no button to ${decision} in:\n${page.body}`);
    return this.submit(page, form, {}, button);
  }

  /// Signs in and agrees wherever it is asked to; gives the URL of the client's callback.
  async authorize(url, name, password) {
    let page = await this.open(url);
    if (!page.callback && page.body.includes('password')) page = await this.login(page, name, password);
    if (!page.callback && /<form/i.test(page.body)) page = await this.decide(page);
    assert.ok(page.callback, `did not arrive at the callback but at ${page.status} ${page.url}:\n${page.body}`);
    return page.callback;
  }
}
