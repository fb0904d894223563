// The demo: sign in by authorization code with PKCE, then chat over the JavaScript client of clients/js.
//
// The tokens live in this page's memory only; a reload signs in again, which the session at
// the server makes a matter of agreeing once more. The client comes back when the connection is lost;
// nothing is missed then, or the page says what was.
import { Client } from '/demo/troupe.js';

const topic = 'chat.general';
const redirectUri = `${location.origin}/demo/`;
const byId = (id) => document.getElementById(id);
const status = (text) => { byId('status').textContent = text; };
const base64url = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
const randomText = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

let server;        // the discovery document
let registration;  // { client_id, scope }
let tokens;        // the last token response
let me = {};       // claims of userinfo
let client;        // the connection to the room

/// Learns where the server's endpoints are, and as whom this page asks.
async function load() {
  const urls = ['/.well-known/openid-configuration', '/demo/client.json'];
  [server, registration] = await Promise.all(urls.map(async (url) => {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    return response.json();
  }));
}

async function signIn() {
  if (!registration) await load(); // the first time it may have failed
  const verifier = randomText();
  const state = randomText();
  sessionStorage.setItem('flow', JSON.stringify({ verifier, state }));
  const challenge = base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))));
  const url = new URL(server.authorization_endpoint);
  url.search = new URLSearchParams({
    response_type: 'code', client_id: registration.client_id, redirect_uri: redirectUri, scope: registration.scope, state,
    code_challenge: challenge, code_challenge_method: 'S256',
  });
  location.assign(url);
}

async function askForTokens(form) {
  const response = await fetch(server.token_endpoint, {
    method: 'POST', body: new URLSearchParams({ client_id: registration.client_id, ...form }),
  });
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.error_description ?? answer.error), { code: answer.error });
  tokens = { ...tokens, ...answer };
}

/// Turns the answer in the address bar into tokens; false where there is none.
async function finishSignIn() {
  const answer = new URLSearchParams(location.search);
  const flow = JSON.parse(sessionStorage.getItem('flow') ?? 'null');
  if (!answer.has('state')) return false;
  sessionStorage.removeItem('flow');
  history.replaceState(null, '', '/demo/');
  // An answer that this page did not ask for, or of another issuer, is nobody's (RFC 9207, RFC 9700).
  if (answer.get('state') !== flow?.state || answer.get('iss') !== server.issuer) throw new Error('this sign-in was not begun here');
  if (answer.has('error')) throw new Error(answer.get('error_description') ?? answer.get('error'));
  await askForTokens({
    grant_type: 'authorization_code', code: answer.get('code'), redirect_uri: redirectUri, code_verifier: flow.verifier,
  });
  const response = await fetch(server.userinfo_endpoint, { headers: { Authorization: `Bearer ${tokens.access_token}` } });
  if (response.ok) me = await response.json();
  return true;
}

function show(who, text, kind) {
  const line = document.createElement('li');
  line.className = kind;
  if (who) line.append(Object.assign(document.createElement('span'), { className: 'who', textContent: who }));
  line.append(document.createTextNode(text));
  byId('messages').append(line);
  line.scrollIntoView({ block: 'end' });
}

/// What the client connects with; null when the server gives no other, and one has to sign in again.
async function accessToken({ fresh }) {
  if (!fresh || !tokens.refresh_token) return tokens.access_token;
  try {
    await askForTokens({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token });
  } catch (error) {
    if (error.code === 'invalid_grant') return null;
    throw error;
  }
  return tokens.access_token;
}

const missed = (count, why) => show('', `${count} messages were missed (${why}).`, 'notice');

function connect() {
  client = new Client('/ws', { token: accessToken });
  client.on('state', changed);
  client.on('draining', () => status('The server goes away; this page comes back.'));
  client.on('error', (error) => { if (error.code) show('', `The server said: ${error.message}`, 'notice'); });
  client.subscribe(topic, {
    message({ sender, payload }) {
      const own = sender === client.welcome.user;
      show(own ? 'You' : String(payload?.name ?? sender ?? 'somebody'), String(payload?.text ?? ''), own ? 'own' : '');
    },
    gap: ({ from, to, reason }) => missed(to - from + 1, reason),
    lost: ({ reason, before, now }) => reason === 'expired' ? missed(now.offset - before.offset, reason)
                                                            : show('', 'The server began anew; messages may have been missed.', 'notice'),
    subscribed() {
      status(`Signed in as ${me.preferred_username ?? me.name ?? client.welcome.user}.`);
      byId('composer').hidden = false;
      byId('sign-out').hidden = false;
    },
    unsubscribed({ reason }) {
      status(`This room is closed to you: ${reason}.`);
      byId('composer').hidden = true;
      byId('sign-out').hidden = false;
    },
  });
  client.connect().catch(() => {});  // `changed` is told
}

function changed({ state, code, retryInMs, error }) {
  if (state === 'waiting') status(`The connection was lost (${code}); trying again in ${Math.ceil(retryInMs / 1000)} s.`);
  if (state !== 'closed' || !error) return;
  signedOut(`Please sign in again: ${error.message}.`);
}

function signedOut(text) {
  tokens = undefined;
  status(text);
  byId('composer').hidden = byId('sign-out').hidden = true;
  byId('sign-in').hidden = false;
}

const failed = (error) => signedOut(`That did not work: ${error.message}.`);

async function signOut() {
  client.close();
  const token = tokens.refresh_token ?? tokens.access_token;
  signedOut('Signing out.');
  try {
    await fetch(server.revocation_endpoint, { method: 'POST', body: new URLSearchParams({ client_id: registration.client_id, token }) });
  } catch (error) { // without a network the page is its own, and the tokens end by time
    return status(`Signed out here, but the server could not be told: ${error.message}.`);
  }
  location.assign('/demo/');
}

const answered = new URLSearchParams(location.search).has('state');
byId('sign-in').hidden = answered;
byId('sign-in').onclick = () => signIn().catch(failed);
byId('sign-out').onclick = signOut;
byId('composer').onsubmit = (event) => {
  event.preventDefault();
  const name = me.preferred_username ?? me.name;
  // While the connection is away it waits; what comes of it is the author's to know.
  client.publish(topic, { text: byId('text').value, ...(name ? { name } : {}) }, { timeoutMs: 60_000 })
    .catch((error) => show('', `This was not sent: ${error.message}.`, 'notice'));
  byId('text').value = '';
};

try {
  await load();
  if (await finishSignIn()) {
    status('Connecting.');
    connect();
  }
} catch (error) {
  failed(error);
}
