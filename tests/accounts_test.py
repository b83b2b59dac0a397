"""Each role of `berth serve` as an account of its own, where root starts it; and a data folder that was root's before.

Accounts that every Debian has stand for those that the package makes.
"""
import os
import pathlib
import shutil
import signal
import stat
import tempfile
import unittest

from api_client import Api
from serve_test import role_pid
from support import Serve, berth, containers, engine, images, must, remove_project, wait_until

NAME, OTHER = 'accounted', 'accountedother'
CORE, BROKER, EDGE = 'daemon', 'games', 'nobody'
COMPOSE = '''services:
  web:
    image: berth.local/busybox
    command: sleep 100000
    stop_grace_period: 0s
    environment: {{VERSION: "{}"}}
    volumes: ["./state:/state"]
'''
RUNTIME = pathlib.Path('/run/berth')


def uid_of(account):
    import pwd
    return pwd.getpwnam(account).pw_uid


def facts(pid):
    text = pathlib.Path(f'/proc/{pid}/status').read_text()
    return {line.split(':')[0]: line.split(':')[1].split() for line in text.splitlines() if ':' in line}


class AccountsTest(unittest.TestCase):
    def setUp(self):
        if os.geteuid() != 0:
            self.fail('this suite needs root')
        engine()
        images('busybox')
        for name in NAME, OTHER:
            remove_project(name)
            self.addCleanup(remove_project, name)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='berth-accounts-'))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.folder.chmod(0o711)
        self.data = self.folder / 'data'
        self.data.mkdir(mode=0o700)
        self.addCleanup(self.runtime_back)
        self.serve = None
        self.addCleanup(lambda: self.serve and self.serve.stop())

    @staticmethod
    def runtime_back():
        for path in (RUNTIME, *RUNTIME.iterdir()):
            if path.lstat().st_uid == uid_of(CORE):
                os.lchown(path, 0, 0)

    def start(self, *flags):
        if self.serve:
            self.serve.stop()
        self.serve = Serve(*flags, data=self.data)
        self.api = Api(self.data).ready(30)

    def owner(self, path):
        return (self.data / path).lstat().st_uid

    def apply(self, name=NAME):
        plan = wait_until(lambda: self.planned(name), 30, 'the engine')
        job = self.api.post(f'/projects/{name}/apply', {'plan': plan})['job']
        state = wait_until(lambda: (seen := self.api.get(f'/jobs/{job}')['state']) not in ('queued', 'running') and seen,
                           60, job)
        self.assertEqual(state, 'succeeded', self.api.get(f'/jobs/{job}'))

    def planned(self, name):
        answer = self.api.call('POST', f'/projects/{name}/plan', {})
        return answer.json()['plan'] if answer.status < 300 else None

    def test_a_folder_of_root_is_taken_over(self):
        self.start()
        self.assertIn('core runs as root', berth('doctor', '--data', self.data).stdout)
        self.api.post('/projects', {'name': NAME, 'files': {'compose.yaml': COMPOSE.format(1)}})
        self.apply()
        outside = self.folder / 'outside'
        outside.write_text('x')
        (self.data / 'link').symlink_to(outside)
        os.link(outside, self.data / 'second-name')
        state = self.data / 'projects' / NAME / 'state'
        (state / 'theirs').write_text('x')
        os.chown(state / 'theirs', 999, 999)

        self.start('--core-user', CORE, '--broker-user', BROKER)
        for role, account in ('core', CORE), ('broker', BROKER), ('edge', EDGE):
            status = facts(wait_until(lambda role=role: role_pid(self.serve, role), 20, role))
            self.assertEqual(set(status['Uid']), {str(uid_of(account))}, role)
            self.assertEqual(int(status['CapEff'][0], 16), 0, role)
            self.assertEqual(int(status['CapBnd'][0], 16), 0, role)
            self.assertEqual(status['NoNewPrivs'], ['1'], role)
        core = uid_of(CORE)
        for path in '.', 'berth.db', 'keys/store.key', 'static.json', 'certificates/root.pem', f'projects/{NAME}/compose.yaml':
            self.assertEqual(self.owner(path), core, path)
        self.assertEqual(outside.stat().st_uid, 0, 'a file outside was given away')
        self.assertEqual((state / 'theirs').stat().st_uid, 999)
        for found in self.data.rglob('*.key'):
            self.assertEqual(stat.S_IMODE(found.stat().st_mode) & 0o077, 0, found)
        # All that core does: read and write files, plan, take the lock, apply, keep a generation.
        path = f'/projects/{NAME}/files/compose.yaml'
        self.assertEqual(self.api.call('PUT', path, COMPOSE.format(2).encode(), {'If-Match': '*'}).status // 100, 2)
        self.apply()
        self.assertEqual(len(containers(NAME)), 1)
        # What root does beside it stays usable for core: a lock, a generation.
        before = len(self.api.get(f'/projects/{NAME}/history')['items'])
        must(berth('--data', self.data, 'up', '-d', '--force-recreate', cwd=self.data / 'projects' / NAME, timeout=120))
        self.assertEqual(len(self.api.get(f'/projects/{NAME}/history')['items']), before + 1)
        for kept in (self.data / 'projects').glob(f'{NAME}@*/*'):
            self.assertEqual(kept.lstat().st_uid, core, kept)
        self.assertEqual(self.api.call('PUT', path, COMPOSE.format(3).encode(), {'If-Match': '*'}).status // 100, 2)
        self.apply()
        # Containers own what they make.
        (state / 'made').write_text('x')
        must(berth('user', 'list', '--data', self.data))
        must(berth('audit', 'verify', '--data', self.data))
        must(berth('upgrade', '--data', self.data, timeout=120))
        self.api.ready(30)
        self.assertEqual(set(facts(role_pid(self.serve, 'core'))['Uid']), {str(core)})
        self.assertEqual((state / 'made').stat().st_uid, 0, 'a file of a container was given away')
        os.kill(role_pid(self.serve, 'core'), signal.SIGKILL)
        self.api.ready(30)
        self.apply()
        self.assertNotIn('runs as root', berth('doctor', '--data', self.data).stdout)

    def test_a_project_that_core_may_not_read_is_named_with_a_way_out(self):
        closed = self.folder / 'closed'
        closed.mkdir(mode=0o700)
        (closed / 'compose.yaml').write_text(COMPOSE.format(1).replace('./state', '/state'))
        must(berth('-p', OTHER, 'up', '-d', cwd=closed, timeout=120))
        self.start('--core-user', CORE)
        answer = wait_until(lambda: (got := self.api.call('POST', f'/projects/{OTHER}/adopt', {})).status != 503 and got,
                            30, 'the engine')
        self.assertGreaterEqual(answer.status, 400)
        self.assertIn(f'setfacl -R -m u:{CORE}:rX {closed}', answer.json()['message'])

    def test_a_folder_that_the_account_cannot_reach_is_named(self):
        self.folder.chmod(0o700)
        done = berth('serve', '--data', self.data, '--core-user', CORE, '--web', '0', '--websecure', '0', timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f'cannot open the folder {self.data} as {CORE}: Permission denied; let others pass', done.stderr)

    def test_an_account_that_does_not_exist_is_named(self):
        for flag in '--core-user', '--broker-user':
            done = berth('serve', '--data', self.data, '--web', '0', '--websecure', '0', flag, 'no-such', timeout=30)
            self.assertEqual(done.returncode, 1)
            self.assertIn(f'{flag}: no account is called no-such', done.stderr)


if __name__ == '__main__':
    unittest.main()
