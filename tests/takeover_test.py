"""Projects change hands: docker-compose 1.29.2, docker compose 2.26.1 and berth, on the private engine.

Nothing may be recreated when nothing differs, whoever made the containers. The other programs are Debian's
(tools/compose-peers); where one cannot be had its tests are skipped.
"""
import functools
import json
import lzma
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from support import BERTH, ROOT, berth, containers, engine, images, must, project, skip, wait_until

TIME_LIMIT = 600  # seconds, see tools/test

# Everything that people use, as far as this engine can do it.
FULL = '''services:
  web:
    image: berth.local/busybox
    command: [sh, -c, "echo web is here; exec sleep 1000"]
    hostname: webhost
    user: "0:0"
    working_dir: /srv
    env_file: [vars.env]
    environment: [MODE=fast, 'TEXT=<a> & "b"']
    labels: {traefik.enable: "false", a.b: c}
    ports: ["80", "127.0.0.1:0:81/udp"]
    expose: ["3000"]
    volumes:
      - data:/data
      - /anonymous
      - ./site:/site:ro
      - {type: tmpfs, target: /scratch, tmpfs: {size: 1m}}
      - {type: bind, source: ./site, target: /again}
    networks: {front: {aliases: [www]}, back: {priority: 5}}
    depends_on: {db: {condition: service_healthy}}
    secrets: [key]
    configs: [{source: conf, target: /etc/conf}]
    logging: {driver: json-file, options: {max-size: 1m}}
    ulimits: {nofile: {soft: 1000, hard: 2000}, nproc: 600}
    restart: unless-stopped
    init: true
    cap_add: [NET_ADMIN]
    cap_drop: [MKNOD]
    tmpfs: ["/run:size=64k"]
    dns: [1.1.1.1]
    extra_hosts: ["h=1.2.3.4"]
    shm_size: 32m
    mem_limit: 64m
    cpus: 0.5
    sysctls: {net.core.somaxconn: 512}
    stop_signal: SIGKILL
    stop_grace_period: 0s
    security_opt: ["no-new-privileges:true"]
    group_add: ["1001"]
    devices: ["/dev/null:/dev/other"]
    read_only: false
  db:
    image: berth.local/busybox
    command: sleep 1000
    healthcheck: {test: "true", interval: 1s, timeout: 5s, retries: 5}
    volumes: ["data:/var/lib/db"]
    networks: [back]
    stop_signal: SIGKILL
    deploy: {resources: {limits: {memory: 32m}}}
  host:
    image: berth.local/busybox
    command: [sleep, "1000"]
    network_mode: host
    stop_signal: SIGKILL
  many:
    image: berth.local/busybox
    command: [sleep, "1000"]
    scale: 2
    stop_signal: SIGKILL
volumes: {data: {labels: {x: y}}}
networks:
  front:
  back: {driver: bridge, internal: true}
secrets: {key: {file: ./key.txt}}
configs: {conf: {file: ./conf.txt}}
'''

# Services that live in others, which docker compose hashes with the ids of their containers.
SHARED = '''services:
  parent:
    image: berth.local/busybox
    command: [sleep, "1000"]
    volumes: [/own]
    ipc: shareable
    stop_signal: SIGKILL
  network:
    image: berth.local/busybox
    command: [sleep, "1000"]
    network_mode: service:parent
    environment: {TEXT: "<a> & b"}
    stop_signal: SIGKILL
  spaces:
    image: berth.local/busybox
    command: [sleep, "1000"]
    ipc: service:parent
    pid: service:parent
    stop_signal: SIGKILL
  volumes:
    image: berth.local/busybox
    command: [sleep, "1000"]
    volumes_from: ["parent:ro", "network"]
    stop_signal: SIGKILL
'''

# The same in the schema of docker-compose 1.29.2.
OLD = '''version: "3.8"
services:
  web:
    image: berth.local/busybox
    command: [sh, -c, "echo web is here; exec sleep 1000"]
    hostname: webhost
    env_file: [vars.env]
    environment: [MODE=fast]
    labels: {a.b: c}
    ports: ["80"]
    volumes: ["data:/data", "/anonymous", "./site:/site:ro"]
    networks: {front: {aliases: [www]}, back: {}}
    depends_on: [db]
    secrets: [key]
    logging: {driver: json-file, options: {max-size: 1m}}
    ulimits: {nofile: {soft: 1000, hard: 2000}}
    restart: unless-stopped
    init: true
    cap_add: [NET_ADMIN]
    tmpfs: ["/run:size=64k"]
    stop_signal: SIGKILL
    sysctls: {net.core.somaxconn: 512}
  db:
    image: berth.local/busybox
    command: sleep 1000
    healthcheck: {test: "true", interval: 1s, timeout: 5s, retries: 5}
    volumes: ["data:/var/lib/db"]
    networks: [back]
    stop_signal: SIGKILL
volumes: {data: {}}
networks: {front: {}, back: {}}
secrets: {key: {file: ./key.txt}}
'''


@functools.cache
def peer(version):
    """The path of the other program, version '1' or '2'; the test is skipped where it cannot be had."""
    found = subprocess.run([ROOT / 'tools/compose-peers', version], capture_output=True, text=True, timeout=600)
    if found.returncode != 0:
        skip(f'no docker compose {version}: {found.stderr.strip()}')
    return found.stdout.strip()


class TakeOver(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        engine()
        images('busybox')

    def make(self, text, suffix=''):
        self.name = 'take-' + self._testMethodName.replace('_', '-')[5:28] + suffix
        self.folder = project(self, self.name, text, **{'vars.env': 'FROM_FILE=1\n', 'key.txt': 'k', 'conf.txt': 'c'})
        (self.folder / 'site').mkdir()

    def compose(self, version, *arguments):
        # 1.29.2 knows no `name:` in the file.
        return must(subprocess.run([peer(version), '-p', self.name, '-f', str(self.folder / 'compose.yaml'), *arguments],
                                   cwd=self.folder, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL))

    def berth(self, *arguments, status=0, **options):
        return must(berth(*arguments, cwd=options.pop('cwd', self.folder), **options), status)

    def ids(self):
        return {item['Names'][0]: item['Id'] for item in containers(self.name)}

    def states(self):
        return {item['State'] for item in containers(self.name)}

    def forget_name(self):
        file = self.folder / 'compose.yaml'
        file.write_text(file.read_text().split('\n', 1)[1])


class FromBerth(TakeOver):
    def test_compose_2_finds_nothing_to_do(self):
        peer('2')
        self.make(FULL)
        self.berth('up', '-d')
        before = self.ids()
        self.assertEqual(len(before), 5)
        said = self.compose('2', 'up', '-d').stderr
        self.assertEqual(self.ids(), before, said)
        self.assertNotIn('Recreate', said)
        self.assertIn('web is here', self.compose('2', 'logs', 'web').stdout)
        rows = [json.loads(line) for line in self.compose('2', 'ps', '--format', 'json').stdout.splitlines()]
        self.assertEqual(sorted(row['Service'] for row in rows), ['db', 'host', 'many', 'many', 'web'])
        self.compose('2', 'stop', '-t', '0')
        self.assertEqual(self.states(), {'exited'})
        self.compose('2', 'down', '-t', '0', '-v')
        self.assertEqual(self.ids(), {})

    def test_hash_label_is_that_of_compose_2(self):
        peer('2')
        self.make(FULL)
        self.berth('up', '--no-start')
        ours = self.hashes()
        self.berth('down')
        self.compose('2', 'up', '--no-start')
        self.assertEqual(ours, self.hashes())

    def test_compose_2_leaves_shared_namespaces_alone(self):
        peer('2')
        self.make(SHARED)
        self.berth('up', '-d')
        before = self.ids()
        self.assertEqual(len(before), 4)
        said = self.compose('2', 'up', '-d').stderr
        self.assertEqual(self.ids(), before, said)
        self.assertNotIn('Recreate', said)
        self.berth('down', '-t', '0')

    def hashes(self):
        return {item['Labels']['com.docker.compose.service']: item['Labels']['com.docker.compose.config-hash']
                for item in containers(self.name)}


class ToBerth(TakeOver):
    def adopted(self, before):
        """By labels alone, from another folder; nothing differs and nothing is changed."""
        said = self.berth('--data', self.folder / 'data', 'adopt', self.name, '--format', 'json', cwd='/')
        found = json.loads(said.stdout)
        self.assertEqual(found['files'], [str(self.folder / 'compose.yaml')])
        self.assertEqual([found[what] for what in ('create', 'recreate', 'remove', 'generation')], [0, 0, 0, 1], found)
        self.assertEqual(self.ids(), before)

    def taken_over(self, version):
        before = self.ids()
        self.adopted(before)
        plan = self.berth('-p', self.name, 'plan', '--detailed-exitcode')
        self.assertNotIn('recreate', plan.stdout.lower())
        said = self.berth('-p', self.name, 'up', '-d').stderr
        self.assertEqual(self.ids(), before, said)
        self.compose(version, 'stop', '-t', '0')
        self.assertEqual(self.states(), {'exited'})
        self.berth('-p', self.name, 'up', '-d')
        self.assertEqual(self.ids(), before)
        self.berth('-p', self.name, 'down', '-t', '0')
        self.assertEqual(self.ids(), {})

    def test_from_compose_2(self):
        peer('2')
        self.make(FULL)
        self.compose('2', 'up', '-d')
        self.taken_over('2')

    def test_from_compose_1(self):
        peer('1')
        self.make(OLD)
        self.forget_name()
        self.compose('1', 'up', '-d')
        self.taken_over('1')

    def test_changed_there_changes_here(self):
        peer('2')
        self.make(FULL)
        self.compose('2', 'up', '-d', 'many')
        before = self.ids()
        file = self.folder / 'compose.yaml'
        file.write_text(file.read_text().replace('scale: 2', 'scale: 2\n    user: "1"'))
        plan = self.berth('plan', '--detailed-exitcode', 'many', status=2)
        self.assertIn('User: absent -> "1"', plan.stdout)
        self.assertEqual(self.ids(), before)


class Hashes(unittest.TestCase):
    """The config hashes of public files: BERTH_CONFORMANCE names their folder, as in conformance_test."""

    SAMPLE = 12  # files of each corpus; BERTH_HASH_SAMPLE=100000 takes them all

    def cases(self, data):
        for oracle in sorted(data.glob('oracle/*.jsonl*')):
            opened = lzma.open(oracle, 'rt') if oracle.suffix == '.xz' else oracle.open()
            with opened as lines:
                found = [json.loads(line) for line in lines]
            corpus = oracle.name.split('.')[0]
            plain = [one for one in found if one['ok'] and one.get('variant') == 'bare' and not one.get('options')]
            step = max(1, len(plain) // int(os.environ.get('BERTH_HASH_SAMPLE', self.SAMPLE)))
            yield from ((data / 'corpus' / corpus / one['dir'], one) for one in plain[::step])

    def hashes(self, program, folder, case):
        arguments = [item for file in case['files'] for item in ('-f', file)]
        arguments += [item for profile in case.get('profiles') or [] for item in ('--profile', profile)]
        done = subprocess.run([program, *arguments, '-p', 'p', 'config', '--hash', '*'], cwd=folder, timeout=60,
                              env={'PATH': os.environ['PATH'], 'HOME': '/root'}, capture_output=True, text=True)
        return dict(line.split() for line in done.stdout.splitlines()) if done.returncode == 0 else None

    def test_equal_to_compose_2(self):
        data = pathlib.Path(os.environ.get('BERTH_CONFORMANCE') or ROOT.parent.joinpath('shared', 'compose'))
        if not (data / 'oracle').exists():
            skip(f'no conformance data in {data}: set BERTH_CONFORMANCE to its folder')
        with tempfile.TemporaryDirectory(prefix='berth-hash-') as scratch:
            shutil.copytree(data / 'corpus', pathlib.Path(scratch) / 'corpus')
            (pathlib.Path(scratch) / 'oracle').symlink_to(data / 'oracle')
            equal, different = 0, []
            for folder, case in self.cases(pathlib.Path(scratch)):
                theirs = self.hashes(peer('2'), folder, case)
                ours = self.hashes(BERTH, folder, case)
                if theirs is None or ours is None:
                    continue
                equal += sum(ours.get(name) == value for name, value in theirs.items())
                different += [f'{case["id"]} {name}' for name, value in theirs.items() if ours.get(name) != value]
        print(f'config hashes: {equal} equal, {len(different)} different')
        print(*different, sep='\n')
        self.assertGreater(equal, 20)
        self.assertLessEqual(len(different) / (equal + len(different)), 0.02, different)


if __name__ == '__main__':
    unittest.main()
