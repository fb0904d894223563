// RFC 7636, PKCE: a code is good for who knows the verifier alone.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { callback, isRefused, scene, sentBack } from './lib/scene.js';

const s = await scene();
const { web, app, two } = s;

test('4.1 a verifier has 43 to 128 characters of the unreserved ones', async () => {
  for (const code_verifier of ['v'.repeat(42), 'v'.repeat(129), 'v'.repeat(42) + '!', 'v'.repeat(42) + ' ']) {
    const code = await s.code(web);
    const answer = await s.redeem(web, code, { code_verifier });
    assert.equal(answer.status, 400);
    assert.ok(['invalid_grant', 'invalid_request'].includes(answer.body.error));
  }
});
test('4.2 S256 is understood, as the appendix computes it', async () => {
  const code_challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';
  const code = await s.code(web, { scope: 'notes', code_challenge });
  assert.equal((await s.redeem(web, code, { code_verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk' })).status, 200);
});
test('4.3, 4.4.1 a method that is not understood is invalid_request, sent back to the client', async () => {
  for (const code_challenge_method of ['plain', 'S512', 's256']) {
    const back = sentBack(await s.ask(web, { code_challenge_method }));
    assert.deepEqual([back.error, back.state], ['invalid_request', 'st4te'], code_challenge_method);
  }
});
test('4.3 without a method it would be plain, which is not taken', async () => {
  assert.equal(sentBack(await s.ask(web, { code_challenge_method: undefined })).error, 'invalid_request');
});
test('4.4.1 where a challenge is required, its absence is invalid_request', async () => {
  for (const client of [web, app]) {
    const back = sentBack(await s.ask(client, { code_challenge: undefined, code_challenge_method: undefined }));
    assert.equal(back.error, 'invalid_request');
  }
});
test('4.6 another verifier, or none, is invalid_grant, and does not spend the code', async () => {
  const code = await s.code(web);
  isRefused(await s.redeem(web, code, { code_verifier: 'w'.repeat(43) }), 400, 'invalid_grant');
  const without = await s.token(web, { grant_type: 'authorization_code', code: code.code, redirect_uri: callback });
  assert.equal(without.status, 400);
  assert.ok(['invalid_grant', 'invalid_request'].includes(without.body.error));
  assert.equal((await s.redeem(web, code)).status, 200);
});
test('4.6 the challenge itself is no verifier', async () => {
  const code = await s.code(web, { scope: 'notes', code_challenge: s.challenge.code_challenge });
  isRefused(await s.redeem(web, code, { code_verifier: s.challenge.code_challenge }), 400, 'invalid_grant');
});
test('4.6 a verifier where there was no challenge is refused (RFC 9700, 2.1.1)', async () => {
  const code = await s.code(two, { scope: 'notes', code_challenge: undefined, code_challenge_method: undefined, redirect_uri: callback });
  isRefused(await s.redeem(two, code, { code_verifier: 'v'.repeat(43) }), 400, 'invalid_grant');
});
