"""Generations and saved plans on the private engine: keeping, comparing, going back, refusing."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from support import BERTH, berth, containers, engine, images, must, project

TIME_LIMIT = 600  # seconds, see tools/test

SECRET = 'correct-horse-battery'
SHOP = '''services:
  web:
    image: berth.local/busybox
    command: [sleep, "1000"]
    environment:
      MODE: ${MODE:-slow}
      DB_PASSWORD: ${DB_PASSWORD:-}
    secrets: [key]
    stop_grace_period: 0s
    volumes: [data:/data]
  db:
    image: berth.local/busybox
    command: [sleep, "1000"]
    stop_grace_period: 0s
volumes:
  data: {}
secrets:
  key:
    file: ./key.txt
'''


class History(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        engine()
        images('busybox')

    def setUp(self):
        self.name = 'hist-' + self._testMethodName.replace('_', '-')[5:30]
        self.data = pathlib.Path(tempfile.mkdtemp(prefix='berth-history-'))
        self.addCleanup(shutil.rmtree, self.data, ignore_errors=True)
        self.folder = project(self, self.name, SHOP, **{'key.txt': SECRET})
        self.addCleanup(self.drop_tags)

    def drop_tags(self):
        for image in engine().json('GET', '/images/json'):
            for tag in image['RepoTags'] or []:
                if tag.startswith(f'berth/keep:{self.name}.'):
                    engine().call('DELETE', f'/images/{tag}').read()

    def berth(self, *arguments, status=0, env=None, **options):
        env = {'BERTH_DATA': str(self.data), 'DB_PASSWORD': SECRET, **(env or {})}
        return must(berth(*arguments, cwd=self.folder, env=env, **options), status)

    def history(self):
        return json.loads(self.berth('history', '--format', 'json').stdout)

    def environment(self, service):
        found = containers(self.name, **{'com.docker.compose.service': service})
        self.assertEqual(len(found), 1)
        inspected = engine().json('GET', f'/containers/{found[0]["Id"]}/json')
        return dict(pair.split('=', 1) for pair in inspected['Config']['Env'])

    def in_volume(self, command):
        return self.berth('exec', '-T', 'web', 'sh', '-c', command).stdout


class Rollback(History):
    def test_up_change_diff_and_back(self):
        self.berth('up', '-d')
        self.in_volume('echo precious > /data/file')
        self.assertIn('nothing to do', self.berth('up', '-d').stderr)
        self.assertEqual([g['number'] for g in self.history()], [1])
        self.berth('up', '-d', env={'MODE': 'fast'})
        self.assertEqual([g['number'] for g in self.history()], [2, 1])
        diff = self.berth('diff', '1', '2').stdout
        self.assertIn('services.web.environment.MODE: "slow" -> "fast"', diff)
        self.assertNotIn('db', diff)
        # Dangling images are pruned in between, networks and stopped containers too.
        engine().call('POST', '/images/prune').read()
        engine().call('POST', '/containers/prune').read()
        preview = self.berth('--dry-run', 'rollback')
        self.assertIn('recreate', preview.stdout)
        self.assertEqual(self.environment('web')['MODE'], 'fast')
        self.berth('rollback')
        self.assertEqual(self.environment('web')['MODE'], 'slow')
        self.assertEqual(self.environment('web')['DB_PASSWORD'], SECRET)
        self.assertEqual(self.in_volume('cat /data/file'), 'precious\n')
        self.assertEqual(self.history()[0]['note'], 'rollback to 1')
        # What rollback made is as the files say when they say the same.
        self.assertIn('nothing to do', self.berth('up', '-d').stderr)
        self.assertIn('recreated in generation 3', self.berth('explain', 'web').stdout)

    def test_the_image_of_then_survives_its_tag(self):
        tag = f'berth-test/{self.name}:1'
        (self.folder / 'Dockerfile').write_text('FROM berth.local/busybox\nLABEL version=1\n')
        text = (self.folder / 'compose.yaml').read_text()
        (self.folder / 'compose.yaml').write_text(
            text.replace('image: berth.local/busybox', f'image: {tag}\n    build: .', 1))
        self.addCleanup(lambda: engine().call('DELETE', f'/images/{tag}').read())
        self.addCleanup(lambda: self.berth('down', '-t', '0'))
        self.berth('up', '-d', '--build')
        (self.folder / 'Dockerfile').write_text('FROM berth.local/busybox\nLABEL version=2\n')
        self.berth('up', '-d', '--build')
        old = self.history()[1]['images']['web']['id']
        self.assertNotEqual(old, self.history()[0]['images']['web']['id'])
        engine().call('POST', '/images/prune').read()  # without its tag the old image would go here
        self.berth('rollback', '1')
        self.assertEqual(containers(self.name, **{'com.docker.compose.service': 'web'})[0]['ImageID'], old)
        self.assertNotIn('berth/keep', self.berth('images').stdout)

    def test_what_is_missing_is_said_and_nothing_changed(self):
        network = f'{self.name}-outside'
        for item in engine().json('GET', f'/networks?filters={{"name":["{network}"]}}'):
            engine().call('DELETE', f'/networks/{item["Id"]}').read()
        engine().json('POST', '/networks/create', {'Name': network})
        text = (self.folder / 'compose.yaml').read_text()
        outside = text.replace('  db:\n', '  db:\n    networks: [outside]\n', 1)
        (self.folder / 'compose.yaml').write_text(
            f'{outside}networks:\n  outside:\n    name: {network}\n    external: true\n')
        self.berth('up', '-d')
        (self.folder / 'compose.yaml').write_text(text)
        self.berth('up', '-d')
        engine().call('DELETE', f'/networks/{network}').read()
        (self.folder / 'key.txt').unlink()
        before = {item['Id'] for item in containers(self.name)}
        refused = self.berth('rollback', '1', status=1)
        self.assertIn(f'external network {network} is gone', refused.stderr)
        self.assertIn('key.txt is gone', refused.stderr)
        self.assertEqual({item['Id'] for item in containers(self.name)}, before)


class SavedPlans(History):
    def test_apply_does_what_was_shown_or_refuses(self):
        plan = self.data / 'saved.plan'
        self.berth('up', '-d')
        self.berth('plan', '--detailed-exitcode', '--out', plan, env={'MODE': 'fast'}, status=2)
        self.assertEqual(os.stat(plan).st_mode & 0o777, 0o600)
        self.assertNotIn(SECRET, plan.read_text())
        moved = self.berth('apply', plan, status=74)
        self.assertIn('variable MODE', moved.stderr)
        self.berth('kill', 'db')
        moved = self.berth('apply', plan, env={'MODE': 'fast'}, status=74)
        self.assertIn('service:db:1', moved.stderr)
        self.berth('start', 'db')
        self.berth('apply', plan, env={'MODE': 'fast'})
        self.assertEqual(self.environment('web')['MODE'], 'fast')
        self.assertTrue(self.history()[0]['note'].startswith('plan of '))

    def test_a_volume_that_would_be_new_needs_a_yes(self):
        self.berth('up', '-d')
        text = (self.folder / 'compose.yaml').read_text()
        (self.folder / 'compose.yaml').write_text(text.replace('data:/data', 'my_data:/data').replace('  data: {}', '  my_data: {}'))
        self.assertIn('data at risk', self.berth('plan').stdout)
        refused = self.berth('up', '-d', status=1)
        self.assertIn(f'{self.name}_data', refused.stderr)
        self.berth('up', '-d', '--yes')


class Keeping(History):
    def test_no_secret_in_clear_anywhere(self):
        self.berth('up', '-d')
        self.berth('up', '-d', env={'MODE': 'fast'})
        shown = ''.join(done.stdout + done.stderr for done in (
            self.berth('history', '--format', 'json'), self.berth('diff', '1', '2'), self.berth('explain', 'web'),
            self.berth('diff', '1', env={'DB_PASSWORD': 'another'}), self.berth('plan', env={'DB_PASSWORD': 'another'}),
            self.berth('plan', '--format', 'json', env={'DB_PASSWORD': 'another'})))
        self.assertNotIn(SECRET, shown)
        self.assertIn('DB_PASSWORD: changed (21 -> 7 bytes)', shown)
        files = [p for p in self.data.rglob('*') if p.is_file()]
        self.assertGreaterEqual(len(files), 4)
        for path in files:
            self.assertNotIn(SECRET.encode(), path.read_bytes(), path)
            self.assertEqual(path.stat().st_mode & 0o077, 0, path)

    def test_killed_while_keeping_leaves_whole_generations(self):
        self.berth('up', '-d')
        env = {**os.environ, 'BERTH_DATA': str(self.data), 'DB_PASSWORD': SECRET}
        for round_ in range(6):
            started = subprocess.Popen([BERTH, 'up', '-d'], cwd=self.folder, env={**env, 'MODE': str(round_)},
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            before = len(list(self.data.glob('projects/*/*.generation*')))
            end = time.monotonic() + 20
            # The new file shows up, whole or still under its temporary name: that is the moment.
            while started.poll() is None and time.monotonic() < end:
                if len(list(self.data.glob('projects/*/*.generation*'))) > before:
                    break
            started.send_signal(signal.SIGKILL)
            started.wait()
            history = self.berth('history', '--format', 'json')
            self.assertEqual(history.stderr, '')
            newest = json.loads(history.stdout)[0]['number']
            self.berth('diff', str(newest))
        self.berth('up', '-d', env={'MODE': 'last'})
        self.berth('rollback')
        leftovers = [p for p in self.data.glob('projects/*/*') if not p.name.endswith('.generation')]
        self.assertEqual(leftovers, [])

    def test_a_folder_that_cannot_be_written_is_a_warning(self):
        self.berth('up', '-d', env={'BERTH_DATA': '/proc/nothing'})
        done = self.berth('up', '-d', env={'BERTH_DATA': '/proc/nothing', 'MODE': 'x'})
        self.assertIn('no generation was kept', done.stderr)


if __name__ == '__main__':
    unittest.main()
