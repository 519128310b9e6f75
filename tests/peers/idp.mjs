// A real, certified OpenID provider (npm oidc-provider 9) on a free loopback port, for tests.
//
//   node idp.mjs        prints `idp ready http://127.0.0.1:PORT`; ends on SIGTERM
//
// What a test may ask of it beyond OpenID is in `controls`, under /_test/. tests/peers/idp.py is
// the way in. Nothing here is safe outside a test: minting is open to all.
import * as crypto from 'node:crypto';
import * as http from 'node:http';
import { Provider } from 'oidc-provider';

const AUDIENCE = 'https://interlock.example'; // of a token for which no `resource` was named
const SCOPES = 'submit read';
const LIFETIME_S = 300;
const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';

const PEOPLE = {
  alice: { groups: ['analytics'] },
  bob: { groups: ['platform-admins', 'analytics'] },
};

// --- keys ---------------------------------------------------------------------------------------

const ALGORITHMS = {
  RS256: { make: () => crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }), hash: 'sha256' },
  ES256: { make: () => crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }), hash: 'sha256' },
  EdDSA: { make: () => crypto.generateKeyPairSync('ed25519'), hash: null },
};

function makeKeys(generation) {
  return Object.entries(ALGORITHMS).map(([alg, { make }]) => {
    const jwk = make().privateKey.export({ format: 'jwk' });
    return { ...jwk, use: 'sig', alg, kid: `${alg.toLowerCase()}-${generation}` };
  });
}

const clientKey = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });

// --- the provider -------------------------------------------------------------------------------

const CLIENTS = [
  {
    client_id: 'airflow-team-a',
    client_secret: 'only-for-tests-airflow-team-a',
    grant_types: ['client_credentials'],
    groups: ['data-eng'],
  },
  {
    client_id: 'portal',
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: 'ES256',
    jwks: { keys: [{ ...clientKey.publicKey.export({ format: 'jwk' }), kid: 'portal-1', use: 'sig' }] },
    grant_types: ['client_credentials'],
    groups: ['apps'],
  },
  {
    client_id: 'interlock-cli',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    grant_types: [DEVICE_CODE, 'refresh_token'],
    groups: [],
  },
].map((client) => ({ redirect_uris: [], response_types: [], ...client }));

function makeProvider(issuer, keys, accessAlg) {
  const provider = new Provider(issuer, {
    clients: CLIENTS,
    jwks: { keys },
    cookies: { keys: ['only-for-tests'] },
    extraClientMetadata: { properties: ['groups'] },
    claims: { openid: ['sub'], groups: ['groups'] },
    scopes: ['openid', 'offline_access', 'groups', ...SCOPES.split(' ')],
    enabledJWA: { idTokenSigningAlgValues: Object.keys(ALGORITHMS) },
    ttl: { AccessToken: LIFETIME_S, ClientCredentials: LIFETIME_S, DeviceCode: LIFETIME_S, Grant: 3600, IdToken: LIFETIME_S, RefreshToken: 3600 },
    findAccount: (ctx, id) => PEOPLE[id] && { accountId: id, claims: () => ({ sub: id, ...PEOPLE[id] }) },
    extraTokenClaims: (ctx, token) => ({ groups: (token.accountId ? PEOPLE[token.accountId] : ctx.oidc.client).groups }),
    features: {
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => AUDIENCE, // without one the access token would be opaque
        useGrantedResource: () => true,
        getResourceServerInfo: (ctx, audience) => ({
          audience,
          scope: SCOPES,
          accessTokenFormat: 'jwt',
          accessTokenTTL: LIFETIME_S,
          jwt: { sign: { alg: accessAlg } },
        }),
      },
    },
  });
  provider.on('server_error', (ctx, error) => console.error(error));
  return provider;
}

// --- what a test can do to it -------------------------------------------------------------------

class Peer {
  constructor(issuer) {
    this.issuer = issuer;
    this.generation = 0;
    this.reset();
  }

  reset() {
    this.accessAlg = 'RS256';
    this.keysFetched = 0;
    this.serveKeys('ok');
    this.rotate('hard');
  }

  rotate(mode) {
    this.generation += 1;
    const fresh = makeKeys(this.generation);
    this.keys = mode === 'hard' ? fresh : [...fresh, ...this.keys];
    this.rebuild();
  }

  rebuild() {
    this.provider = makeProvider(this.issuer, this.keys, this.accessAlg);
    this.answer = this.provider.callback();
  }

  serveKeys(mode) {
    this.release?.(); // whoever hangs is answered as the new mode says
    this.keysMode = mode;
    this.released = new Promise((resolve) => { this.release = resolve; });
  }

  // A token that says anything: other providers' shapes, and hostile ones.
  mint(claims, { alg = 'RS256', typ = 'at+jwt', header = {}, lifetime = LIFETIME_S } = {}) {
    const jwk = this.keys.find((key) => key.alg === alg);
    const now = Math.floor(Date.now() / 1000);
    const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const head = { alg, kid: jwk.kid, ...(typ ? { typ } : {}), ...header };
    const body = { iss: this.issuer, aud: AUDIENCE, iat: now, exp: now + lifetime, jti: crypto.randomUUID(), ...claims };
    const signed = `${encode(head)}.${encode(body)}`;
    const key = crypto.createPrivateKey({ key: jwk, format: 'jwk' });
    const signature = crypto.sign(ALGORITHMS[alg].hash, Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
    return `${signed}.${signature.toString('base64url')}`;
  }

  // What a person does in a browser: look at the code, then approve it (or not).
  async settleDevice(userCode, person) {
    const { DeviceCode, Grant } = this.provider;
    const code = await DeviceCode.findByUserCode(userCode.replace(/-/g, ''));
    if (!code) throw new Error('no such user code');
    if (!person) {
      Object.assign(code, { error: 'access_denied', errorDescription: 'the person said no' });
    } else {
      const { scope = '', resource = AUDIENCE } = code.params;
      const grant = new Grant({ accountId: person, clientId: code.clientId });
      grant.addOIDCScope(scope);
      grant.addResourceScope(resource, scope);
      const authTime = Math.floor(Date.now() / 1000);
      Object.assign(code, { accountId: person, grantId: await grant.save(), scope, resource, authTime });
    }
    await code.save();
  }
}

const controls = {
  '/_test/reset': (peer) => peer.reset(),
  '/_test/rotate': (peer, { mode }) => peer.rotate(mode),
  '/_test/keys': (peer, { mode }) => peer.serveKeys(mode),
  '/_test/keys_fetched': (peer) => peer.keysFetched,
  '/_test/algorithm': (peer, { alg }) => { peer.accessAlg = alg; peer.rebuild(); },
  '/_test/mint': (peer, { claims, options }) => peer.mint(claims, options),
  '/_test/settle_device': (peer, { user_code: userCode, person }) => peer.settleDevice(userCode, person),
  '/_test/client_key': () => clientKey.privateKey.export({ format: 'pem', type: 'pkcs8' }),
};

const keyFaults = {
  error: (res) => { res.writeHead(500).end(); },
  garbage: (res) => { res.writeHead(200).end('<html>maintenance</html>'); },
  huge: (res) => { res.writeHead(200).end(JSON.stringify({ keys: [], pad: 'x'.repeat(300_000) })); },
  redirect: (res) => { res.writeHead(302, { location: '/jwks?again' }).end(); },
};

async function serve(peer, req, res) {
  const { pathname } = new URL(req.url, peer.issuer);
  if (pathname in controls) {
    const chunks = await req.toArray();
    const found = await controls[pathname](peer, JSON.parse(Buffer.concat(chunks).toString()));
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(found ?? null));
    return;
  }
  if (pathname === '/jwks') {
    peer.keysFetched += 1;
    if (peer.keysMode === 'hang') await peer.released;
    const fault = keyFaults[peer.keysMode];
    if (fault) { fault(res); return; }
  }
  peer.answer(req, res);
}

const server = http.createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const peer = new Peer(issuer);
  server.on('request', (req, res) => {
    serve(peer, req, res).catch((error) => { res.writeHead(500).end(String(error.stack)); });
  });
  console.log(`idp ready ${issuer}`);
});
