"""Real applications behind uWSGI's protocol and FastCGI (php-fpm), served by `berth edge --config`."""
import hashlib
import json
import os
import pathlib
import subprocess
import tempfile
import threading
import unittest

from support import BERTH, accepts, fetch, free_port, wait_until

WSGI = '''
import hashlib, json

def application(environ, start_response):
    path = environ['PATH_INFO']
    if path == '/large':
        start_response('200 OK', [('Content-Type', 'application/octet-stream')])
        return (b'x' * 65536 for _ in range(64))
    body = environ['wsgi.input'].read(int(environ.get('CONTENT_LENGTH') or 0))
    told = {name: value for name, value in environ.items() if isinstance(value, str)}
    told['sha256'] = hashlib.sha256(body).hexdigest()
    text = json.dumps(told).encode()
    start_response('418 Teapot' if path == '/teapot' else '200 OK',
                   [('Content-Type', 'application/json'), ('Content-Length', str(len(text)))])
    return [text]
'''
PHP = '''<?php
if ($_SERVER['SCRIPT_NAME'] == '/large.php') { for ($i = 0; $i < 64; $i++) echo str_repeat('x', 65536); exit; }
if (($_GET['status'] ?? '') != '') http_response_code((int)$_GET['status']);
header('Content-Type: application/json');
echo json_encode($_SERVER + ['sha256' => hash('sha256', file_get_contents('php://input')), 'get' => $_GET]);
'''
FPM = '''[global]
error_log = {folder}/fpm.log
daemonize = no
[www]
listen = 127.0.0.1:{port}
pm = static
pm.max_children = 2
'''
EDGE = '''
entryPoints:
  web: {{address: "127.0.0.1:{web}"}}
http:
  routers:
    python: {{rule: Host(`python.localhost`), service: python}}
    php: {{rule: Host(`php.localhost`), service: php}}
  services:
    python: {{loadBalancer: {{cgi: {{params: {{app_env: test}}}}, servers: [{{url: "uwsgi://127.0.0.1:{python}"}}]}}}}
    php: {{loadBalancer: {{cgi: {{root: "{folder}/www", script: /index.php}},
                         servers: [{{url: "fcgi://127.0.0.1:{php}"}}]}}}}
'''


class CgiTest(unittest.TestCase):
    @classmethod
    def start(cls, port, *arguments):
        process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        cls.addClassCleanup(cls.stop, process)
        wait_until(lambda: process.poll() is not None or accepts(port), 20, arguments[0])
        if process.poll() is not None:
            raise AssertionError(process.stderr.read().decode())
        threading.Thread(target=process.stderr.read, daemon=True).start()

    @staticmethod
    def stop(process):
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory(prefix='berth-cgi-')
        cls.addClassCleanup(temporary.cleanup)
        folder = pathlib.Path(temporary.name)
        os.chmod(folder, 0o755)
        (folder / 'www').mkdir()
        for name in ('index.php', 'large.php'):
            (folder / 'www' / name).write_text(PHP)
        (folder / 'app.py').write_text(WSGI)
        cls.web, python, php = free_port(), free_port(), free_port()
        (folder / 'fpm.conf').write_text(FPM.format(folder=folder, port=php))
        (folder / 'edge.yml').write_text(EDGE.format(web=cls.web, python=python, php=php, folder=folder))
        cls.start(python, 'uwsgi_python3', '--socket', f'127.0.0.1:{python}', '--wsgi-file', folder / 'app.py',
                  '--processes', '2', '--master', '--die-on-term', '--buffer-size', '32768')
        cls.start(php, '/usr/sbin/php-fpm8.2', '--nodaemonize', '--allow-to-run-as-root', '--fpm-config',
                  folder / 'fpm.conf')
        cls.start(cls.web, BERTH, 'edge', '--config', folder / 'edge.yml', '--data', folder / 'data')
        wait_until(lambda: fetch(f'http://nowhere.localhost:{cls.web}/').status == 404, 20, 'the routes')

    def ask(self, host, path, **options):
        return fetch(f'http://{host}:{self.web}{path}', **options)

    def told(self, host, path, **options):
        answer = self.ask(host, path, **options)
        return answer.status, json.loads(answer.text)

    def test_wsgi(self):
        body = os.urandom(3 << 20)
        status, told = self.told('python.localhost', '/a%20b/c?x=1&y=%2f', method='PUT', body=body,
                                 headers={'X-Kind': 'one', 'Proxy': 'http://evil.test', 'X_Kind': 'two'})
        self.assertEqual(status, 200)
        wanted = {'REQUEST_METHOD': 'PUT', 'PATH_INFO': '/a b/c', 'QUERY_STRING': 'x=1&y=%2f',
                  'REQUEST_URI': '/a%20b/c?x=1&y=%2f', 'HTTP_X_KIND': 'one', 'SERVER_NAME': 'python.localhost',
                  'SERVER_PORT': str(self.web), 'REMOTE_ADDR': '127.0.0.1', 'REQUEST_SCHEME': 'http', 'APP_ENV': 'test',
                  'CONTENT_LENGTH': str(len(body)), 'sha256': hashlib.sha256(body).hexdigest()}
        self.assertEqual({name: told.get(name) for name in wanted}, wanted)
        self.assertNotIn('HTTP_PROXY', told)
        self.assertEqual(self.told('python.localhost', '/teapot')[0], 418)
        self.assertEqual(len(self.ask('python.localhost', '/large').body), 64 * 65536)

    def test_php(self):
        body = os.urandom(3 << 20)
        status, told = self.told('php.localhost', '/index.php/more/info?status=201', method='POST', body=body,
                                 headers={'Content-Type': 'application/octet-stream', 'X_Kind': 'two'})
        self.assertEqual(status, 201)
        wanted = {'REQUEST_METHOD': 'POST', 'SCRIPT_NAME': '/index.php', 'PATH_INFO': '/more/info',
                  'CONTENT_TYPE': 'application/octet-stream', 'sha256': hashlib.sha256(body).hexdigest(),
                  'get': {'status': '201'}}
        self.assertEqual({name: told.get(name) for name in wanted}, wanted)
        self.assertNotIn('HTTP_X_KIND', told)
        # The front controller, and what php-fpm says of a script that is not there.
        self.assertEqual(self.told('php.localhost', '/blog/post/')[1]['REQUEST_URI'], '/blog/post/')
        self.assertEqual(self.ask('php.localhost', '/missing.php').status, 404)
        self.assertEqual(len(self.ask('php.localhost', '/large.php').body), 64 * 65536)

    def test_chunked_bodies_get_a_length(self):
        for host in ('python.localhost', 'php.localhost'):
            _, told = self.told(host, '/', method='POST', body=iter([b'one', b'two']))
            self.assertEqual(told['CONTENT_LENGTH'], '6')
            self.assertEqual(told['sha256'], hashlib.sha256(b'onetwo').hexdigest())


if __name__ == '__main__':
    unittest.main()
