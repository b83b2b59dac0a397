"""`berth edge --config`: Traefik's files served without any engine, followed as they change."""
import gzip
import http.server
import pathlib
import signal
import subprocess
import tempfile
import threading
import unittest

from support import BERTH, berth, fetch, free_port, wait_until


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
        self.web = free_port()
        (self.folder / 'users').write_text('ann:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n')
        (self.folder / 'dynamic').mkdir()
        (self.folder / 'static.yml').write_text(STATIC % (self.web, free_port()))
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

    def test_ends_where_its_port_is_taken(self):
        wait_until(lambda: self.answered_by('first'), what='the first service')
        done = berth('edge', '--config', str(self.folder / 'static.yml'), '--data', str(self.folder / 'other'), timeout=60)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr, rf'127\.0\.0\.1:{self.web}')

    def test_checks_files(self):
        files = ['--config', str(self.folder / 'dynamic'), '--data', str(self.folder / 'other')]
        done = berth('edge', '--check', *files)
        self.assertEqual((done.returncode, done.stdout), (1, '1 routers, 1 services\n'), done.stderr)
        self.assertEqual(berth('edge', '--config', str(self.folder / 'none')).returncode, 1)
        self.assertEqual(berth('edge').returncode, 16)


if __name__ == '__main__':
    unittest.main()
