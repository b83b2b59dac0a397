"""Replacing a service behind the edge of `berth serve` while requests keep coming: none of them fails."""
import http.client
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest

from serve_test import role_pid
from support import (BERTH, ROOT, Serve, WebSocket, _Connection, berth, containers, engine, images, must, open_url,
                     project, remove_project, wait_until)

TIME_LIMIT = 600  # seconds, see tools/test
NAME = 'rolling'
HOST = 'rolling.localhost'

WEB = '''services:
  web:
    image: hello-hello
    environment:
      MODE: ${MODE:-first}
    stop_grace_period: 0s
    scale: ${SCALE:-1}
    healthcheck:
      test: [CMD, /hello, --health, "${HEALTH_PORT:-8080}"]
      interval: 200ms
      timeout: 2s
      retries: 2
    labels:
      traefik.enable: "true"
      traefik.http.routers.rolling.rule: Host(`rolling.localhost`)
      traefik.http.routers.rolling.tls: "true"
      traefik.http.services.rolling.loadbalancer.server.port: "8080"
      berth.rollout.drain: ${DRAIN:-20s}
'''


class Load:
    """Clients that ask without a pause: `kept` on one connection for all requests, the others on a new one for each."""

    def __init__(self, serve, kept=1, fresh=2):
        self.url = f'https://{HOST}:{serve.websecure}/'
        self.ca = serve.ca
        self.failures, self.counts = [], [0] * (kept + fresh)
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self._ask, args=(number, number < kept))
                        for number in range(kept + fresh)]

    def _ask(self, number, keep):
        connection = None
        while not self.stopped.is_set():
            connection = connection or _Connection(self.url, self.ca, '127.0.0.1', 30)
            try:
                connection.request('GET', '/', headers={} if keep else {'Connection': 'close'})
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    self.failures.append((time.monotonic(), answer.status))
            except (OSError, http.client.HTTPException) as error:
                self.failures.append((time.monotonic(), repr(error)))
                connection.close()
                connection = None
            if not keep and connection:
                connection.close()
                connection = None
            self.counts[number] += 1
            time.sleep(0.005)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        wait_until(lambda: min(self.counts) > 3, 10, 'requests')
        return self

    def __exit__(self, *_):
        counts = list(self.counts)
        try:
            wait_until(lambda: all(now > before + 3 for now, before in zip(self.counts, counts)), 10, 'more requests')
        finally:
            self.stopped.set()
            for thread in self.threads:
                thread.join(40)


class RollingTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        engine()
        images('busybox')
        subprocess.run(['make', '-C', ROOT / 'examples/hello'], check=True, capture_output=True, timeout=120)
        folder = tempfile.mkdtemp(prefix='berth-hello-')
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        shutil.copytree(ROOT / 'examples/hello', folder, dirs_exist_ok=True)
        must(berth('build', cwd=folder, timeout=180))
        cls.serve = Serve()
        cls.addClassCleanup(cls.serve.stop)

    def start(self, text=WEB, **variables):
        self.folder = project(self, NAME, text)
        self.up(**variables)
        wait_until(lambda: self.status() == 200, 20, 'the page')

    def status(self):
        try:
            return self.serve.fetch(HOST).status
        except OSError:
            return None

    def up(self, *flags, status=0, **variables):
        return must(berth('up', '-d', *flags, cwd=self.folder, env=variables, timeout=120), status)

    def only(self):
        """The one container, with its proper name."""
        found = containers(NAME)
        self.assertEqual([one['Names'] for one in found], [[f'/{NAME}-web-1']], found)
        self.assertEqual(found[0]['Labels']['com.docker.compose.container-number'], '1')
        return found[0]

    def route(self, *arguments, status=0):
        return must(berth('route', *arguments, '--data', self.serve.data, timeout=60), status)

    def test_a_pause_fails_no_request(self):
        self.start()
        with Load(self.serve, kept=1, fresh=1) as load:
            said = self.route('pause', HOST)
            self.assertIn('paused rolling', said.stdout)
            self.assertIn('(paused, requests wait up to 30s)', self.route('list').stdout)
            time.sleep(0.3)  # what was answered meanwhile was asked before
            before = list(load.counts)
            time.sleep(0.7)
            self.assertEqual(load.counts, before, 'requests were answered during the pause')
            core = role_pid(self.serve, 'core')
            os.kill(core, signal.SIGKILL)
            wait_until(lambda: role_pid(self.serve, 'core') not in (None, core), 10, 'a new core')
            wait_until(lambda: '(paused' in self.route('list').stdout, 10, 'the new core to know the pause')
            self.assertIn('requests that waited go on', self.route('resume', 'rolling').stderr)
        self.assertEqual(load.failures, [])

    def variables(self, container):
        return engine().json('GET', f'/containers/{container["Id"]}/json')['Config']['Env']

    def test_changed_service_is_replaced_without_a_failed_request(self):
        self.start()
        old = self.only()
        page, slow = {}, f'https://{HOST}:{self.serve.websecure}/stream?n=12'

        def read_slowly():
            with open_url(slow, ca=self.serve.ca) as answer:
                page['instance'], page['text'] = answer.headers['X-Instance'], answer.read()

        with Load(self.serve) as load:
            reader = threading.Thread(target=read_slowly)
            socket = self.serve.websocket(HOST, '/ws')
            reader.start()
            time.sleep(0.2)
            changed = threading.Thread(target=lambda: page.update(done=self.up(MODE='second')))
            changed.start()
            # The WebSocket holds the old container until it is closed.
            wait_until(lambda: len(containers(NAME)) == 2, 20, 'the new container')
            wait_until(lambda: self.serve.fetch(HOST).headers['X-Instance'] != old['Id'][:12], 20, 'its first answer')
            time.sleep(0.5)
            self.assertEqual(socket.echo('still here'), 'still here')
            self.assertEqual(len(containers(NAME)), 2)
            socket.close()
            changed.join(60)
            reader.join(30)
        self.assertEqual(load.failures, [])
        self.assertEqual(page['done'].returncode, 0)
        self.assertEqual((page['instance'], len(page['text'].splitlines())), (old['Id'][:12], 12))
        self.assertNotEqual(self.only()['Id'], old['Id'])
        self.assertIn('MODE=second', self.variables(self.only()))

    def test_new_version_that_is_never_healthy_leaves_the_old_one(self):
        self.start()
        old = self.only()
        with Load(self.serve) as load:
            done = self.up(HEALTH_PORT='9', status=1)
        self.assertEqual(load.failures, [])
        self.assertIn('is unhealthy', done.stderr)
        self.assertEqual(self.only()['Id'], old['Id'])

    def test_killed_in_the_middle_and_up_again(self):
        self.start()
        old = self.only()
        with Load(self.serve) as load:
            process = subprocess.Popen([BERTH, 'up', '-d'], cwd=self.folder, env={**os.environ, 'MODE': 'second'},
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            socket = self.serve.websocket(HOST, '/ws')  # holds the old one
            wait_until(lambda: self.new_answers(old), 30, 'an answer of the new one')
            process.send_signal(signal.SIGKILL)
            process.wait()
            socket.close()
            self.up(MODE='second')
        self.assertEqual(load.failures, [])
        self.assertIn('MODE=second', self.variables(self.only()))

    def new_answers(self, old):
        return self.serve.fetch(HOST).headers['X-Instance'] != old['Id'][:12]

    def test_plan_says_how_and_why_not(self):
        self.start()
        def plan(*flags):
            return must(berth('plan', *flags, cwd=self.folder, env={'MODE': 'second'})).stdout
        self.assertIn('service:web is replaced start-first', plan())
        self.assertIn('web, away: none (the new container starts first)', plan())
        (self.folder / 'compose.yaml').write_text(f'name: {NAME}\n' + WEB + '    ports: ["127.0.0.1:18099:8080"]\n')
        self.assertIn('service:web stops first: port 18099 of the host can be published only once', plan())
        self.up('--no-rolling', MODE='second')
        self.only()


if __name__ == '__main__':
    unittest.main()
