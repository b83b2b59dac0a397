"""A few calls on a container engine's HTTP API, for the tools and the tests: the standard library only."""
import http.client
import json
import os
import socket


class EngineError(Exception):
    """A call that the engine refused, or an engine that does not answer."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__('engine', timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Engine:
    """The engine that `address` (else DOCKER_HOST, else the usual socket) names; one connection per call."""

    def __init__(self, address=None, timeout=600):
        self.address = address or os.environ.get('DOCKER_HOST') or 'unix:///var/run/docker.sock'
        self.timeout = timeout

    def _connection(self):
        scheme, _, rest = self.address.partition('://')
        if scheme == 'unix':
            return _UnixConnection(rest, self.timeout)
        if scheme == 'tcp':
            return http.client.HTTPConnection(rest, timeout=self.timeout)
        raise EngineError(f'DOCKER_HOST={self.address}: only unix:// and tcp:// are spoken here')

    def call(self, method, path, body=None, headers=None):
        """The open response of one call; EngineError for a status from 400 on."""
        headers = dict(headers or {})
        if body is not None and not isinstance(body, bytes) and not hasattr(body, 'read'):
            body, headers['Content-Type'] = json.dumps(body).encode(), 'application/json'
        connection = self._connection()
        try:
            connection.request(method, path, body, headers, encode_chunked=hasattr(body, 'read'))
            response = connection.getresponse()
        except OSError as error:
            raise EngineError(f'{self.address} does not answer: {error}') from error
        if response.status >= 400:
            text = response.read().decode(errors='replace')
            raise EngineError(f'{method} {path}: {response.status} {_message(text)}')
        return response

    def json(self, method, path, body=None):
        text = self.call(method, path, body).read()
        return json.loads(text) if text.strip() else None

    def get(self, path):
        """The decoded answer; None where the engine says 404."""
        try:
            return self.json('GET', path)
        except EngineError as error:
            if ': 404 ' in str(error):
                return None
            raise

    def stream(self, method, path, body=None, headers=None):
        """Each JSON message of a progress stream; EngineError when one reports an error."""
        for line in self.call(method, path, body, headers):
            message = json.loads(line)
            if 'error' in message:
                raise EngineError(f'{method} {path.split("?")[0]}: {message["error"].strip()}')
            yield message

    def is_for_tests(self):
        """Whether this is a private engine of tools/test-engine, the only kind that tests may touch."""
        return 'berth.test-engine=1' in ((self.get('/info') or {}).get('Labels') or [])


def _message(text):
    try:
        return json.loads(text)['message']
    except (ValueError, KeyError, TypeError):
        return text.strip()
