// Traces: a collector that nobody here wrote speaks HTTP and JSON, and so does this stand-in for one. It sees
// one token request as a tree of spans, below the span that the client named.
import { test, after } from 'node:test';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { serve, sleep, until } from './lib/server.js';

async function collector() {
  const spans = [];
  const http = createServer((request, response) => {
    let body = '';
    request.on('data', (bytes) => { body += bytes; });
    request.on('end', () => {
      assert.equal(request.method, 'POST');
      assert.equal(request.url, '/v1/traces');
      assert.equal(request.headers['content-type'], 'application/json');
      for (const resource of JSON.parse(body).resourceSpans) {
        for (const scope of resource.scopeSpans) spans.push(...scope.spans);
      }
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
    });
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  after(() => http.close());
  return { spans, url: `http://127.0.0.1:${http.address().port}/v1/traces` };
}

const caller = 'b7ad6b7169203331';

/// All spans of one token request: a span comes when it has ended, so its parent comes later.
async function spansOf(sink, trace) {
  const spans = () => sink.spans.filter((span) => span.traceId === trace);
  const isWhole = () => {
    const ids = new Set([caller, ...spans().map((span) => span.spanId)]);
    return spans().some((span) => span.name === 'CreateToken') && spans().every((span) => ids.has(span.parentSpanId));
  };
  await until(isWhole);
  await sleep(1500);  // one more export, in which what was still under way arrives
  await until(isWhole);
  return spans();
}

async function askForToken(server, client, trace) {
  const answer = await fetch(`${server.url}/oauth/token`, {
    method: 'POST',
    headers: {
      traceparent: `00-${trace}-${caller}-01`,
      Authorization: `Basic ${Buffer.from(`${client.client_id}:${client.client_secret}`).toString('base64')}`,
    },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  assert.equal(answer.status, 200);
}

test('a token request with a traceparent is one tree of spans below its client', async () => {
  const sink = await collector();
  const server = await serve({ config: `[telemetry]\notlp_endpoint = "${sink.url}"\ntrace_share = 0\n` });
  const client = await server.addClient('--name', 'Traced', '--grant', 'client_credentials', '--scope', 'notes');
  const trace = '0af7651916cd43dd8448eb211c80319c';
  await askForToken(server, client, trace);

  const spans = await spansOf(sink, trace);
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const root = spans.find((span) => span.name === 'POST /oauth/token');
  assert.equal(root?.parentSpanId, caller, `${spans.map((span) => span.name)}`);
  assert.equal(root.kind, 2);
  for (const name of ['CreateToken']) {
    assert.ok(spans.some((span) => span.name === name), `${name} among ${spans.map((span) => span.name)}`);
  }
  for (const span of spans) {
    if (span !== root) assert.ok(byId.has(span.parentSpanId), `${span.name} hangs in the air`);
    assert.ok(BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano));
    assert.ok(Math.abs(Number(BigInt(span.startTimeUnixNano) / 1_000_000n) - Date.now()) < 60_000);
  }
  assert.ok(!JSON.stringify(spans).includes(client.client_secret), 'a span holds a secret');
});

test('what nobody asked to trace is not traced, and a collector that is gone disturbs nobody', async () => {
  const server = await serve({ config: '[telemetry]\notlp_endpoint = "http://127.0.0.1:9/v1/traces"\ntrace_share = 1\n' });
  for (let i = 0; i < 20; ++i) assert.equal((await fetch(`${server.url}/health/live`)).status, 200);
  const lost = async () => Number(/^troupe_spans_lost_total (\d+)/m.exec(await (await fetch(`${server.url}/metrics`)).text())?.[1]);
  const first = await until(lost);
  assert.ok(first > 0, 'nothing was lost');
  assert.ok(await until(async () => (await fetch(`${server.url}/health/live`)).ok && await lost() > first), 'nothing more was lost');
  const told = () => server.log.match(/spans were lost/g)?.length;
  assert.equal(await until(told), 1);
});

test('the spans of the last requests before a SIGTERM reach the collector', async () => {
  const sink = await collector();
  const server = await serve({ config: `[telemetry]\notlp_endpoint = "${sink.url}"\ntrace_share = 0\n` });
  const client = await server.addClient('--name', 'Last', '--grant', 'client_credentials', '--scope', 'notes');
  const trace = '1af7651916cd43dd8448eb211c80319d';
  await askForToken(server, client, trace);
  await server.stop();
  const names = sink.spans.filter((span) => span.traceId === trace).map((span) => span.name);
  assert.ok(names.includes('POST /oauth/token'), `only ${names}`);
});
