"""The edge's cache: http-cache-tests of npm, then what a suite of single requests cannot ask for.

The edge runs alone, from a snapshot in its data folder, as it does while core is away; the last class has all of
`berth serve` with a container behind it.
"""
import concurrent.futures
import contextlib
import http.client
import http.server
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from edge_process import EdgeProcess
from support import ROOT, Serve, accepts, berth, engine, free_port, images, must, project, wait_until

SUITE = ROOT / 'tests/cache/node_modules/http-cache-tests'

# What must pass: 142 of 165 required and 78 of 95 optimal, as counted here.
LEAST = {'required': 142, 'optimal': 78}

AGE = ('RFC 9111 5.1: "If the field value (after discarding additional members, as per above) is invalid (e.g., it '
       'contains something other than a non-negative integer), a cache SHOULD ignore the field."')
AGES = ('RFC 9111 5.1: "a cache encountering a message with a list-based Age field value SHOULD use the first member of '
        'the field value, discarding subsequent ones."')
UNREACHABLE = ('RFC 9111 5.2.2.2: "if a cache is disconnected, the cache MUST generate an error response rather than reuse '
               'the stale response." The test counts an error of the cache as a stored reply.')
NO_STORE = ('RFC 9111 5.2.2.5: "The no-store response directive indicates that a cache MUST NOT store any part of either '
            'the immediate request or the response and MUST NOT use the response to satisfy any other request."')
UNKNOWN = ('RFC 9110 5.1: "Other recipients SHOULD ignore unrecognized header and trailer fields." Surrogate-Control is in '
           'no RFC; CDN-Cache-Control (RFC 9213) is what this cache goes by.')

# Required tests that fail, each with the sentence that wants it so.
JUSTIFIED = {
    'age-parse-nonnumeric': AGE,
    'age-parse-negative': AGE,
    'age-parse-float': AGE,
    'age-parse-parameter': AGE,
    'age-parse-numeric-parameter': AGE,
    'age-parse-prefix-twoline': AGES,
    'age-parse-dup-0': AGES,
    'age-parse-dup-0-twoline': AGES,
    'age-parse-dup-old': AGES,
    'stale-close-must-revalidate': UNREACHABLE,
    'stale-close-proxy-revalidate': UNREACHABLE,
    'stale-close-no-cache': UNREACHABLE,
    'stale-close-s-maxage=2': UNREACHABLE,
    'surrogate-fresh-cc-nostore': NO_STORE,
    'surrogate-no-store-cc-fresh': UNKNOWN,
}


class Edge(EdgeProcess):
    """An edge that sends all requests to one origin, by a route that caches."""

    def __init__(self, origin, policy=(), cache=64 << 20, **more):
        route = {'name': 'r', 'rule': 'PathPrefix(`/`)', 'listeners': ['web'], 'service': 's',
                 'middlewares': [{'name': 'c', 'action': {'cache': dict(policy)}}]}
        service = {'name': 's', 'upstreams': [{'host': '127.0.0.1', 'port': origin, 'target': 'origin'}]}
        super().__init__({'format': 1, 'version': 1, 'settings': {}, 'routes': [route], 'services': [service],
                          'certificates': []}, cache=cache, websecure=[], **more)

    def get(self, path, **headers):
        connection = http.client.HTTPConnection('127.0.0.1', self.web, timeout=30)
        try:
            connection.request('GET', path, headers=headers)
            reply = connection.getresponse()
            return reply.status, reply.read(), reply.headers
        finally:
            connection.close()


class Origin:
    """Counts what it is asked for; `answer(path)` gives (headers, body)."""

    def __init__(self, answer):
        outer = self
        self.asked, self.lock = {}, threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_GET(self):
                with outer.lock:
                    outer.asked[self.path] = outer.asked.get(self.path, 0) + 1
                headers, body = answer(self.path)
                self.send_response(200)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                with contextlib.suppress(OSError):  # who asked may be gone
                    self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 512

        self.server = Server(('127.0.0.1', 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class SuiteTest(unittest.TestCase):
    """http-cache-tests: 355 cases in some 20 seconds."""

    @classmethod
    def setUpClass(cls):
        if not (SUITE / 'cli.mjs').exists() or not shutil.which('node'):
            raise AssertionError('http-cache-tests is not installed; tools/setup test does that')
        port = free_port()
        folder = tempfile.mkdtemp(prefix='berth-cache-')
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        server = subprocess.Popen(['node', 'server/server.mjs'], cwd=SUITE, stdout=subprocess.DEVNULL,
                                  env=dict(os.environ, npm_config_protocol='http', npm_config_port=str(port),
                                           npm_config_pidfile=f'{folder}/pid'))
        cls.addClassCleanup(server.wait)
        cls.addClassCleanup(server.kill)
        wait_until(lambda: accepts(port), 20, 'the origin of http-cache-tests')
        edge = Edge(port)
        cls.addClassCleanup(edge.stop)
        done = subprocess.run(['node', '--no-warnings', 'cli.mjs'], cwd=SUITE, capture_output=True, text=True, timeout=300,
                              env=dict(os.environ, npm_config_base=f'http://127.0.0.1:{edge.web}',
                                       npm_package_config_id=''))
        cls.results = json.loads(done.stdout[done.stdout.index('{'):])
        listed = subprocess.run(
            ['node', '--input-type=module', '-e',
             "import a from './tests/index.mjs'; import b from './tests/surrogate-control.mjs';"
             "console.log(JSON.stringify([...a, b]))"], cwd=SUITE, capture_output=True, text=True, check=True, timeout=60)
        cls.tests = {test['id']: test for suite in json.loads(listed.stdout) for test in suite['tests']
                     if not test.get('browser_only')}

    def outcome(self, name):
        """As the suite itself judges: pass, fail, setup (its conditions did not hold), dependency."""
        if any(self.outcome(other) != 'pass' for other in self.tests[name].get('depends_on', [])):
            return 'dependency'
        result = self.results[name]
        return 'pass' if result is True else 'setup' if result[0] == 'Setup' else 'fail'

    def of_kind(self, kind, outcome):
        return sorted(name for name, test in self.tests.items()
                      if test.get('kind', 'required') == kind and self.outcome(name) == outcome)

    def test_enough_passes(self):
        for kind, least in LEAST.items():
            self.assertGreaterEqual(len(self.of_kind(kind, 'pass')), least, kind)

    def test_what_is_required_fails_only_where_an_rfc_says_so(self):
        told = {name: self.results[name] for name in self.of_kind('required', 'fail') if name not in JUSTIFIED}
        self.assertEqual(told, {})

    def test_no_justification_is_left_over(self):
        self.assertEqual(sorted(JUSTIFIED), self.of_kind('required', 'fail'))


class LoadTest(unittest.TestCase):
    def world(self, answer, **more):
        origin = Origin(answer)
        self.addCleanup(origin.stop)
        edge = Edge(origin.port, **more)
        self.addCleanup(edge.stop)
        return origin, edge

    def test_one_request_reaches_a_slow_origin(self):
        def slow(path):
            time.sleep(1)
            return {'Cache-Control': 'max-age=60'}, b'x' * 100_000
        for workers in (1, 2):
            origin, edge = self.world(slow, workers=workers)
            with concurrent.futures.ThreadPoolExecutor(100) as pool:
                replies = list(pool.map(lambda _: edge.get('/page'), range(100)))
            self.assertEqual({(status, len(body)) for status, body, _ in replies}, {(200, 100_000)})
            self.assertEqual(origin.asked, {'/page': 1}, f'{workers} loops')

    def test_who_leaves_sets_the_other_loops_free(self):
        def slow(path):
            time.sleep(2)
            return {'Cache-Control': 'max-age=60'}, b'good'
        origin, edge = self.world(slow, workers=2)
        first = socket.create_connection(('127.0.0.1', edge.web))
        first.sendall(b'GET /page HTTP/1.1\r\nHost: a\r\n\r\n')
        wait_until(lambda: origin.asked, what='the first request at the origin')
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            others = [pool.submit(edge.get, '/page') for _ in range(20)]
            first.close()
            replies = [each.result(30) for each in others]
        self.assertEqual({(status, body) for status, body, _ in replies}, {(200, b'good')})
        self.assertLessEqual(origin.asked['/page'], 3)

    def test_uncacheable_answers_are_not_queued(self):
        def slow(path):
            time.sleep(0.5)
            return {'Cache-Control': 'private'}, b'mine'
        origin, edge = self.world(slow)
        begun = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            list(pool.map(lambda _: edge.get('/page'), range(20)))
        self.assertEqual(origin.asked['/page'], 20)
        self.assertLess(time.monotonic() - begun, 6)  # one after the other: 10

    def test_purges(self):
        origin, edge = self.world(lambda path: ({'Cache-Control': 'max-age=60', 'Cache-Tag': 'a, ' + path[1:2]}, b'x'))
        base = f'http://127.0.0.1:{edge.web}'
        paths = ['/x/1', '/x/2', '/y/1', '/z/1']

        def asked_again(**purge):
            purged = edge.command(**purge)['purged']
            before = dict(origin.asked)
            for path in paths:
                edge.get(path)
            return purged, [path for path in paths if origin.asked[path] != before.get(path, 0)]
        self.assertEqual(asked_again(purge='all', what=''), (0, paths))
        self.assertEqual(asked_again(purge='url', what=f'{base}/x/1'), (1, ['/x/1']))
        self.assertEqual(asked_again(purge='prefix', what=f'{base}/x/'), (2, ['/x/1', '/x/2']))
        self.assertEqual(asked_again(purge='tag', what='y'), (1, ['/y/1']))
        self.assertEqual(asked_again(purge='tag', what='a'), (4, paths))
        self.assertEqual(asked_again(purge='tag', what='none'), (0, []))

    def test_the_disk_outlives_the_edge(self):
        def answer(path):
            return {'Cache-Control': 'max-age=600', 'ETag': '"1"', 'Cache-Tag': path[1:]}, path.encode() * 10_000
        origin, edge = self.world(answer, cache_disk=64 << 20)
        for path in ('/once', '/twice', '/purged'):
            edge.get(path, Host='a.test')
        for path in ('/twice', '/purged'):
            edge.get(path, Host='a.test')
        wait_until(lambda: edge.command()['disk_urls'] == 2, what='two replies on the disk')
        self.assertEqual(edge.command(purge='tag', what='purged')['purged'], 1)
        edge.kill()

        edge = Edge(origin.port, folder=edge.data, cache_disk=64 << 20)
        self.addCleanup(edge.stop)
        wait_until(lambda: edge.command()['disk_urls'] == 1, what='what lies on the disk')
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            replies = list(pool.map(lambda _: edge.get('/twice', Host='a.test'), range(20)))
        for status, body, headers in replies:
            self.assertEqual((status, body), (200, b'/twice' * 10_000))
            self.assertIn('hit', headers['Cache-Status'])
        told = edge.command()
        self.assertEqual((told['loaded'], told['hit']), (1, 20))
        self.assertEqual(origin.asked, {'/once': 1, '/twice': 1, '/purged': 1})
        edge.get('/purged', Host='a.test')
        self.assertEqual(origin.asked['/purged'], 2)

    def test_a_client_cannot_purge(self):
        origin, edge = self.world(lambda path: ({'Cache-Control': 'max-age=60'}, b'x'))
        edge.get('/page')
        connection = http.client.HTTPConnection('127.0.0.1', edge.web, timeout=30)
        connection.request('PURGE', '/page')
        self.assertEqual(connection.getresponse().status, 501)  # the origin's own answer
        connection.close()
        edge.get('/page')
        self.assertEqual(origin.asked, {'/page': 1})

    def test_memory_stays_within_its_bound(self):
        _, edge = self.world(lambda path: ({'Cache-Control': 'max-age=60'}, b'x' * 20_000), cache=4 << 20)
        for number in range(600):
            edge.get(f'/{number}')
        stats = edge.command()
        self.assertLessEqual(stats['bytes'], stats['capacity'])
        self.assertGreater(stats['bytes'], stats['capacity'] // 2)
        self.assertEqual(stats['incoming'], 0)
        self.assertEqual(stats['urls'] + stats['evicted'], 600)


COMPOSE = '''
services:
  page:
    image: berth.local/busybox
    command: ["sh", "-c", "mkdir -p /www && date +%s%N > /www/index.html && httpd -f -p 8080 -h /www"]
    stop_grace_period: 0s
    labels:
      traefik.enable: "true"
      traefik.http.routers.cachetest.rule: Host(`cachetest.localhost`)
      traefik.http.services.cachetest.loadbalancer.server.port: "8080"
      berth.cache.ttl: 60s
      berth.cache.debug: "true"
      berth.cache.cache-control: public, max-age=30
'''


class ServeTest(unittest.TestCase):
    """Labels of a container and the command line."""

    def test_labels_and_commands(self):
        engine()
        serve = Serve()
        self.addCleanup(serve.stop)
        images('busybox')
        folder = project(self, 'cachetest', COMPOSE)
        must(berth('up', '-d', cwd=folder, timeout=180))
        wait_until(lambda: serve.fetch('cachetest.localhost').status == 200, 20, 'the page')

        def fetch():
            return serve.fetch('cachetest.localhost')
        url = f'https://cachetest.localhost:{serve.websecure}/'
        self.assertEqual(fetch().headers['V-Cache'], 'HIT')
        self.assertEqual(fetch().headers['Cache-Control'], 'public, max-age=30')
        purge = must(berth('cache', 'purge', url, '--data', serve.data))
        self.assertIn('purged', purge.stdout)
        self.assertEqual(fetch().headers['V-Cache'], 'MISS')
        self.assertEqual(fetch().headers['V-Cache'], 'HIT')
        stats = json.loads(must(berth('cache', 'stats', '--format', 'json', '--data', serve.data)).stdout)
        self.assertEqual((stats['urls'], stats['purged']), (1, 1))
        wrong = berth('cache', 'purge', 'ftp://x', '--data', serve.data)
        self.assertEqual(wrong.returncode, 1)
        self.assertIn('is no URL', wrong.stderr)


if __name__ == '__main__':
    unittest.main()
