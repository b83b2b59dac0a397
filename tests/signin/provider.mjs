// An OpenID Connect provider for tests/identity.py: node provider.mjs PORT CALLBACK...
import Provider from 'oidc-provider';

const [port, ...callbacks] = process.argv.slice(2);
const users = {
  alice: {email: 'alice@example.test', email_verified: true, preferred_username: 'alice', groups: ['staff', 'admins']},
  carol: {email: 'carol@example.test', email_verified: true, preferred_username: 'carol', groups: []},
  bob: {email: 'root@example.test', email_verified: false, preferred_username: 'root', groups: ['staff']},
};
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{client_id: 'berth', client_secret: 's3cret of berth', redirect_uris: callbacks,
             response_types: ['code'], grant_types: ['authorization_code']}],
  claims: {openid: ['sub'], email: ['email', 'email_verified'], profile: ['preferred_username', 'groups']},
  cookies: {keys: ['a key of the test']},
  pkce: {required: () => true},
  async findAccount(_, id) {
    return users[id] && {accountId: id, async claims() { return {sub: id, ...users[id]}; }};
  },
  features: {devInteractions: {enabled: true}},
});
provider.listen(Number(port), '127.0.0.1', () => console.log('up'));
