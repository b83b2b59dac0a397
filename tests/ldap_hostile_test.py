"""What must not sign in by LDAP: names that are syntax, at slapd; answers of a directory that is broken or lies.

Each try comes from an address of its own (127.x.y.z), since one client may try thirty times in five minutes.
"""
import http.client
import json
import socket
import time
import unittest

from identity import HOST, Directory, add_provider, started, trusted
from ldap_peer import BIND, BOUND, DONE, EXTENDED, EXTENDED_DONE, SEARCH, UNBIND, Peer, entry, result
from support import engine, tls_context

GOOD = entry('uid=lena,ou=people', entryUUID=['1-2-3'], uid=['lena'], memberOf=['cn=staff,ou=groups,dc=example,dc=test'])
FINE, FOUND = [result(BOUND, 0)], [GOOD, result(DONE, 0)]


def found(*answers):
    """The search gives these; every bind works."""
    return lambda tag, binds: FINE if tag == BIND else [*answers]


def own_bind(answers):
    """The searching bind works, one entry is found, and the user's own bind gives these (or raw bytes, or None)."""
    return lambda tag, binds: FOUND if tag == SEARCH else FINE if binds % 2 else answers


def bound(code):
    return own_bind([result(BOUND, code)])


REFERRAL = result(DONE, 10, '', '', b'\xa3\x1c\x04\x1aldap://127.0.0.1:1/dc=other')
# what: (the peer's script, the status)
LIES = {
    'nothing is found': (found(result(DONE, 0)), 401),
    'two entries': (found(GOOD, GOOD, result(DONE, 0)), 401),
    'three entries and the limit': (found(GOOD, GOOD, GOOD, result(DONE, 4)), 401),
    'no such base': (found(result(DONE, 32)), 401),
    'the search is a referral': (found(REFERRAL), 503),
    'a continuation and nothing else': (found(b'\x73\x1c\x04\x1aldap://127.0.0.1:1/dc=other', result(DONE, 0)), 401),
    'the search is not allowed': (found(result(DONE, 50)), 503),
    'the search fails after an entry': (found(GOOD, result(DONE, 1)), 503),
    'busy': (found(result(DONE, 51)), 503),
    'an entry without the subject': (found(entry('uid=lena', uid=['lena']), result(DONE, 0)), 401),
    'an entry with two subjects': (found(entry('uid=lena', entryUUID=['a', 'b'], uid=['lena']), result(DONE, 0)), 401),
    'an empty subject': (found(entry('uid=lena', entryUUID=[''], uid=['lena']), result(DONE, 0)), 401),
    'a subject that is too long': (found(entry('uid=lena', entryUUID=['x' * 300], uid=['lena']), result(DONE, 0)), 401),
    # Its bind would be an anonymous one.
    'an entry without a name of its own': (found(entry('', entryUUID=['1'], uid=['lena']), result(DONE, 0)), 401),
    'invalid credentials': (bound(49), 401),
    'no such object at the bind': (bound(32), 401),
    'unwilling (a locked account)': (bound(53), 401),
    'inappropriate authentication': (bound(48), 401),
    'a bind that goes on (SASL)': (bound(14), 503),
    'a bind that is a referral': (bound(10), 503),
    'stronger authentication is needed': (bound(8), 503),
    'confidentiality is needed': (bound(13), 503),
    'an entry instead of an answer': (own_bind([GOOD]), 503),
    'hanging up at the bind': (own_bind(None), 503),
    'rubbish at the bind': (own_bind(b'\x30\x84\xff\xff\xff\xff' + b'A' * 64), 503),
    'an answer to message 0': (own_bind(b'\x30\x0c\x02\x01\x00\x61\x07\x0a\x01\x00\x04\x00\x04\x00'), 503),
    'the searching bind is refused': (lambda tag, binds: [result(BOUND, 49)], 503),
}
NAMES = ['*', 'len*', 'l*na', 'lena)(uid=*', 'lena)(|(uid=*', '*)(uid=*', '(uid=lena)', ')(', '\\6cena', 'lena\\', 'lena\0', 'lena\n',
         ' lena', 'lena ', 'le  na', 'lena,ou=people', 'lena+cn=Lena', '"lena"', '#6c656e61', 'lena;', '<lena>', 'uid=lena',
         'lena,ou=people,dc=example,dc=test', '', 'x' * 300, 'l\u0113na', '\ufeffena']


class LdapHostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        engine()
        cls.directory = Directory(cls)
        cls.serve = started(cls)
        folder = cls.directory.folder
        cls.peer = Peer(cls, folder / 'ca.pem', folder / 'key.pem')
        cls.open_peer = Peer(cls, folder / 'ca.pem', folder / 'key.pem', secure=False)
        other = cls.directory.certificate('other', 'other-key')
        wrong = cls.directory.certificate('wrong', 'wrong-key', 'IP:127.0.0.2')
        cls.misnamed = Peer(cls, folder / 'wrong.pem', folder / 'wrong-key.pem')
        for name, settings in {
                'search': cls.directory.search(),
                'direct': cls.directory.settings(userDn='uid={name},ou=people,dc=example,dc=test'),
                'peer': cls.directory.search(url=f'ldaps://127.0.0.1:{cls.peer.port}'),
                'peer-starttls': cls.directory.search(url=f'ldap://127.0.0.1:{cls.open_peer.port}'),
                'peer-plain': cls.directory.search(url=f'ldaps://127.0.0.1:{cls.open_peer.port}'),
                'misnamed': cls.directory.search(url=f'ldaps://127.0.0.1:{cls.misnamed.port}', ca=wrong),
                'other-ca': cls.directory.search(ca=other)}.items():
            add_provider(cls.serve, name, Directory.SECRET, settings)
        cls.client, cls.count = 0, 0

    @classmethod
    def tearDownClass(cls):
        print(f'ldap: {cls.count} hostile names, passwords and answers, 0 let in', flush=True)

    def sign_in(self, provider, name, password):
        """(status, whether there is a cookie) from an address that has not tried yet."""
        cls = LdapHostile
        cls.client += 1
        raw = socket.create_connection(('127.0.0.1', self.serve.websecure), 20,
                                       (f'127.7.{cls.client // 250}.{cls.client % 250 + 1}', 0))
        connection = http.client.HTTPConnection(HOST, timeout=60)
        connection.sock = tls_context(trusted(self.serve)).wrap_socket(raw, server_hostname=HOST)
        origin = f'https://{HOST}:{self.serve.websecure}'
        connection.request('POST', '/api/v1/session', json.dumps({'provider': provider, 'name': name, 'password': password}),
                           {'Host': origin[8:], 'Origin': origin, 'Content-Type': 'application/json'})
        with connection.getresponse() as response:
            response.read()
            return response.status, response.headers['Set-Cookie'] is not None

    def out(self, provider, name, password, *statuses):
        LdapHostile.count += 1
        status, cookie = self.sign_in(provider, name, password)
        self.assertFalse(cookie)
        self.assertIn(status, statuses)

    def test_names_that_are_syntax_are_names(self):
        for provider in ('search', 'direct'):
            self.assertEqual(self.sign_in(provider, 'lena', 'lena-password'), (200, True))
            for name in NAMES:
                with self.subTest(provider=provider, name=name):
                    self.out(provider, name, 'lena-password', 400, 401)

    def test_passwords_that_are_none(self):
        for provider in ('search', 'direct'):
            for password in ('', '\0', 'lena-password\0', '\0lena-password', 'LENA-PASSWORD', 'lena-password ', 'olga-password',
                             'admin-password', 'x' * 1025):
                with self.subTest(provider=provider, password=password):
                    self.out(provider, 'lena', password, 400, 401)

    def test_answers_that_lie(self):
        self.peer.script = lambda tag, binds: FOUND if tag == SEARCH else FINE
        self.assertEqual(self.sign_in('peer', 'lena', 'any'), (200, True), 'the peer itself works')
        for what, (script, status) in LIES.items():
            with self.subTest(what=what):
                self.peer.script, self.peer.binds = script, 0
                self.out('peer', 'lena', 'lena-password', status)

    def test_an_empty_password_is_not_sent(self):
        self.peer.script, self.peer.asked = (lambda tag, binds: FOUND if tag == SEARCH else FINE), []
        self.out('peer', 'lena', '', 400, 401)
        self.assertEqual(self.peer.asked, [])

    def test_without_tls_that_holds_nothing_is_asked(self):
        secret = Directory.SECRET.encode()
        for what, script in {
                'StartTLS is refused': lambda tag, binds: [result(EXTENDED_DONE, 2)],
                'StartTLS is not supported': lambda tag, binds: [result(EXTENDED_DONE, 53)],
                'StartTLS and then no TLS': lambda tag, binds: [result(EXTENDED_DONE, 0)],
                'hanging up': lambda tag, binds: None}.items():
            with self.subTest(what=what):
                self.open_peer.script, self.open_peer.asked = script, []
                self.out('peer-starttls', 'lena', 'lena-password', 503)
                self.assertEqual({tag for tag, _ in self.open_peer.asked} - {EXTENDED, UNBIND}, set())
                self.assertNotIn(secret, b''.join(body for _, body in self.open_peer.asked))
        self.misnamed.script = lambda tag, binds: FOUND if tag == SEARCH else FINE
        for provider in ('misnamed', 'other-ca', 'peer-plain'):
            with self.subTest(provider=provider):
                self.out(provider, 'lena', 'lena-password', 503)
        self.assertEqual(self.misnamed.asked, [])

    def test_a_directory_that_says_nothing_ends_in_time(self):
        self.peer.script = lambda tag, binds: []
        start = time.monotonic()
        self.out('peer', 'lena', 'lena-password', 503)
        self.assertLess(time.monotonic() - start, 40)


if __name__ == '__main__':
    unittest.main()
