"""A newer engine than the machine's: Debian 13's docker.io 26.1 (API 1.45) from tools/engine-peer, in namespaces of its
own beside Debian 12's. What berth does on the one it does on the other; what newer engines have reaches the container."""
import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

TREE = pathlib.Path(__file__).resolve().parent.parent / 'build/cache/engine-peer/root/usr'
# Before support is asked for its engine: from then on it is this one, for this suite alone.
os.environ.update(BERTH_TEST_ENGINE='peer', BERTH_TEST_ENGINE_TREE=str(TREE))

import broker_test  # noqa: E402
import engine_client_test  # noqa: E402
from api_client import Api  # noqa: E402
from support import ROOT, Serve, berth, containers, engine, images, must, project, skip, wait_until  # noqa: E402

TIME_LIMIT = 600  # seconds, see tools/test
BUSYBOX = 'berth.local/busybox:latest'

STORY = '''services:
  web:
    build: .
    command: [sh, -c, "echo started $$MODE; exec sleep 1000"]
    environment: {MODE: one}
    stop_grace_period: 0s
    init: true
    platform: linux/amd64
    volumes: [data:/data]
    networks: [front, back]
    secrets: [token]
    configs: [{source: motd, target: /etc/motd}]
    healthcheck:
      {test: [CMD, test, -e, /run/secrets/token], interval: 300s, start_period: 60s, start_interval: 200ms}
  db:
    image: berth.local/busybox
    command: [sleep, "1000"]
    stop_grace_period: 0s
    depends_on: {web: {condition: service_healthy}}
    networks: [back]
volumes: {data: {}}
networks: {front: {}, back: {internal: true}}
secrets: {token: {file: ./token.txt}}
configs: {motd: {content: "hello\\n"}}
'''

NEWER = '''services:
  first:
    image: berth.local/busybox
    command: [sh, -c, "mkdir -p /all/part && echo in part >/all/part/file"]
    volumes: [data:/all]
  web:
    image: berth.local/busybox
    command: [sleep, "1000"]
    stop_grace_period: 0s
    annotations: {org.example.note: kept}
    depends_on: {first: {condition: service_completed_successfully}}
    healthcheck: {test: ["CMD", "true"], interval: 300s, start_period: 30s, start_interval: 500ms}
    networks:
      a: {mac_address: "02:00:00:00:00:0a", gw_priority: 1}
      b: {aliases: [other], mac_address: "02:00:00:00:00:0b"}
    volumes:
      - {type: volume, source: data, target: /part, volume: {subpath: part}}
volumes: {data: {}}
networks: {a: {}, b: {}}
'''


@functools.cache
def newer():
    """The engine, or the reason why it cannot be had here. It ends with the suite."""
    if not TREE.is_dir():
        told = subprocess.run([ROOT / 'tools/engine-peer'], capture_output=True, text=True, timeout=600)
        if told.returncode != 0:
            skip(f'Debian 13 cannot be had from this machine\'s mirror: {told.stderr.strip()}')
    found = engine()
    images('busybox')
    return found


def setUpModule():
    unittest.addModuleCleanup(subprocess.run, [ROOT / 'tools/test-engine', 'stop'], stdout=subprocess.DEVNULL)
    newer()


class Case(unittest.TestCase):
    maxDiff = None

    def stack(self, text, **files):
        self.name = 'versions-' + self._testMethodName.replace('_', '-')[5:25].strip('-')
        self.text = text
        self.folder = project(self, self.name, text, **files)

    def rewrite(self, old, new):
        self.assertIn(old, self.text)
        self.text = self.text.replace(old, new)
        (self.folder / 'compose.yaml').write_text(f'name: {self.name}\n{self.text}')

    def berth(self, *words, status=0, **options):
        return must(berth(*words, cwd=self.folder, **options), status)

    def ids(self):
        """{container's name: its id}"""
        return {item['Names'][0].removeprefix(f'/{self.name}-'): item['Id'] for item in containers(self.name)}

    def inspect(self, service='web-1'):
        return engine().json('GET', f'/containers/{self.ids()[service]}/json')


class EngineTest(Case):
    def test_it_is_another_engine(self):
        told = engine().json('GET', '/version')
        self.assertEqual((told['Version'][:5], told['ApiVersion'], told['MinAPIVersion']), ('26.1.', '1.45', '1.24'))
        # In namespaces of its own: the programs of this machine are still those of Debian 12.
        self.assertIn('version 20.10', subprocess.run(['/usr/bin/docker', '--version'], capture_output=True, text=True).stdout)

    def test_conversations_of_the_client(self):
        case = engine_client_test.EngineClient('test_conversations_with_a_real_engine')
        images('debian')
        case.debug()


class ProjectTest(Case):
    def test_a_project_from_up_to_down(self):
        dockerfile = f'FROM {BUSYBOX}\nRUN echo built >/built\n'
        self.stack(STORY, Dockerfile=dockerfile, **{'token.txt': 'secret\n'})
        first = self.berth('up', '-d', env={'DOCKER_BUILDKIT': '0'})
        self.assertIn('Step 2/', first.stderr)  # the classic builder
        made = self.ids()
        self.assertEqual(set(made), {'web-1', 'db-1'})
        shown = self.inspect()
        self.assertEqual(shown['State']['Health']['Status'], 'healthy')
        self.assertEqual(set(shown['NetworkSettings']['Networks']), {f'{self.name}_front', f'{self.name}_back'})
        self.assertEqual(shown['Config']['Healthcheck']['StartInterval'], 200_000_000)
        self.assertEqual(self.berth('exec', '-T', 'web', 'cat', '/built', '/run/secrets/token', '/etc/motd').stdout,
                         'built\nsecret\nhello\n')
        self.assertIn('started one', self.berth('logs', '--no-color', 'web').stdout)

        plan = json.loads(self.berth('plan', '--format', 'json').stdout)
        self.assertEqual(plan['ops'], [])
        self.berth('up', '-d')
        self.assertEqual(self.ids(), made)

        self.rewrite('MODE: one', 'MODE: two')
        self.assertIn('MODE', self.berth('plan').stdout)
        self.berth('up', '-d')
        now = self.ids()
        self.assertNotEqual(now['web-1'], made['web-1'])
        wait_until(lambda: 'started two' in self.berth('logs', 'web').stdout, 20, 'the log of the new container')

        self.berth('up', '-d', '--scale', 'web=3')
        self.assertEqual({n: i for n, i in self.ids().items() if n in now}, now)
        self.assertEqual(len(self.ids()), 4)
        listed = [json.loads(line) for line in self.berth('ps', '--format', 'json').stdout.splitlines()]
        self.assertEqual(sorted(row['Service'] for row in listed), ['db', 'web', 'web', 'web'])
        self.berth('up', '-d', '--scale', 'web=1')
        self.assertEqual(self.ids(), now)

        # Another image under the same name, by the other builder.
        (self.folder / 'Dockerfile').write_text(dockerfile.replace('echo built', 'echo built anew'))
        self.berth('up', '-d', '--build', env={'DOCKER_BUILDKIT': '1'})
        self.assertNotEqual(self.ids()['web-1'], now['web-1'])
        self.assertEqual(self.ids()['db-1'], now['db-1'])
        self.assertEqual(self.berth('exec', '-T', 'web', 'cat', '/built').stdout, 'built anew\n')

        self.berth('down', '-v', '--rmi', 'local', '--timeout', '0')
        self.assertEqual(containers(self.name), [])
        for kind, of in (('networks', lambda all: all), ('volumes', lambda all: all['Volumes'] or [])):
            self.assertEqual([i['Name'] for i in of(engine().json('GET', f'/{kind}')) if i['Name'].startswith(self.name)], [])

    def test_what_newer_versions_brought(self):
        self.stack(NEWER)
        up = self.berth('up', '-d')
        self.assertIn('API 1.45 of this engine has no gateway priorities of networks', up.stderr)
        for left in ('start_interval', 'subpath', 'annotations', 'mac_address'):
            self.assertNotIn(left, up.stderr)
        shown = self.inspect()
        self.assertEqual(shown['HostConfig']['Annotations'], {'org.example.note': 'kept'})
        self.assertEqual(shown['Config']['Healthcheck']['StartInterval'], 500_000_000)
        # This engine shows the one of the main network here too, which is no difference to what was asked for.
        self.assertEqual(shown['Config']['MacAddress'], '02:00:00:00:00:0a')
        networks = shown['NetworkSettings']['Networks']
        self.assertEqual({name.removeprefix(f'{self.name}_'): settings['MacAddress'] for name, settings in networks.items()},
                         {'a': '02:00:00:00:00:0a', 'b': '02:00:00:00:00:0b'})
        # Newer engines name the short id beside the aliases, not among them.
        short = shown['Id'][:12]
        self.assertNotIn(short, networks[f'{self.name}_b']['Aliases'])
        self.assertIn(short, networks[f'{self.name}_b']['DNSNames'])
        self.assertEqual(self.berth('exec', '-T', 'web', 'ls', '/part').stdout, 'file\n')
        made = self.ids()['web-1']
        self.berth('up', '-d', '--no-deps', 'web')
        self.assertEqual(self.ids()['web-1'], made)

    def test_a_container_without_a_network_of_its_own_is_found_unchanged(self):
        """What engines of 1.44 and later show otherwise: network mode, cgroup namespace, memory of the kernel."""
        self.stack('services:\n  plain: {image: berth.local/busybox, command: [sleep, "1000"], network_mode: bridge}\n'
                   '  host: {image: berth.local/busybox, command: [sleep, "1000"], network_mode: host, cgroup: private}\n'
                   '  share: {image: berth.local/busybox, command: [sleep, "1000"], network_mode: "service:plain"}\n')
        self.berth('up', '-d')
        made = self.ids()
        self.assertEqual(json.loads(self.berth('plan', '--format', 'json').stdout)['ops'], [])
        self.berth('up', '-d')
        self.assertEqual(self.ids(), made)
        self.berth('down', '--timeout', '0')


class PlatformTest(Case):
    """`berth serve`, whose core speaks through the broker with the policy `core`."""

    def test_containers_and_images_of_the_api(self):
        self.stack(STORY.replace('build: .', 'image: berth.local/busybox'), **{'token.txt': 'secret\n'})
        self.berth('up', '-d')
        serve = Serve()
        self.addCleanup(serve.stop)
        api = Api(serve.data).ready()
        wait_until(lambda: any(row['state'] == 'up' for row in api.ask('GET', '/engines')['items']), 30, 'the engine')
        rows = [row for row in api.ask('GET', '/containers')['items'] if row['project'] == self.name]
        self.assertEqual({row['service'] for row in rows}, {'web', 'db'})
        web = next(row for row in rows if row['service'] == 'web')
        shown = api.ask('GET', f'/containers/{web["id"]}')
        self.assertEqual({n['name'] for n in shown['networks']}, {f'{self.name}_front', f'{self.name}_back'})
        self.assertTrue(all(n['ip'] for n in shown['networks']), shown['networks'])
        image = next(row for row in api.ask('GET', '/images')['items'] if BUSYBOX in row['tags'])
        self.assertGreater(image['size'], 100_000)


class BrokerTest(unittest.TestCase):
    """Clients of both releases in front of the newer engine: through the broker as directly, and no more than allowed."""
    maxDiff = None
    # Of those that the broker's own suite has for the usual engine.
    checks = broker_test.ClientTest

    @classmethod
    def setUpClass(cls):
        broker_test.ClientTest.setUpClass.__func__(cls)

    def setUp(self):
        self.path = tempfile.mkdtemp(prefix='berth-docker-')
        self.addCleanup(shutil.rmtree, self.path)
        self.addCleanup(os.environ.__setitem__, 'PATH', os.environ['PATH'])
        os.environ['PATH'] = f'{self.path}:{os.environ["PATH"]}'

    def use(self, program):
        pathlib.Path(self.path, 'docker').symlink_to(program)

    def compared(self, check):
        """Without what no newer version tells of an image, and in any order."""
        name, status, output = check
        if name != 'image inspect' or status != 0:
            return check
        return name, status, [{key: value for key, value in image.items() if key not in ('Container', 'ContainerConfig')}
                              for image in json.loads(output)]

    def test_the_old_client_behaves_as_it_does_directly(self):
        self.use('/usr/bin/docker')
        self.checks.test_docker_behaves_as_it_does_directly(self)

    def test_its_own_client_behaves_as_it_does_directly(self):
        self.use(TREE / 'bin/docker')
        self.assertIn('version 26.1', broker_test.docker(self.direct, '--version')[1])
        self.checks.test_docker_behaves_as_it_does_directly(self)

    def test_monitor_shows_no_secret(self):
        self.checks.test_monitor_shows_no_secret(self)

    def test_a_policy_with_labels_is_a_world_of_its_own(self):
        self.checks.test_a_policy_with_labels_is_a_world_of_its_own(self)

    def test_an_old_client_sees_sizes(self):
        """Clients of 20.10 read sizes from a member that 1.44 has no more."""
        self.use('/usr/bin/docker')
        asked = ('images', '--format', '{{.Repository}}:{{.Tag}} {{.Size}}')
        status, direct = broker_test.docker(self.direct, *asked)
        self.assertEqual(status, 0)
        self.assertRegex(direct, re.escape(BUSYBOX) + r' [1-9][\d.]*[kM]B')
        self.assertEqual(sorted(broker_test.docker(self.broker.address(), *asked)[1].splitlines()), sorted(direct.splitlines()))

    def test_versions_of_clients_are_those_of_the_engine(self):
        for version in ('1.24', '1.41', '1.45'):
            with self.subTest(version):
                self.assertEqual(self.broker.ask('GET', f'/v{version}/containers/json')[0], 200)
        for version, why in (('1.23', 'too old'), ('1.46', 'too new')):
            with self.subTest(version):
                status, told = self.broker.ask('GET', f'/v{version}/containers/json')
                self.assertEqual(status, 400)
                self.assertIn(why, told.decode())


class CoreBrokerTest(broker_test.ServeTest):
    """Policy `core` and its grants."""


if __name__ == '__main__':
    unittest.main()
