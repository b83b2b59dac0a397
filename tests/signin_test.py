"""Signing in to `berth serve` through its edge: the setup link, passwords, OpenID Connect, LDAP, tokens, the commands."""
import json
import unittest
import urllib.parse

from identity import HOST, PASSWORD, Agent, Browser, Company, Directory, add_provider, callback, command, started
from support import Serve, berth, engine, must, wait_until


def setUpModule():
    engine()


class SigninTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.serve = Serve()
        cls.addClassCleanup(cls.serve.stop)
        wait_until(lambda: (cls.serve.data / 'api.sock').exists(), 30, 'the API to listen')
        cls.link = command(cls.serve, 'setup-token')
        cls.token = cls.link.split('#')[1]
        wait_until(lambda: Browser(cls.serve).ask('GET', '/session').status == 200, 30, 'the platform to answer')
        cls.setup = Browser(cls.serve)
        wrong = cls.setup.ask('POST', '/setup', {'token': 'x' * 43, 'name': 'ada', 'password': PASSWORD})
        made = cls.setup.ask('POST', '/setup', {'token': cls.token, 'name': 'ada', 'password': PASSWORD})
        cls.wrong, cls.made = wrong, made
        if made.status != 201:
            raise AssertionError(f'setup: {made.status} {made.text}\n{cls.serve.log.read_text(errors="replace")}')

    def browser(self, name='ada', password=PASSWORD):
        browser = Browser(self.serve)
        answer = browser.sign_in(name, password)
        self.assertEqual(answer.status, 200, answer.text)
        return browser

    def test_the_setup_link_makes_one_admin(self):
        self.assertEqual(self.wrong.status, 403)
        self.assertEqual(self.setup.user()['role'], 'admin')
        again = Browser(self.serve).ask('POST', '/setup', {'token': self.token, 'name': 'eve', 'password': PASSWORD})
        self.assertEqual(again.status, 409)
        self.assertRegex(self.link, rf'^https://{HOST}/setup#[\w-]{{43}}$')
        log = self.serve.log.read_text(errors='replace')
        self.assertNotIn(self.token, log)
        self.assertEqual(must(berth('setup-token', '--data', self.serve.data), 1).stdout, '')

    def test_the_cookie_is_host_only(self):
        browser = Browser(self.serve)
        answer = browser.sign_in('ada', PASSWORD)
        line = answer.headers['Set-Cookie']
        self.assertRegex(line, r'^__Host-berth=[\w-]{43}; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=2592000$')

    def test_changes_from_elsewhere_are_refused(self):
        browser = self.browser()
        for origin in ('https://evil.example', 'null', f'https://sub.{HOST}', f'http://{HOST}'):
            answer = browser.ask('POST', '/me/totp', headers={'Origin': origin})
            self.assertEqual(answer.status, 403, origin)
        cookie = browser.jar['__Host-berth']
        planted = browser.ask('GET', '/me/sessions', headers={'Cookie': f'__Host-berth={"a" * 43}; __Host-berth={cookie}'})
        self.assertEqual(planted.status, 401)

    def test_signing_in_again_and_out(self):
        browser = self.browser()
        first = dict(browser.jar)
        self.assertEqual(browser.sign_in('ada', PASSWORD).status, 200)
        self.assertNotEqual(browser.jar, first)
        old = Browser(self.serve)
        old.jar = first
        self.assertIsNone(old.user())
        kept = dict(browser.jar)
        self.assertEqual(browser.ask('DELETE', '/session').status, 204)
        self.assertEqual(browser.jar, {})
        browser.jar = kept
        self.assertIsNone(browser.user())

    def test_users_by_command_and_what_they_may(self):
        command(self.serve, 'user', 'create', 'vera', '--password-stdin', stdin=PASSWORD + '\n')
        vera = self.browser('vera')
        self.assertEqual(vera.user()['role'], 'viewer')
        for path in ('/users', '/audit', '/providers'):
            self.assertEqual(vera.ask('GET', path).status, 403, path)
        self.assertEqual(vera.ask('POST', '/users', {'name': 'x', 'role': 'admin'}).status, 403)
        command(self.serve, 'user', 'role', 'vera', 'operator')
        self.assertIsNone(vera.user(), 'a change of role ends the sessions')
        command(self.serve, 'user', 'disable', 'vera')
        self.assertEqual(Browser(self.serve).sign_in('vera', PASSWORD).status, 401)
        self.assertIn('vera', command(self.serve, 'user', 'list'))
        command(self.serve, 'user', 'remove', 'vera')
        self.assertNotIn('vera', command(self.serve, 'user', 'list', '--format', 'json'))
        made = command(self.serve, 'user', 'create', 'made')
        self.assertEqual(Browser(self.serve).sign_in('made', made).status, 200)
        command(self.serve, 'user', 'disable', 'ada', status=1)

    def test_tokens_by_command(self):
        text = command(self.serve, 'token', 'create', 'ci', '--user', 'ada', '--scopes', 'users')
        self.assertRegex(text, r'^berth_[0-9a-f]{16}_[\w-]{43}$')
        bearer = {'Authorization': f'Bearer {text}'}
        anybody = Browser(self.serve)
        self.assertEqual(anybody.ask('GET', '/users', headers=bearer).status, 200)
        self.assertEqual(anybody.ask('GET', '/audit', headers=bearer).status, 403)
        self.assertEqual(anybody.ask('GET', '/users', headers={'Authorization': f'Bearer {text[:-2]}AA'}).status, 401)
        command(self.serve, 'token', 'revoke', text.split('_')[1], '--user', 'ada')
        self.assertEqual(anybody.ask('GET', '/users', headers=bearer).status, 401)

    def test_a_token_does_not_change_how_its_account_is_signed_in_to(self):
        command(self.serve, 'user', 'create', 'tom', '--password-stdin', stdin=PASSWORD + '\n')
        text = command(self.serve, 'token', 'create', 'own', '--user', 'tom', '--scopes', 'self')
        bearer, anybody = {'Authorization': f'Bearer {text}'}, Browser(self.serve)
        self.assertEqual(anybody.ask('GET', '/me/sessions', headers=bearer).status, 200)
        for method, path, body in (('PUT', '/me/password', {'old': PASSWORD, 'new': 'another long one'}),
                                   ('POST', '/me/totp', None), ('POST', '/me/totp/confirm', {'code': '000000'}),
                                   ('DELETE', '/me/totp', {'code': '000000'})):
            refused = anybody.ask(method, path, body, headers=bearer)
            self.assertEqual(refused.status, 403, path)
            self.assertIn(b'needs a session, not a token', refused.body)
        self.assertEqual(Browser(self.serve).sign_in('tom', PASSWORD).status, 200)

    def test_the_audit_holds_and_tells_no_secret(self):
        browser = self.browser()
        Browser(self.serve).sign_in('ada', 'a password that is wrong')
        verified = json.loads(browser.ask('GET', '/audit/verify').body)
        self.assertTrue(verified['ok'], verified)
        listed = browser.ask('GET', '/audit?limit=1000').text
        for secret in (PASSWORD, 'a password that is wrong', self.token, browser.jar['__Host-berth']):
            self.assertNotIn(secret, listed)
        self.assertIn('"denied"', listed)


class OidcTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.serve = started(cls)
        cls.company = Company(cls, callback(cls.serve, 'company'))
        add_provider(cls.serve, 'company', Company.SECRET, cls.company.settings())

    def begin(self, browser, next_page='/projects'):
        started = browser.ask('GET', f'/auth/company/start?next={urllib.parse.quote(next_page, safe="")}')
        self.assertEqual(started.status, 302, started.text)
        return started.headers['Location']

    def finish(self, browser, url):
        return browser.ask('GET', url[url.index('/', 8):], raw=True)

    def test_a_user_of_the_company_signs_in(self):
        browser = Browser(self.serve)
        self.assertIn({'id': 'company', 'name': 'The company'}, json.loads(browser.ask('GET', '/session').body)['methods']['oidc'])
        back = Agent().sign_in(self.begin(browser), 'alice')
        done = self.finish(browser, back)
        self.assertEqual((done.status, done.headers['Location']), (303, '/projects'), done.text)
        user = browser.user()
        self.assertEqual((user['name'], user['role'], user['projects']), ('alice', 'operator', {'shop': 'developer'}))
        self.assertNotIn('__Host-berth-login', browser.jar)
        again = self.finish(browser, back)
        self.assertIn('error', again.headers['Location'], 'a state counts once')

    def test_an_unverified_mail_and_a_known_name_lead_to_a_new_account(self):
        browser = Browser(self.serve)
        done = self.finish(browser, Agent().sign_in(self.begin(browser), 'bob'))
        self.assertEqual(done.headers['Location'], '/projects')
        user = browser.user()
        self.assertEqual((user['name'], user['role']), ('root-2', 'developer'))

    def test_a_state_belongs_to_its_browser(self):
        victim, attacker = Browser(self.serve), Browser(self.serve)
        back = Agent().sign_in(self.begin(attacker), 'alice')
        self.begin(victim)
        done = self.finish(victim, back)
        self.assertIn('error', done.headers['Location'])
        self.assertIsNone(victim.user())

    def test_an_answer_of_another_issuer_is_refused(self):
        browser = Browser(self.serve)
        back = Agent().sign_in(self.begin(browser), 'alice')
        parts = urllib.parse.urlsplit(back)
        query = dict(urllib.parse.parse_qsl(parts.query))
        self.assertEqual(query['iss'], self.company.issuer)
        query['iss'] = 'https://evil.example'
        done = self.finish(browser, parts._replace(query=urllib.parse.urlencode(query)).geturl())
        self.assertIn('error', done.headers['Location'])
        self.assertIsNone(browser.user())

    def test_the_next_page_is_one_of_ours(self):
        browser = Browser(self.serve)
        done = self.finish(browser, Agent().sign_in(self.begin(browser, '//evil.example'), 'alice'))
        self.assertEqual(done.headers['Location'], '/')


class LdapTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = Directory(cls)
        cls.serve = started(cls)
        uid, url = '(uid={name})', directory.plain_url
        for name, settings in {
                'search': directory.search(),
                'starttls': directory.search(url=url),
                'direct': directory.settings(userDn='uid={name},ou=people,dc=example,dc=test'),
                'mail': directory.search(filter=f'(|(mail={{name}}){uid})'),
                'untrusted': directory.search(ca=''),
                'untrusted-starttls': directory.search(url=url, ca='')}.items():
            add_provider(cls.serve, name, Directory.SECRET, settings)

    def sign_in(self, provider, name, password):
        browser = Browser(self.serve)
        answer = browser.sign_in(name, password, provider=provider)
        return answer, browser

    def test_search_bind_direct_bind_and_starttls(self):
        for provider in ('search', 'direct', 'starttls', 'mail'):
            answer, browser = self.sign_in(provider, 'lena', 'lena-password')
            self.assertEqual(answer.status, 200, f'{provider}: {answer.text}')
            self.assertEqual(browser.user()['role'], 'developer', provider)

    def test_the_list_of_users_says_how_they_sign_in(self):
        self.assertEqual(self.sign_in('search', 'olga', 'olga-password')[0].status, 200)
        root = Browser(self.serve)
        self.assertEqual(root.sign_in('root', PASSWORD).status, 200)
        users = {user['name']: user for user in json.loads(root.ask('GET', '/users').body)['items']}
        self.assertEqual([users['root'][key] for key in ('password', 'totp', 'passkeys', 'providers')], [True, False, 0, []])
        self.assertEqual([users['olga'][key] for key in ('password', 'providers')], [False, ['search']])
        self.assertEqual(json.loads(root.ask('GET', f'/users/{users["olga"]["id"]}').body)['providers'], ['search'])

    def test_wrong_and_empty_passwords_are_refused(self):
        for provider in ('search', 'direct', 'starttls'):
            for password in ('wrong', '', 'LENA-PASSWORD'):
                answer, browser = self.sign_in(provider, 'lena', password)
                self.assertEqual(answer.status, 401, f'{provider} {password!r}: {answer.text}')
                self.assertIsNone(browser.user())

    def test_z_names_that_are_syntax_are_names(self):
        # Last and few: one client may try thirty times in five minutes. The escapes themselves have a unit test.
        for provider, name in [('search', '*'), ('search', 'len*'), ('search', 'lena)(uid=*'), ('search', 'lena)(|(uid=*'),
                               ('search', '\\6cena'), ('mail', '*)(uid=*'), ('mail', '(uid=lena)'), ('mail', 'lena\n'),
                               ('direct', 'lena,ou=people'), ('direct', 'lena+cn=Lena'), ('direct', '\\6cena'),
                               ('direct', ' lena'), ('direct', '"lena"')]:
            answer, browser = self.sign_in(provider, name, 'lena-password')
            self.assertEqual(answer.status, 401, f'{provider} {name!r}: {answer.text}')
            self.assertIsNone(browser.user())

    def test_two_entries_are_none(self):
        answer, _ = self.sign_in('mail', 'lena@example.test', 'lena-password')
        self.assertEqual(answer.status, 401, answer.text)

    def test_a_certificate_that_is_not_trusted_ends_it(self):
        for provider in ('untrusted', 'untrusted-starttls'):
            answer, browser = self.sign_in(provider, 'lena', 'lena-password')
            self.assertEqual(answer.status, 503, answer.text)
            self.assertIsNone(browser.user())


if __name__ == '__main__':
    unittest.main()
