"""The store of the whole program: its verbs, two cores that start together, kill -9 while the API writes.

POINTS=200 SEED=7 tools/test store_test for more kills, or the same again.
"""
import hashlib
import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time
import unittest

from postgres import Postgres
from support import BERTH, berth, must, wait_until

POINTS = int(os.environ.get('POINTS', '10'))
SEED = int(os.environ.get('SEED') or time.time())
TIME_LIMIT = 3000


class Local(http.client.HTTPConnection):
    """The API on core's unix socket, where root is an admin."""

    def __init__(self, data):
        super().__init__('localhost', timeout=60)
        self.path = str(data / 'api.sock')

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(self.path)


def ask(data, method, path, body=None):
    """(status, JSON) of one request."""
    connection = Local(data)
    try:
        connection.request(method, f'/api/v1{path}', body and json.dumps(body), {'Content-Type': 'application/json'} if body else {})
        reply = connection.getresponse()
        text = reply.read()
        return reply.status, json.loads(text) if text else None
    finally:
        connection.close()


def names_of(data):
    names, cursor = [], ''
    while cursor is not None:
        status, page = ask(data, 'GET', f'/users?limit=100{cursor and f"&cursor={cursor}"}')
        assert status == 200, page
        names += [user['name'] for user in page['items']]
        cursor = page['next']
    return names


class Core:
    """A core alone: no edge, no engine; the API on its socket."""

    def __init__(self, data, *flags, env=None):
        self.data = data
        self.log = data / 'core.log'
        with self.log.open('ab') as log:
            self.process = subprocess.Popen(
                [BERTH, 'serve', '--only', 'core', '--control', data / 'none.sock', '--data', data,
                 '--host', 'unix:///nowhere/docker.sock', *flags],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, **(env or {})})

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f'core ended with {self.process.returncode}: {self.log.read_text(errors="replace")[-2000:]}')
        try:
            return ask(self.data, 'GET', '/health')[0] == 200
        except OSError:
            return False

    def wait(self):
        wait_until(self.answers, 60, 'the API to answer')
        return self

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.terminate()
        try:
            return self.process.wait(30)
        finally:
            self.process.kill()


class StoreTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.postgres = Postgres()
        cls.addClassCleanup(cls.postgres.stop)

    def folder(self):
        path = pathlib.Path(tempfile.mkdtemp(prefix='berth-store-'))
        self.addCleanup(shutil.rmtree, path, ignore_errors=True)
        path.chmod(0o700)
        return path

    def core(self, data, *flags, **options):
        core = Core(data, *flags, **options)
        self.addCleanup(core.kill)
        return core

    def stores(self):
        """A data folder for each kind of store, with the environment that names it."""
        yield 'sqlite', self.folder(), {}
        yield 'postgres', self.folder(), {'BERTH_STORE': self.postgres.database()}

    def verb(self, data, *words, env=None):
        return berth(*words, '--data', data, env=env)


class Verbs(StoreTest):
    def test_migrate_runs_what_is_missing_and_nothing_twice(self):
        for kind, data, env in self.stores():
            with self.subTest(kind):
                self.assertEqual(self.verb(data, 'audit', 'list', env=env).returncode, 14 if kind == 'sqlite' else 1)
                first = json.loads(must(self.verb(data, 'migrate', '--format', 'json', env=env)).stdout)
                self.assertEqual(first['ran'], first['migrations'])
                self.assertGreater(first['ran'], 2)
                again = json.loads(must(self.verb(data, 'migrate', '--format', 'json', env=env)).stdout)
                self.assertEqual(again, {'ran': 0, 'migrations': first['ran']})
                self.assertIn('0 entries are whole', must(self.verb(data, 'audit', 'verify', env=env)).stdout)

    def test_a_store_of_a_newer_berth_is_refused(self):
        data = self.folder()
        must(self.verb(data, 'migrate'))
        with sqlite3.connect(data / 'berth.db') as database:
            database.execute("INSERT INTO berth_migrations VALUES (9999, 'later', 'x', 0)")
        refused = self.verb(data, 'migrate')
        self.assertEqual(refused.returncode, 1)
        self.assertIn('newer berth (migration 9999, later)', refused.stderr)
        core = self.core(data)
        wait_until(lambda: 'newer berth' in core.log.read_text(), 30, 'core to say why there is no API')

    def test_a_password_is_not_told(self):
        for url in ('postgresql://ada:hunter2@127.0.0.1:1/x', 'mysql://ada:hunter2@127.0.0.1/x', 'postgresql://ada:hunter2@[/x'):
            done = self.verb(self.folder(), 'migrate', env={'BERTH_STORE': url})
            self.assertEqual(done.returncode, 1, url)
            self.assertNotIn('hunter2', done.stdout + done.stderr)

    def test_wrong_words(self):
        for words in (['migrate', 'now'], ['store'] + ['copy', 'x'], ['store', 'backup'], ['audit', 'show'],
                      ['audit', 'list', '--limit', 'many'], ['audit', 'list', '--decision', 'maybe'], ['audit', '--nonsense']):
            self.assertEqual(self.verb(self.folder(), *words).returncode, 16, words)


class Life(StoreTest):
    """One core, its audit log, a copy of its store and the way back."""

    def test_with_each_store(self):
        for kind, data, env in self.stores():
            with self.subTest(kind):
                self.live(kind, data, env)

    def live(self, kind, data, env):
        core = self.core(data, env=env).wait()
        for name in ('ada', 'bob', 'eve'):
            status, _ = ask(data, 'POST', '/users', {'name': name, 'role': 'viewer'})
            self.assertEqual(status, 201)
        # What serve was told once holds for the verbs, and for the next start.
        self.check_audit(data)
        copy = data / 'copy'
        must(self.verb(data, 'store', 'backup', copy))
        self.assertEqual(copy.stat().st_mode & 0o777, 0o600)
        self.assertEqual(ask(data, 'POST', '/users', {'name': 'late', 'role': 'viewer'})[0], 201)
        self.assertEqual(self.verb(data, 'store', 'restore', copy, '--yes').returncode, 75)
        self.assertEqual(core.stop(), 0)
        self.assertEqual(self.verb(data, 'store', 'restore', copy).returncode, 1)  # nobody to ask
        must(self.verb(data, 'store', 'restore', copy, '--yes'))
        self.core(data).wait()
        self.assertEqual(sorted(names_of(data)), ['ada', 'bob', 'eve'])
        self.assertEqual(len(list(data.glob('store.before-restore-*'))), 1)
        if kind == 'sqlite':
            self.check_flipped(data)

    def check_audit(self, data):
        listed = must(self.verb(data, 'audit', 'list', '--verb', 'user.', '--limit', '2', '--format', 'json')).stdout
        self.assertEqual([json.loads(line)['subject'] for line in listed.splitlines()], ['user:eve', 'user:bob'])
        entries = [json.loads(line) for line in must(self.verb(data, 'audit', 'export')).stdout.splitlines()]
        before = ''
        for entry in entries:
            found = entry.pop('hash')
            text = json.dumps(entry, sort_keys=True, separators=(',', ':'), ensure_ascii=False)
            self.assertEqual(hashlib.sha256(f'{before}\n{text}'.encode()).hexdigest(), found)
            before = found
        verified = json.loads(must(self.verb(data, 'audit', 'verify', '--head', before, '--format', 'json')).stdout)
        self.assertEqual(verified, {'whole': True, 'entries': len(entries), 'head': before, 'broken': None, 'why': None})
        self.assertEqual(self.verb(data, 'audit', 'verify', '--head', 'f' * 64).returncode, 1)

    def check_flipped(self, data):
        with sqlite3.connect(data / 'berth.db') as database:
            database.execute("UPDATE audit SET subject = 'user:abe' WHERE subject = 'user:ada'")
        broken = self.verb(data, 'audit', 'verify')
        self.assertEqual(broken.returncode, 1)
        self.assertIn('entry 1 or the one before it is not what was written', broken.stderr)


class TwoCores(StoreTest):
    def test_that_start_together_migrate_once(self):
        url = self.postgres.database()
        cores = [self.core(self.folder(), env={'BERTH_STORE': url}) for _ in range(2)]
        for core in cores:
            core.wait()
        numbers = [row[0] for row in self.postgres.ask(url, 'SELECT number FROM berth_migrations')]
        self.assertEqual(len(numbers), len(set(numbers)))
        for number, core in enumerate(cores):
            self.assertEqual(ask(core.data, 'POST', '/users', {'name': f'u{number}', 'role': 'viewer'})[0], 201)
        for core in cores:
            self.assertEqual(sorted(names_of(core.data)), ['u0', 'u1'])
        self.assertIn('2 entries are whole', must(self.verb(cores[0].data, 'audit', 'verify')).stdout)

    def test_of_one_data_folder_are_one_too_many(self):
        data = self.folder()
        self.core(data).wait()
        second = subprocess.run([BERTH, 'serve', '--only', 'core', '--control', data / 'none.sock', '--data', data],
                                capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=30)
        self.assertEqual(second.returncode, 75, second.stderr)


class LateServer(StoreTest):
    def test_is_waited_for(self):
        data, name = self.folder(), f'late{os.getpid()}'
        core = self.core(data, '--store', f'postgresql:///{name}?user=postgres&host={self.postgres.folder}')
        wait_until(lambda: 'no API yet: ' in core.log.read_text(), 30, 'core to say what it waits for')
        self.postgres.must('createdb', '-h', self.postgres.folder, '-U', 'postgres', name)
        core.wait()
        self.assertEqual(core.log.read_text().count('no API yet: '), 1)


class Writer(threading.Thread):
    """Makes users one after the other, as long as core answers; `kept` are those that it said it made."""

    def __init__(self, data, first):
        super().__init__()
        self.data, self.next, self.kept = data, first, []

    def run(self):
        try:
            while True:
                name = f'user{self.next}'
                self.next += 1
                if ask(self.data, 'POST', '/users', {'name': name, 'role': 'viewer'})[0] == 201:
                    self.kept.append(name)
        except (OSError, http.client.HTTPException, ValueError):
            pass  # it was killed


class Kills(StoreTest):
    """Core is killed at random moments while the API writes: what it acknowledged is there, and nothing is half done."""

    def test_lose_nothing(self):
        print(f'SEED={SEED}', flush=True)
        chance = random.Random(SEED)
        for kind, data, env in self.stores():
            with self.subTest(kind):
                self.kill_often(kind, data, env, chance, (POINTS + 1) // 2)

    def kill_often(self, kind, data, env, chance, kills):
        kept, number = set(), 0
        for _ in range(kills):
            core = self.core(data, env=env).wait()
            writer = Writer(data, number)
            writer.start()
            time.sleep(chance.uniform(0, 0.4))
            core.kill()
            writer.join(30)
            self.assertFalse(writer.is_alive())
            kept.update(writer.kept)
            number = writer.next
        core = self.core(data, env=env).wait()
        there = set(names_of(data))
        self.assertEqual(kept - there, set())
        entries = [json.loads(line) for line in must(self.verb(data, 'audit', 'export')).stdout.splitlines()]
        told = {e['subject'].removeprefix('user:') for e in entries if e['decision'] == 'allowed'}
        self.assertEqual(there ^ told, set(), 'users without an entry, or entries without a user')
        self.assertIn(f'{len(entries)} entries are whole', must(self.verb(data, 'audit', 'verify')).stdout)
        self.assertEqual(core.stop(), 0)
        print(f'{kind}: {kills} kills, {len(kept)} acknowledged writes, {len(there)} kept, 0 lost', flush=True)


if __name__ == '__main__':
    unittest.main()
