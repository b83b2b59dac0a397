"""Signing in with OpenID Connect, LDAP and Kerberos in Chromium, and the main flow as who came that way (web/e2e/signin.mjs)."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from browser_test import results_of, with_tests_of
from identity import HOST, PASSWORD, REALM, SERVICE, Company, Directory, Realm, add_provider, callback, started
from serve_test import hello_folder
from support import ROOT, berth, engine, free_port, must, remove_project

TIME_LIMIT = 420


@with_tests_of('signin.mjs')
class SigninInTheBrowser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        engine()
        subprocess.run([ROOT / 'tools/ui'], check=True, timeout=120)
        folder = hello_folder()
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        must(berth('build', cwd=folder, timeout=180))
        for project in ('oidcpage', 'ldappage'):
            remove_project(project)
            cls.addClassCleanup(remove_project, project)
        own = pathlib.Path(tempfile.mkdtemp(prefix='berth-signin-'))
        cls.addClassCleanup(shutil.rmtree, own, ignore_errors=True)
        realm = Realm(cls, own)
        realm.add(f'kira@{REALM}', 'kira-ticket')
        realm.add(SERVICE)
        serve = started(cls)
        realm.keytab(serve.data / 'berth.keytab', SERVICE)
        company = Company(cls, callback(serve, 'company'), callback(serve, 'half'))
        nowhere = f'http://127.0.0.1:{free_port()}'
        add_provider(serve, 'company', Company.SECRET, company.settings())
        add_provider(serve, 'gone', Company.SECRET, company.settings(name='Gone', issuer=nowhere))
        add_provider(serve, 'half', Company.SECRET, {
            'kind': 'oauth2', 'name': 'Half', 'clientId': 'berth', 'scopes': ['openid'], 'authorizeUrl': f'{company.issuer}/auth',
            'tokenUrl': f'{nowhere}/token', 'userUrl': f'{nowhere}/user', 'idMember': 'sub', 'nameMember': 'sub'})
        add_provider(serve, 'directory', Directory.SECRET, Directory(cls).search())
        add_provider(serve, 'realm', '', {'kind': 'kerberos', 'keytab': str(serve.data / 'berth.keytab'), 'principal': SERVICE,
                                          'provision': 'create', 'role': 'operator'})
        cls.results, cls.errors = results_of('signin.mjs', {
            **os.environ, 'BASE': f'https://{HOST}:{serve.websecure}', 'IMAGE': 'hello-hello', 'PASSWORD': PASSWORD,
            # Chromium asks the KDC for its ticket to berth, by a port that is taken along like those of pages.
            'PROVIDER': company.issuer, 'KDC': f'http://127.0.0.1:{realm.port}', 'KRB5_CONFIG': realm.env['KRB5_CONFIG'],
            'TICKET': realm.ticket(own / 'ticket', 'kira')['KRB5CCNAME'], 'OWN': str(own)})
        cls.errors += serve.log.read_text(errors='replace')[-2000:]


if __name__ == '__main__':
    unittest.main()
