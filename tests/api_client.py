"""The platform's API over its unix socket, as root of this machine."""
import http.client
import json
import socket
import urllib.parse

from support import Response, wait_until


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__('berth.localhost', timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class Api:
    """`call` gives any response; `ask` the JSON of a 2xx, else AssertionError with what was said."""

    def __init__(self, data, timeout=60):
        self.path, self.timeout = f'{data}/api.sock', timeout

    def call(self, method, path, body=None, headers=None):
        connection = UnixConnection(self.path, self.timeout)
        headers = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers['Content-Type'] = 'application/json'
        try:
            connection.request(method, '/api/v1' + path, body, headers)
            response = connection.getresponse()
            return Response(response.status, response.headers, response.read())
        finally:
            connection.close()

    def ask(self, method, path, body=None, headers=None):
        response = self.call(method, path, body, headers)
        if response.status >= 300:
            raise AssertionError(f'{method} {path}: {response.status} {response.text}')
        return response.json() if response.body else None

    def get(self, path):
        return self.ask('GET', path)

    def post(self, path, body=None):
        return self.ask('POST', path, {} if body is None else body)

    def ready(self, seconds=20):
        """Waits until core answers."""
        def answers():
            try:
                return self.call('GET', '/health').status == 200
            except OSError:
                return False
        wait_until(answers, seconds, 'the API to answer')
        return self

    def idle(self, project, seconds=60):
        """Waits until no change of the project is under way; the project."""
        path = f'/projects/{urllib.parse.quote(project)}'
        return wait_until(lambda: (shown := self.get(path)) and not shown['busy'] and shown, seconds,
                          f'the change of {project} to end')
