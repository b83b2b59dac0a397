"""Logins of registries on a real docker-registry with a password: tried, kept sealed, used by every pull, forgotten."""
import io
import json
import os
import pathlib
import pty
import select
import shutil
import subprocess
import tarfile
import tempfile
import time
import unittest
import urllib.parse

from api_client import Api
from registry import PrivateRegistry
from support import BERTH, Serve, berth, containers, engine, images, must, project, remove_project, wait_until

NAME = 'private'
BASE = 'berth.local/debian:12'
USER, SECRET, WRONG = 'puller', 'pw-7f3a-of-the-registry', 'pw-wrong-91c2'


class RegistriesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        engine()
        images('debian')
        cls.registry = PrivateRegistry(USER, SECRET)
        cls.addClassCleanup(cls.registry.stop)
        cls.host = cls.registry.address
        cls.image = f'{cls.host}/team/private:1'
        # Nobody's docker config: what is pulled here is pulled by berth's own logins.
        cls.config = tempfile.mkdtemp(prefix='berth-config-')
        cls.addClassCleanup(shutil.rmtree, cls.config, ignore_errors=True)
        cls.serve = Serve(env={'DOCKER_CONFIG': cls.config})
        cls.addClassCleanup(cls.serve.stop)
        cls.api = Api(cls.serve.data).ready()
        wait_until(lambda: cls.api.call('GET', '/images').status == 200, 30, 'the engine to be followed')
        cls.push(cls.image)
        cls.addClassCleanup(cls.forget, cls.image)

    @classmethod
    def push(cls, image):
        """By the API with the login that it keeps."""
        cls.api.post('/registries', {'host': cls.host, 'user': USER, 'password': SECRET})
        base = next(each['Id'] for each in engine().json('GET', '/images/json') if BASE in (each['RepoTags'] or []))
        cls.api.post(f'/images/{base}/tags', {'tag': image})
        job = cls.api.post('/images/push', {'reference': image})['job']
        assert cls.ended(job)['state'] == 'succeeded', cls.api.get(f'/jobs/{job}')
        cls.forget(image)

    @classmethod
    def forget(cls, image):
        quoted = urllib.parse.quote(image, safe='')
        if any(image in (each['RepoTags'] or []) for each in engine().json('GET', '/images/json')):
            engine().call('DELETE', f'/images/{quoted}').read()

    @classmethod
    def ended(cls, job):
        return wait_until(lambda: (found := cls.api.get(f'/jobs/{job}'))['state'] in ('succeeded', 'failed') and found,
                          60, 'the job to end')

    def setUp(self):
        for each in self.api.get('/registries')['items']:
            self.api.ask('DELETE', f'/registries/{urllib.parse.quote(each["host"], safe="")}')
        self.forget(self.image)
        remove_project(NAME)
        self.addCleanup(remove_project, NAME)

    def log_in(self, password=SECRET, **more):
        return self.api.call('POST', '/registries', {'host': self.host, 'user': USER, 'password': password, **more})

    def pull(self):
        return self.ended(self.api.post('/images/pull', {'reference': self.image})['job'])

    def verb(self, *arguments, **options):
        return berth('registry', *arguments, '--data', self.serve.data, **options)

    def test_only_what_the_registry_takes_is_kept(self):
        refused = self.log_in(WRONG)
        self.assertEqual((refused.status, refused.json()['code']), (422, 'registry_refused'))
        self.assertIn(f'registry {self.host} refuses {USER}; check the user name and the password', refused.text)
        self.assertNotIn(WRONG, refused.text)
        self.assertEqual(self.api.get('/registries')['items'], [])
        kept = self.log_in()
        self.assertEqual(kept.status, 201, kept.text)
        entry, = self.api.get('/registries')['items']
        self.assertEqual((entry['host'], entry['user'], entry['checked']), (self.host, USER, True))
        self.assertEqual(self.log_in(WRONG).status, 422)  # the one before stays
        self.assertEqual(self.pull()['state'], 'succeeded')

    def test_a_registry_that_is_not_there_is_told_from_one_that_refuses(self):
        gone = self.api.call('POST', '/registries', {'host': '127.0.0.1:9', 'user': USER, 'password': SECRET})
        self.assertEqual((gone.status, gone.json()['code']), (503, 'unavailable'), gone.text)
        self.assertIn('cannot log in to registry 127.0.0.1:9', gone.text)
        kept = self.api.post('/registries', {'host': 'https://registry.invalid/v2/', 'user': USER, 'password': SECRET,
                                             'check': False})
        self.assertEqual((kept['host'], kept['checked']), ('registry.invalid', False))

    def test_what_is_no_login_is_refused(self):
        for wish in ({'host': f'{USER}:{SECRET}@{self.host}'}, {'host': 'http://169.254.169.254/latest/meta-data'},
                     {'user': ''}, {'user': 'a:b'}, {'password': ''}, {'password': 'two\nlines'}, {'port': 5}):
            answer = self.api.call('POST', '/registries', {'host': self.host, 'user': USER, 'password': SECRET, **wish})
            self.assertEqual(answer.status, 400, wish)
            self.assertNotIn(SECRET, answer.text)

    def test_the_hub_is_one_registry_however_it_is_spelled(self):
        for host in ('docker.io', 'https://index.docker.io/v1/', 'registry-1.docker.io', 'Docker.io'):
            kept = self.api.post('/registries', {'host': host, 'user': USER, 'password': SECRET, 'check': False})
            self.assertEqual(kept['host'], 'docker.io')
        self.assertEqual(len(self.api.get('/registries')['items']), 1)
        self.api.ask('DELETE', '/registries/index.docker.io')
        self.assertEqual(self.api.get('/registries')['items'], [])

    def test_a_login_goes_to_its_own_registry_alone(self):
        port = int(self.host.split(':')[1])
        for host in ('docker.io', f'127.0.0.1:{port ^ 1}', '127.0.0.1', f'localhost:{port}'):
            self.api.post('/registries', {'host': host, 'user': USER, 'password': SECRET, 'check': False})
        failed = self.pull()
        self.assertEqual(failed['state'], 'failed')
        self.assertIn('no basic auth credentials', failed['error'])

    def test_pulls_need_the_login_and_end_with_it(self):
        failed = self.pull()
        self.assertEqual(failed['state'], 'failed')
        self.assertIn(f'berth registry login {self.host}', failed['error'])
        self.log_in()
        self.assertEqual(self.pull()['state'], 'succeeded')
        self.forget(self.image)
        self.api.ask('DELETE', f'/registries/{urllib.parse.quote(self.host, safe="")}')
        self.assertEqual(self.pull()['state'], 'failed')

    def test_a_container_is_made_of_a_private_image(self):
        self.log_in()
        made = self.api.post('/containers', {'name': 'private-one', 'image': self.image, 'command': ['sleep', '60']})
        self.addCleanup(lambda: engine().call('DELETE', '/containers/private-one?force=1').read())
        self.assertEqual(self.ended(made['job'])['state'], 'succeeded', self.api.get(f'/jobs/{made["job"]}'))

    def compose(self):
        return f'services: {{app: {{image: "{self.image}", command: sleep 60, init: true, stop_grace_period: 0s}}}}\n'

    def test_a_project_is_applied_with_a_private_image(self):
        self.log_in()
        self.api.post('/projects', {'name': NAME, 'files': {'compose.yaml': self.compose()}})
        self.addCleanup(self.api.call, 'DELETE', f'/projects/{NAME}', {'confirm': NAME, 'volumes': True})
        plan = self.api.post(f'/projects/{NAME}/plan')
        self.api.post(f'/projects/{NAME}/apply', {'plan': plan['plan']})
        self.assertEqual(self.api.idle(NAME)['state'], 'running')
        self.assertEqual([each['Image'] for each in containers(NAME)], [self.image])

    def test_the_command_line_uses_it_where_docker_has_none(self):
        folder = project(self, NAME, self.compose())
        env = {'DOCKER_CONFIG': self.config}
        refused = berth('pull', cwd=folder, env=env)
        self.assertNotEqual(refused.returncode, 0)
        self.log_in()
        must(berth('up', '-d', cwd=folder, env=env))
        self.assertEqual([each['Image'] for each in containers(NAME)], [self.image])
        # What the user of docker says goes before it.
        (pathlib.Path(self.config) / 'config.json').write_text(json.dumps(
            {'auths': {self.host: {'username': USER, 'password': WRONG}}}))
        self.addCleanup((pathlib.Path(self.config) / 'config.json').unlink)
        remove_project(NAME)
        self.forget(self.image)
        self.assertNotEqual(berth('pull', cwd=folder, env=env).returncode, 0)

    def test_the_verb_logs_in_lists_and_logs_out(self):
        refused = self.verb('login', self.host, '-u', USER, '--password-stdin', stdin=WRONG + '\n')
        self.assertEqual(refused.returncode, 1)
        self.assertIn(f'refuses {USER}', refused.stderr)
        must(self.verb('login', self.host, '--username', USER, '--password-stdin', stdin=SECRET + '\n'))
        self.assertEqual(must(self.verb('list')).stdout.split(), ['HOST', 'USER', 'CHECKED', self.host, USER, 'yes'])
        self.assertEqual(json.loads(must(self.verb('list', '--format', 'json')).stdout)['user'], USER)
        for arguments in (('-p', SECRET), (f'--password={SECRET}',), ('--password', SECRET)):
            wrong = self.verb('login', self.host, '-u', USER, *arguments)
            self.assertEqual(wrong.returncode, 16)
            self.assertNotIn(SECRET, wrong.stderr)
        self.assertEqual(self.verb('login', self.host, '-u', USER).returncode, 16, 'there is nobody to ask')
        must(self.verb('logout', f'http://{self.host}/v2/'))
        self.assertEqual(self.verb('logout', self.host).returncode, 1)

    def test_a_terminal_is_asked_and_shows_nothing(self):
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        process = subprocess.Popen([BERTH, 'registry', 'login', self.host, '-u', USER, '--data', self.serve.data],
                                   stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        shown = self.read_until(master, b'Password: ')
        # Typing begins when the terminal is quiet: what came earlier it would have shown by itself.
        wait_until(lambda: not self.echoes(master), 20, 'the terminal to be quiet')
        os.write(master, SECRET.encode() + b'x\x7f\r')
        shown += self.read_until(master, b'kept sealed')
        self.assertEqual(process.wait(30), 0)
        self.assertNotIn(SECRET.encode(), shown)

    @staticmethod
    def echoes(master):
        import termios
        return termios.tcgetattr(master)[3] & termios.ECHO

    def read_until(self, master, text):
        out, end = b'', time.monotonic() + 30
        while text not in out and time.monotonic() < end:
            if select.select([master], [], [], 1)[0]:
                out += os.read(master, 4096)
        self.assertIn(text, out)
        return out

    def test_the_password_is_nowhere_to_be_read(self):
        self.log_in(WRONG)
        self.log_in()
        self.pull()
        replies = ''.join(self.api.call('GET', path).text for path in ('/registries', '/audit', '/jobs', '/events/log'))
        self.assertIn('registry.login', replies)
        self.assertIn(self.host, replies)
        copy = pathlib.Path(self.config) / 'copy'
        must(berth('store', 'backup', copy, '--data', self.serve.data))
        audit = must(berth('audit', 'export', '--data', self.serve.data)).stdout
        texts = {'replies': replies.encode(), 'audit': audit.encode(), 'copy': copy.read_bytes()}
        copy.unlink()
        for path in self.serve.data.rglob('*'):
            if path.is_file() and not path.is_symlink():
                texts[str(path)] = path.read_bytes()
        self.assertIn('berth.db-wal', ' '.join(texts))
        self.assertTrue(any(USER.encode() in text for name, text in texts.items() if 'berth.db' in name))
        for name, text in texts.items():
            for secret in (SECRET, WRONG):
                self.assertNotIn(secret.encode(), text, name)

    def test_only_an_admin_may(self):
        user = self.api.post('/users', {'name': 'operator-of-images', 'role': 'operator'})
        self.addCleanup(self.api.ask, 'DELETE', f'/users/{user["id"]}')
        token = self.api.post(f'/users/{user["id"]}/tokens', {'name': 't', 'scopes': ['engine', 'settings']})['token']
        self.assertEqual(self.serve.fetch('berth.localhost', '/api/v1/registries',
                                          headers={'Authorization': f'Bearer {token}'}).status, 403)


class ImagesCase(unittest.TestCase):
    """A serve of its own, whose jobs make and remove images."""

    @classmethod
    def setUpClass(cls):
        engine()
        images('debian')
        cls.serve = Serve()
        cls.addClassCleanup(cls.serve.stop)
        cls.api = Api(cls.serve.data, timeout=120).ready()
        wait_until(lambda: cls.api.call('GET', '/images').status == 200, 30, 'the engine to be followed')

    @staticmethod
    def forget(name):
        if any(name in (each['RepoTags'] or []) for each in engine().json('GET', '/images/json')):
            engine().call('DELETE', f'/images/{name}?force=1').read()

    def ended(self, job):
        return wait_until(lambda: (found := self.api.get(f'/jobs/{job}'))['state'] in ('succeeded', 'failed') and found,
                          100, 'the job to end')


class PruneTest(ImagesCase):
    """Images that nobody needs are listed with their owner, and those that were agreed to go."""

    def build(self, name, tag='1'):
        """An image of its own, built by a project."""
        folder = project(self, NAME, f'services: {{app: {{image: "{name}:{tag}", build: .}}}}\n',
                         Dockerfile=f'FROM {BASE}\nENV MADE={time.monotonic_ns()}\n')
        must(berth('build', cwd=folder))
        self.addCleanup(self.forget, f'{name}:{tag}')
        return engine().json('GET', f'/images/{name}:{tag}/json')['Id']

    def listed(self):
        return {each['id']: each for each in self.api.get('/images/prune')['images']}

    def ids(self):
        return {each['Id'] for each in engine().json('GET', '/images/json')}

    def test_what_is_agreed_goes_and_nothing_else(self):
        old = self.build('prune-one')
        new = self.build('prune-one')
        other = self.build('prune-two')
        listed = self.listed()
        self.assertEqual([(listed[each]['owner'], listed[each]['tags']) for each in (old, new, other)],
                         [(NAME, []), (NAME, ['prune-one:1']), (NAME, ['prune-two:1'])])
        self.assertFalse(any(BASE in each['tags'] for each in listed.values()), 'it is of others')
        before = self.ids()
        job = self.api.post('/images/prune', {'images': [old, other]})['job']
        self.assertEqual(self.ended(job)['state'], 'succeeded')
        self.assertEqual(before - self.ids(), {old, other})
        self.assertEqual(self.api.call('POST', '/images/prune', {'images': [old, new]}).json()['code'], 'moved')
        self.assertIn(new, self.ids())

    def test_what_a_container_has_is_not_listed(self):
        image = self.build('prune-used')
        self.assertIn(image, self.listed())
        made = engine().json('POST', '/containers/create?name=prune-user', {'Image': image})
        self.addCleanup(lambda: engine().call('DELETE', f'/containers/{made["Id"]}?force=1').read())
        self.assertNotIn(image, self.listed())
        refused = self.api.call('POST', '/images/prune', {'images': [image]})
        self.assertEqual((refused.status, refused.json()['code']), (409, 'moved'))
        self.assertEqual(self.api.get(f'/images/{image}')['usedBy'], ['prune-user'])

    def prune(self, *flags, **how):
        return berth('image', 'prune', *flags, '--data', str(self.serve.data), **how)

    def test_the_command_line_lists_asks_and_removes_what_it_listed(self):
        old = self.build('prune-cli')
        self.build('prune-cli')
        before = self.ids()
        listed = must(self.prune('--dry-run'))
        self.assertRegex(listed.stdout, rf'(?m)^prune-cli:1 +{NAME} ')
        self.assertRegex(listed.stdout, rf'(?m)^{old[:19]} +{NAME} ')
        self.assertEqual({each['id'] for each in json.loads(must(self.prune('--dry-run', '--format', 'json')).stdout)['images']},
                         set(self.listed()))
        unasked = self.prune(stdin='')
        self.assertEqual(unasked.returncode, 1, unasked.stderr)
        self.assertIn('nobody can be asked', unasked.stderr)
        self.assertEqual(self.ids(), before)
        done = must(self.prune('-y'))
        self.assertIn('removed prune-cli:1', done.stderr)
        self.assertIn(f'removed {old}', done.stderr)
        self.assertEqual(self.listed(), {})
        self.assertIn('there is no such image', must(self.prune('-y')).stderr)
        for wrong in ((), ('ls',), ('prune', '--all'), ('prune', 'x'), ('prune', '--format', 'xml')):
            self.assertEqual(berth('image', *wrong).returncode, 16, wrong)
        away = berth('image', 'prune', '--data', '/nonexistent')
        self.assertEqual(away.returncode, 1)
        self.assertIn('no berth serve with --data /nonexistent answers', away.stderr)

    def test_nothing_agreed_is_nothing_done(self):
        before = self.ids()
        for body in ({}, {'dryRun': True}, {'images': []}, {'images': ['sha256:' + '0' * 64]}):
            self.assertIn(self.api.call('POST', '/images/prune', body).status, (400, 409), body)
        self.assertEqual(self.ids(), before)


class BuildTest(ImagesCase):
    """Images that are built of a context in the body."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.addClassCleanup(cls.forget, 'built-over-api:1')

    @staticmethod
    def context(**files):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode='w') as tar:
            for name, content in files.items():
                entry = tarfile.TarInfo(name.replace('__', '/'))
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
        return out.getvalue()

    def build(self, body, query='tag=built-over-api:1'):
        return self.api.call('POST', f'/images/build?{query}', body)

    def test_a_context_becomes_an_image(self):
        arguments = urllib.parse.quote(json.dumps({'WHO': 'you'}))
        big = os.urandom(3 << 20)
        ordered = self.build(self.context(big=big, sub__Dockerfile=f'FROM {BASE}\nARG WHO=me\nENV HELLO=$WHO\nCOPY big /\n'.encode()),
                             f'tag=built-over-api:1&dockerfile=./sub/Dockerfile&arguments={arguments}')
        self.assertEqual(ordered.status, 202, ordered.text)
        job = self.ended(ordered.json()['job'])
        self.assertEqual((job['state'], job['subject']), ('succeeded', 'image:built-over-api:1'), job)
        made = engine().json('GET', '/images/built-over-api:1/json')
        self.assertIn('HELLO=you', made['Config']['Env'])
        self.assertEqual(list((self.serve.data / 'spool').iterdir()), [])

    def test_a_failing_step_says_where(self):
        ordered = self.build(self.context(Dockerfile=f'FROM {BASE}\nRUN echo said; false\n'.encode()))
        job = self.ended(ordered.json()['job'])
        self.assertEqual(job['state'], 'failed')
        self.assertIn('Dockerfile:2', job['error'])

    def test_what_is_no_context_is_refused(self):
        for body, words in ((b'no tar at all' * 100, 'archive'), (self.context(other=b'x'), 'has no file Dockerfile'),
                            (self.context(Dockerfile=b'FROM x')[:700], 'tar'), (b'', 'tar')):
            refused = self.build(body)
            self.assertIn(refused.status, (400, 404), refused.text)
            self.assertIn(words, refused.text)
        for query in ('', 'tag=UPPER', 'tag=a:1&arguments=1', 'tag=a:1&arguments=%7B%22A%22:1%7D', 'tag=a:1&remote=http://x'):
            self.assertEqual(self.build(self.context(Dockerfile=b'FROM x'), query).status, 400, query)


if __name__ == '__main__':
    unittest.main()
