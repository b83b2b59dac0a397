"""Who vouches for users in the tests: an OpenID Connect provider, an LDAP directory, a KDC; and a browser without a screen."""
import http.cookies
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import urllib.parse

from support import ROOT, Serve, accepts, berth, fetch, free_port, must, wait_until

HOST = 'berth.localhost'
PASSWORD = 'correct horse battery'


def trusted(serve):
    """The CA of the serve: asked for once, since it is a process each time."""
    if not hasattr(serve, 'trusted'):
        serve.trusted = serve.ca
    return serve.trusted


class Browser:
    """Keeps the cookies of one origin and asks as the UI would."""

    def __init__(self, serve):
        self.serve, self.jar = serve, {}
        self.origin = f'https://{HOST}:{serve.websecure}'

    def ask(self, method, path, body=None, headers=None, raw=False):
        headers = {'Host': f'{HOST}:{self.serve.websecure}', **(headers or {})}
        if self.jar:
            headers.setdefault('Cookie', '; '.join(f'{name}={value}' for name, value in self.jar.items()))
        if method != 'GET':
            headers.setdefault('Origin', self.origin)
        if body is not None:
            headers['Content-Type'] = 'application/json'
            body = json.dumps(body).encode()
        url = f'{self.origin}{path if raw else "/api/v1" + path}'
        response = fetch(url, ca=trusted(self.serve), method=method, headers=headers, body=body)
        for line in response.headers.get_all('Set-Cookie') or []:
            cookie = http.cookies.SimpleCookie(line)
            for name, morsel in cookie.items():
                self.keep(name, morsel)
        return response

    def keep(self, name, morsel):
        if morsel['max-age'] == '0':
            self.jar.pop(name, None)
        else:
            self.jar[name] = morsel.value

    def sign_in(self, name, password, **more):
        return self.ask('POST', '/session', {'name': name, 'password': password, **more})

    def user(self):
        return json.loads(self.ask('GET', '/session').body)['user']


def command(serve, *words, stdin='', status=0):
    return must(berth(*words, '--data', serve.data, stdin=stdin), status).stdout.strip()


def started(test, admin='root', env=None):
    """A `berth serve` for a test case, with an admin by that name and PASSWORD."""
    serve = Serve(env=env)
    test.addClassCleanup(serve.stop)
    wait_until(lambda: (serve.data / 'api.sock').exists(), 30, 'the API to listen')
    command(serve, 'user', 'create', admin, '--admin', '--password-stdin', stdin=PASSWORD + '\n')
    return serve


def callback(serve, provider):
    return f'https://{HOST}:{serve.websecure}/api/v1/auth/{provider}/callback'


def add_provider(serve, provider, secret, settings):
    file = serve.data / f'{provider}.json'
    file.write_text(json.dumps(settings))
    command(serve, 'provider', 'add', provider, str(file), '--secret-stdin', stdin=secret + '\n')


def background(test, *words, **options):
    """A program for a test case; it ends with it."""
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    test.addClassCleanup(process.wait, 20)
    test.addClassCleanup(process.kill)
    return process


class Agent:
    """A browser at the provider: keeps its cookies, follows nothing by itself."""

    def __init__(self):
        self.jar = {}

    def ask(self, url, form=None):
        headers = {'Cookie': '; '.join(f'{name}={value}' for name, value in self.jar.items())}
        body = None
        if form is not None:
            headers['Content-Type'] = 'application/x-www-form-urlencoded'
            body = urllib.parse.urlencode(form).encode()
        response = fetch(url, method='GET' if form is None else 'POST', headers=headers, body=body)
        for line in response.headers.get_all('Set-Cookie') or []:
            name, _, value = line.split(';')[0].partition('=')
            self.jar[name] = value
        return response

    def sign_in(self, url, name):
        """Through the provider's pages to the address that it sends back to."""
        origin = '/'.join(url.split('/')[:3])
        response = self.ask(url)
        for _ in range(12):
            if response.status in (302, 303):
                to = urllib.parse.urljoin(origin, response.headers['Location'])
                if not to.startswith(origin):
                    return to
                response = self.ask(to)
            else:
                action = urllib.parse.urljoin(origin, re.search(r'action="([^"]+)"', response.text).group(1))
                prompt = re.search(r'name="prompt" value="(\w+)"', response.text).group(1)
                form = {'prompt': prompt, **({'login': name, 'password': 'x'} if prompt == 'login' else {})}
                response = self.ask(action, form)
        raise AssertionError(f'the provider asks on: {response.status} {response.text[:500]}')


class Company:
    """The OpenID Connect provider of signin/provider.mjs, with alice (admins, staff), bob (staff) and carol."""
    SECRET = 's3cret of berth'

    def __init__(self, test, *callbacks):
        self.port = free_port()
        self.issuer = f'http://127.0.0.1:{self.port}'
        background(test, 'node', str(ROOT / 'tests/signin/provider.mjs'), str(self.port), *callbacks)
        wait_until(self.answers, 60, 'the OpenID Connect provider')

    def answers(self):
        try:
            return fetch(f'{self.issuer}/.well-known/openid-configuration').status == 200
        except OSError:
            return False

    def settings(self, **more):
        return {'kind': 'oidc', 'name': 'The company', 'issuer': self.issuer, 'clientId': 'berth', 'provision': 'create',
                'roles': {'admins': 'operator', 'staff': 'developer'}, 'projects': {'staff': {'shop': 'developer'}}, **more}


LDAP_CONFIG = '''include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
pidfile {folder}/pid
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/ca.pem
TLSCertificateKeyFile {folder}/key.pem
database mdb
suffix "dc=example,dc=test"
rootdn "cn=admin,dc=example,dc=test"
rootpw admin-password
directory {folder}/db
overlay memberof
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
'''

LDAP_ENTRIES = '''dn: dc=example,dc=test
objectClass: domain
dc: example

dn: ou=people,dc=example,dc=test
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=example,dc=test
objectClass: organizationalUnit
ou: groups

dn: uid=lena,ou=people,dc=example,dc=test
objectClass: inetOrgPerson
uid: lena
cn: Lena
sn: Lena
mail: lena@example.test
userPassword: lena-password

dn: uid=olga,ou=people,dc=example,dc=test
objectClass: inetOrgPerson
uid: olga
cn: Olga
sn: Olga
userPassword: olga-password

dn: uid=twin,ou=people,dc=example,dc=test
objectClass: inetOrgPerson
uid: twin
cn: Twin
sn: Twin
mail: lena@example.test
userPassword: twin-password

dn: cn=staff,ou=groups,dc=example,dc=test
objectClass: groupOfNames
cn: staff
member: uid=lena,ou=people,dc=example,dc=test

dn: cn=operators,ou=groups,dc=example,dc=test
objectClass: groupOfNames
cn: operators
member: uid=olga,ou=people,dc=example,dc=test
'''


class Directory:
    """slapd with lena (staff), olga (operators) and twin (no group); each one's password is `<name>-password`."""
    SECRET = 'admin-password'
    ADMIN = 'cn=admin,dc=example,dc=test'

    def __init__(self, test):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='berth-ldap-'))
        test.addClassCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        (self.folder / 'db').mkdir()
        (self.folder / 'slapd.conf').write_text(LDAP_CONFIG.format(folder=self.folder))
        self.ca = self.certificate('ca', 'key')
        self.plain, self.tls = free_port(), free_port()
        background(test, 'slapd', '-d', '0', '-f', str(self.folder / 'slapd.conf'), '-h', f'{self.plain_url} {self.tls_url}',
                   env={**os.environ, 'PATH': os.environ['PATH'] + ':/usr/sbin'})
        wait_until(lambda: self.add('').returncode == 0, 30, 'slapd')
        must(self.add(LDAP_ENTRIES))

    @property
    def plain_url(self):
        return f'ldap://127.0.0.1:{self.plain}'

    @property
    def tls_url(self):
        return f'ldaps://127.0.0.1:{self.tls}'

    def certificate(self, name, key, subject='IP:127.0.0.1'):
        """Makes a self-signed one for an address; its PEM."""
        must(subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=directory',
                             '-addext', f'subjectAltName={subject}', '-keyout', self.folder / f'{key}.pem',
                             '-out', self.folder / f'{name}.pem'], capture_output=True, text=True, timeout=60))
        return (self.folder / f'{name}.pem').read_text()

    def add(self, entries):
        return subprocess.run(['ldapadd', '-x', '-H', self.plain_url, '-D', self.ADMIN, '-w', self.SECRET], input=entries,
                              text=True, capture_output=True, timeout=30)

    def settings(self, **more):
        group = 'cn={},ou=groups,dc=example,dc=test'.format
        return {'kind': 'ldap', 'name': 'The directory', 'provision': 'create', 'url': self.tls_url, 'ca': self.ca,
                'roles': {group('staff'): 'developer', group('operators'): 'operator'}, **more}

    def search(self, **more):
        """Settings of the search bind."""
        return self.settings(**{'base': 'ou=people,dc=example,dc=test', 'bindDn': self.ADMIN, 'filter': '(uid={name})', **more})


REALM = 'BERTH.TEST'
SERVICE = f'HTTP/{HOST}@{REALM}'
KERBEROS_CONFIG = '''[libdefaults]
default_realm = BERTH.TEST
dns_lookup_kdc = false
dns_lookup_realm = false
dns_canonicalize_hostname = false
rdns = false
udp_preference_limit = 1
default_ccache_name = FILE:{folder}/cc
[domain_realm]
berth.localhost = BERTH.TEST
[capaths]
OTHER.TEST = {{
 BERTH.TEST = .
}}
[realms]
'''
KDC = '''[realms]
{realm} = {{
 database_name = {folder}/{realm}
 key_stash_file = {folder}/{realm}.stash
 kdc_ports = {port}
 kdc_tcp_ports = {port}
 acl_file = {folder}/acl
}}
'''


class Realm:
    """One realm of Kerberos with a KDC on a port of its own, in `folder`; its krb5.conf is what clients need."""

    def __init__(self, test, folder, name=REALM):
        self.folder, self.name, self.port = folder, name, free_port()
        port = self.port
        config = folder / 'krb5.conf'
        known = config.read_text() if config.exists() else KERBEROS_CONFIG.format(folder=folder)
        config.write_text(f'{known}{name} = {{\n kdc = 127.0.0.1:{port}\n}}\n')
        (folder / f'{name}.kdc').write_text(KDC.format(folder=folder, realm=name, port=port))
        self.env = {**os.environ, 'PATH': os.environ['PATH'] + ':/usr/sbin:/sbin', 'KRB5_CONFIG': str(config),
                    'KRB5_KDC_PROFILE': str(folder / f'{name}.kdc')}
        self.run('kdb5_util', '-r', name, 'create', '-s', '-P', 'master of the test')
        background(test, 'krb5kdc', '-n', '-r', name, '-P', str(folder / f'{name}.pid'), env=self.env)
        wait_until(lambda: accepts(port), 30, 'the KDC')

    def run(self, *words, stdin=''):
        return must(subprocess.run(words, env=self.env, input=stdin, capture_output=True, text=True, timeout=60))

    def add(self, principal, password=None):
        how = ['-pw', password] if password else ['-randkey']
        self.run('kadmin.local', '-r', self.name, 'addprinc', *how, principal)

    def keytab(self, path, *principals):
        self.run('kadmin.local', '-r', self.name, 'ktadd', '-k', str(path), *principals)

    def ticket(self, cache, name, life='1h'):
        """The environment of a client with a ticket of its own; its password is `<name>-ticket`."""
        env = {**self.env, 'KRB5CCNAME': f'FILE:{cache}'}
        must(subprocess.run(['kinit', '-l', life, f'{name}@{self.name}'], env=env, input=f'{name}-ticket\n',
                            capture_output=True, text=True, timeout=60))
        return env
