"""`berth upgrade` under load: the program is replaced, no request fails, open WebSockets go on until the drain's end."""
import json
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from edge_process import certificate, status_of
from load import Load, Origins, Site
from support import BERTH, accepts, berth, fetch, free_port, must, wait_until

SITES = 12


def children(pid):
    """{role: [process ids]} of what `berth serve` runs."""
    found = {}
    for task in pathlib.Path(f'/proc/{pid}/task').iterdir():
        for child in (task / 'children').read_text().split():
            words = pathlib.Path(f'/proc/{child}/cmdline').read_bytes().split(b'\0')
            if len(words) > 1:  # none are left of one that has ended
                found.setdefault(words[1].decode(), []).append(int(child))
    return found


class Serve:
    """A `berth serve` whose engine never answers: its edge starts with the snapshot that is there."""

    def __init__(self, snapshot, *flags):
        self.data = pathlib.Path(tempfile.mkdtemp(prefix='berth-upgrade-'))
        (self.data / 'edge').mkdir(mode=0o700)
        (self.data / 'edge/snapshot').write_text(json.dumps(snapshot))
        self.program = self.data / 'berth'
        shutil.copy(os.path.realpath(BERTH), self.program)
        self.web, self.websecure = free_port(), free_port()
        self.log = self.data / 'log'
        with self.log.open('ab') as log:
            self.process = subprocess.Popen(
                [self.program, 'serve', '--data', self.data, '--web', str(self.web), '--websecure', str(self.websecure),
                 '--listen', '127.0.0.1', '--host', f'unix://{self.data}/no-engine.sock', *flags],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, 'XDG_RUNTIME_DIR': str(self.data)})
        wait_until(lambda: accepts(self.web), what='berth serve')
        fetch(f'http://nobody.test:{self.web}/')  # the edge answers
        wait_until(lambda: len(children(self.process.pid)) == 3, what='broker and core')

    def replace(self, content=None):
        """Puts another program at the path: a copy of the same, or what is given."""
        other = self.data / 'berth.new'
        if content is None:
            shutil.copy(os.path.realpath(BERTH), other)
        else:
            other.write_text(content)
            other.chmod(0o755)
        other.rename(self.program)

    def upgrade(self):
        return berth('upgrade', '--data', self.data)

    def edges(self):
        return children(self.process.pid).get('edge', [])

    def stop(self):
        self.process.terminate()
        try:
            return self.process.wait(60)
        finally:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            shutil.rmtree(self.data, ignore_errors=True)


class UpgradeTest(unittest.TestCase):
    def setUp(self):
        self.origins = Origins()
        self.addCleanup(self.origins.stop)
        self.still = Site(1000, self.origins.open())
        self.sites = [Site(number, self.origins.open()) for number in range(SITES)]
        routes, services = [], []
        for site in [*self.sites, self.still]:
            headers = {'headers': {'customresponseheaders': {'X-Version': '0'}}}
            routes.append({'name': site.name, 'rule': f'Host(`{site.host}`)', 'listeners': ['web', 'websecure'],
                           'service': site.name, 'middlewares': [{'name': f'{site.name}-headers', 'action': headers}]})
            services.append({'name': site.name, 'upstreams': [
                {'host': '127.0.0.1', 'port': site.target.now(), 'target': site.name}]})
        self.serve = Serve({'format': 1, 'version': 1, 'settings': {}, 'routes': routes, 'services': services,
                            'certificates': [certificate('r0.test')]})
        self.addCleanup(self.serve.stop)

    def test_upgrade_under_load(self):
        serve = self.serve
        load = Load(serve.web, serve.websecure, self.sites, websockets=8)
        load.begin(self.still)
        try:
            wait_until(lambda: load.echoes >= 8, what='the WebSockets')
            first, = serve.edges()
            for _ in range(3):
                serve.replace()
                old = serve.edges()
                done = must(serve.upgrade())
                self.assertIn(str(serve.program), done.stdout)
                self.assertNotIn(max(serve.edges()), old)
                time.sleep(1)
            echoes = load.echoes
            self.assertIn(first, serve.edges(), 'the first edge holds the WebSockets')
            wait_until(lambda: load.echoes >= echoes + 16, what='echoes of the first edge')
            self.assertEqual(load.closed_streams, [])
        finally:
            rate = load.end()
        print(f'{load.done} requests, {rate:.0f} a second, {load.echoes} echoes, {len(load.failures)} failed')
        self.assertEqual((load.failures[:5], load.closed_streams[:5]), ([], []), serve.log.read_text())
        self.assertGreater(load.done, 500)
        wait_until(lambda: len(serve.edges()) == 1, 30, 'the old edges to go once their streams ended')
        self.assertTrue(os.readlink(f'/proc/{serve.process.pid}/exe').endswith('/berth'), 'the supervisor runs the new file')

    def test_a_program_that_does_not_start_changes_nothing(self):
        serve = self.serve
        before = children(serve.process.pid)
        for content in ('#!/bin/sh\nexit 1\n', 'no program at all'):
            serve.replace(content)
            done = serve.upgrade()
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn('nothing was upgraded', done.stderr)
            self.assertEqual(children(serve.process.pid), before)
            self.assertEqual(fetch(f'http://r1.test:{serve.web}/x').text.split()[1], '/x')
        # What dies meanwhile is started from the file that runs, not from the broken one.
        os.kill(before['edge'][0], signal.SIGKILL)
        wait_until(lambda: serve.edges() and serve.edges() != before['edge'], what='another edge')
        self.assertEqual(fetch(f'http://r1.test:{serve.web}/x').text.split()[1], '/x')
        serve.replace()
        must(serve.upgrade())

    def test_the_edge_has_given_up_what_it_does_not_need(self):
        edge, = self.serve.edges()
        status = status_of(edge)
        self.assertEqual((status['NoNewPrivs'], status['Seccomp']), ('1', '2'))
        if os.geteuid() == 0:
            user = pwd.getpwnam('nobody').pw_uid
            self.assertEqual((status['Uid'].split(), status['Groups'].strip()), ([str(user)] * 4, ''))
            self.assertEqual({status[name] for name in ('CapPrm', 'CapEff', 'CapBnd', 'CapAmb')}, {'0' * 16})
            self.assertEqual((self.serve.data / 'edge/snapshot').stat().st_uid, user)
        self.assertNotIn('did not give up', self.serve.log.read_text())

    def test_killed_edge_refuses_nobody(self):
        """The supervisor keeps the listeners: who comes while no edge runs waits for the next one."""
        for _ in range(5):
            edge, = self.serve.edges()
            os.kill(edge, signal.SIGKILL)
            self.assertEqual(fetch(f'http://r1.test:{self.serve.web}/x').status, 200)
            wait_until(lambda: self.serve.edges() not in ([], [edge]), what='another edge')

    def test_without_a_serve(self):
        done = berth('upgrade', '--data', self.serve.data / 'none')
        self.assertEqual(done.returncode, 1)
        self.assertIn('no berth serve', done.stderr)


if __name__ == '__main__':
    unittest.main()
