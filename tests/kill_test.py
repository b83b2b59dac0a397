"""kill -9 of `berth up`, a recreation, a change of scale and `berth down` at random moments, on the private engine.

Whatever was killed, the same command brings the project to its end within 2 runs and 30 s, by itself: no temporary
name, no second network and no lock stays behind, and volumes are the same ones. POINTS=200 SEED=7 tools/test kill_test
for more moments, or the same again.
"""
import io
import json
import os
import random
import re
import subprocess
import tarfile
import time
import unittest
import urllib.parse

import support

POINTS = int(os.environ.get('POINTS', '10'))
SEED = int(os.environ.get('SEED') or time.time())
TIME_LIMIT = 3000
NAME = 'killed'
MOST_RUNS, MOST_SECONDS = 2, 30

COMPOSE = '''
x-all: &all
  image: berth.local/debian:12
  command: sleep infinity
  init: true
  stop_grace_period: 0s
  environment: {VERSION: "${VERSION:-0}"}
services:
  db:
    <<: *all
    networks: [front, back]
    volumes: ["data:/data", "/anonymous"]
    secrets: [key]
  web:
    <<: *all
    networks: [front]
    depends_on: [db]
    volumes: ["/anonymous"]
  side:
    <<: *all
    network_mode: service:db
networks: {front: {}, back: {}}
volumes: {data: {}}
secrets: {key: {environment: KEY}}
'''


class World:
    """What the project should be after each step, and a look at what the engine has."""

    def __init__(self, folder):
        self.folder, self.version, self.web, self.up = folder, 0, 1, False

    def command(self):
        return ['up', '-d', '--scale', f'web={self.web}'] if self.up else ['down', '-t', '0']

    def run(self):
        return support.berth(*self.command(), cwd=self.folder, env=self.environment())

    def environment(self):
        return {'VERSION': str(self.version), 'KEY': 'secret'}

    def kill_after(self, seconds):
        """Starts the command and kills it; False when it had ended before."""
        process = subprocess.Popen([support.BERTH, *self.command()], cwd=self.folder, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env={**os.environ, **self.environment()})
        try:
            process.wait(seconds)
            return False
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return True

    def wrong(self):
        """What is not as it should be, as text; '' when all is well."""
        found = {item['Names'][0][1:]: item for item in support.containers(NAME)}
        wanted = {f'{NAME}-db-1', f'{NAME}-side-1', *(f'{NAME}-web-{n + 1}' for n in range(self.web))} if self.up else set()
        if set(found) != wanted:
            return f'containers {sorted(found)} instead of {sorted(wanted)}'
        for name, item in found.items():
            inspect = support.engine().json('GET', f'/containers/{item["Id"]}/json')
            if item['State'] != 'running' or f'VERSION={self.version}' not in inspect['Config']['Env']:
                return f'{name} is {item["State"]} with {inspect["Config"]["Env"]}'
            networks = set(inspect['NetworkSettings']['Networks'])
            if 'db' in name and networks != {f'{NAME}_front', f'{NAME}_back'}:
                return f'{name} is on {networks}'
        if self.up and secret_of(f'{NAME}-db-1') != b'secret':
            return 'db runs without its secret'
        networks = sorted(item['Name'] for item in listed('/networks'))
        if networks != ([f'{NAME}_back', f'{NAME}_front'] if self.up else []):
            return f'networks {networks}'
        return ''

    def anonymous(self):
        """The anonymous volume of each container that has its proper name."""
        out = {}
        for item in support.containers(NAME):
            for mount in item['Mounts']:
                if mount['Destination'] == '/anonymous' and not re.match('/[0-9a-f]{12}_', item['Names'][0]):
                    out[item['Names'][0]] = mount['Name']
        return out


def locks():
    volumes = support.engine().json('GET', '/volumes')['Volumes'] or []
    return [item['Name'] for item in volumes if item['Name'].startswith('berth-lock_')]


def listed(path):
    label = json.dumps({'label': [f'com.docker.compose.project={NAME}']})
    return support.engine().json('GET', f'{path}?{urllib.parse.urlencode({"filters": label})}')


def secret_of(container):
    archive = support.engine().call('GET', f'/containers/{container}/archive?path=/run/secrets/key').read()
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return tar.extractfile(tar.next()).read()


class KillTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        support.engine()
        support.images('debian')

    def test_each_killed_run_is_finished_by_the_next(self):
        world = World(support.project(self, NAME, COMPOSE))
        chance, took, killed = random.Random(SEED), {}, 0
        print(f'SEED={SEED} POINTS={POINTS}', flush=True)
        while killed < POINTS:
            what = self.change(world, chance)
            before = world.anonymous()
            moment = chance.uniform(0, took.get(what, 0.8))
            start = time.monotonic()
            if world.kill_after(moment):
                killed += 1
            else:
                took[what] = time.monotonic() - start
            self.converge(world, f'{what} killed after {moment:.3f} s (point {killed} of SEED={SEED})', before)
            took[what] = max(took.get(what, 0), min(2.0, time.monotonic() - start - moment))

    def change(self, world, chance):
        if not world.up:
            world.up = True
            return 'up'
        what = chance.choice(['recreate', 'recreate', 'scale', 'down'])
        if what == 'recreate':
            world.version += 1
        elif what == 'scale':
            world.web = chance.choice([n for n in (1, 2, 3) if n != world.web])
        else:
            world.up = False
        return what

    def converge(self, world, what, before):
        start, told = time.monotonic(), ''
        for _ in range(MOST_RUNS):
            done = world.run()
            told += f'\n--- {" ".join(world.command())}: status {done.returncode}\n{done.stderr}'
            if done.returncode == 0 and not world.wrong():
                break
        self.assertEqual(world.wrong(), '', f'{what}{told}')
        self.assertEqual(locks(), [], f'{what}{told}')
        self.assertLess(time.monotonic() - start, MOST_SECONDS, f'{what}{told}')
        for name, volume in before.items():
            self.assertIn(world.anonymous().get(name, volume), [volume], f'{what}: the anonymous volume of {name}{told}')


if __name__ == '__main__':
    unittest.main()
