"""Signing in with Kerberos tickets: a KDC of the test's own with two realms, kinit, and curl --negotiate."""
import base64
import hmac
import http.server
import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import tempfile
import threading
import time
import unittest

from identity import HOST, PASSWORD, REALM, SERVICE, Browser, Directory, Realm, add_provider, started, trusted
from serve_test import role_pid
from support import engine, fetch, must, wait_until

OTHER = 'OTHER.TEST'


class Catch(http.server.BaseHTTPRequestHandler):
    """Takes the Authorization of one request, as whoever stands between a client and berth might."""

    def do_POST(self):
        self.server.caught = self.headers.get('Authorization', '')
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


class KerberosTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        engine()
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix='berth-krb-'))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.realm, cls.other = Realm(cls, cls.folder), Realm(cls, cls.folder, OTHER)
        for name in ('lena', 'olga', 'nobody', 'lena/admin'):
            cls.realm.add(f'{name}@{REALM}', f'{name}-ticket')
        cls.other.add(f'lena@{OTHER}', 'lena-ticket')
        for realm in (cls.realm, cls.other):
            realm.add(f'krbtgt/{REALM}@{OTHER}', 'trust between the two')
        for service in (SERVICE, f'host/{HOST}@{REALM}'):
            cls.realm.add(service)
        keytab = cls.folder / 'berth.keytab'
        cls.realm.keytab(keytab, SERVICE, f'host/{HOST}@{REALM}')
        # Its own file: what clocks may differ by is less in one test.
        cls.config = cls.folder / 'serve.conf'
        cls.config.write_text('[libdefaults]\nclockskew = 300\n')
        cls.serve = started(cls, env={'KRB5_CONFIG': str(cls.config)})
        shutil.copy(keytab, cls.serve.data / 'berth.keytab')
        settings = {'kind': 'kerberos', 'name': 'the realm', 'keytab': str(cls.serve.data / 'berth.keytab'),
                    'principal': SERVICE}
        directory = Directory(cls)
        add_provider(cls.serve, 'directory', Directory.SECRET, directory.search())
        add_provider(cls.serve, 'realm', '', {**settings, 'provision': 'create', 'role': 'viewer'})
        add_provider(cls.serve, 'grouped', '', {**settings, 'directory': 'directory'})
        add_provider(cls.serve, 'closed', '', settings)
        add_provider(cls.serve, 'keyless', '', {**settings, 'keytab': str(cls.folder / 'none')})
        add_provider(cls.serve, 'elsewhere', '', {**settings, 'realm': OTHER, 'provision': 'create'})
        (cls.folder / 'ca.pem').write_text(trusted(cls.serve))

    def setUp(self):
        self.caches = 0

    def ticket(self, name, realm=None, life='1h'):
        self.caches += 1
        return (realm or self.realm).ticket(self.folder / f'{self.id()}-{self.caches}', name, life)

    def curl(self, env, provider='realm', *more, port=None, **fields):
        """(status, headers, body) of a sign-in as programs do it."""
        done = must(subprocess.run(
            ['curl', '-sS', '-i', '--max-time', '60', '--http1.1', '--noproxy', '*', '--cacert', self.folder / 'ca.pem',
             '--negotiate', '-u', ':', '--resolve', f'{HOST}:{port or self.serve.websecure}:127.0.0.1', *more,
             '-H', f'Origin: https://{HOST}:{self.serve.websecure}', '--json', json.dumps({'provider': provider, **fields}),
             f'{"http" if port else "https"}://{HOST}:{port or self.serve.websecure}/api/v1/session/negotiate'],
            env=env, capture_output=True, text=True, timeout=90))
        # Without a ticket curl asks once more: the last answer counts.
        head, _, body = done.stdout.rpartition('\n\n')
        head = head.rpartition('\n\n')[2]
        lines = head.split('\n')
        return int(lines[0].split()[1]), [line.split(': ', 1) for line in lines[1:]], body

    def caught(self, env, *more):
        """The Authorization that a client with this ticket sends to somebody else."""
        server = http.server.HTTPServer(('127.0.0.1', 0), Catch)
        self.addCleanup(server.server_close)
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        self.curl(env, 'realm', *more, port=server.server_port)
        thread.join(30)
        self.assertRegex(server.caught, '^Negotiate .{100}')
        return server.caught

    def send(self, authorization, provider='realm'):
        browser = Browser(self.serve)
        return browser, browser.ask('POST', '/session/negotiate', {'provider': provider}, {'Authorization': authorization})

    def refused(self, answer, why):
        """401, a challenge, no cookie; the audit says why."""
        status, headers, body = answer
        self.assertEqual(status, 401, body)
        self.assertIn(['WWW-Authenticate', 'Negotiate'], headers)
        self.assertNotIn('Set-Cookie', [name for name, _ in headers])
        entries = json.loads(self.root().ask('GET', '/audit?decision=denied&limit=5').body)['items']
        self.assertRegex(json.dumps(entries[0]), why)

    def root(self):
        if not hasattr(KerberosTest, 'admin'):
            KerberosTest.admin = Browser(self.serve)
            self.assertEqual(self.admin.sign_in('root', PASSWORD).status, 200)
        return self.admin

    def plain(self, response):
        return response.status, [list(pair) for pair in response.headers.items()], response.text

    def test_a_ticket_signs_in_and_the_server_proves_itself(self):
        status, headers, body = self.curl(self.ticket('lena'))
        self.assertEqual(status, 200, body)
        user = json.loads(body)['user']
        self.assertEqual((user['name'], user['role']), ('lena', 'viewer'))
        found = dict(map(tuple, headers))
        self.assertRegex(found['Set-Cookie'], '^__Host-berth=')
        # An AP-REP within the NegTokenResp: its first bytes are of SPNEGO.
        answer = base64.b64decode(found['WWW-Authenticate'].split()[1])
        self.assertEqual(answer[0], 0xa1)
        self.assertGreater(len(answer), 40)
        again = json.loads(self.curl(self.ticket('lena'))[2])['user']
        self.assertEqual(again['id'], user['id'])
        self.assertEqual(json.loads(self.root().ask('GET', '/audit/verify').body)['ok'], True)

    def test_groups_are_of_the_directory(self):
        roles = {}
        for name in ('lena', 'olga'):
            status, _, body = self.curl(self.ticket(name), 'grouped')
            self.assertEqual(status, 200, body)
            roles[name] = json.loads(body)['user']['role']
        self.assertEqual(roles, {'lena': 'developer', 'olga': 'operator'})
        # It is the account that the directory's password leads to.
        by_ticket = json.loads(body)['user']['id']
        browser = Browser(self.serve)
        self.assertEqual(browser.sign_in('olga', 'olga-password', provider='directory').status, 200)
        self.assertEqual(browser.user()['id'], by_ticket)
        self.refused(self.curl(self.ticket('nobody'), 'grouped'), 'not exactly one entry')

    def test_only_who_is_known_where_none_are_made(self):
        self.refused(self.curl(self.ticket('olga'), 'closed'), 'denied')

    def test_without_a_ticket_it_is_asked_for(self):
        env = {**self.realm.env, 'KRB5CCNAME': f'FILE:{self.folder}/no-such-cache'}
        status, headers, body = self.curl(env)
        self.assertEqual(status, 401, body)
        self.assertIn(['WWW-Authenticate', 'Negotiate'], headers)
        self.assertIn('a Kerberos ticket is needed', body)

    def test_users_of_a_realm_that_is_trusted_by_the_kdc_are_none_of_ours(self):
        env = self.ticket('lena', self.other)
        self.refused(self.curl(env), 'another realm')
        status, _, body = self.curl(self.ticket('lena', self.other), 'elsewhere')
        self.assertEqual(status, 200, body)
        self.refused(self.curl(self.ticket('lena'), 'elsewhere'), 'another realm')

    def test_principals_with_instances_are_no_users(self):
        self.refused(self.curl(self.ticket('lena/admin')), "no user's")

    def test_a_ticket_for_another_service_of_the_same_keytab_is_refused(self):
        self.refused(self.curl(self.ticket('lena'), 'realm', '--service-name', 'host'), 'kerberos: ')

    def test_a_token_counts_once(self):
        token = self.caught(self.ticket('lena'))
        browser, first = self.send(token)
        self.assertEqual(first.status, 200, first.text)
        self.assertEqual(browser.user()['name'], 'lena')
        self.refused(self.plain(self.send(token)[1]), '(?i)replay')
        self.refused(self.plain(self.send(token, 'grouped')[1]), '(?i)replay')
        # The same ticket with a new authenticator is another token; a changed one is none.
        other = self.caught(self.ticket('lena'))
        broken = bytearray(base64.b64decode(other.split()[1]))
        broken[-20] ^= 1
        self.refused(self.plain(self.send('Negotiate ' + base64.b64encode(broken).decode())[1]), 'kerberos: ')
        self.assertEqual(self.send(other)[1].status, 200)

    def test_the_replay_cache_survives_core(self):
        token = self.caught(self.ticket('olga'))
        self.assertEqual(self.send(token)[1].status, 200)
        self.assertEqual((self.serve.data / 'kerberos.replays').stat().st_mode & 0o777, 0o600)
        pid = role_pid(self.serve, 'core')
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: role_pid(self.serve, 'core') not in (None, pid), 30, 'core to be started again')
        wait_until(lambda: Browser(self.serve).ask('GET', '/session').status == 200, 30, 'the API')
        self.refused(self.plain(self.send(token)[1]), '(?i)replay')

    def test_a_ticket_that_has_expired_is_refused(self):
        fresh = self.caught(self.ticket('lena'))
        token = self.caught(self.ticket('lena', life='1s'))
        text = self.config.read_text()
        self.addCleanup(self.config.write_text, text)
        self.config.write_text(text.replace('300', '2'))
        time.sleep(4)  # the ticket's second, and what clocks may differ by
        self.refused(self.plain(self.send(token)[1]), '(?i)expired')
        self.config.write_text(text)
        self.assertEqual(self.send(fresh)[1].status, 200)

    def test_what_is_no_token_is_refused(self):
        ntlm = base64.b64encode(b'NTLMSSP\0\1\0\0\0' + bytes(24)).decode()
        for text in ('!!!!', 'AAAA', ntlm, base64.b64encode(os.urandom(500)).decode(), base64.b64encode(b'\x60' * 3000).decode()):
            _, answer = self.send(f'Negotiate {text}')
            self.assertEqual(answer.status, 401, text)
            self.assertEqual(answer.headers['WWW-Authenticate'], 'Negotiate')
        self.assertEqual(self.send('Bearer berth_x')[1].status, 401)
        self.assertEqual(Browser(self.serve).ask('GET', '/users', headers={'Authorization': 'Negotiate AAAA'}).status, 401)

    def test_changes_from_elsewhere_are_refused(self):
        token = self.caught(self.ticket('lena'))
        answer = Browser(self.serve).ask('POST', '/session/negotiate', {'provider': 'realm'},
                                         {'Authorization': token, 'Origin': 'https://evil.example'})
        self.assertEqual(answer.status, 403)
        plain = fetch(f'http://{HOST}:{self.serve.web}/api/v1/session/negotiate', method='POST',
                      headers={'Authorization': token, 'Content-Type': 'application/json'}, body=b'{"provider":"realm"}')
        self.assertNotEqual(plain.status, 200)
        self.assertIsNone(plain.headers['Set-Cookie'])

    def test_a_keytab_that_is_not_there_is_told(self):
        status, _, body = self.curl(self.ticket('lena'), 'keyless')
        self.assertEqual(status, 503, body)
        self.assertEqual(self.curl(self.ticket('lena'), 'unknown')[0], 404)
        self.assertEqual(self.curl(self.ticket('lena'), 'directory')[0], 404)

    def test_the_providers_are_offered(self):
        kerberos = json.loads(Browser(self.serve).ask('GET', '/session').body)['methods']['kerberos']
        self.assertIn({'id': 'realm', 'name': 'the realm'}, kerberos)

    def test_a_second_factor_is_asked_for(self):
        browser, answer = self.send(self.caught(self.ticket('nobody')))
        self.assertEqual(answer.status, 200, answer.text)
        secret = json.loads(browser.ask('POST', '/me/totp').body)['secret']
        key = base64.b32decode(secret + '=' * (-len(secret) % 8))
        mac = hmac.digest(key, struct.pack('>Q', int(time.time()) // 30), 'sha1')
        code = (struct.unpack('>I', mac[mac[-1] & 15:][:4])[0] & 0x7fffffff) % 1_000_000
        confirmed = browser.ask('POST', '/me/totp/confirm', {'code': f'{code:06}'})
        self.assertEqual(confirmed.status, 200, confirmed.text)
        recovery = json.loads(confirmed.body)['recoveryCodes'][0]
        status, _, body = self.curl(self.ticket('nobody'))
        self.assertEqual((status, json.loads(body)['code']), (401, 'totp_required'))
        self.assertEqual(self.curl(self.ticket('nobody'), recoveryCode='x' * 10)[0], 401)
        self.assertEqual(self.curl(self.ticket('nobody'), recoveryCode=recovery)[0], 200)


if __name__ == '__main__':
    unittest.main()
