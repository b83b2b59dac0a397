"""berth as three containers of its own image (packaging/image), with examples/hello behind it."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

from serve_test import hello_folder
from support import ROOT, berth, containers, engine, fetch, free_port, must, remove_project, wait_until

TIME_LIMIT = 600  # seconds, see tools/test
HOST = 'hello.localhost'
FILE = ROOT / 'packaging/image/compose.yaml'


class Image(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        engine()
        made = subprocess.run([ROOT / 'tools/image'], capture_output=True, text=True, timeout=500, stdin=subprocess.DEVNULL)
        if made.returncode != 0:
            raise AssertionError(f'tools/image: {made.stdout}{made.stderr}')
        cls.folder = hello_folder()
        cls.policies = tempfile.mkdtemp(prefix='berth-policies.')
        os.chmod(cls.policies, 0o755)
        cls.addClassCleanup(shutil.rmtree, cls.policies, ignore_errors=True)
        cls.web, cls.websecure = free_port(), free_port()
        cls.env = {'BERTH_WEB': str(cls.web), 'BERTH_WEBSECURE': str(cls.websecure), 'BERTH_POLICIES': cls.policies,
                   'BERTH_ENGINE_SOCKET': os.environ['DOCKER_HOST'].removeprefix('unix://')}
        for name in ('hello', 'berth'):
            remove_project(name)
            cls.addClassCleanup(remove_project, name)
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        must(cls.compose('up', '-d'))
        must(berth('up', '-d', '--wait', cwd=cls.folder, timeout=180))
        cls.ready()

    @classmethod
    def compose(cls, *arguments, **options):
        return berth('-f', str(FILE), *arguments, env=cls.env, **options)

    @classmethod
    def page(cls):
        root = must(cls.compose('exec', '-T', 'core', 'berth', 'cert', 'root')).stdout
        return fetch(f'https://{HOST}:{cls.websecure}/', ca=root)

    @classmethod
    def answers(cls):
        try:
            return cls.page().status == 200
        except (OSError, AssertionError):
            return False

    @classmethod
    def ready(cls):
        try:
            wait_until(cls.answers, 60, 'the page')
        except AssertionError as error:
            raise AssertionError(f'{error}\n{cls.compose("logs", "--no-color").stdout}') from None

    def service(self, name):
        (one,) = containers('berth', **{'com.docker.compose.service': name})
        return engine().json('GET', f'/containers/{one["Id"]}/json')

    def test_a_page_is_served(self):
        self.assertIn('<html', self.page().text)

    def test_each_service_holds_what_it_needs(self):
        sockets = {name: [mount for mount in self.service(name)['Mounts'] if 'docker.sock' in mount['Source']]
                   for name in ('edge', 'core', 'broker')}
        self.assertEqual([len(sockets[name]) for name in ('edge', 'core', 'broker')], [0, 0, 1])
        self.assertEqual(self.service('broker')['HostConfig']['NetworkMode'], 'none')
        for name in ('edge', 'core', 'broker'):
            config = self.service(name)
            self.assertTrue(config['HostConfig']['ReadonlyRootfs'], name)
            self.assertEqual(config['HostConfig']['CapDrop'], ['ALL'], name)
            self.assertFalse(config['NetworkSettings']['Ports'], name)

    def test_the_edge_becomes_its_account(self):
        status = must(self.compose('exec', '-T', 'edge', 'cat', '/proc/1/status')).stdout
        self.assertEqual(status.split('Uid:')[1].split()[:4], ['981'] * 4)
        self.assertIn('CapEff:\t0000000000000000', status)
        self.assertIn('Seccomp:\t2', status)

    def test_core_and_broker_know_what_root_granted(self):
        must(berth('broker', 'grant', 'shop', 'host-network', '--folder', self.policies, '--data', self.folder))
        for name in ('core', 'broker'):
            grants = must(self.compose('exec', '-T', name, 'berth', 'broker', 'grants')).stdout
            self.assertEqual(grants.split(), ['shop', 'host-network'], name)
            written = self.compose('exec', '-T', '-u', '0', name, 'touch', '/etc/berth/broker.d/core.yaml')
            self.assertIn('Read-only file system', written.stderr, name)

    def test_each_may_be_killed(self):
        for name in ('broker', 'core', 'edge'):
            must(self.compose('kill', name))
            must(self.compose('up', '-d', '--no-recreate'))
            self.ready()
        must(berth('restart', cwd=self.folder, timeout=120))
        self.ready()

    def test_the_platform_answers_through_the_edge(self):
        root = must(self.compose('exec', '-T', 'core', 'berth', 'cert', 'root')).stdout
        answer = fetch(f'https://berth.localhost:{self.websecure}/api/v1/health', ca=root)
        self.assertEqual(answer.status, 200, answer.text)
        json.loads(answer.text)


if __name__ == '__main__':
    unittest.main(verbosity=2)
