// The demo: sign in by authorization code with PKCE, then chat over one WebSocket.
//
// The tokens live in this page's memory only; a reload signs in again, which the session at
// the server makes a matter of redirects. A lost connection comes back with the last offset
// seen, so that nothing is missed, or the page says what was.

const topic = 'chat.general';
const redirectUri = `${location.origin}/demo/`;
const byId = (id) => document.getElementById(id);
const status = (text) => { byId('status').textContent = text; };
const base64url = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
const randomText = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

let server;        // the discovery document
let client;        // { client_id, scope }
let tokens;        // the last token response
let me = {};       // claims of userinfo
let socket;
let position;      // { epoch, offset } of the last message shown
let attempt = 0;
let leaving = false;

/// Learns where the server's endpoints are, and as whom this page asks.
async function load() {
  const urls = ['/.well-known/openid-configuration', '/demo/client.json'];
  [server, client] = await Promise.all(urls.map(async (url) => (await fetch(url)).json()));
}

async function signIn() {
  await loaded;
  const verifier = randomText();
  const state = randomText();
  sessionStorage.setItem('flow', JSON.stringify({ verifier, state }));
  const challenge = base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))));
  const url = new URL(server.authorization_endpoint);
  url.search = new URLSearchParams({
    response_type: 'code', client_id: client.client_id, redirect_uri: redirectUri, scope: client.scope, state,
    code_challenge: challenge, code_challenge_method: 'S256',
  });
  location.assign(url);
}

async function askForTokens(form) {
  const response = await fetch(server.token_endpoint, {
    method: 'POST', body: new URLSearchParams({ client_id: client.client_id, ...form }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error_description ?? answer.error);
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

function connect() {
  const url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`;
  socket = new WebSocket(url, ['troupe.v1', `bearer.${tokens.access_token}`]);
  socket.onmessage = ({ data }) => receive(JSON.parse(data));
  socket.onclose = ({ code }) => { if (!leaving) comeBack(code); };
}

const say = (frame) => socket.send(JSON.stringify(frame));

const frames = {
  welcome(frame) {
    attempt = 0;
    me.user = frame.user;
    say({ type: 'subscribe', id: 'chat', topics: [topic], ...(position ? { recover: { [topic]: position } } : {}) });
  },
  subscription_confirmed(frame) {
    const [entry] = frame.topics;
    if (position && entry.recovered === false) show('', 'Some messages were missed while this page was away.', 'notice');
    if (!position) position = { epoch: entry.epoch, offset: entry.offset };
    status(`Signed in as ${me.preferred_username ?? me.name ?? me.user}.`);
    byId('composer').hidden = false;
    byId('sign-out').hidden = false;
  },
  message(frame) {
    position = { epoch: frame.epoch, offset: frame.offset };
    const own = frame.sender === me.user;
    show(own ? 'You' : String(frame.payload?.name ?? frame.sender ?? 'somebody'), String(frame.payload?.text ?? ''), own ? 'own' : '');
  },
  gap(frame) {
    position = { epoch: frame.epoch, offset: frame.to };
    show('', `${frame.to - frame.from + 1} messages were missed (${frame.reason}).`, 'notice');
  },
  async token_expiring() {
    await refresh();
    say({ type: 'authenticate', id: 'fresh', token: tokens.access_token });
  },
  draining(frame) { status(`The server asks us to come back in ${frame.reconnect_after_ms} ms.`); },
  error(frame) { show('', `The server said: ${frame.message}`, 'notice'); },
};
const receive = (frame) => frames[frame.type]?.(frame);

async function refresh() {
  if (tokens.refresh_token) await askForTokens({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token });
}

async function comeBack(code) {
  byId('composer').hidden = true;
  const wait = Math.min(30_000, 500 * 2 ** attempt++) * (0.5 + Math.random() / 2);
  status(`The connection was lost (${code}); trying again in ${Math.ceil(wait / 1000)} s.`);
  await new Promise((resolve) => setTimeout(resolve, wait));
  try {
    if (code === 4001) await refresh();
    connect();
  } catch (error) {
    status(`Please sign in again: ${error.message}.`);
    byId('sign-in').hidden = false;
  }
}

const answered = new URLSearchParams(location.search).has('state');
byId('sign-in').hidden = answered;
byId('sign-in').onclick = signIn;
byId('sign-out').onclick = async () => {
  leaving = true;
  socket.close(1000);
  await fetch(server.revocation_endpoint, {
    method: 'POST', body: new URLSearchParams({ client_id: client.client_id, token: tokens.refresh_token ?? tokens.access_token }),
  });
  location.assign('/demo/');
};
byId('composer').onsubmit = (event) => {
  event.preventDefault();
  const name = me.preferred_username ?? me.name;
  say({ type: 'publish', id: randomText(), topic, payload: { text: byId('text').value, ...(name ? { name } : {}) } });
  byId('text').value = '';
};

const loaded = load();
try {
  await loaded;
  if (await finishSignIn()) {
    status('Connecting.');
    connect();
  }
} catch (error) {
  status(`That did not work: ${error.message}.`);
  byId('sign-in').hidden = false;
}
