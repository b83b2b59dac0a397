"""Edge and core as programs of their own that meet on a socket, as units of systemd or containers run them."""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from serve_test import hello_folder
from support import BERTH, berth, engine, fetch, free_port, must, remove_project, wait_until

HOST = 'hello.localhost'


class Apart(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        engine()
        cls.folder = hello_folder()
        remove_project('hello')
        cls.base = pathlib.Path(tempfile.mkdtemp(prefix='berth-apart-'))
        cls.base.chmod(0o711)  # the edge's account reaches its own folder
        cls.web, cls.websecure = free_port(), free_port()
        cls.running = {}
        for cleanup in ((shutil.rmtree, cls.base, True), (shutil.rmtree, cls.folder, True), (remove_project, 'hello'),
                        (cls.stop, 'core'), (cls.stop, 'edge')):
            cls.addClassCleanup(*cleanup)
        # Core comes first and waits for its edge.
        cls.start('core')
        cls.start('edge')
        must(berth('up', '-d', '--wait', cwd=cls.folder, timeout=180))
        cls.ready()

    @classmethod
    def start(cls, role):
        log = open(cls.base / f'{role}.log', 'a')
        cls.running[role] = subprocess.Popen(
            [BERTH, 'serve', '--only', role, '--control', str(cls.base / 'edge.sock'), '--data', str(cls.base / role),
             '--web', str(cls.web), '--websecure', str(cls.websecure)], stdout=log, stderr=log)
        log.close()

    @classmethod
    def stop(cls, role, number=signal.SIGTERM):
        process = cls.running.pop(role, None)
        if process is None:
            return None
        process.send_signal(number)
        return process.wait(60)

    @classmethod
    def log(cls, role):
        return (cls.base / f'{role}.log').read_text()

    @classmethod
    def page(cls):
        root = must(berth('cert', 'root', '--data', str(cls.base / 'core'))).stdout
        return fetch(f'https://{HOST}:{cls.websecure}/', ca=root)

    @classmethod
    def answers(cls):
        try:
            return cls.page().status == 200
        except (OSError, AssertionError):
            return False

    @classmethod
    def ready(cls):
        wait_until(cls.answers, 30, f'the page; core says: {cls.log("core")} edge says: {cls.log("edge")}')

    def test_a_page_is_served(self):
        self.assertIn('<html', self.page().text)

    def test_the_edge_serves_on_without_core(self):
        self.assertEqual(self.stop('core', signal.SIGKILL), -signal.SIGKILL)
        self.assertEqual(self.page().status, 200)
        self.start('core')
        must(berth('restart', cwd=self.folder, timeout=120))
        self.ready()

    def test_a_new_edge_is_met_again(self):
        self.assertEqual(self.stop('edge', signal.SIGKILL), -signal.SIGKILL)
        self.start('edge')
        self.ready()
        # What it serves is core's: a container that is gone answers no more.
        must(berth('stop', cwd=self.folder, timeout=120))
        wait_until(lambda: self.page().status == 503, 20, 'the route without a container')
        must(berth('start', cwd=self.folder, timeout=120))
        self.ready()

    def test_the_socket_is_for_its_group_alone(self):
        mode = os.stat(self.base / 'edge.sock')
        self.assertEqual(mode.st_mode & 0o777, 0o660)
        self.assertEqual(mode.st_gid, os.stat(self.base).st_gid)

    def test_the_edge_holds_little(self):
        status = pathlib.Path(f'/proc/{self.running["edge"].pid}/status').read_text()
        uid = int(status.split('Uid:')[1].split()[0])
        self.assertNotEqual(uid, 0)
        self.assertIn('Seccomp:\t2', status)

    def test_wrong_words(self):
        for words, why in ((['--only', 'core'], 'go together'), (['--only', 'broker'], 'is no role of its own'),
                           (['--control', '/x'], 'go together'), (['--only', 'edge', '--control', 'x'], 'absolute path')):
            told = must(berth('serve', *words), 16)
            self.assertIn(why, told.stderr)


if __name__ == '__main__':
    unittest.main(verbosity=2)
