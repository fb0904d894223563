// RFC 9207, iss in authorization responses: in every one, and always the issuer.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { scene, sentBack, user } from './lib/scene.js';

const s = await scene();
const { server, web } = s;

test('2 a response with a code bears iss', async () => {
  const { arrived } = await s.code(web);
  assert.deepEqual(arrived.searchParams.getAll('iss'), [server.url]);
});
const mistakes = [{ response_type: 'magic' }, { scope: 'fly' }, { code_challenge: '' }, { prompt: 'none', scope: 'openid' }, { request: 'e30.e30.' }];
test('2 so does each response with an error', async () => {
  for (const mistake of mistakes) assert.equal(sentBack(await s.ask(web, mistake)).iss, server.url, JSON.stringify(mistake));
});
test('2 so does that of a person who says no', async () => {
  const agent = s.agent();
  const consent = await agent.login(await agent.open(s.url(web, { prompt: 'consent' })), user.name, user.password);
  assert.equal((await agent.decide(consent, 'deny')).callback.searchParams.get('iss'), server.url);
});
test('2 iss is the issuer of the metadata, letter for letter', async () => {
  assert.equal((await s.code(web)).arrived.searchParams.get('iss'), (await s.discovery()).issuer);
});
test('3 the metadata says so', async () => {
  assert.equal((await s.discovery()).authorization_response_iss_parameter_supported, true);
});
