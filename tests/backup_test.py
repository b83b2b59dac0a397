"""Volumes into files and back on the private engine: what is inside, who goes on, what a kill leaves."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from support import BERTH, berth, engine, images, must

WRITE = '''set -e
mkdir -p /data/deep/er
echo kept > /data/deep/er/file
ln -s deep/er/file /data/link
ln /data/deep/er/file /data/hard
head -c 3000000 /dev/urandom > /data/noise
: > "/data/a name with 'quotes' and ünïcode"
chown -R 999:998 /data
chmod 700 /data
chmod 4750 /data/noise
'''
TELL = '''cd /data
find . -printf "%y %m %U:%G %n %l %p\\n" 2>/dev/null | sort || ls -lanR
find . -type f -exec sha256sum {} + | sort
'''


class Backup(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        engine()
        images('busybox')

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='berth-backup-')
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.name = 'bak-' + self._testMethodName.replace('_', '-')[5:30]
        self.addCleanup(self.drop, f'{self.name}-new')
        self.addCleanup(self.drop, self.name)

    def drop(self, volume):
        for one in engine().json('GET', '/containers/json?all=1'):
            names = ' '.join(one['Names'])
            if self.name in names:
                engine().call('DELETE', f'/containers/{one["Id"]}?force=1&v=1').read()
        try:
            engine().call('DELETE', f'/volumes/{volume}').read()
        except Exception as error:  # noqa: BLE001  it may never have been made
            if '404' not in str(error) and 'no such volume' not in str(error).lower():
                raise

    def volume(self, **labels):
        engine().json('POST', '/volumes/create', {'Name': self.name, 'Labels': labels})

    def inside(self, script, volume=None, wait=True, suffix='work'):
        """Runs `script` in a container with the volume at /data; its output."""
        made = engine().json('POST', f'/containers/create?name={self.name}-{suffix}-{time.monotonic_ns()}', {
            'Image': 'berth.local/busybox', 'Cmd': ['sh', '-c', script], 'Tty': True,
            'HostConfig': {'Binds': [f'{volume or self.name}:/data'], 'NetworkMode': 'none'}})
        engine().call('POST', f'/containers/{made["Id"]}/start').read()
        if not wait:
            return made['Id']
        ended = engine().json('POST', f'/containers/{made["Id"]}/wait')
        output = engine().call('GET', f'/containers/{made["Id"]}/logs?stdout=1&stderr=1').read().decode()
        engine().call('DELETE', f'/containers/{made["Id"]}?force=1').read()
        self.assertEqual(ended['StatusCode'], 0, output)
        return output

    def run_backup(self, *more, status=0):
        return must(berth('backup', 'run', self.name, '--to', self.folder, *more), status)

    def files(self):
        return sorted(os.listdir(self.folder))

    def leftovers(self):
        return [name for one in engine().json('GET', '/containers/json?all=1') for name in one['Names']
                if name.startswith('/berth-') and self.name in name]

    def test_everything_comes_back(self):
        self.volume(**{'com.docker.compose.project': 'shop'})
        self.inside(WRITE)
        before = self.inside(TELL)
        self.assertIn('noise', before)
        made = json.loads(self.run_backup('--format', 'json').stdout)
        self.assertEqual(len(self.files()), 2)
        self.assertEqual([oct(os.stat(f'{self.folder}/{name}').st_mode & 0o777) for name in self.files()], ['0o600'] * 2)
        must(berth('backup', 'verify', made['file']))
        must(berth('restore', made['file'], '--to', f'{self.name}-new'))
        self.assertEqual(self.inside(TELL, volume=f'{self.name}-new'), before)
        labels = engine().json('GET', f'/volumes/{self.name}-new')['Labels']
        self.assertEqual(labels, {'berth.restored-from': self.name})
        self.assertEqual(self.leftovers(), [])
        listed = json.loads(must(berth('backup', 'list', self.folder, '--format', 'json')).stdout)
        self.assertEqual([row['volume'] for row in listed], [self.name])
        # Under its old name it belongs to its project again.
        engine().call('DELETE', f'/volumes/{self.name}').read()
        must(berth('restore', made['file']))
        self.assertEqual(engine().json('GET', f'/volumes/{self.name}')['Labels'], {'com.docker.compose.project': 'shop'})
        self.assertEqual(self.inside(TELL), before)

    def test_a_plain_tar_reads_it(self):
        self.volume()
        self.inside('echo plain > /data/file')
        made = json.loads(self.run_backup('--format', 'json').stdout)
        tar = subprocess.run(f"zstd -dc '{made['file']}' | tar -xO volume/file", shell=True, capture_output=True, timeout=30)
        self.assertEqual(tar.stdout, b'plain\n', tar.stderr)

    def test_an_existing_volume_is_never_written_to(self):
        self.volume()
        self.inside('echo old > /data/file')
        made = json.loads(self.run_backup('--format', 'json').stdout)
        self.inside('echo newer > /data/file')
        refused = must(berth('restore', made['file']), 1)
        self.assertIn('exists and nothing of it was touched', refused.stderr)
        self.assertEqual(self.inside('cat /data/file').strip(), 'newer')

    def test_a_damaged_copy_changes_nothing(self):
        self.volume()
        self.inside(WRITE)
        made = json.loads(self.run_backup('--format', 'json').stdout)
        with open(made['file'], 'r+b') as file:
            file.seek(1_000_000)
            byte = file.read(1)
            file.seek(1_000_000)
            file.write(bytes([byte[0] ^ 1]))
        for command in (['backup', 'verify', made['file']], ['restore', made['file'], '--to', f'{self.name}-new']):
            refused = must(berth(*command), 1)
            self.assertIn('damaged', refused.stderr)
        names = [one['Name'] for one in engine().json('GET', '/volumes')['Volumes']]
        self.assertNotIn(f'{self.name}-new', names)
        self.assertEqual(self.leftovers(), [])

    def test_users_stand_still_and_go_on(self):
        self.volume()
        user = self.inside('i=0; while :; do i=$((i+1)); echo $i > /data/count; done', wait=False, suffix='user')
        for flag, word in (('--pause', 'paused'), ('--stop', 'stopped')):
            self.run_backup(flag)
            state = engine().json('GET', f'/containers/{user}/json')['State']
            self.assertTrue(state['Running'] and not state['Paused'], (word, state))
            time.sleep(1.1)  # a copy's name holds the second
        told = self.run_backup()
        self.assertIn('runs and may write to it meanwhile', told.stderr)
        self.assertEqual(len(self.files()), 6)

    def test_a_missing_volume_and_wrong_words(self):
        missing = must(berth('backup', 'run', self.name, '--to', self.folder), 1)
        self.assertIn(self.name, missing.stderr)
        self.assertEqual(self.files(), [])
        must(berth('backup', 'run', self.name), 16)
        must(berth('backup', 'paint'), 16)
        must(berth('restore'), 16)
        nowhere = must(berth('backup', 'run', self.name, '--to', f'{self.folder}/none'), 1)
        self.assertIn('none', nowhere.stderr)

    def test_copies_are_removed_by_name_and_by_number(self):
        self.volume()
        made = []
        for more in (), ('--keep', '5'), ('--keep=2',):
            made.append(json.loads(self.run_backup('--format', 'json', *more).stdout))
            time.sleep(1.1)  # names are times
        self.assertEqual([[os.path.basename(made[0]['file'])] if n == 2 else [] for n in range(3)],
                         [each['removed'] for each in made])
        self.assertEqual(len(self.files()), 4)
        file = made[1]['file']
        unasked = must(berth('backup', 'remove', file), 1)
        self.assertIn('nobody can be asked', unasked.stderr)
        self.assertEqual(len(self.files()), 4)
        # One that is none spares the others too.
        stray = f'{self.folder}/notes.tar.zst'
        with open(stray, 'w') as out:
            out.write('not a copy')
        self.assertIn('is not called as a copy is', must(berth('backup', 'remove', '-y', file, stray), 1).stderr)
        self.assertEqual(len(self.files()), 5)
        self.assertIn(f'removed {file}', must(berth('backup', 'remove', '-y', file)).stderr)
        self.assertEqual(self.files(), sorted([*(os.path.basename(made[2]['file'])[:-8] + end for end in ('.tar.zst', '.json')),
                                               'notes.tar.zst']))
        must(berth('backup', 'remove', '-y', file), 1)
        for wrong in ('remove',), ('run', self.name, '--to', self.folder, '--keep', '0'), ('run', self.name, '--to', self.folder, '--keep', 'x'):
            must(berth('backup', *wrong), 16)

    def test_copies_that_root_makes_for_berth_are_berths(self):
        self.volume()
        with tempfile.NamedTemporaryFile('w') as accounts:  # of a host that has one called berth
            accounts.write(pathlib.Path('/etc/passwd').read_text() + '\nberth:x:4242:4242::/:/bin/false\n')
            accounts.flush()

            def owners(folder):
                os.chown(self.folder, folder, folder)
                must(subprocess.run(['unshare', '--mount', 'sh', '-c', 'mount --bind "$0" /etc/passwd && exec "$@"', accounts.name,
                                     BERTH, 'backup', 'run', self.name, '--to', self.folder], capture_output=True, text=True, timeout=120))
                time.sleep(1.1)  # names are times
                return sorted({os.stat(f'{self.folder}/{name}').st_uid for name in self.files()})
            self.assertEqual(owners(4242), [4242])
            self.assertEqual(owners(12345), [0, 4242], 'another one gets nothing that it could not read')

    def kill_after(self, seconds, *command):
        process = subprocess.Popen([BERTH, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.wait(30)
        return process.returncode

    def test_killed_copies_are_made_anew(self):
        self.volume()
        self.inside('head -c 60000000 /dev/urandom > /data/noise')
        before = self.inside('sha256sum /data/noise')
        killed = [self.kill_after(0.15 + 0.12 * turn, 'backup', 'run', self.name, '--to', self.folder) for turn in range(5)]
        self.assertIn(-signal.SIGKILL, killed)
        for name in self.files():  # what has its name is whole, what is not whole has none
            if name.endswith('.tar.zst') and name.replace('.tar.zst', '.json') in self.files():
                must(berth('backup', 'verify', f'{self.folder}/{name}'))
        time.sleep(1.1)
        made = json.loads(self.run_backup('--format', 'json').stdout)
        killed = [self.kill_after(0.2 + 0.15 * turn, 'restore', made['file'], '--to', f'{self.name}-new') for turn in range(6)]
        self.assertIn(-signal.SIGKILL, killed)
        last = berth('restore', made['file'], '--to', f'{self.name}-new')
        # One of them may have come to its end before the kill.
        self.assertTrue(last.returncode == 0 or 'exists' in last.stderr, last.stderr)
        self.assertEqual(self.inside('sha256sum /data/noise', volume=f'{self.name}-new'), before)
        self.assertEqual(self.leftovers(), [])


if __name__ == '__main__':
    unittest.main(verbosity=2)
