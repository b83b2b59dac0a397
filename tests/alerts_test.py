"""examples/alerts in production form, behind berth's edge and, for comparison, behind Varnish with its old VCL."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

from support import (BERTH, ROOT, Serve, accepts, berth, containers, engine, fetch, free_port, images, must, remove_project,
                     wait_until)

TIME_LIMIT = 600
HOST = 'alerts.localhost'
TTL, GRACE = 4, 3  # seconds, in place of 30 and 10
COMPOSE = ['-f', 'docker-compose.yml', '-f', 'docker-compose.prod.yml']
PORTS = {'frontend': 80, 'tiles': 7800, 'backend': 8000, 'nginx': 80}
TILE = '/tiles/guyane.station/6/22/31.pbf'
COOKIE = {'Cookie': 'sessionid=a'}
MALFORMED, VALID = 'public; max-age=30', 'public, max-age=30'


class Varnish:
    """The package's varnishd with the test's VCL, for the addresses that the containers have now."""

    def __init__(self, addresses):
        if not shutil.which('varnishd'):
            raise AssertionError('varnishd is not installed; tools/setup test does that')
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='berth-varnish-'))
        self.folder.chmod(0o755)
        text = (ROOT / 'tests/alerts/default.vcl').read_text().replace('@ttl@', str(TTL))
        for name, address in addresses.items():
            text = text.replace(f'@{name}@', address)
        (self.folder / 'default.vcl').write_text(text)
        self.port = free_port()
        with (self.folder / 'log').open('wb') as log:
            self.process = subprocess.Popen(
                ['varnishd', '-F', '-j', 'none', '-n', self.folder / 'work', '-a', f'127.0.0.1:{self.port}', '-T', 'none',
                 '-f', self.folder / 'default.vcl', '-s', 'malloc,50m', '-p', f'default_grace={GRACE}'],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self._ready, 60, 'varnishd to listen')

    def _ready(self):
        if self.process.poll() is not None:
            raise AssertionError((self.folder / 'log').read_text())
        return accepts(self.port)

    def fetch(self, path, **options):
        return fetch(f'http://{HOST}:{self.port}{path}', **options)

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)


class Alerts(unittest.TestCase):
    ENV = {'USER_ID': '1234', 'GROUP_ID': '1234', 'SITE_HOST': HOST, 'CACHE_TTL': f'{TTL}s', 'CACHE_GRACE': f'{GRACE}s'}
    PATHS = ['/', '/atmo/legend.svg', '/static/alerts/site.css', '/nothing', '/static', '/sagui/', '/sagui', '/sagui/map.js',
             '/saguifoo', '/tiles/index.json', '/tiles/guyane.station.json', TILE, '/tiles/guyane.station/6/0/0.pbf',
             '/tiles/guyane.station/30/0/0.pbf', '/tiles/public.auth_user/0/0/0.pbf', '/tiles', '/api/stations',
             '/api/stations/cacao', '/api/stations/nowhere', '/api/visit', '/api', '/dashboards/', '/admin/',
             '/admin', '/api/stations?order=slug']
    FIELDS = ['Content-Type', 'Content-Length', 'ETag', 'Last-Modified', 'Location', 'Set-Cookie', 'Vary', 'X-Cookies',
              'X-Frame-Options', 'Referrer-Policy']

    @classmethod
    def setUpClass(cls):
        engine()
        images('nginx', 'postgis', 'python')
        cls.folder = tempfile.mkdtemp(prefix='berth-alerts-')
        shutil.copytree(ROOT / 'examples/alerts', cls.folder, dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns('secrets', 'secrets-prod', '__pycache__'))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        subprocess.run([f'{cls.folder}/init', 'secrets-prod'], check=True, capture_output=True, timeout=30)
        remove_project('alerts')
        cls.addClassCleanup(remove_project, 'alerts')
        cls.serve = Serve()
        cls.addClassCleanup(cls.serve.stop)
        must(cls.berth(*COMPOSE, 'up', '-d', '--build', '--wait'))
        found = {c['Labels']['com.docker.compose.service']: c for c in containers('alerts')}
        cls.varnish = Varnish({name: found[name]['NetworkSettings']['Networks']['alerts_internal']['IPAddress']
                               for name in PORTS})
        cls.addClassCleanup(cls.varnish.stop)
        wait_until(lambda: cls.new('/api/health').status == 200, 20, 'the backend behind the edge')

    @classmethod
    def berth(cls, *arguments, **options):
        return berth(*arguments, cwd=cls.folder, timeout=300, env=cls.ENV, **options)

    @classmethod
    def new(cls, path, **options):
        return cls.serve.fetch(HOST, path, **options)

    def both(self, path, **options):
        """The same request to Varnish and to the edge."""
        return self.varnish.fetch(path, **options), self.new(path, **options)

    def patterns(self, requests):
        """HIT and MISS of both for a list of (path, headers)."""
        old, new = [], []
        for path, headers in requests:
            for reply, told in zip(self.both(path, headers=headers), (old, new)):
                told.append(f'{reply.status} {reply.headers["V-Cache"]}')
        return old, new


    def test_status_body_and_fields_are_the_same(self):
        for path in self.PATHS:
            for headers in ({}, COOKIE):
                with self.subTest(path=path, headers=headers):
                    old, new = self.both(path, headers=headers)
                    self.assertEqual((new.status, new.body), (old.status, old.body))
                    self.assertEqual({f: new.headers.get_all(f) for f in self.FIELDS},
                                     {f: old.headers.get_all(f) for f in self.FIELDS})

    def test_cache_control_is_the_same_but_valid(self):
        for path in ('/', TILE, '/api/stations', '/sagui/map.js', '/dashboards/', '/nothing', '/admin/'):
            old, new = self.both(path)
            self.assertEqual(new.headers['Cache-Control'],
                             VALID if old.headers['Cache-Control'] == MALFORMED else old.headers['Cache-Control'], path)

    def test_tiles_are_real_and_never_see_a_cookie(self):
        tile = self.new(TILE, headers=COOKIE)
        self.assertEqual(tile.headers['Content-Type'], 'application/vnd.mapbox-vector-tile')
        for name in (b'guyane.station', b'Camopi', b'Cacao', b'Maripasoula', b'Saut Sabbat'):
            self.assertIn(name, tile.body)
        self.assertEqual(tile.headers['X-Cookies'], '0')
        self.assertEqual(list(self.new('/tiles/index.json').json()), ['guyane.station'])

    def test_hit_and_miss_are_the_same(self):
        page, tile, api = '/?same', f'{TILE}?same', '/api/stations?same'
        authorized = {'Authorization': 'Basic YTpi'}
        old, new = self.patterns([
            (page, {}), (page, {}), (tile, {}), (tile, {}), (api, {}), (api, {}),
            (page, COOKIE), (page, COOKIE), (tile, COOKIE), (tile, {'Cookie': 'other=b'}),
            (page, authorized), (tile, authorized), (api, authorized), (page, {}), (api, {}),
            ('/api/visit', {}), ('/api/visit', {}), (page, {'Cache-Control': 'no-cache'}), (page, {'Pragma': 'no-cache'}),
            (tile, {'Range': 'bytes=0-9'}), (page, {'Accept-Encoding': 'gzip'}), ('/admin/login/', {}), ('/admin/login/', {}),
            ('/atmo/legend.svg', {}), ('/atmo/legend.svg', {'Accept-Language': 'fr'}), ('/sagui/map.js', COOKIE)])
        self.assertEqual(new, old)
        self.assertEqual(new[:10], ['200 MISS', '200 HIT'] * 3 + ['200 MISS', '200 MISS', '200 HIT', '200 HIT'])

    def test_conditions_and_heads_are_answered_from_the_store(self):
        tag = self.both('/sagui/?kept')[0].headers['ETag']
        for options in ({'headers': {'If-None-Match': tag}}, {'method': 'HEAD'}):
            old, new = self.both('/sagui/?kept', **options)
            self.assertEqual((new.status, new.body, new.headers['ETag'], new.headers['V-Cache']),
                             (old.status, old.body, old.headers['ETag'], 'HIT'))

    def test_times_are_the_same(self):
        def at(seconds):
            time.sleep(max(0, begun + seconds - time.monotonic()))
        begun = time.monotonic()
        for path in ('/?aged', '/?gone', TILE + '?aged'):
            self.both(path)
        at(TTL - 1)
        fresh = self.patterns([('/?aged', {}), (TILE + '?aged', {})])
        at(TTL + 1)  # stale within the grace: served, and fetched anew behind it
        stale = self.patterns([('/?aged', {})])
        at(TTL + 2)
        renewed = self.both('/?aged')
        at(TTL + GRACE + 1.5)
        gone = self.patterns([('/?gone', {}), (TILE + '?aged', {})])
        for (old, new), expected in ((fresh, ['200 HIT'] * 2), (stale, ['200 HIT']), (gone, ['200 MISS'] * 2)):
            self.assertEqual((old, new), (expected, expected))
        for reply in renewed:
            self.assertEqual(reply.headers['V-Cache'], 'HIT')
            self.assertLess(int(reply.headers['Age']), TTL)

    def test_what_was_kept_is_told(self):
        for path, service in (('/?told', 'nginx'), (TILE + '?told', 'tiles'), ('/api/stations?told', 'backend'),
                              ('/sagui/?told', 'frontend')):
            old, new = self.both(path)
            self.assertEqual(new.headers['Served-By'], f'{service}-alerts')
            self.assertEqual(old.headers['Served-By'], {'backend': 'django'}.get(service, service))
            for field, seconds in (('V-Cache-TTL', TTL), ('V-Cache-Grace', GRACE)):
                self.assertEqual((float(new.headers[field]), float(old.headers[field])), (seconds, seconds), field)

    def test_first_fault_private_replies_stay_private(self):
        old, new = zip(*(self.both('/api/me') for _ in range(2)))
        self.assertEqual([r.headers['V-Cache'] for r in old], ['MISS', 'HIT'])
        self.assertEqual([r.headers['Cache-Control'] for r in old], [MALFORMED] * 2)
        self.assertEqual([r.headers['V-Cache'] for r in new], ['MISS', 'MISS'])
        self.assertEqual([r.headers['Cache-Control'] for r in new], ['private, max-age=5'] * 2)

    def test_second_fault_errors_are_not_kept_for_longer_than_pages(self):
        for path in ('/nothing?fault', '/static?fault', '/api/stations/nowhere?fault'):
            old, new = zip(*(self.both(path) for _ in range(2)))
            self.assertEqual([r.headers['V-Cache'] for r in old], ['MISS', 'HIT'], path)
            self.assertEqual(old[0].headers['V-Cache-TTL'], '120.000')
            self.assertEqual([r.headers['V-Cache'] for r in new], ['MISS', 'MISS'], path)

    def test_plain_requests_are_sent_to_tls(self):
        answer = fetch(f'http://{HOST}:{self.serve.web}/sagui/')
        self.assertEqual(answer.headers['Location'], f'https://{HOST}:{self.serve.websecure}/sagui/')

    def test_the_chain_runs_and_stops_at_the_first_failure(self):
        def chain():
            return subprocess.run([f'{self.folder}/run-chain'], capture_output=True, text=True, timeout=120,
                                  env={**os.environ, 'BERTH': str(BERTH), **self.ENV})
        done = must(chain())
        self.assertIn('4 levels', done.stdout)
        levels = {s['slug']: s for s in self.new('/api/stations?after').json()['stations']}
        self.assertEqual([name for name, s in levels.items() if s['level'] is None], [])
        for station in levels.values():
            self.assertEqual(f'ALERT {station["name"]}:' in done.stdout, station['alert'])
        must(self.berth(*COMPOSE, 'exec', '-T', 'scheduler', 'mkdir', '/srv/hydrology/levels.new'))
        self.addCleanup(self.berth, *COMPOSE, 'exec', '-T', 'scheduler', 'rmdir', '/srv/hydrology/levels.new')
        failed = chain()
        self.assertNotEqual(failed.returncode, 0)
        self.assertNotIn('levels\n', failed.stdout)

    def test_production_opens_no_port_and_development_only_loopback(self):
        production = json.loads(must(self.berth(*COMPOSE, 'config', '--format', 'json')).stdout)
        self.assertFalse(any(s.get('ports') for s in production['services'].values()))
        self.assertEqual({pathlib.Path(s['file']).parent.name for s in production['secrets'].values()}, {'secrets-prod'})
        development = json.loads(must(self.berth('config', '--format', 'json')).stdout)
        opened = [p['host_ip'] for s in development['services'].values() for p in s.get('ports', [])]
        self.assertEqual(opened, ['127.0.0.1'] * 4)
        self.assertNotIn('scheduler', development['services'])

    def test_a_missing_variable_is_named(self):
        refused = berth(*COMPOSE, 'config', cwd=self.folder, env={'USER_ID': '', 'GROUP_ID': '1', 'SITE_HOST': HOST})
        self.assertEqual(refused.returncode, 15)
        self.assertIn('USER_ID', refused.stderr)


if __name__ == '__main__':
    unittest.main()
