"""What a running edge tells: metrics as Prometheus reads them, the access log and its rotation, trace fields, requests
that run and that end."""
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest

from edge_process import certificate
from support import berth, fetch, must, wait_until
from upgrade_test import Serve

TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
PARENT = f'00-{TRACE}-00f067aa0ba902b7-01'


class Origin(http.server.BaseHTTPRequestHandler):
    """Tells the fields that it got."""
    protocol_version = 'HTTP/1.1'

    def do_GET(self):
        if self.path.startswith('/slow'):
            self.server.hold.wait(20)
        body = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class ViewTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.origin = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Origin)
        cls.origin.hold = threading.Event()
        threading.Thread(target=cls.origin.serve_forever, daemon=True).start()
        cls.addClassCleanup(cls.origin.server_close)
        cls.addClassCleanup(cls.origin.shutdown)
        routes = [{'name': 'app@docker', 'rule': 'Host(`app.test`)'},
                  {'name': 'quiet@docker', 'rule': 'Host(`quiet.test`)', 'logged': False, 'counted': False, 'traced': False}]
        for route in routes:
            route.update(listeners=['web', 'websecure'], service='app@docker', middlewares=[])
        service = {'name': 'app@docker', 'upstreams': [
            {'host': '127.0.0.1', 'port': cls.origin.server_address[1], 'target': 'app-1'}]}
        cls.logs = pathlib.Path(tempfile.mkdtemp(prefix='berth-logs-'))
        cls.addClassCleanup(shutil.rmtree, cls.logs, ignore_errors=True)
        cls.log = cls.logs / 'access.log'
        cls.serve = Serve({'format': 1, 'version': 7, 'settings': {'tracing': True}, 'routes': routes, 'services': [service],
                           'certificates': [certificate('app.test')]}, '--access-log', cls.log)
        cls.addClassCleanup(cls.serve.stop)
        wait_until(lambda: cls.ask('metrics').returncode == 0, what='core and edge to talk')

    @classmethod
    def ask(cls, *words):
        return berth(*words, '--data', cls.serve.data, env={'XDG_RUNTIME_DIR': str(cls.serve.data)})

    def get(self, path='/', host='app.test', secure=False, **headers):
        scheme, port = ('https', self.serve.websecure) if secure else ('http', self.serve.web)
        return fetch(f'{scheme}://{host}:{port}{path}', headers=headers)

    def line_of(self, path, log=None):
        def found():
            lines = [json.loads(line) for line in (log or self.log).read_text().splitlines()]
            return next((line for line in lines if line['path'] == path), None)
        return wait_until(found, what=f'{path} in the access log')

    def metric(self, name):
        """Its value, or the sum of its lines."""
        lines = must(self.ask('metrics')).stdout.splitlines()
        values = [float(line.rsplit(' ', 1)[1]) for line in lines if re.match(re.escape(name) + r'($|[ {])', line)]
        return sum(values)

    def test_metrics_are_what_prometheus_reads(self):
        self.get()
        text = must(self.ask('metrics')).stdout
        checked = subprocess.run(['promtool', 'check', 'metrics'], input=text, capture_output=True, text=True, timeout=60)
        self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ''), text)
        self.assertIn('berth_requests_total{route="app@docker",service="app@docker",protocol="http/1",code="2xx"}', text)
        self.assertNotIn('quiet', text)

    def test_metrics_count(self):
        def now():
            return {name: self.metric(f'berth_{name}') for name in
                    ('request_duration_seconds_count', 'response_bytes_total', 'connections_total', 'upstream_connects_total')}
        before = now()
        size = sum(len(self.get(f'/{number}').body) for number in range(5))
        self.get('/', 'quiet.test')
        after = now()
        self.assertEqual(after['request_duration_seconds_count'] - before['request_duration_seconds_count'], 5)
        self.assertEqual(after['response_bytes_total'] - before['response_bytes_total'], size)
        self.assertGreaterEqual(after['connections_total'] - before['connections_total'], 6)
        handshakes = self.metric('berth_tls_handshakes_total')
        self.get(secure=True)
        self.assertEqual(self.metric('berth_tls_handshakes_total') - handshakes, 1)
        self.assertGreater(self.metric('berth_snapshot_version'), 7, 'the kept one, and what core added to it')
        self.assertGreater(self.metric('process_resident_memory_bytes'), 1e6)

    def test_access_log_fields(self):
        self.get('/fields', secure=True, **{'User-Agent': 'c"url', 'X-Request-Id': 'id-1', 'Traceparent': PARENT})
        line = self.line_of('/fields')
        self.assertGreater(line.pop('upstream_ms'), 0)
        self.assertGreaterEqual(line.pop('ms'), 0)
        self.assertRegex(line.pop('time'), r'^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$')
        self.assertGreater(line.pop('sent'), 10)
        self.assertEqual(line, {
            'client': '127.0.0.1', 'protocol': 'HTTP/1.1', 'tls': 'TLSv1.3', 'method': 'GET', 'scheme': 'https',
            'host': 'app.test', 'path': '/fields', 'status': 200, 'received': 0, 'route': 'app@docker', 'target': 'app-1',
            'agent': 'c"url', 'request_id': 'id-1', 'trace_id': TRACE})

    def test_a_router_can_stay_out_of_the_log(self):
        self.get('/hidden', 'quiet.test')
        self.get('/shown')
        self.line_of('/shown')
        self.assertNotIn('/hidden', self.log.read_text())

    def test_trace_fields(self):
        kept = self.get(**{'Traceparent': PARENT, 'Tracestate': 'a=1', 'X-Request-Id': 'mine'}).json()
        self.assertEqual((kept['traceparent'], kept['tracestate'], kept['x-request-id']), (PARENT, 'a=1', 'mine'))
        made = self.get().json()
        self.assertRegex(made['traceparent'], r'^00-[0-9a-f]{32}-[0-9a-f]{16}-01$')
        self.assertEqual(made['x-request-id'], made['traceparent'][3:35])
        self.assertNotEqual(self.get().json()['traceparent'], made['traceparent'])
        replaced = self.get(**{'Traceparent': 'rubbish', 'Tracestate': 'a=1', 'X-Request-Id': 'a b'}).json()
        self.assertRegex(replaced['traceparent'], r'^00-[0-9a-f]{32}-')
        self.assertNotIn('tracestate', replaced)
        self.assertNotIn(' ', replaced['x-request-id'])
        self.assertNotIn('traceparent', self.get('/', 'quiet.test').json())

    def test_log_rotation(self):
        self.get('/before')
        self.line_of('/before')
        old = self.logs / 'access.log.1'
        self.log.rename(old)
        self.serve.process.send_signal(signal.SIGUSR1)
        wait_until(self.log.exists, what='a new log')
        self.get('/after')
        self.line_of('/after')
        self.assertNotIn('/after', old.read_text())

    def test_requests_that_run(self):
        self.origin.hold.clear()
        waiting = threading.Thread(target=self.get, args=['/slow'])
        waiting.start()
        try:
            line = wait_until(lambda: self.ask('requests', '--format', 'json').stdout, what='the request that runs')
            self.assertEqual([json.loads(line)[key] for key in ('path', 'route', 'method')], ['/slow', 'app@docker', 'GET'])
            self.assertIn('http://app.test/slow', self.ask('requests').stdout)
            self.assertEqual(self.ask('requests', '--route', 'other').stdout, '')
        finally:
            self.origin.hold.set()
            waiting.join()
        wait_until(lambda: not self.ask('requests').stdout, what='its end')

    def test_requests_as_they_end(self):
        with subprocess.Popen([self.serve.program, 'requests', '-f', '--format', 'json', '--data', self.serve.data, '--host',
                               'app.test'], stdout=subprocess.PIPE, text=True,
                              env={**os.environ, 'XDG_RUNTIME_DIR': str(self.serve.data)}) as follower:
            stop = threading.Event()

            def ask():
                while not stop.wait(0.1):
                    self.get('/followed')
                    self.get('/hidden', 'quiet.test')
            asking = threading.Thread(target=ask)
            asking.start()
            try:
                lines = [json.loads(follower.stdout.readline()) for _ in range(5)]
            finally:
                stop.set()
                asking.join()
                follower.terminate()
        self.assertEqual({(line['path'], line['status']) for line in lines}, {('/followed', 200)})

    def test_who_does_not_read_slows_nobody(self):
        """A follower that is stopped loses lines; requests are answered as before."""
        follower = subprocess.Popen([self.serve.program, 'requests', '-f', '--data', self.serve.data], stdout=subprocess.PIPE,
                                    stderr=subprocess.DEVNULL, env={**os.environ, 'XDG_RUNTIME_DIR': str(self.serve.data)})
        try:
            time.sleep(0.5)
            follower.send_signal(signal.SIGSTOP)
            for number in range(300):
                self.assertEqual(self.get(f'/{number}').status, 200)
        finally:
            follower.kill()
            follower.wait()
            follower.stdout.close()
        self.assertEqual(self.ask('metrics').returncode, 0)


if __name__ == '__main__':
    unittest.main()
