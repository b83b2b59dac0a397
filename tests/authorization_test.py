"""Every route of the API as every kind of caller, against a project of its own and a foreign one.

The routes come from the program's own OpenAPI document, the expectation from a table written down here. Each request
carries a query parameter that no route knows: permission is decided before the query is looked at, so that a caller who
may gets a 400 and nothing is done.
"""
import json
import re
import time
import unittest
from collections import Counter

from api_client import Api
from identity import HOST, PASSWORD, command, trusted
from support import Response, Serve, _Connection as Connection, engine, wait_until

PROJECT = {'view', 'logs', 'act', 'deploy', 'reveal', 'exec', 'remove'}
WHOLE = {'self', 'engine', 'audit', 'users', 'settings'}
SCOPES = sorted(PROJECT | WHOLE)
SEES, CHANGES = {'view', 'logs'}, PROJECT

# caller: (role, membership in "own", scopes of the token)
CALLERS = {
    'viewer': ('viewer', 'viewer', SCOPES),
    'developer': ('developer', 'developer', SCOPES),
    'stranger': ('developer', None, SCOPES),
    'operator': ('operator', None, SCOPES),
    'admin': ('admin', None, SCOPES),
    'narrow': ('admin', None, ['logs']),
}
NOBODIES = ('anonymous', 'revoked', 'disabled', 'forged')


def may(caller, permission, project):
    """The oracle: what the documentation says, not what the program computes."""
    if permission == 'everyone':
        return True
    if caller in NOBODIES:
        return False
    role, membership, scopes = CALLERS[caller]
    if permission not in scopes:
        return False
    if permission == 'self':
        return True
    if permission in ('audit', 'users', 'settings'):
        return role == 'admin'
    if role in ('operator', 'admin'):
        return True
    if permission == 'engine' or project != 'own' or membership is None:
        return False
    return permission in (SEES if membership == 'viewer' else CHANGES)


class AuthorizationTest(unittest.TestCase):
    connection = None

    @classmethod
    def setUpClass(cls):
        engine()
        cls.serve = Serve()
        cls.addClassCleanup(cls.serve.stop)
        wait_until(lambda: (cls.serve.data / 'api.sock').exists(), 30, 'the API to listen')
        command(cls.serve, 'user', 'create', 'root', '--admin', '--password-stdin', stdin=PASSWORD + '\n')
        cls.api = Api(cls.serve.data).ready()
        cls.tokens = {name: cls.make(name, *about) for name, about in CALLERS.items()}
        cls.tokens['anonymous'] = None
        for name in ('revoked', 'disabled'):
            cls.tokens[name] = cls.make(name, 'admin', None, SCOPES)
        cls.tokens['forged'] = cls.tokens['admin'][:-2] + ('AA' if not cls.tokens['admin'].endswith('AA') else 'BB')
        command(cls.serve, 'token', 'revoke', cls.tokens['revoked'].split('_')[1], '--user', 'revoked')
        command(cls.serve, 'user', 'disable', 'disabled')
        for name in ('own', 'foreign'):
            cls.api.post('/projects', {'name': name, 'files': {'compose.yaml': 'services: {web: {image: hello}}\n'}})
        cls.addClassCleanup(lambda: cls.connection and cls.connection.close())
        cls.document = cls.api.get('/openapi.json')
        wait_until(lambda: cls.ask('admin', 'GET', '/api/v1/session').status == 200, 30, 'the platform to answer')

    @classmethod
    def make(cls, name, role, membership, scopes):
        user = cls.api.post('/users', {'name': name, 'role': role})
        if membership:
            cls.api.ask('PUT', f'/users/{user["id"]}/projects/own', {'role': membership})
        return cls.api.post(f'/users/{user["id"]}/tokens', {'name': name, 'scopes': scopes})['token']

    @classmethod
    def ask(cls, caller, method, path):
        headers = {'Host': f'{HOST}:{cls.serve.websecure}'}
        if cls.tokens[caller]:
            headers['Authorization'] = f'Bearer {cls.tokens[caller]}'
        else:  # as the page itself asks: where it comes from is not the question here
            headers['Origin'] = f'https://{HOST}:{cls.serve.websecure}'
        while True:
            response = cls.request(method, path, headers)
            if response.status != 429:
                return response
            time.sleep(0.1)  # the limit of one client: 50 a second

    @classmethod
    def request(cls, method, path, headers):
        """On one connection for all, as long as it lasts."""
        if cls.connection is None:
            url = f'https://{HOST}:{cls.serve.websecure}/'
            cls.connection = Connection(url, trusted(cls.serve), '127.0.0.1', 20)
        cls.connection.request(method, path, None, headers)
        response = cls.connection.getresponse()
        answer = Response(response.status, response.headers, response.read())
        if response.will_close:
            cls.connection.close()
            cls.connection = None
        return answer

    def routes(self):
        for path, methods in self.document['paths'].items():
            for method, about in methods.items():
                if 'x-berth-permission' in about:
                    yield method.upper(), path, about['x-berth-permission'], about['x-berth-where']

    def test_every_route_as_every_caller(self):
        counts, gaps = Counter(), []
        for method, path, permission, where in self.routes():
            self.assertIn(permission, PROJECT | WHOLE | {'everyone'}, path)
            projects = ('own', 'foreign') if '{project}' in path else ('',)
            for caller in (*CALLERS, *NOBODIES):
                for project in projects:
                    target = re.sub(r'\{\w+\*?\}', 'no-such-thing', path.replace('{project}', project))
                    status = self.ask(caller, method, f'{target}?no_such_parameter=1').status
                    allowed = may(caller, permission, project if where == 'project' else '')
                    counts['allowed' if allowed else 'denied'] += 1
                    if not self.fits(allowed, caller, where, status):
                        gaps.append(f'{method} {path} ({permission}, {where}) as {caller} in {project or "none"}: {status}')
        routes = sum(1 for _ in self.routes())
        print(f'authorization: {routes} routes, {len(CALLERS) + len(NOBODIES)} callers, {counts["allowed"]} allowed, '
              f'{counts["denied"]} denied, {len(gaps)} gaps')
        self.assertEqual(gaps, [])
        self.assertGreater(counts['denied'], 200)

    def fits(self, allowed, caller, where, status):
        if allowed:
            return status not in (401, 403)
        if caller in NOBODIES:
            return status == 401
        # Where a thing must be loaded to know whose it is, the query is refused first; see the test below.
        return status in ((400, 403, 404) if where == 'loaded' else (403, 404))

    def test_what_is_loaded_is_only_what_one_may_see(self):
        for caller, wanted in (('viewer', {'own'}), ('developer', {'own'}), ('stranger', set()),
                               ('operator', {'own', 'foreign'}), ('admin', {'own', 'foreign'}), ('narrow', set())):
            response = self.ask(caller, 'GET', '/api/v1/projects')
            seen = {item['name'] for item in json.loads(response.body)['items']} if response.status == 200 else set()
            self.assertEqual(seen & {'own', 'foreign'}, wanted, caller)

    def test_a_foreign_project_is_as_one_that_is_not_there(self):
        answers = [self.ask('developer', 'GET', f'/api/v1/projects/{name}') for name in ('foreign', 'nothing')]
        self.assertEqual([answer.status for answer in answers], [404, 404])
        texts = [answer.text.replace(name, 'NAME') for answer, name in zip(answers, ('foreign', 'nothing'))]
        self.assertEqual(*texts)


if __name__ == '__main__':
    unittest.main()
