// A peer for `./dev bench oauth --peers`: npm `oidc-provider` with everything in memory. Its own adapter keeps a thousand
// records of a kind, too few for what is issued here, so it has one of plain maps. One line: where it listens.
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const records = new Map();
const grants = new Map();
const uids = new Map();

class Maps {
  constructor(kind) { this.kind = kind; }
  key(id) { return `${this.kind}:${id}`; }

  async upsert(id, payload) {
    const key = this.key(id);
    records.set(key, payload);
    if (payload.uid) uids.set(payload.uid, key);
    if (!payload.grantId) return;
    if (!grants.has(payload.grantId)) grants.set(payload.grantId, new Set());
    grants.get(payload.grantId).add(key);
  }
  async find(id) { return records.get(this.key(id)); }
  async findByUid(uid) { return records.get(uids.get(uid)); }
  async findByUserCode() { return undefined; }
  async consume(id) { records.get(this.key(id)).consumed = Math.floor(Date.now() / 1000); }
  async destroy(id) { records.delete(this.key(id)); }
  async revokeByGrantId(id) {
    for (const key of grants.get(id) ?? []) records.delete(key);
    grants.delete(id);
  }
}

const key = (type, options, alg) => {
  const { privateKey } = generateKeyPairSync(type, options);
  return { ...privateKey.export({ format: 'jwk' }), alg, use: 'sig', kid: alg };
};
const callback = 'http://127.0.0.1:9/callback';
const machine = { client_secret: 'a secret of the bench', grant_types: ['client_credentials'], redirect_uris: [], response_types: [],
                  scope: 'bench' };
const people = { redirect_uris: [callback], grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'],
                 application_type: 'native', scope: 'openid', id_token_signed_response_alg: 'ES256' };
const clients = [
  { client_id: 'jwt', ...machine },
  { client_id: 'opaque', ...machine },
  { client_id: 'web', client_secret: 'a secret of the web', ...people },
  { client_id: 'app', token_endpoint_auth_method: 'none', ...people },
];

const http = createServer();
http.keepAliveTimeout = 600_000;
http.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${http.address().port}`;
  const provider = new Provider(issuer, {
    adapter: Maps,
    clients,
    jwks: { keys: [key('ec', { namedCurve: 'P-256' }, 'ES256'), key('rsa', { modulusLength: 2048 }, 'RS256')] },
    cookies: { keys: ['a key of the bench'] },
    scopes: ['openid', 'offline_access', 'bench'],
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    rotateRefreshToken: true,
    issueRefreshToken: () => true,
    ttl: { AuthorizationCode: 600, AccessToken: 600, ClientCredentials: 600, RefreshToken: 86_400, IdToken: 600, Session: 86_400,
           Grant: 86_400, Interaction: 600 },
    features: {
      devInteractions: { enabled: true },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: (_, client) => (client.clientId === 'jwt' ? 'urn:bench' : undefined),
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({ scope: 'bench', accessTokenFormat: 'jwt', accessTokenTTL: 600, jwt: { sign: { alg: 'ES256' } } }),
      },
    },
  });
  http.on('request', provider.callback());
  console.log(`listening on ${issuer}`);
});
