"""GitHub, GitLab and 42's intranet as far as signing in needs them: their addresses, answers, statuses and errors."""
import base64
import hashlib
import http.server
import json
import threading
import urllib.parse

SECRET = 's3cret of the client'
CLIENT = 'Iv1.berth'
GITHUB_ISSUER = 'https://github.com/login/oauth'


class Brand:
    """One of the three. `users` are its answers about who signed in; a subclass knows its errors and tokens."""
    authorize, token, user, groups = '/oauth/authorize', '/oauth/token', '', ''
    token_type, seconds = 'Bearer', 7200
    spent, unknown_client = (400, 'invalid_grant'), (401, 'invalid_client')

    def __init__(self, profile, groups=None):
        self.profile, self.answer_groups = profile, groups
        self.answers_back = {}  # more of the query that the browser comes back with

    def tokens(self, scope):
        return {'access_token': f'token-{type(self).__name__}', 'token_type': self.token_type, 'expires_in': self.seconds,
                'refresh_token': 'never used', 'scope': scope, 'created_at': 1_790_000_000}

    def may(self, path, scopes):
        """Why the token's scopes are too few for the path: (status, body), or None."""


class GitHub(Brand):
    authorize, token, user, groups = '/login/oauth/authorize', '/login/oauth/access_token', '/user', '/user/orgs'
    spent, unknown_client = (200, 'bad_verification_code'), (200, 'incorrect_client_credentials')

    def __init__(self, *about):
        super().__init__(*about)
        self.answers_back = {'iss': GITHUB_ISSUER}

    def tokens(self, scope):
        # It says which scopes it gave with commas, in an order of its own.
        return {'access_token': 'gho_16C7e42F292c6912E7710c838347Ae178B4a', 'token_type': 'bearer',
                'scope': ','.join(sorted(scope.split()))}

    def may(self, path, scopes):
        if path == self.groups and 'read:org' not in scopes:
            return 403, {'message': 'You need at least read:org scope or user scope to list your organizations.'}
        return None


class GitLab(Brand):
    user, groups = '/api/v4/user', '/oauth/userinfo'

    def may(self, path, scopes):
        needed = 'read_user' if path == self.user else 'openid'
        if needed not in scopes:
            return 403, {'error': 'insufficient_scope', 'scope': needed,
                         'error_description': 'The request requires higher privileges than provided by the access token.'}
        return None


class FortyTwo(Brand):
    user = '/v2/me'
    token_type = 'bearer'
    spent = (401, 'invalid_grant')


BRANDS = {
    'github': GitHub({'login': 'octocat', 'id': 583231, 'type': 'User', 'name': None, 'email': None},
                     [{'login': 'acme', 'id': 1, 'description': None}, {'login': 'octo-org', 'id': 2}]),
    'gitlab': GitLab({'id': 1, 'username': 'tanuki', 'name': 'Tanuki', 'state': 'active', 'public_email': None},
                     {'sub': '1', 'nickname': 'tanuki', 'groups': ['acme', 'acme/platform']}),
    '42': FortyTwo({'id': 74, 'email': 'norminet@student.42nice.fr', 'login': 'norminet', 'kind': 'student',
                    'image': {'link': 'https://cdn.intra.42.fr/users/norminet.jpg', 'versions': {}}, 'staff?': False,
                    'groups': [{'id': 12, 'name': 'Tutors'}], 'campus': [{'id': 41, 'name': 'Nice', 'language': {'id': 1}}],
                    'cursus_users': [{'id': 2, 'grade': None, 'level': 8.5, 'cursus': {'id': 21, 'slug': '42cursus'}}]}),
}


class QuietServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Clients that had enough are no news."""


class Peer:
    """All three behind one port, each below its name. `faults[path]` answers in place of a path: (status, headers, body)
    or a function of the handler."""

    def __init__(self, test):
        self.faults, self.codes, self.scopes, self.asked = {}, {}, {}, []
        self.stop = threading.Event()
        peer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_GET(self):
                peer.answer(self, None)

            def do_POST(self):
                peer.answer(self, self.rfile.read(int(self.headers['Content-Length'])).decode())

            def log_message(self, *_):
                pass

        self.server = QuietServer(('127.0.0.1', 0), Handler)
        self.origin = f'http://127.0.0.1:{self.server.server_port}'
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        test.addClassCleanup(self.server.server_close)
        test.addClassCleanup(self.server.shutdown)
        test.addClassCleanup(self.stop.set)

    def settings(self, brand, **more):
        """A provider by the preset, at this peer's addresses."""
        at = f'{self.origin}/{brand}'
        known = BRANDS[brand]
        return {'kind': 'oauth2', 'name': brand, 'preset': brand, 'clientId': CLIENT, 'provision': 'create',
                'authorizeUrl': at + known.authorize, 'tokenUrl': at + known.token, 'userUrl': at + known.user, **more}

    def answer(self, handler, form):
        self.asked.append((handler.path, dict(handler.headers.items()), form))
        parts = urllib.parse.urlsplit(handler.path)
        fault = self.faults.get(parts.path)
        if callable(fault):
            return fault(handler)
        _, name, path = parts.path.split('/', 2)
        brand, path = BRANDS[name], '/' + path
        if fault:
            return self.send(handler, *fault)
        if path == brand.authorize:
            return self.consent(handler, brand, dict(urllib.parse.parse_qsl(parts.query)))
        if path == brand.token:
            status, body = self.exchange(brand, dict(urllib.parse.parse_qsl(form)))
            return self.send_tokens(handler, brand, status, body)
        if path in (brand.user, brand.groups):
            status, headers, body = self.about_user(handler, brand, path)
            if status == 200 and path == brand.groups and isinstance(brand, GitHub):
                headers, body = self.page(handler, body, dict(urllib.parse.parse_qsl(parts.query)))
            return self.send(handler, status, headers, body)
        return self.send(handler, 404, {}, {'message': 'Not Found'})

    def page(self, handler, items, query):
        """GitHub's pages of thirty, or of as many as one asks for."""
        page, size = int(query.get('page', 1)), min(int(query.get('per_page', 30)), 100)
        here = f'{self.origin}{urllib.parse.urlsplit(handler.path).path}'
        link = [f'<{here}?{urllib.parse.urlencode({**query, "page": 1})}>; rel="first"']
        if page * size < len(items):
            link.append(f'<{here}?{urllib.parse.urlencode({**query, "page": page + 1})}>; rel="next"')
        return {'Link': ', '.join(link)}, items[(page - 1) * size:page * size]

    def consent(self, handler, brand, query):
        """Whoever comes here consents at once."""
        code = f'code-{len(self.codes)}'
        self.codes[code] = query
        back = urllib.parse.urlencode({'code': code, 'state': query['state'], **brand.answers_back})
        self.send(handler, 302, {'Location': f'{query["redirect_uri"]}?{back}'}, '')

    def exchange(self, brand, form):
        """What RFC 6749 4.1.3 and 7636 4.6 ask for, with the errors of this one."""
        asked = self.codes.pop(form.get('code'), None)
        if (form.get('client_id'), form.get('client_secret')) != (CLIENT, SECRET):
            status, error = brand.unknown_client
            return status, {'error': error, 'error_description': f'The client {form.get("client_secret")} is not known.'}
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form['code_verifier'].encode()).digest()).decode().rstrip('=')
        if asked is None or challenge != asked['code_challenge'] or form['redirect_uri'] != asked['redirect_uri']:
            status, error = brand.spent
            return status, {'error': error, 'error_description': f'The code {form["code"]} is incorrect or expired.'}
        tokens = brand.tokens(asked['scope'])
        self.scopes[tokens['access_token']] = asked['scope'].split()
        return 200, tokens

    def send_tokens(self, handler, brand, status, body):
        if isinstance(brand, GitHub) and 'json' not in handler.headers.get('Accept', ''):
            return self.send(handler, status, {'Content-Type': 'application/x-www-form-urlencoded'},
                             urllib.parse.urlencode(body))
        return self.send(handler, status, {}, body)

    def about_user(self, handler, brand, path):
        if not handler.headers.get('User-Agent'):
            return 403, {}, {'message': 'Request forbidden by administrative rules.'}
        scheme, _, token = handler.headers.get('Authorization', '').partition(' ')
        if scheme != 'Bearer' or token not in self.scopes:
            return 401, {}, {'message': 'Bad credentials'}
        refused = brand.may(path, self.scopes[token])
        if refused:
            return refused[0], {}, refused[1]
        return 200, {}, brand.profile if path == brand.user else brand.answer_groups

    @staticmethod
    def send(handler, status, headers, body):
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        handler.send_response(status)
        for name, value in {'Content-Type': 'application/json; charset=utf-8', **headers}.items():
            handler.send_header(name, value)
        handler.send_header('Content-Length', str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)
