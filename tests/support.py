"""What the black-box suites share: the private engine, the berth program, HTTPS and WebSocket clients.

A suite that touches an engine calls `engine()` first (in setUpClass). From then on its process, with every program
that it starts, lives in the network namespace of that engine and speaks to no other engine. Run suites with
tools/test, or one alone: tools/test up_test.
"""
import atexit
import base64
import ctypes
import functools
import hashlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
BERTH = ROOT / 'build/release/berth'
sys.path.insert(0, str(ROOT / 'tools'))

from engine_api import Engine, EngineError  # noqa: E402

CLONE_NEWNET = 0x40000000

# Generations of test projects are nobody's history: they go with the suite.
DATA = tempfile.mkdtemp(prefix='berth-state-')
os.environ['BERTH_DATA'] = DATA
atexit.register(shutil.rmtree, DATA, ignore_errors=True)


def skip(reason):
    """Ends the test, or in setUpClass the class, as skipped; the closing report names the reason."""
    raise unittest.SkipTest(reason)


# --- the engine -------------------------------------------------------------------------------------------------

@functools.cache
def engine():
    """The private engine, started when it does not run; this process enters its network namespace."""
    if os.geteuid() != 0:
        skip('needs root: a private engine in namespaces of its own')
    started = subprocess.run([ROOT / 'tools/test-engine', 'start'], capture_output=True, text=True, timeout=120)
    if started.returncode != 0:
        raise AssertionError(f'tools/test-engine start: {started.stdout}{started.stderr}')
    listed = subprocess.run([ROOT / 'tools/test-engine', 'env'], capture_output=True, text=True, timeout=30, check=True)
    os.environ.update(line.split('=', 1) for line in listed.stdout.splitlines())
    found = Engine(os.environ['DOCKER_HOST'])
    refuse_other_engines(found)
    enter_namespace(os.environ['BERTH_TEST_NETNS'])
    return found


def refuse_other_engines(found):
    """Every engine but the private one of tools/test-engine may hold what somebody needs."""
    if not found.is_for_tests():
        raise AssertionError(f'{found.address} is not the engine of tools/test-engine; the tests touch no other')


def enter_namespace(name):
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(f'/run/netns/{name}', os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(descriptor, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f'setns {name}')
    finally:
        os.close(descriptor)


def images(*names):
    """Makes these base images (debian, nginx, postgres, postgis, python, mkdocs, busybox) in the private engine."""
    engine()
    made = subprocess.run([ROOT / 'tools/base-images', *names], capture_output=True, text=True, timeout=1200)
    if made.returncode != 0:
        raise AssertionError(f'tools/base-images: {made.stdout}{made.stderr}')


def containers(project, **labels):
    """The containers of a Compose project, as GET /containers/json lists them, running or not."""
    wanted = [f'com.docker.compose.project={project}', *(f'{k}={v}' for k, v in labels.items())]
    query = urllib.parse.urlencode({'all': 1, 'filters': json.dumps({'label': wanted})})
    return engine().json('GET', f'/containers/json?{query}')


def remove_project(project):
    """Containers, networks and volumes of a project, by the API and not by the program under test."""
    found, label = engine(), json.dumps({'label': [f'com.docker.compose.project={project}']})
    query = urllib.parse.urlencode({'all': 1, 'filters': label})
    for item in found.json('GET', f'/containers/json?{query}'):
        _delete(f'/containers/{item["Id"]}?force=1&v=1')
    for item in found.json('GET', f'/networks?{query}'):
        _delete(f'/networks/{item["Id"]}')
    for item in found.json('GET', f'/volumes?{query}')['Volumes'] or []:
        _delete(f'/volumes/{item["Name"]}?force=1')


def _delete(path):
    try:
        engine().call('DELETE', path).read()
    except EngineError as error:
        if ': 404 ' not in str(error):
            raise


# --- the program ------------------------------------------------------------------------------------------------

def berth(*arguments, cwd=None, env=None, timeout=120, stdin=''):
    """Runs build/release/berth to its end: a CompletedProcess with text; AssertionError when it takes too long."""
    _require_program()
    command = [str(BERTH), *map(str, arguments)]
    try:
        return subprocess.run(command, cwd=cwd, env={**os.environ, **(env or {})}, input=stdin, capture_output=True,
                              text=True, timeout=timeout, errors='replace')
    except subprocess.TimeoutExpired as late:
        raise AssertionError(f'{" ".join(command)} did not end within {timeout} s; so far: '
                             f'{late.stdout or b""!r} {late.stderr or b""!r}') from None


def _require_program():
    if not BERTH.exists():
        raise AssertionError('build/release/berth is missing: make build')


def must(done, status=0):
    """The same CompletedProcess, when it ended with that status; AssertionError with its output otherwise."""
    if done.returncode != status:
        raise AssertionError(f'{" ".join(map(str, done.args))}: status {done.returncode}, not {status}\n'
                             f'{done.stdout}{done.stderr}')
    return done


def project(test, name, text, **files):
    """A folder with compose.yaml (and further files) for one test; the project is removed from the engine at its end."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f'berth-{name}-'))
    test.addCleanup(shutil.rmtree, folder, ignore_errors=True)
    remove_project(name)
    test.addCleanup(remove_project, name)
    (folder / 'compose.yaml').write_text(f'name: {name}\n{text}')
    for path, content in files.items():
        (folder / path).write_text(content)
    return folder


class Serve:
    """A running `berth serve` with a data folder and ports of its own; use it with `with` or call `stop`."""

    def __init__(self, *flags, data=None, ports=None, env=None):
        _require_program()
        self._own_data = data is None
        self.data = pathlib.Path(data or tempfile.mkdtemp(prefix='berth-data-'))
        self.web, self.websecure = ports or (free_port(), free_port())
        self.log = self.data / 'serve.log'
        with self.log.open('ab') as log:
            self.process = subprocess.Popen(
                [BERTH, 'serve', '--data', self.data, '--web', str(self.web), '--websecure', str(self.websecure), *flags],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, **(env or {})})
        try:
            wait_until(self._ready, 20, 'berth serve to listen')
        except AssertionError as error:
            self.kill()
            raise AssertionError(f'{error}\n{self.log.read_text(errors="replace")}') from None

    def _ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f'berth serve ended with {self.process.returncode}')
        return (self.data / 'certificates/root.pem').exists() and accepts(self.web) and accepts(self.websecure)

    @property
    def ca(self):
        return must(berth('cert', 'root', '--data', self.data)).stdout

    def fetch(self, host, path='/', **options):
        return fetch(f'https://{host}:{self.websecure}{path}', ca=self.ca, **options)

    def websocket(self, host, path='/ws'):
        return WebSocket(f'wss://{host}:{self.websecure}{path}', ca=self.ca)

    def stop(self):
        """SIGTERM; the exit status. The data folder goes with it, when it was made here."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(30)
        finally:
            self.kill()

    def kill(self):
        """SIGKILL for all of its processes; the data folder stays when it was given."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        if self._own_data:
            shutil.rmtree(self.data, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


# --- time and ports ---------------------------------------------------------------------------------------------

def wait_until(condition, seconds=20, what='the condition'):
    """Asks again and again until the condition gives something true, and returns that."""
    end = time.monotonic() + seconds
    while True:
        if value := condition():
            return value
        if time.monotonic() >= end:
            raise AssertionError(f'waited {seconds} s for {what}')
        time.sleep(0.05)


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def accepts(port, address='127.0.0.1'):
    try:
        socket.create_connection((address, port), 1).close()
        return True
    except OSError:
        return False


# --- HTTP -------------------------------------------------------------------------------------------------------

class Response:
    """`headers` is http.client's message: case-insensitive, `get_all` for repeated ones."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode(errors='replace')

    def json(self):
        return json.loads(self.body)


class _Connection(http.client.HTTPConnection):
    """To `address`, whatever the URL's host is; the host goes into SNI, certificate check and Host header."""

    def __init__(self, url, ca, address, timeout):
        parts = urllib.parse.urlsplit(url)
        self.secure = parts.scheme in ('https', 'wss')
        super().__init__(parts.hostname, parts.port or (443 if self.secure else 80), timeout=timeout)
        self.address, self.ca = address, ca
        self.default_port = 443 if self.secure else 80

    def connect(self):
        self.sock = socket.create_connection((self.address, self.port), self.timeout)
        if self.secure:
            self.sock = tls_context(self.ca).wrap_socket(self.sock, server_hostname=self.host)


def tls_context(ca):
    """Trusts the given PEM text and nothing else; None turns the check off, for tests of other things."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca is None:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    else:
        context.load_verify_locations(cadata=ca)
    return context


def open_url(url, ca=None, address='127.0.0.1', method='GET', headers=None, body=None, timeout=20):
    """The response with its body still to be read: `read1` gives what has come so far. Close it by `close`."""
    parts = urllib.parse.urlsplit(url)
    connection = _Connection(url, ca, address, timeout)
    target = (parts.path or '/') + (f'?{parts.query}' if parts.query else '')
    connection.request(method, target, body, headers or {})
    response = connection.getresponse()
    response.connection = connection  # lives as long as the response
    return response


def fetch(url, **options):
    """One request, like open_url, with the whole body."""
    response = open_url(url, **options)
    with response:
        return Response(response.status, response.headers, response.read())


# --- WebSocket --------------------------------------------------------------------------------------------------

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class WebSocket:
    """A client for one conversation (RFC 6455): send, receive, close."""

    def __init__(self, url, ca=None, address='127.0.0.1', headers=None, timeout=20):
        key = base64.b64encode(os.urandom(16)).decode()
        connection = _Connection(url, ca, address, timeout)
        connection.connect()
        self.socket = connection.sock
        parts = urllib.parse.urlsplit(url)
        target = (parts.path or '/') + (f'?{parts.query}' if parts.query else '')
        lines = [f'GET {target} HTTP/1.1', f'Host: {parts.netloc}', 'Upgrade: websocket',
                 'Connection: Upgrade', 'Sec-WebSocket-Version: 13', f'Sec-WebSocket-Key: {key}',
                 *(f'{name}: {value}' for name, value in (headers or {}).items())]
        self.socket.sendall(('\r\n'.join(lines) + '\r\n\r\n').encode())
        self.reader = self.socket.makefile('rb')
        self.status, self.headers = self._handshake()
        accept = hashlib.sha1(f'{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11'.encode()).digest()
        if self.status != 101 or self.headers.get('Sec-WebSocket-Accept') != base64.b64encode(accept).decode():
            raise AssertionError(f'no WebSocket at {url}: status {self.status}, {dict(self.headers)}')

    def _handshake(self):
        status = int(self.reader.readline().split()[1])
        return status, http.client.parse_headers(self.reader)

    def send(self, payload, kind=None):
        if isinstance(payload, str):
            payload, kind = payload.encode(), kind or TEXT
        size = len(payload)
        head = bytes([0x80 | (kind or BINARY)])
        if size < 126:
            head += bytes([0x80 | size])
        else:
            head += bytes([0x80 | 126]) + struct.pack('>H', size) if size < 65536 else \
                bytes([0x80 | 127]) + struct.pack('>Q', size)
        mask = os.urandom(4)
        self.socket.sendall(head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload)))

    def receive(self):
        """(kind, payload) of the next frame; text comes as str. EOFError when the connection ended."""
        first, second = self._read(2)
        size = second & 0x7f
        if size == 126:
            size, = struct.unpack('>H', self._read(2))
        elif size == 127:
            size, = struct.unpack('>Q', self._read(8))
        payload, kind = self._read(size), first & 15
        return kind, payload.decode() if kind == TEXT else payload

    def _read(self, size):
        data = self.reader.read(size)
        if len(data) < size:
            raise EOFError('the WebSocket connection ended')
        return data

    def echo(self, text):
        self.send(text)
        return self.receive()[1]

    def close(self):
        """Says goodbye and hangs up."""
        try:
            self.send(struct.pack('>H', 1000), CLOSE)
        except OSError:
            pass
        self.reader.close()
        self.socket.close()
