"""Libraries through `berth broker --policy operate` behave as on the engine itself: every method of python3-docker, and
dockerode's own suite. Each is run twice at a time, on two fresh engines, of which one is behind the broker."""
import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from broker_test import Broker
from support import ROOT, engine, images, skip

TIME_LIMIT = 600  # seconds; two engines and two clients at a time
BUSYBOX = 'berth.local/busybox:latest'
SUITE = ROOT / 'tests/clients/node_modules/dockerode'
# Methods of python3-docker that make no request of their own kind, with why.
UNTRIED = {
    'ImageCollection.create': 'the library has no code in it: NotImplementedError',
    'NodeCollection.create': 'the library has no code in it: NotImplementedError',
    'PluginCollection.prepare_model': 'needs an installed plugin, which engines take from registries with TLS only',
}
# Tests of dockerode that pass on the engine and fail through the broker, with why.
REFUSED = {
    '#followProgress integration should follow BuildKit build progress': '/session is carried for nobody',
    '#plugin #install should get plugin privileges': 'operate has no registry look-ups',
    '#swarm #leaveSwarm should leave swarm': 'operate leaves the swarm itself alone',
}
# What dockerode's suite takes for Ubuntu. A shell that ends at once when it is told to saves a minute of waiting.
UBUNTU = f'''FROM {BUSYBOX}
RUN printf '#!/bin/sh\\nexec /bin/sh "$@"\\n' >/bin/bash \\
 && printf '#!/bin/sh\\necho "1 user, $(busybox uptime)"\\n' >/bin/uptime.new \\
 && chmod +x /bin/bash /bin/uptime.new && mv /bin/uptime.new /bin/uptime && mkdir -p /root
STOPSIGNAL SIGKILL
CMD ["bash"]
'''


def run(command, limit=240, **options):
    """The output of a command that must end well."""
    done = subprocess.run(list(map(str, command)), text=True, capture_output=True, timeout=limit, **options)
    if done.returncode != 0:
        raise AssertionError(f'{" ".join(map(str, command))}: status {done.returncode}\n{done.stdout}{done.stderr}')
    return done.stdout


class World:
    """A fresh engine without a way out of its network, and a registry on its loopback; `tried` is the clients' address."""

    def __init__(self, name):
        self.environment = {**os.environ, 'BERTH_TEST_ENGINE': name}
        self.data = ROOT / f'build/test-engine-{name}'
        self.stop()
        run([ROOT / 'tools/test-engine', 'start'], env=self.environment)
        told = dict(line.split('=', 1)
                    for line in run([ROOT / 'tools/test-engine', 'env'], env=self.environment).splitlines())
        self.direct = self.tried = told['DOCKER_HOST']
        self.inside = ['nsenter', f'--net=/run/netns/{told["BERTH_TEST_NETNS"]}']
        run(['ip', '-n', told['BERTH_TEST_NETNS'], 'route', 'del', 'default'])
        self.registry = subprocess.Popen([*self.inside, 'python3', ROOT / 'tests/registry.py'], text=True,
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.registry_address = self.registry.stdout.readline().strip()

    def docker(self, *words):
        return run(['docker', '-H', self.direct, *words])

    def python(self):
        return json.loads(run([*self.inside, '/usr/bin/python3', '-B', ROOT / 'tests/clients/python_docker.py', self.tried,
                               self.direct, self.registry_address]))

    def dockerode(self):
        """{title: passed, failed or pending}, and what failed with its message."""
        # A network of dockerode's own has a subnet that the engine would give to this one.
        self.docker('network', 'create', '--subnet', '10.203.0.0/24', '--opt',
                    'com.docker.network.bridge.name=docker_gwbridge', 'docker_gwbridge')
        self.docker('swarm', 'init', '--advertise-addr', '127.0.0.1')
        report = self.data / 'dockerode.json'
        # The suite takes its address from the second, if the first is set at all.
        environment = {**os.environ, 'DOCKER_SOCKET': '1', 'DOCKER_HOST': self.tried}
        subprocess.run([*self.inside, 'node', '../mocha/bin/mocha.js', '-R', 'json', '--reporter-option', f'output={report}',
                        '--exit', '--timeout', '60000'], cwd=SUITE, env=environment, stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=280)
        told = json.loads(report.read_text())
        failures = {each['fullTitle']: each['err'].get('message', '') for each in told['failures']}
        return {each['fullTitle']: 'failed' if each['fullTitle'] in failures else 'passed' for each in told['tests']}, failures

    def stop(self):
        if hasattr(self, 'registry'):
            self.registry.stdin.close()
            self.registry.wait(20)
            self.registry.stdout.close()
        run([ROOT / 'tools/test-engine', 'stop'], env=self.environment)
        shutil.rmtree(self.data, ignore_errors=True)


class ClientsTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        engine()
        images('busybox')
        cls.pool = concurrent.futures.ThreadPoolExecutor(2)
        cls.addClassCleanup(cls.pool.shutdown)
        cls.worlds = list(cls.pool.map(World, ('clients-direct', 'clients-broker')))
        for world in cls.worlds:
            cls.addClassCleanup(world.stop)
        cls.load()
        cls.broker = Broker('--engine', cls.worlds[1].direct)
        cls.addClassCleanup(cls.broker.stop)
        cls.worlds[1].tried = cls.broker.address()

    @classmethod
    def load(cls):
        """The images that the clients name, each with an id of its own."""
        made = {'ubuntu:latest': UBUNTU, 'busybox:latest': f'FROM {BUSYBOX}\nLABEL of=busybox\n',
                'hello-world:latest': f'FROM {BUSYBOX}\nLABEL of=hello\nCMD ["echo", "hello"]\n'}
        with tempfile.TemporaryDirectory() as folder:
            for name, text in made.items():
                run(['docker', 'build', '-q', '-t', name, '-'], input=text, env={**os.environ, 'DOCKER_BUILDKIT': '0'})
            archive = pathlib.Path(folder) / 'images.tar'
            run(['docker', 'save', '-o', archive, BUSYBOX, *made])
            run(['docker', 'rmi', *made])
            list(cls.pool.map(lambda world: world.docker('load', '-i', str(archive)), cls.worlds))

    def both(self, deed):
        """What came of it on the engine, and through the broker."""
        return self.pool.map(deed, self.worlds)

    def test_dockerode_by_its_own_suite(self):
        if not SUITE.exists():
            self.fail('tests/clients/node_modules is missing: tools/setup test')
        if not (SUITE / 'test').is_dir():
            skip('the suite of dockerode is in its repository only, which tools/setup could not reach')
        (direct, _), (through, messages) = self.both(World.dockerode)
        differ = {title for title in {**direct, **through} if direct.get(title) != through.get(title)}
        self.assertEqual(differ, set(REFUSED), {title: messages.get(title) for title in differ - set(REFUSED)})
        passed = [title for title, state in direct.items() if state == 'passed']
        self.assertGreater(len(passed), 110, sorted(direct))
        print(f'dockerode: {len(direct)} tests of its suite, {len(passed)} pass on the engine and {len(passed) - len(REFUSED)} '
              'through the broker')

    def test_every_method_of_python_docker(self):
        direct, through = self.both(World.python)
        self.assertEqual(set(direct['methods']) - set(direct['called']), set(UNTRIED))
        self.assertEqual(set(direct['methods']) - set(through['called']), set(UNTRIED))
        self.assertEqual([step for step, _ in direct['outcomes']], [step for step, _ in through['outcomes']])
        for (step, here), (_, there) in zip(direct['outcomes'], through['outcomes']):
            if step in direct['refused']:
                self.assertEqual((there[0], there[2]), ('error', 403), (step, there))
                self.assertNotEqual(here[2:3], [403], step)
            else:
                with self.subTest(step):
                    if step == 'inspect_swarm':  # who has these makes a manager of any machine
                        self.assertEqual(set(here[1].pop('JoinTokens')), {'Manager', 'Worker'})
                    self.assertEqual(here, there)
        good = sum(outcome[0] == 'ok' for _, outcome in direct['outcomes'])
        self.assertGreater(good, 130)
        print(f'python3-docker: {len(direct["called"])} of {len(direct["methods"])} methods in {len(direct["outcomes"])} '
              f'steps, {len(direct["refused"])} of them refused by operate, the others the same through the broker')


if __name__ == '__main__':
    unittest.main()
