"""What keeps `berth serve` from starting or serving: each says what, why and what to do; and nothing stays behind."""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from api_client import Api
from serve_test import role_pid, tree
from support import BERTH, Serve, berth, engine, wait_until

NOBODY = 65534


class JourneyTest(unittest.TestCase):
    def setUp(self):
        engine()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='berth-journey-'))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.folder.chmod(0o711)

    def disk(self, *options):
        """A small file system of its own."""
        path = self.folder / 'disk'
        path.mkdir()
        subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', path], check=True, timeout=20)
        self.addCleanup(subprocess.run, ['umount', '-l', path], check=True, timeout=20)
        for option in options:
            subprocess.run(['mount', '-o', f'remount,{option}', path], check=True, timeout=20)
        return path

    def refused(self, *flags):
        done = berth('serve', '--web', '0', *flags, timeout=60)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(done.stderr.count('\n'), 1, done.stderr)
        return done.stderr

    def test_a_port_that_is_taken_names_its_holder(self):
        with socket.socket() as holder:
            holder.bind(('127.0.0.1', 0))
            holder.listen()
            port = holder.getsockname()[1]
            said = self.refused('--data', self.folder / 'data', '--websecure', str(port))
        self.assertIn(f'127.0.0.1:{port}: Address already in use', said)
        self.assertIn(f'(pid {os.getpid()}) has it', said)
        self.assertIn('--websecure', said)

    def test_an_address_that_is_none_of_ours(self):
        said = self.refused('--data', self.folder / 'data', '--websecure', '0', '--listen', '192.0.2.1')
        self.assertIn('choose others with --listen', said)

    def test_data_that_cannot_be_written(self):
        said = self.refused('--data', self.disk('ro'), '--websecure', '0')
        self.assertIn('Read-only file system', said)
        self.assertIn('another folder with --data', said)

    def test_data_on_a_full_disk(self):
        disk = self.disk()
        (disk / 'other').write_bytes(b'x' * (4 << 20))
        said = self.refused('--data', disk, '--websecure', '0')
        self.assertIn('No space left on device', said)
        self.assertIn('make room there', said)

    def test_a_disk_that_fills_up_takes_nothing_else_away(self):
        disk = self.disk()
        with Serve(data=disk) as serve:
            api = Api(disk).ready()
            with open(disk / 'other', 'wb', buffering=0) as other:
                try:
                    while True:
                        other.write(b'x' * 4096)
                except OSError:
                    pass
            big = 'services: {web: {image: x}}\n#' + 'x' * 200000
            answer = api.call('POST', '/projects', {'name': 'full', 'files': {'compose.yaml': big}})
            self.assertGreaterEqual(answer.status, 500)
            self.assertRegex(answer.text, 'No space left|is full')
            self.assertEqual(serve.fetch('berth.localhost', '/api/v1/health').status, 200)
            (disk / 'other').unlink()
            api.post('/projects', {'name': 'full', 'files': {'compose.yaml': big}})
            self.assertTrue(api.get('/audit/verify')['ok'])

    def said(self, serve, text):
        wait_until(lambda: text in serve.log.read_text(), 20, f'"{text}" in {serve.log.read_text()}')

    def test_no_engine(self):
        with Serve('--host', f'unix://{self.folder}/none.sock') as serve:
            self.said(serve, 'none.sock: No such file or directory; start the engine, or name its socket with --host')

    def test_an_engine_that_is_not_for_us(self):
        closed = self.folder / 'closed.sock'
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(closed))
            listener.listen()
            closed.chmod(0o600)
            data = self.folder / 'data'
            data.mkdir(mode=0o700)
            os.chown(data, NOBODY, NOBODY)
            program = self.folder / 'berth'  # where that account may run it
            shutil.copy(BERTH, program)
            with open(self.folder / 'log', 'wb') as log:
                process = subprocess.Popen(
                    ['setpriv', f'--reuid={NOBODY}', f'--regid={NOBODY}', '--clear-groups', program, 'serve', '--data',
                     data, '--web', '0', '--websecure', '0', '--host', f'unix://{closed}'], stdout=log, stderr=log)
            try:
                wanted = 'Permission denied; berth runs as nobody: make that a member of the socket\'s group'
                wait_until(lambda: wanted in (self.folder / 'log').read_text(), 30, 'the reason')
            finally:
                process.terminate()
                process.wait(60)

    def test_a_clock_that_goes_back(self):
        """The edge has a snapshot of the future, and core was there too: both go on."""
        data = self.folder / 'data'
        data.mkdir(mode=0o700)
        with Serve(data=data) as serve:
            Api(data).ready()
            wait_until(lambda: (data / 'edge/snapshot').exists(), 20, 'the snapshot')
            ports = serve.web, serve.websecure
        saved = data / 'edge/snapshot'
        later = json.loads(saved.read_text().splitlines()[0])
        later['version'] += 90000 << 16
        saved.write_text(json.dumps(later))
        os.utime(data / 'status.json', (time.time() + 90000,) * 2)
        with Serve(data=data, ports=ports) as serve:
            self.said(serve, 's behind the time when berth last ran')
            Api(data).ready()

            def current():
                status = json.loads((data / 'status.json').read_text())
                return status['accepted'] == status['version'] < later['version']
            wait_until(current, 30, 'the edge to use what is older by its number')
            self.assertEqual(serve.fetch('berth.localhost', '/api/v1/health').status, 200)

    def gone(self, pids):
        wait_until(lambda: not any(pathlib.Path(f'/proc/{pid}/exe').exists() and self.is_berth(pid) for pid in pids), 60,
                   'all processes to end')

    @staticmethod
    def is_berth(pid):
        try:
            return 'berth' in os.readlink(f'/proc/{pid}/exe')
        except OSError:
            return False

    def test_nothing_stays_behind(self):
        for end in 'Ctrl-C', 'kill -9':
            with self.subTest(end):
                serve = Serve()
                try:
                    wait_until(lambda: all(role_pid(serve, role) for role in ('core', 'broker', 'edge')), 20, 'all roles')
                    pids = tree(serve.process.pid)
                    self.assertGreaterEqual(len(pids), 4)
                    if end == 'Ctrl-C':  # the terminal sends it to the whole group of the foreground
                        os.killpg(serve.process.pid, signal.SIGINT)
                        self.assertEqual(serve.process.wait(60), 0)
                    else:
                        serve.process.kill()
                        serve.process.wait(10)
                    self.gone(pids)
                finally:
                    serve.stop()


if __name__ == '__main__':
    unittest.main()
