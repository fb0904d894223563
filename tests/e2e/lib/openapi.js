// The server's own OpenAPI document, and whether answers are as it says (ajv).
import Ajv2020 from 'ajv/dist/2020.js';
import assert from 'node:assert/strict';

const pointer = (...names) => names.map((name) => name.replaceAll('~', '~0').replaceAll('/', '~1')).join('/');

export class OpenApi {
  static async of(server) {
    const self = new OpenApi();
    const response = await fetch(`${server.url}/openapi.json`);
    assert.equal(response.status, 200);
    self.response = response;
    self.document = await response.json();
    self.ajv = new Ajv2020({ strict: false, allErrors: true });
    self.ajv.addSchema(self.document, 'openapi');
    return self;
  }

  /// Every operation as [method, path, operation].
  get operations() {
    return Object.entries(this.document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => [method, path, operation]));
  }

  /// Asserts that an answer of that operation has a status, a content type and a body as it is documented. `body` is the
  /// parsed JSON, if it is JSON.
  check(method, path, { status, headers, body }) {
    const where = `${method.toUpperCase()} ${path}: ${status}`;
    const operation = this.document.paths[path]?.[method];
    assert.ok(operation, `${where}: no such operation`);
    let described = operation.responses[status];
    let at = ['paths', path, method, 'responses', `${status}`];
    assert.ok(described, `${where} is not documented`);
    if (described.$ref) {
      at = described.$ref.slice(2).split('/');
      described = at.reduce((here, name) => here[name], this.document);
    }
    const type = headers.get('content-type')?.split(';')[0];
    if (!described.content) return void assert.ok(!body, `${where} has no body in the document`);
    assert.ok(described.content[type], `${where}: ${type} is not documented`);
    if (!type.endsWith('json')) return;
    const validate = this.ajv.compile({ $ref: `openapi#/${pointer(...at, 'content', type, 'schema')}` });
    assert.ok(validate(body), `${where}: ${this.ajv.errorsText(validate.errors)} in ${JSON.stringify(body)}`);
  }

  /// Asks one operation and checks the answer; gives { status, headers, body }. `names` fill the braces of the path.
  async ask(server, method, path, { names = {}, query = '', body, headers = {}, type = 'application/json' } = {}) {
    const target = path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(names[name]));
    const all = { ...headers };
    if (body !== undefined) all['Content-Type'] = type;
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(`${server.url}${target}${query}`, { method: method.toUpperCase(), headers: all, body: text, redirect: 'manual' });
    const answer = await response.text();
    const is_json = response.headers.get('content-type')?.split(';')[0].endsWith('json');
    const result = { status: response.status, headers: response.headers, body: is_json && answer ? JSON.parse(answer) : answer };
    this.check(method, path, result);
    return result;
  }
}
