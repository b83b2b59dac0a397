"""`berth edge --config`: Traefik's files served without any engine, followed as they change."""
import gzip
import http.server
import pathlib
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest

from support import BERTH, accepts, berth, fetch, free_port, wait_until


class Origin(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = (self.server.name + ' ' + self.path + ' ' + self.headers.get('X-User', '-') + ' ' + 'x' * 2000).encode()
        self.send_response(200)
        self.send_header('Content-Type', 'text/plain')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def origin(name):
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Origin)
    server.name = name
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


STATIC = '''
entryPoints:
  web: {address: "127.0.0.1:%d"}
  websecure: {address: "127.0.0.1:%d"}
  prometheus: {address: ":%d"}
metrics: {prometheus: {entryPoint: prometheus}}
'''
DYNAMIC = '''
http:
  routers:
    app:
      rule: Host(`app.localhost`)
      entryPoints: [web]
      service: app
      middlewares: [login, strip, squeeze]
    broken:
      rule: Host(`broken.localhost`)
      service: nothing
    secure: {rule: Host(`secure.localhost`), entryPoints: [websecure], service: app, tls: {}}
  middlewares:
    login: {basicAuth: {usersFile: %s, headerField: X-User}}
    strip: {stripPrefix: {prefixes: [/api]}}
    squeeze: {compress: {}}
  services:
    app: {loadBalancer: {servers: [{url: "http://127.0.0.1:%d"}]}}
'''
ANN = {'Authorization': 'Basic YW5uOnNlY3JldA=='}  # ann:secret


class EdgeFilesTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='berth-edge-'))
        self.first, self.second = origin('first'), origin('second')
        self.web, self.websecure, self.metrics = free_port(), free_port(), free_port()
        (self.folder / 'users').write_text('ann:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n')
        (self.folder / 'dynamic').mkdir()
        (self.folder / 'static.yml').write_text(STATIC % (self.web, self.websecure, self.metrics))
        self.write(self.first)
        self.errors = open(self.folder / 'errors', 'w+')
        self.process = subprocess.Popen(
            [BERTH, 'edge', '--config', self.folder / 'static.yml', '--config', self.folder / 'dynamic', '--data', self.folder / 'data'],
            stderr=self.errors)
        self.addCleanup(self.stop)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.process.wait(20), 0, self.told())
        for server in (self.first, self.second):
            server.shutdown()
        self.errors.close()

    def write(self, server):
        text = DYNAMIC % (self.folder / 'users', server.server_address[1])
        (self.folder / 'dynamic' / 'app.yml').write_text(text)

    def test_metrics_have_an_address_of_their_own(self):
        wait_until(lambda: self.answered_by('first'), what='the first service')
        metrics = fetch(f'http://localhost:{self.metrics}/metrics')
        self.assertEqual(metrics.status, 200)
        self.assertIn('berth_requests_total{route="app@file"', metrics.text)
        self.assertEqual(fetch(f'http://localhost:{self.metrics}/api/a').status, 404, 'no routes there')
        self.assertEqual(fetch(f'http://app.localhost:{self.metrics}/api/a', headers=ANN).status, 421)
        self.assertEqual(self.ask('/metrics', {}).status, 401, 'nor metrics here')
        sockets = ''.join(pathlib.Path(f'/proc/{self.process.pid}/net/{name}').read_text() for name in ('tcp', 'tcp6'))
        places = {words[1] for words in map(str.split, sockets.splitlines())
                  if words[1].endswith(f':{self.metrics:04X}') and words[3] == '0A'}
        self.assertEqual(places, {f'0100007F:{self.metrics:04X}'}, 'an address without host is loopback alone')

    def test_a_name_that_nobody_serves_gets_no_certificate(self):
        wait_until(lambda: self.answered_by('first'), what='the first service')
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

        def shake(name):
            with socket.create_connection(('127.0.0.1', self.websecure), 20) as plain, context.wrap_socket(plain, server_hostname=name) as secure:
                return secure.getpeercert(True)
        self.assertTrue(wait_until(lambda: shake('secure.localhost')))
        for name in ('unknown.localhost', 'secure.localhost.example', None):
            with self.assertRaises((ssl.SSLError, ConnectionError), msg=name):
                shake(name)

    def told(self):
        return (self.folder / 'errors').read_text()

    def ask(self, path, headers=ANN):
        return fetch(f'http://app.localhost:{self.web}{path}', headers=headers)

    def answered_by(self, name):
        try:
            return self.ask('/api/x').text.startswith(name + ' ')
        except OSError:
            return False

    def test_follows_its_files(self):
        wait_until(lambda: self.answered_by('first'), what='the first service')
        self.assertEqual(self.ask('/api/x', {}).status, 401)
        self.assertIn('first /x ann ', self.ask('/api/x').text)
        squeezed = self.ask('/api/x', {**ANN, 'Accept-Encoding': 'gzip'})
        self.assertEqual(squeezed.headers['Content-Encoding'], 'gzip')
        self.assertIn(b'first /x ann ', gzip.decompress(squeezed.body))
        # The fault of one router is told with its place, and leaves the others alone.
        self.assertRegex(self.told(), r'error: \S+/app\.yml:1\d:\d+: http\.routers\.broken\.service: "nothing" is not defined')

        # A broken file changes nothing; a right one counts at once.
        (self.folder / 'dynamic' / 'bad.yml').write_text('http: [')
        wait_until(lambda: 'nothing changed: ' in self.told(), what='a word about the broken file')
        self.assertTrue(self.answered_by('first'))
        (self.folder / 'dynamic' / 'bad.yml').unlink()
        self.write(self.second)
        wait_until(lambda: self.answered_by('second'), what='the second service')

    def make_certificate(self, name, *more):
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
                        '-subj', f'/CN={name}', '-keyout', self.folder / f'{name}.key', '-out', self.folder / f'{name}.pem',
                        *more], check=True, capture_output=True, timeout=60)

    def ask_over_tls(self, host, certificate=None):
        """The reply's first line, or the error that came instead."""
        context = ssl._create_unverified_context()
        if certificate:
            context.load_cert_chain(self.folder / f'{certificate}.pem', self.folder / f'{certificate}.key')
        try:
            with socket.create_connection(('127.0.0.1', self.websecure), timeout=20) as plain:
                with context.wrap_socket(plain, server_hostname=host) as stream:
                    stream.sendall(f'GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n'.encode())
                    return stream.recv(4096).decode().split('\r\n')[0]
        except OSError as error:
            return type(error).__name__

    def test_asks_clients_for_certificates(self):
        self.make_certificate('ca')
        self.make_certificate('ann', '-CA', self.folder / 'ca.pem', '-CAkey', self.folder / 'ca.key')
        self.make_certificate('eve')
        (self.folder / 'dynamic' / 'tls.yml').write_text(f'''
tls:
  options:
    strict:
      minVersion: VersionTLS13
      clientAuth: {{caFiles: [{self.folder}/ca.pem], clientAuthType: RequireAndVerifyClientCert}}
http:
  routers:
    strict: {{rule: Host(`strict.localhost`), entryPoints: [websecure], service: app, tls: {{options: strict}}}}
    open: {{rule: Host(`open.localhost`), entryPoints: [websecure], service: app, tls: {{}}}}
    lost: {{rule: Host(`lost.localhost`), entryPoints: [websecure], service: app, tls: {{options: nobody}}}}
''')
        good = 'HTTP/1.1 200 OK'
        wait_until(lambda: self.ask_over_tls('strict.localhost', 'ann') == good, what='the host that asks for a certificate')
        self.assertEqual(self.ask_over_tls('open.localhost'), good)
        self.assertNotEqual(self.ask_over_tls('strict.localhost'), good)
        self.assertNotEqual(self.ask_over_tls('strict.localhost', 'eve'), good)
        self.assertNotEqual(self.ask_over_tls('lost.localhost', 'ann'), good)
        self.assertRegex(self.told(), r'tls\.yml:\d+:\d+: http\.routers\.lost\.tls: options: "nobody" is not defined')

    def test_ends_where_its_port_is_taken(self):
        wait_until(lambda: self.answered_by('first'), what='the first service')
        done = berth('edge', '--config', str(self.folder / 'static.yml'), '--data', str(self.folder / 'other'), timeout=60)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr, rf'127\.0\.0\.1:{self.web}')

    def test_checks_files(self):
        files = ['--config', str(self.folder / 'dynamic'), '--data', str(self.folder / 'other')]
        done = berth('edge', '--check', *files)
        self.assertEqual((done.returncode, done.stdout), (1, '2 routers, 1 services\n'), done.stderr)
        self.assertEqual(berth('edge', '--config', str(self.folder / 'none')).returncode, 1)
        self.assertEqual(berth('edge').returncode, 16)


TRANSPORTS = '''
http:
  routers:
    strict: {rule: Host(`strict.localhost`), entryPoints: [web], service: strict}
    bare: {rule: Host(`bare.localhost`), entryPoints: [web], service: bare}
    wary: {rule: Host(`wary.localhost`), entryPoints: [web], service: wary}
    lost: {rule: Host(`lost.localhost`), entryPoints: [web], service: lost}
  serversTransports:
    strict: {serverName: app.internal, rootCAs: [@CA@], certificates: [{certFile: @EDGE@.pem, keyFile: @EDGE@.key}]}
    wary: {serverName: other.internal, rootCAs: [@CA@], certificates: [{certFile: @EDGE@.pem, keyFile: @EDGE@.key}]}
  services:
    strict: {loadBalancer: {serversTransport: strict@file, servers: [{url: @SERVER@}]}}
    bare: {loadBalancer: {servers: [{url: @SERVER@}]}}
    wary: {loadBalancer: {serversTransport: wary, servers: [{url: @SERVER@}]}}
    lost: {loadBalancer: {serversTransport: strickt, servers: [{url: @SERVER@}]}}
'''


class TransportsTest(unittest.TestCase):
    """A server over TLS that is verified, and that demands a certificate of the edge."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='berth-edge-'))
        self.make('ca', 'Root', '-x509', '-days', '2')
        for name, host in (('server', 'app.internal'), ('edge', 'edge.internal')):
            self.make(name, host, '-x509', '-days', '2', '-CA', self.folder / 'ca.pem', '-CAkey', self.folder / 'ca.key',
                      '-addext', f'subjectAltName=DNS:{host}')
        self.server = origin('secret')
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / 'server.pem', self.folder / 'server.key')
        context.load_verify_locations(self.folder / 'ca.pem')
        context.verify_mode = ssl.CERT_REQUIRED
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.addCleanup(self.server.shutdown)

    def make(self, name, host, *more):
        subprocess.run(['openssl', 'req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', f'/CN={host}',
                        '-keyout', self.folder / f'{name}.key', '-out', self.folder / f'{name}.pem', *more],
                       check=True, capture_output=True, timeout=60)

    def test_verifies_and_shows(self):
        web = free_port()
        text = TRANSPORTS.replace('@CA@', str(self.folder / 'ca.pem')).replace('@EDGE@', str(self.folder / 'edge'))
        text = text.replace('@SERVER@', f'"https://127.0.0.1:{self.server.server_address[1]}"')
        (self.folder / 'edge.yml').write_text(STATIC % (web, free_port(), free_port()) + text)
        with open(self.folder / 'errors', 'w+') as errors:
            process = subprocess.Popen([BERTH, 'edge', '--config', 'edge.yml', '--data', 'data'], cwd=self.folder, stderr=errors)
            try:
                wait_until(lambda: accepts(web), 20, 'the edge to listen')
                wait_until(lambda: fetch(f'http://strict.localhost:{web}/x').status == 200, 20, 'the server to answer')
                answer = fetch(f'http://strict.localhost:{web}/x')
                self.assertEqual((answer.status, answer.text.split()[:2]), (200, ['secret', '/x']))
                for name, status in (('bare', 502), ('wary', 502), ('lost', 503)):
                    self.assertEqual(fetch(f'http://{name}.localhost:{web}/x').status, status, name)
                # The file was named without a folder, as one does in its own.
                (self.folder / 'edge.yml').write_text((self.folder / 'edge.yml').read_text().replace('bare.localhost', 'new.localhost'))
                wait_until(lambda: fetch(f'http://new.localhost:{web}/x').status == 502, 20, 'the change to count')
            finally:
                process.send_signal(signal.SIGTERM)
                self.assertEqual(process.wait(30), 0)
        self.assertIn('serversTransport "strickt" is not defined', (self.folder / 'errors').read_text())


if __name__ == '__main__':
    unittest.main()
