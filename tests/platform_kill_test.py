"""kill -9 of core, of the broker and of the edge at random moments while the API writes: nothing is lost, nothing stays half-done.

What was answered with success is there afterwards; what was not is there whole or not at all. Jobs of the dead core end
as interrupted (or went well), the next apply brings the project to what its files say, no lock and no temporary name
stays, and the audit's chain is whole. POINTS=200 SEED=7 tools/test platform_kill_test for more moments.
"""
import collections
import http.client
import os
import pathlib
import random
import shutil
import signal
import tempfile
import threading
import time
import unittest

from api_client import Api
from postgres import Postgres
from serve_test import role_pid
from support import Serve, containers, engine, images, remove_project, wait_until

POINTS = int(os.environ.get('POINTS', '10'))
SEED = int(os.environ.get('SEED') or time.time())
TIME_LIMIT = 3000
NAME, OTHER = 'killedapi', 'killedother'
ENDED = {'succeeded', 'failed', 'interrupted', 'cancelled'}

COMPOSE = '''services:
  web:
    image: berth.local/debian:12
    command: sleep infinity
    init: true
    stop_grace_period: 0s
    environment: {{VERSION: "{version}"}}
    volumes: ["data:/data"]
volumes: {{data: {{}}}}
# {padding}
'''


def text_of(version):
    return COMPOSE.format(version=version, padding='x' * (version * 997 % 20000))


class Deed(threading.Thread):
    """One request whose fate is not known until it is answered."""

    def __init__(self, ask):
        super().__init__(daemon=True)
        self.ask, self.response = ask, None
        self.start()

    def run(self):
        try:
            self.response = self.ask()
        except (OSError, http.client.HTTPException):
            pass  # core died over it

    @property
    def confirmed(self):
        return self.response is not None and self.response.status < 300


class PlatformKillTest(unittest.TestCase):
    store = {}  # environment that names it; none: the file

    @classmethod
    def setUpClass(cls):
        engine()
        images('debian')
        for name in NAME, OTHER:
            remove_project(name)
            cls.addClassCleanup(remove_project, name)
        cls.data = tempfile.mkdtemp(prefix='berth-killed-')
        cls.addClassCleanup(shutil.rmtree, cls.data, ignore_errors=True)
        cls.serve = Serve(data=cls.data, env=cls.store)
        cls.addClassCleanup(lambda: cls.serve.stop())
        cls.api = Api(cls.data).ready()

    def setUp(self):
        self.random = random.Random(SEED)
        self.version, self.seen, self.other = 0, collections.Counter(), False
        self.writes = self.jobs = 0
        self.killed = collections.Counter()

    def kill_role(self, role):
        pid = wait_until(lambda: role_pid(self.serve, role), 20, f'{role} to run')
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: role_pid(self.serve, role) not in (None, pid), 30, f'{role} to be started again')
        self.killed[role] += 1

    def kill_core(self):
        self.kill_role('core')
        self.api.ready(30)

    def restart(self):
        """All of serve: its supervisor starts a core that keeps dying after ever longer pauses."""
        type(self).serve.stop()
        type(self).serve = Serve(data=self.data, env=self.store)
        self.api.ready()

    def during(self, ask):
        """Begins the request, kills core at a random moment of it, and gives what became of it."""
        deed = Deed(ask)
        time.sleep(self.random.choice((0.002, 0.02, 0.2)) * self.random.random())
        self.kill_core()
        deed.join(30)
        self.assertFalse(deed.is_alive(), 'a request outlived its core')
        return deed

    def write(self):
        path = f'/projects/{NAME}/files/compose.yaml'
        before = self.api.call('GET', path)
        wanted = text_of(self.version + 1)
        deed = self.during(lambda: self.api.call('PUT', path, wanted.encode(), {'If-Match': before.headers['ETag']}))
        after = self.api.call('GET', path).text
        self.assertIn(after, (before.text, wanted), 'a file is half-written')
        if deed.confirmed:
            self.writes += 1
            self.assertEqual(after, wanted, 'a write that was confirmed is lost')
        if after == wanted:
            self.version += 1

    def create_or_remove(self):
        folder = pathlib.Path(self.data) / 'projects' / OTHER
        if self.other:
            deed = self.during(lambda: self.api.call('DELETE', f'/projects/{OTHER}', {'confirm': OTHER}))
            self.job_of(deed)
            if not folder.exists():
                self.other = False
                return
        else:
            files = {'compose.yaml': text_of(1), 'b/notes': 'b' * 5000, 'c/notes': 'c' * 5000}
            deed = self.during(lambda: self.api.call('POST', '/projects', {'name': OTHER, 'files': files}))
            self.other = folder.exists()
            self.assertTrue(self.other or not deed.confirmed, 'a project that was confirmed is lost')
        if self.other:
            found = self.api.get(f'/projects/{OTHER}/files')['items']
            self.assertEqual([item['path'] for item in found], ['b/notes', 'c/notes', 'compose.yaml'])

    def apply(self):
        plan = self.api.post(f'/projects/{NAME}/plan')['plan']
        self.job_of(self.during(lambda: self.api.call('POST', f'/projects/{NAME}/apply', {'plan': plan})))

    def apply_underway(self):
        """The job has begun for sure when core dies."""
        plan = self.api.post(f'/projects/{NAME}/plan')['plan']
        job = self.api.post(f'/projects/{NAME}/apply', {'plan': plan})['job']
        time.sleep(self.random.random())
        self.kill_core()
        self.ended(job)

    def apply_without(self, role):
        """The broker or the edge dies instead: core lives, and so does its job."""
        plan = self.api.post(f'/projects/{NAME}/plan')['plan']
        job = self.api.post(f'/projects/{NAME}/apply', {'plan': plan})['job']
        time.sleep(self.random.choice((0.02, 0.2, 1)) * self.random.random())
        self.kill_role(role)
        self.ended(job)

    def job_of(self, deed):
        if deed.confirmed:
            self.ended(deed.response.json()['job'])

    def ended(self, job):
        self.jobs += 1
        state = wait_until(lambda: (state := self.api.get(f'/jobs/{job}')['state']) in ENDED and state, 30,
                           f'{job} to end')
        self.seen[state] += 1

    def settle(self):
        """The same again, by hand: at most twice, and then all is as the files say."""
        self.api.idle(NAME)
        for _ in range(2):
            plan = self.api.post(f'/projects/{NAME}/plan')
            if not plan['changes']:
                break
            job = self.api.post(f'/projects/{NAME}/apply', {'plan': plan['plan']})['job']
            self.api.idle(NAME)
            self.ended(job)
        container, = containers(NAME)
        self.assertEqual((container['Names'], container['State']), ([f'/{NAME}-web-1'], 'running'))
        env = engine().json('GET', f'/containers/{container["Id"]}/json')['Config']['Env']
        self.assertIn(f'VERSION={self.version}', env)
        # Core looks for locks of its dead self when it starts.
        try:
            wait_until(lambda: not self.leftovers(), 20, 'leftovers to go')
        except AssertionError as late:
            said = self.serve.log.read_text(errors='replace')[-2000:]
            raise AssertionError(f'{late}: {self.leftovers()}\n{said}') from None

    def leftovers(self):
        root = pathlib.Path(self.data) / 'projects'
        found = [str(path) for path in root.rglob('.berth-*')]
        volumes = engine().json('GET', '/volumes')['Volumes'] or []
        return found + [volume['Name'] for volume in volumes if volume['Name'] == f'berth-lock_{NAME}']

    def test_nothing_is_lost_and_nothing_half_done(self):
        self.api.post('/projects', {'name': NAME, 'files': {'compose.yaml': text_of(0)}})
        self.settle()
        data, = [v for v in engine().json('GET', '/volumes')['Volumes'] if v['Name'] == f'{NAME}_data']
        for point in range(POINTS):
            with self.subTest(point=point, seed=SEED):
                if point % 4 == 0 and point > 0:
                    self.restart()
                step = (self.write, self.apply_underway, self.create_or_remove, self.apply,
                        lambda: self.apply_without('broker'), lambda: self.apply_without('edge'))[point % 6]
                if point % 6 not in (0, 2):  # something to do
                    self.version += 1
                    self.api.call('PUT', f'/projects/{NAME}/files/compose.yaml', text_of(self.version).encode(),
                                  {'If-Match': '*'})
                step()
                self.settle()
        kept, = [v for v in engine().json('GET', '/volumes')['Volumes'] if v['Name'] == f'{NAME}_data']
        self.assertEqual(kept['CreatedAt'], data['CreatedAt'], 'the volume is another one')
        verified = self.api.get('/audit/verify')
        self.assertTrue(verified['ok'], verified)
        audited = self.api.get('/audit?verb=project.file.write&decision=allowed&limit=1000')['items']
        self.assertGreaterEqual(len(audited), self.writes, 'a confirmed write without its audit entry')
        begun = self.api.get('/audit?decision=begun')['items']
        self.assertEqual(begun, [], 'what was begun has no outcome after all is quiet')
        interrupted = self.api.get('/audit?decision=interrupted&limit=1000')['items']
        print(f'SEED={SEED}, {"PostgreSQL" if self.store else "SQLite"}: killed: {dict(self.killed)}; '
              f'{len(interrupted)} deeds interrupted; {self.jobs} jobs: {dict(self.seen)}; '
              f'{verified["entries"]} audit entries, chain whole', flush=True)


class SharedStoreKillTest(PlatformKillTest):
    """The same on PostgreSQL, where other cores may be at work: what the dead one of this data folder left is known at once."""

    @classmethod
    def setUpClass(cls):
        postgres = Postgres()
        cls.addClassCleanup(postgres.stop)
        cls.store = {'BERTH_STORE': postgres.database()}
        super().setUpClass()

    def test_nothing_is_lost_and_nothing_half_done(self):
        super().test_nothing_is_lost_and_nothing_half_done()
        self.assertFalse((pathlib.Path(self.data) / 'berth.db').exists())


if __name__ == '__main__':
    unittest.main()
