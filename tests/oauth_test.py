"""Signing in by the presets of GitHub, GitLab and 42, who answer as they really do (oauth_peer.py), also when it fails."""
import contextlib
import json
import time
import unittest
import urllib.parse

from identity import PASSWORD, Browser, add_provider, callback, started
from oauth_peer import BRANDS, CLIENT, GITHUB_ISSUER, SECRET, Peer
from support import engine, fetch, free_port

# What each one's groups are called, and where they are asked for.
GROUPS = {'github': {'groupsUrl': '/user/orgs', 'groupsMember': 'login', 'scopes': ['read:user', 'read:org']},
          'gitlab': {'groupsUrl': '/oauth/userinfo', 'scopes': ['read_user', 'openid']}, '42': {}}
MAPPED = {'github': 'acme', 'gitlab': 'acme/platform', '42': 'Tutors'}


class OAuthTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        engine()
        cls.serve = started(cls)
        cls.peer = Peer(cls)
        cls.root = Browser(cls.serve)
        if cls.root.sign_in('root', PASSWORD).status != 200:
            raise AssertionError('root cannot sign in')
        for brand in BRANDS:
            more = {**GROUPS[brand], 'roles': {MAPPED[brand]: 'developer'}, 'projects': {MAPPED[brand]: {'shop': 'developer'}}}
            if 'groupsUrl' in more:
                more['groupsUrl'] = f'{cls.peer.origin}/{brand}{more["groupsUrl"]}'
            add_provider(cls.serve, f'by-{brand}', SECRET, cls.peer.settings(brand, **more))
        settings = cls.peer.settings
        nowhere = f'http://127.0.0.1:{free_port()}/'
        add_provider(cls.serve, 'named', SECRET, settings('github', issuer=GITHUB_ISSUER))
        add_provider(cls.serve, 'nice', SECRET, settings('42', groupsMember=['campus.name', 'staff?'], onlyGroups=['Nice', 'staff?']))
        add_provider(cls.serve, 'paris', SECRET, settings('42', groupsMember='campus.name', onlyGroups=['Paris']))
        add_provider(cls.serve, 'gone', SECRET, settings('gitlab', tokenUrl=nowhere))
        for closed in ('closed', 'linked', 'unlinked'):
            add_provider(cls.serve, closed, SECRET, settings('gitlab', provision='none'))
        add_provider(cls.serve, 'only', SECRET, settings('42', name='Only'))
        add_provider(cls.serve, 'poor', SECRET, settings('gitlab', scopes=['openid']))
        for brand in BRANDS:
            add_provider(cls.serve, f'wrong-{brand}', 'another secret', settings(brand))

    def tearDown(self):
        self.peer.faults.clear()

    def begin(self, provider, browser, more=''):
        begun = browser.ask('GET', f'/auth/{provider}/start?next=%2Fprojects{more}', headers={'Sec-Fetch-Site': 'same-origin'})
        self.assertEqual(begun.status, 302, begun.text)
        return begun.headers['Location']

    def finish(self, browser, url):
        done = browser.ask('GET', url[url.index('/', 8):], raw=True)
        self.assertEqual(done.status, 303, done.text)
        return done.headers['Location']

    def through(self, provider, browser=None, change=lambda url: url):
        """(browser, where it ends) of one who consents."""
        browser = browser or Browser(self.serve)
        back = fetch(self.begin(provider, browser)).headers['Location']
        self.assertTrue(back.startswith(callback(self.serve, provider)), back)
        return browser, self.finish(browser, change(back))

    def refused(self, provider, reason, why, **more):
        """Nobody is signed in, the UI gets the word and the audit the reason, and neither has a secret."""
        browser, at = self.through(provider, **more)
        self.assertEqual(at, f'/projects?error={reason}')
        self.assertIsNone(browser.user())
        self.assertRegex(self.last_refusal(provider), why)

    def last_refusal(self, provider):
        entries = json.loads(self.root.ask('GET', '/audit?decision=denied&limit=1').body)['items']
        self.assertEqual(entries[0]['subject'], f'provider:{provider}')
        return json.dumps(entries[0])

    def test_each_signs_in_with_its_groups(self):
        names = {'github': 'octocat', 'gitlab': 'tanuki', '42': 'norminet'}
        for brand, name in names.items():
            browser, at = self.through(f'by-{brand}')
            self.assertEqual(at, '/projects', brand)
            user = browser.user()
            self.assertEqual((user['name'], user['role'], user['projects']), (name, 'developer', {'shop': 'developer'}))
            again, _ = self.through(f'by-{brand}')
            self.assertEqual(again.user()['id'], user['id'], brand)

    def test_membership_that_ends_ends_here(self):
        github = BRANDS['github']
        self.addCleanup(setattr, github, 'answer_groups', github.answer_groups)
        self.through('by-github')
        github.answer_groups = []
        user = self.through('by-github')[0].user()
        self.assertEqual((user['role'], user['projects']), ('viewer', {}))

    def test_every_page_of_memberships_counts(self):
        github = BRANDS['github']
        self.addCleanup(setattr, github, 'answer_groups', github.answer_groups)
        github.answer_groups = [{'login': f'other-{n}'} for n in range(75)] + github.answer_groups
        self.assertEqual(self.through('by-github')[0].user()['projects'], {'shop': 'developer'})

    def test_an_account_is_the_id_and_not_the_name(self):
        github = BRANDS['github']
        first = self.through('by-github')[0].user()
        self.addCleanup(setattr, github, 'profile', github.profile)
        github.profile = {**github.profile, 'login': 'renamed'}
        self.assertEqual(self.through('by-github')[0].user()['id'], first['id'])
        # Who takes the name that is free now is somebody else.
        github.profile = {**github.profile, 'login': 'octocat', 'id': 9}
        self.assertNotEqual(self.through('by-github')[0].user()['id'], first['id'])

    def test_any_member_of_the_answer_can_be_the_group(self):
        self.assertEqual(self.through('nice')[1], '/projects')
        self.refused('paris', 'nobody', 'none of the groups')

    def test_who_has_no_account_is_told_so(self):
        self.refused('closed', 'nobody', 'nobody here is linked')

    def test_github_names_itself_in_the_answer(self):
        self.assertEqual(self.through('named')[1], '/projects')
        self.refused('named', 'refused', 'another provider answered',
                     change=lambda url: url.replace('github.com', 'evil.example'))

    def test_consent_that_is_denied(self):
        browser = Browser(self.serve)
        state = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.begin('by-github', browser)).query))['state']
        query = urllib.parse.urlencode({'error': 'access_denied', 'state': state, 'iss': GITHUB_ISSUER,
                                        'error_description': 'The user has denied your application access.'})
        self.assertEqual(self.finish(browser, f'{callback(self.serve, "by-github")}?{query}'), '/projects?error=declined')
        self.assertIn('did not consent', self.last_refusal('by-github'))

    def test_a_code_that_is_spent(self):
        for brand in BRANDS:
            self.refused(f'by-{brand}', 'expired', 'does not take the code.*sign in again',
                         change=lambda url: url.replace('code=', 'code=spent-'))

    def test_an_answer_counts_once_and_in_its_browser(self):
        browser = Browser(self.serve)
        back = fetch(self.begin('by-42', browser)).headers['Location']
        self.assertEqual(self.finish(browser, back), '/projects')
        self.assertEqual(self.finish(Browser(self.serve), back), '/?error=expired')

    def test_a_secret_that_is_wrong(self):
        for brand in BRANDS:
            self.refused(f'wrong-{brand}', 'misconfigured', 'does not accept the client id or the secret; set them anew')

    def test_one_that_is_not_there_or_breaks_down(self):
        self.refused('gone', 'unavailable', r'http://127.0.0.1:\d+/: .*refused')
        self.peer.faults['/42/v2/me'] = (502, {'Content-Type': 'text/html'}, '<h1>Bad Gateway</h1>')
        self.refused('by-42', 'unavailable', '/42/v2/me: it answered 502; try again later')

        def hang_up(handler):
            handler.close_connection = True
            handler.connection.close()
        self.peer.faults['/42/v2/me'] = hang_up
        self.refused('by-42', 'unavailable', 'connection closed|reset')

    def test_one_that_takes_too_long(self):
        def wait(handler):
            self.peer.stop.wait(60)
            handler.close_connection = True
        self.peer.faults['/gitlab/api/v4/user'] = wait
        begun = time.monotonic()
        self.refused('by-gitlab', 'unavailable', '/gitlab/api/v4/user: ')
        self.assertGreater(time.monotonic() - begun, 9)

    def test_one_that_was_asked_too_often(self):
        self.peer.faults['/42/v2/me'] = (429, {'Retry-After': '37'}, '429 Too Many Requests (Spam Rate Limit Exceeded)')
        self.refused('by-42', 'busy', 'asked too often; try again in 37 s')
        self.peer.faults['/github/user'] = (403, {'Retry-After': '60'}, {'message': 'You have exceeded a secondary rate limit.'})
        self.refused('by-github', 'busy', 'try again in 60 s')

    def test_nonsense(self):
        token = '/gitlab/oauth/token'
        for body in ('<html>Sign in</html>', '', '[]', 'null', '{"access_token": 5}', '{"access_token": "a\\nb"}',
                     '[' * 5000, '\0\xff'):
            self.peer.faults[token] = (200, {}, body)
            browser, at = self.through('by-gitlab')
            self.assertIn(at, ('/projects?error=nonsense', '/projects?error=refused'), body[:40])
            self.assertIsNone(browser.user())
        del self.peer.faults[token]
        for body in ('[]', '{}', '{"id": null}', '{"id": {"a": 1}}', '{"id": true}', '{"id": ""}', '{"id": 1.5}'):
            self.peer.faults['/gitlab/api/v4/user'] = (200, {}, body)
            self.refused('by-gitlab', 'refused', 'the provider gave no id')

    def test_answers_without_end(self):
        self.peer.faults['/42/v2/me'] = (200, {}, '{"id": 74, "login": "' + 'x' * (1 << 20) + '"}')
        self.refused('by-42', 'nonsense', 'reply of more than 524288 bytes')

        def endless(handler):
            handler.send_response(200)
            handler.send_header('Transfer-Encoding', 'chunked')
            handler.end_headers()
            with contextlib.suppress(OSError):
                while not self.peer.stop.is_set():
                    handler.wfile.write(b'1000\r\n' + b' ' * 4096 + b'\r\n')
            handler.close_connection = True
        self.peer.faults['/42/v2/me'] = endless
        self.refused('by-42', 'nonsense', 'reply of more than')

    def test_redirects_are_not_followed(self):
        for path in ('/gitlab/oauth/token', '/gitlab/api/v4/user'):
            before = len(self.peer.asked)
            self.peer.faults = {path: (302, {'Location': f'{self.peer.origin}/elsewhere'}, '')}
            self.refused('by-gitlab', 'misconfigured', 'redirects are not followed')
            self.assertNotIn('/elsewhere', [asked[0] for asked in self.peer.asked[before:]])

    def test_scopes_that_are_too_few(self):
        self.refused('poor', 'misconfigured', '/gitlab/api/v4/user: it answered 403: .*scopes')

    def test_linking_and_what_can_go_wrong_with_it(self):
        ada, eve = Browser(self.serve), Browser(self.serve)
        for name, browser in (('ada', ada), ('eve', eve)):
            self.assertEqual(self.root.ask('POST', '/users', {'name': name, 'role': 'viewer', 'password': PASSWORD}).status, 201)
            self.assertEqual(browser.sign_in(name, PASSWORD).status, 200)
        back = fetch(self.begin('linked', ada, '&link=1')).headers['Location']
        self.assertEqual(self.finish(ada, back), '/projects')
        self.assertEqual(ada.user()['providers'], ['linked'])
        self.assertEqual(self.through('linked')[0].user()['name'], 'ada')
        # The same identity for another account, with the default page; she stays who she is.
        begun = eve.ask('GET', '/auth/linked/start?link=1', headers={'Sec-Fetch-Site': 'same-origin'})
        back = fetch(begun.headers['Location']).headers['Location']
        self.assertEqual(self.finish(eve, back), '/settings?error=taken')
        self.assertEqual((eve.user()['name'], eve.user()['providers']), ('eve', []))
        # A page elsewhere cannot begin it, nor can who is nobody.
        for headers in ({'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate'},
                        {'Sec-Fetch-Site': 'same-site', 'Sec-Fetch-Mode': 'navigate'}, {}):
            self.assertEqual(eve.ask('GET', '/auth/linked/start?link=1', headers=headers).status, 403, headers)
        self.assertEqual(Browser(self.serve).ask('GET', '/auth/linked/start?link=1').status, 403)

    def identities(self, browser, of='/me'):
        answer = browser.ask('GET', f'{of}/identities')
        self.assertEqual(answer.status, 200, answer.text)
        return json.loads(answer.body)['items']

    def link(self, provider, browser):
        back = fetch(self.begin(provider, browser, '&link=1')).headers['Location']
        self.assertEqual(self.finish(browser, back), '/projects')

    def test_unlinking_ends_signing_in_by_it_and_nothing_else(self):
        ida, eva = Browser(self.serve), Browser(self.serve)
        for name, browser in (('ida', ida), ('eva', eva)):
            self.assertEqual(self.root.ask('POST', '/users', {'name': name, 'role': 'viewer', 'password': PASSWORD}).status, 201)
            self.assertEqual(browser.sign_in(name, PASSWORD).status, 200)
        before = time.time() * 1000
        self.link('unlinked', ida)
        [linked] = self.identities(ida)
        self.assertEqual([linked[key] for key in ('provider', 'providerName', 'enabled', 'name')], ['unlinked', 'gitlab', True, 'tanuki'])
        self.assertLess(abs(linked['createdAt'] - before), 60_000)
        other, _ = self.through('unlinked')
        self.assertEqual(other.user()['name'], 'ida')
        # Only its own user may, with a session, and from berth's own pages.
        path = f'/me/identities/{linked["id"]}'
        self.assertEqual(eva.ask('DELETE', path).status, 404)
        self.assertEqual(ida.ask('DELETE', path, headers={'Origin': 'https://evil.example'}).status, 403)
        token = json.loads(ida.ask('POST', '/me/tokens', {'name': 'all', 'scopes': ['self']}).body)['token']
        self.assertEqual(Browser(self.serve).ask('DELETE', path, headers={'Authorization': f'Bearer {token}'}).status, 403)
        self.assertEqual(len(self.identities(ida)), 1)
        self.assertEqual(ida.ask('DELETE', path).status, 204)
        self.assertEqual((self.identities(ida), ida.user()['providers']), ([], []))
        self.refused('unlinked', 'nobody', 'nobody here is linked')
        self.assertEqual(other.user()['name'], 'ida', 'the session that it opened goes on')
        entry = json.loads(self.root.ask('GET', '/audit?verb=identity.unlink&subject=user:ida&decision=allowed').body)['items'][0]
        self.assertEqual((entry['name'], entry['difference']), ('ida', {'provider': 'unlinked'}))
        self.link('unlinked', eva)  # it is nobody's, so that another account may have it
        self.assertEqual(eva.ask('DELETE', f'/me/identities/{self.identities(eva)[0]["id"]}').status, 204)

    def test_unlinking_the_last_way_in_is_for_admins(self):
        browser, _ = self.through('only')
        user = browser.user()
        [only] = self.identities(browser)
        refused = browser.ask('DELETE', f'/me/identities/{only["id"]}')
        self.assertEqual(refused.status, 409, refused.text)
        self.assertIn('Only is the only way to sign in to this account; add a passkey, link another provider, or have',
                      json.loads(refused.body)['message'])
        self.assertEqual(self.through('only')[0].user()['id'], user['id'])
        # Beside another one it is not the last.
        self.link('unlinked', browser)
        self.assertEqual(browser.ask('DELETE', f'/me/identities/{only["id"]}').status, 204)
        [left] = self.identities(browser)
        self.assertEqual(browser.ask('DELETE', f'/me/identities/{left["id"]}').status, 409)
        of = f'/users/{user["id"]}'
        self.assertEqual(browser.ask('DELETE', f'{of}/identities/{left["id"]}').status, 403, 'a viewer administers nobody')
        self.assertEqual(self.identities(self.root, of), [left])
        self.assertEqual(self.root.ask('DELETE', f'{of}/identities/{left["id"]}').status, 204)
        self.assertEqual(self.identities(self.root, of), [])
        self.assertEqual(self.root.ask('DELETE', f'{of}/identities/{left["id"]}').status, 404)
        self.assertEqual(browser.user()['id'], user['id'], 'who is signed in stays so')
        self.refused('unlinked', 'nobody', 'nobody here is linked')

    def test_z_no_secret_is_anywhere(self):
        """Last: of all that happened above."""
        written = self.root.ask('GET', '/audit?limit=1000').text + self.serve.log.read_text(errors='replace')
        self.assertIn(CLIENT, written)
        codes = [f'code-{number}"' for number in range(3)]
        for secret in (SECRET, 'another secret', 'gho_16C7', 'token-GitLab', 'token-FortyTwo', 'spent-', *codes):
            self.assertNotIn(secret, written)
        self.assertTrue(json.loads(self.root.ask('GET', '/audit/verify').body)['ok'])


if __name__ == '__main__':
    unittest.main()
