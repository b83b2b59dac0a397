"""Builds, pulls and pushes on the private engine: both builders, contexts, order, policies, a registry with passwords."""
import base64
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.parse

from registry import PrivateRegistry
from support import BERTH, berth, containers, engine, free_port, images, must, project, wait_until
from support import EngineError

TIME_LIMIT = 600  # seconds, see tools/test
BASE = 'berth.local/busybox'
SLEEPER = 'command: [sleep, "1000"]\n    stop_grace_period: 0s'


def needs(program, package):
    if not shutil.which(program):
        raise AssertionError(f'{program} is missing: tools/setup test installs {package}')


class Builds(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        engine()
        images('busybox')

    def setUp(self):
        self.name = 'build-' + self._testMethodName.replace('_', '-')[5:30].strip('-')
        self.made = []
        self.addCleanup(self.remove_images)

    def remove_images(self):
        query = urllib.parse.urlencode({'filters': json.dumps({'label': [f'com.docker.compose.project={self.name}']})})
        found = [tag for image in engine().json('GET', f'/images/json?{query}') for tag in image['RepoTags'] or []]
        for name in found + self.made:
            try:
                engine().call('DELETE', f'/images/{urllib.parse.quote(name, safe="")}?force=1').read()
            except EngineError:
                pass

    def stack(self, text, **files):
        """A project; `files` are named with __ for / and _DOT_ for a leading dot."""
        self.folder = pathlib.Path(project(self, self.name, text))
        for name, content in files.items():
            path = self.folder / name.replace('__', '/').replace('DOT_', '.')
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    def rewrite(self, text):
        (self.folder / 'compose.yaml').write_text(f'name: {self.name}\n{text}')

    def berth(self, *arguments, status=0, **options):
        return must(berth(*arguments, cwd=self.folder, **options), status)

    def inspect(self, image):
        return engine().json('GET', f'/images/{urllib.parse.quote(image, safe="")}/json')

    def output_of(self, service, *command):
        return self.berth('run', '--rm', '-T', service, *command).stdout


class Builders(Builds):
    CACHED = f'FROM {BASE}\nRUN --mount=type=cache,target=/c echo run >>/c/runs; cat /c/runs >/runs\nCMD cat /runs\n'

    def test_a_cache_mount_lasts_from_build_to_build(self):
        self.stack('services: {app: {build: .}}\n', Dockerfile=self.CACHED.replace('/c', f'/{self.name}{time.time()}'))
        first = self.berth('build')
        self.assertIn('RUN --mount=type=cache', first.stderr)
        self.assertIn('DONE', first.stderr)
        self.assertEqual(self.output_of('app'), 'run\n')
        (self.folder / 'Dockerfile').write_text((self.folder / 'Dockerfile').read_text().replace('echo', 'echo  '))
        self.berth('build')
        self.assertEqual(self.output_of('app'), 'run\nrun\n')

    def test_the_classic_builder_is_a_choice_and_says_what_it_lacks(self):
        self.stack('services: {app: {build: .}}\n', Dockerfile=self.CACHED)
        refused = self.berth('build', env={'DOCKER_BUILDKIT': '0'}, status=17)
        self.assertIn(f'{self.folder}/Dockerfile:2: RUN --mount needs BuildKit', refused.stderr)
        (self.folder / 'Dockerfile').write_text(f'FROM {BASE}\nRUN echo hello\n')
        self.assertIn('Step 2/', self.berth('build', env={'DOCKER_BUILDKIT': '0'}).stderr)

    def test_a_failing_step_is_named_with_its_line_by_both_builders(self):
        text = f'FROM {BASE} AS one\nRUN true\n\nFROM one\nWORKDIR /x\nRUN echo why it fails && \\\n    false\n'
        self.stack('services: {app: {build: .}}\n', Dockerfile=text)
        for env in ({}, {'DOCKER_BUILDKIT': '0'}):
            failed = self.berth('build', env=env, status=17)
            self.assertIn(f'{self.folder}/Dockerfile:6: ', failed.stderr, env)
            self.assertIn('why it fails', failed.stderr)
            self.assertEqual(self.berth('up', '-d', env=env, status=17).stdout, '')

    def test_a_frontend_that_cannot_be_fetched_is_explained(self):
        self.stack('services: {app: {build: .}}\n', Dockerfile=f'# syntax=127.0.0.1:9/frontend:1\nFROM {BASE}\n')
        failed = self.berth('build', status=17).stderr
        self.assertIn('Dockerfile:1: ', failed)
        self.assertIn('asks for the frontend 127.0.0.1:9/frontend:1', failed)

    def test_attributes_reach_the_builder(self):
        self.stack(f'''services:
  app:
    image: {self.name}:own
    build:
      context: .
      dockerfile_inline: |
        ARG FROM=none
        FROM $$FROM AS first
        ARG WORD
        RUN echo $$WORD $$(grep second.host /etc/hosts | cut -f1) > /said
        FROM first AS second
        RUN false
      target: first
      args: {{FROM: {BASE}, WORD: hello}}
      labels: {{a.b: c}}
      tags: ["{self.name}:more"]
      extra_hosts: ["first.host:10.1.1.1", "second.host:10.2.2.2"]
      cache_to: ["type=inline"]
    command: [cat, /said]
''')
        self.berth('build', '--build-arg', 'WORD=bye', '--no-cache')
        image = self.inspect(f'{self.name}:more')
        labels = image['Config']['Labels']
        self.assertEqual(image['Id'], self.inspect(f'{self.name}:own')['Id'])
        self.assertEqual((labels['a.b'], labels['com.docker.compose.project'], labels['com.docker.compose.service']),
                         ('c', self.name, 'app'))
        self.assertEqual(self.output_of('app'), 'bye 10.2.2.2\n')
        self.made.append(f'{self.name}:more')

    def test_limits_that_only_the_classic_builder_knows_choose_it(self):
        self.stack(f'''services:
  app:
    build:
      context: .
      dockerfile_inline: |
        FROM {BASE}
        RUN df /dev/shm | tail -1 > /shm; ulimit -n > /files
      shm_size: 128m
      ulimits: {{nofile: {{soft: 111, hard: 222}}}}
    command: [cat, /shm, /files]
''')
        built = self.berth('build').stderr
        said = self.output_of('app')
        self.assertIn('131072', said)
        self.assertIn('111', said)
        if engine().json('GET', '/version')['ApiVersion'] < '1.42':
            self.assertIn('built by the classic builder: this engine\'s BuildKit does not take shm_size, ulimits', built)

    def test_what_no_build_can_have_is_refused_with_its_place(self):
        self.stack('services:\n  app:\n    build:\n      context: .\n      ssh: [default]\n')
        self.assertIn('compose.yaml:6:', self.berth('build', status=1).stderr)
        self.assertIn('--ssh default: ', self.berth('build', '--ssh', 'default', status=16).stderr)

    def test_the_builder_and_its_memory_are_chosen(self):
        self.stack('services: {app: {build: .}}\n',
                   Dockerfile=f'FROM {BASE}\nRUN cat /sys/fs/cgroup/memory/memory.limit_in_bytes '
                              '/sys/fs/cgroup/memory.max >/most 2>/dev/null; true\nCMD cat /most\n')
        built = self.berth('build', '--builder', 'classic', '-m', '64m', '--no-cache').stderr
        self.assertIn('Step 2/', built)
        self.assertEqual(self.output_of('app').strip(), str(64 << 20))
        built = self.berth('build', '--memory', '64m', '--builder', 'other', '--no-cache').stderr
        self.assertIn('memory: BuildKit has no bound for it; ignored', built)
        self.assertIn('--builder other: berth builds with the engine\'s own builders', built)
        self.assertNotEqual(self.output_of('app').strip(), str(64 << 20))
        self.assertIn('--memory much: write a size', self.berth('build', '-m', 'much', status=16).stderr)
        (self.folder / 'Dockerfile').write_text(self.CACHED)
        refused = self.berth('build', '--builder', 'classic', status=17).stderr
        self.assertIn('leave out DOCKER_BUILDKIT=0 or --builder classic', refused)


class Contexts(Builds):
    def test_ignored_files_modes_and_links(self):
        self.stack('services: {app: {build: .}}\n', Dockerfile=f'FROM {BASE}\nCOPY . /ctx\nCMD cd /ctx && ls -AlR\n',
                   DOT_dockerignore='secret\nlogs/*\n!logs/keep\n', secret='x', logs__a='x', logs__keep='x', run='x')
        (self.folder / 'run').chmod(0o755)
        (self.folder / 'link').symlink_to('run')
        (self.folder / 'broken').symlink_to('nowhere')
        self.berth('build')
        listed = self.output_of('app')
        self.assertNotIn('secret', listed)
        self.assertRegex(listed, r'-rwxr-xr-x.* run\n')
        self.assertIn('link -> run', listed)
        self.assertIn('broken -> nowhere', listed)
        self.assertIn('keep', listed)
        self.assertNotRegex(listed, r' a\n')
        (self.folder / 'Dockerfile.dockerignore').write_text('logs\n')
        self.berth('build')
        self.assertIn('secret', self.output_of('app'))

    def test_additional_contexts_are_folders_images_services_and_repositories(self):
        needs('git', 'git')
        self.stack(f'''services:
  app:
    build:
      context: .
      additional_contexts:
        files: ./more
        tools: docker-image://{BASE}
        own: service:lib
        alpine:3: ./more
        repo: {self.served()}#main:sub
    command: [cat, /one, /two, /three, /four]
  lib:
    build: ./lib
    labels: {{berth.build-only: "true"}}
    {SLEEPER}
''', Dockerfile=f'''FROM tools AS base
COPY --from=own /lib /two
COPY --from=files /dir/one /one
RUN --mount=type=bind,from=alpine:3,target=/m cat /m/dir/one > /three
COPY --from=repo /four /four
FROM alpine:3 AS unused
FROM base
''', more__dir__one='one\n', more__DOT_dockerignore='skipped\n', more__skipped='x',
                   lib__Dockerfile=f'FROM {BASE}\nRUN echo two > /lib\n')
        self.berth('build', 'app')
        self.assertEqual(self.output_of('app'), 'one\ntwo\none\nfour\n')
        self.assertEqual(engine().json('GET', '/images/json?filters=' + urllib.parse.quote(
            json.dumps({'reference': ['berth-context/*']}))), [])
        self.berth('up', '-d', '--no-start')
        made = {item['Labels']['com.docker.compose.service'] for item in containers(self.name)}
        self.assertEqual(made, {'app'})

    def served(self):
        """A repository with sub/four and a Dockerfile, served on loopback."""
        folder = pathlib.Path(tempfile.mkdtemp(prefix='berth-git-'))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        work = folder / 'repo'
        (work / 'sub').mkdir(parents=True)
        (work / 'sub/four').write_text('four\n')
        (work / 'Dockerfile').write_text(f'FROM {BASE}\nCOPY . /repo\nCMD ls -A /repo\n')
        git = ['git', '-C', str(work), '-c', 'user.name=t', '-c', 'user.email=t@t', '-c', 'init.defaultBranch=main']
        for arguments in (['init', '-q'], ['add', '.'], ['commit', '-qm', 'one']):
            subprocess.run([*git, *arguments], check=True, timeout=30)
        port = free_port()
        daemon = subprocess.Popen(['git', 'daemon', '--export-all', '--reuseaddr', '--listen=127.0.0.1',
                                   f'--port={port}', f'--base-path={folder}', str(folder)],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        self.addCleanup(lambda: (os.killpg(daemon.pid, signal.SIGTERM), daemon.wait(10)))
        url = f'git://127.0.0.1:{port}/repo'
        wait_until(lambda: subprocess.run(['git', 'ls-remote', '-q', url], capture_output=True,
                                          timeout=10).returncode == 0)
        return url

    def test_a_repository_is_a_context(self):
        needs('git', 'git')
        url = self.served()
        self.stack(f'services: {{app: {{build: "{url}#main"}}}}\n')
        self.berth('build')
        self.assertEqual(sorted(self.output_of('app').split()), ['Dockerfile', 'sub'])
        self.stack(f'services: {{app: {{build: "{url}#nothing"}}}}\n')
        self.assertIn('git: ', self.berth('build', status=17).stderr)
        self.stack(f'services: {{app: {{build: "{url}#main:none"}}}}\n')
        self.assertIn('has no folder "none"', self.berth('build', status=17).stderr)

    def test_a_big_context_takes_little_memory(self):
        self.stack('services: {app: {build: .}}\n', Dockerfile=f'FROM {BASE}\nCOPY Dockerfile /\n')
        with open(self.folder / 'big', 'wb') as big:
            big.truncate(200 << 20)
        process = subprocess.Popen([str(BERTH), 'build', '-q'], cwd=self.folder, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 0, process.stderr.read())
        process.stderr.close()
        self.assertLess(usage.ru_maxrss, 150 << 10)  # KiB; sanitisers included

    def test_ctrl_c_ends_the_build_on_the_engine(self):
        self.stack('services: {app: {build: .}}\n',
                   Dockerfile=f'FROM {BASE}\nRUN sleep 99.{os.getpid()}\n')
        for env in ({}, {'DOCKER_BUILDKIT': '0'}):
            process = subprocess.Popen([str(BERTH), 'build'], cwd=self.folder, env={**os.environ, **env},
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            wait_until(self.sleeps)
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(15), 130)
            wait_until(lambda: not self.sleeps())

    @staticmethod
    def sleeps():
        for path in pathlib.Path('/proc').glob('[0-9]*/cmdline'):
            try:
                if path.read_bytes() == f'sleep\0099.{os.getpid()}\0'.encode():
                    return True
            except OSError:
                pass
        return False


class Order(Builds):
    def test_services_that_build_on_each_other(self):
        self.stack(f'''services:
  app: {{build: ./app, {SLEEPER.splitlines()[0]}}}
  base: {{image: "{self.name}-base:1", build: ./base, labels: {{berth.build-only: "true"}}}}
''', app__Dockerfile=f'ARG TAG=1\nFROM {self.name}-base:$TAG\nCMD cat /made\n',
                   base__Dockerfile=f'FROM {BASE}\nRUN echo base > /made\n')
        self.made.append(f'{self.name}-base:1')
        self.berth('up', '-d')
        self.assertEqual(self.output_of('app', 'cat', '/made'), 'base\n')
        self.assertEqual([item['Labels']['com.docker.compose.service'] for item in containers(self.name)], ['app'])
        self.assertIn('nothing to do', self.berth('up', '-d').stderr + self.berth('up', '-d').stderr)

    def test_equal_builds_run_once(self):
        service = '{build: {context: ., dockerfile_inline: "FROM ' + BASE + '\\nRUN cat /proc/sys/kernel/random/uuid > /id"}}'
        self.stack(f'services: {{a: {service}, b: {service}}}\n')
        self.berth('build', '--no-cache')
        self.assertEqual(self.inspect(f'{self.name}-a')['Id'], self.inspect(f'{self.name}-b')['Id'])

    def test_a_new_image_recreates_its_container_and_says_why(self):
        self.stack(f'services:\n  app:\n    build: .\n    {SLEEPER}\n', Dockerfile=f'FROM {BASE}\nENV A=1\n')
        self.berth('up', '-d')
        before = containers(self.name)[0]
        (self.folder / 'Dockerfile').write_text(f'FROM {BASE}\nENV A=2\n')
        self.berth('build')
        self.assertIn('Image: ', self.berth('plan').stdout)
        self.berth('up', '-d')
        after = containers(self.name)[0]
        self.assertNotEqual(before['Id'], after['Id'])
        self.assertEqual(after['Labels']['com.docker.compose.image'], self.inspect(f'{self.name}-app')['Id'])


class Registry(Builds):
    """A registry of Debian's docker-registry, with a password, on loopback of the engine's namespace."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = PrivateRegistry('user', 'right')
        cls.addClassCleanup(cls.registry.stop)
        cls.host = cls.registry.address

    def config(self, password, helper=False):
        """A DOCKER_CONFIG with that password, in the file or behind a helper program."""
        folder = pathlib.Path(tempfile.mkdtemp(prefix='berth-config-'))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        if helper:
            program = folder / 'docker-credential-berthtest'
            program.write_text('#!/bin/sh\nread server\n'
                               f'echo \'{{"Username": "user", "Secret": "{password}"}}\'\n')
            program.chmod(0o755)
            text = {'credHelpers': {self.host: 'berthtest'}}
        else:
            text = {'auths': {self.host: {'auth': base64.b64encode(f'user:{password}'.encode()).decode()}}}
        (folder / 'config.json').write_text(json.dumps(text))
        return {'DOCKER_CONFIG': str(folder), 'PATH': f'{folder}:{os.environ["PATH"]}'}

    def forget(self, image):
        engine().call('DELETE', f'/images/{urllib.parse.quote(image, safe="")}?force=1').read()

    def test_push_pull_and_pin(self):
        image = f'{self.host}/{self.name}:1'
        self.made.append(image)
        self.stack(f'services:\n  app:\n    image: {image}\n    build: .\n    {SLEEPER}\n',
                   Dockerfile=f'FROM {BASE}\nENV A=1\n')
        dry = self.berth('--dry-run', 'build', '--push', env=self.config('wrong')).stdout
        self.assertIn(f'push {image}\n', dry)
        denied = self.berth('build', '--push', env=self.config('wrong'), status=1).stderr
        self.assertIn(f'image {image} cannot be pushed', denied)
        self.assertIn(f'image {image}  pushed', self.berth('build', '--push', env=self.config('right', helper=True)).stderr)
        self.assertEqual(self.berth('build', '-q', '--push', env=self.config('right')).stderr, '')
        pinned = self.inspect(image)['RepoDigests'][0]
        self.forget(image)
        pull = f'services:\n  app:\n    image: {image}\n    {SLEEPER}\n'
        self.rewrite(pull)
        denied = self.berth('up', '-d', env=self.config('wrong'), status=18).stderr
        self.assertIn(f'cannot pull {image}', denied)
        self.assertIn(f'docker login {self.host}', denied)
        self.assertNotIn('wrong', denied)
        self.berth('up', '-d', env=self.config('right', helper=True))
        self.rewrite(pull.replace(image, pinned))
        self.berth('pull', env=self.config('right'))
        self.assertIn(pinned.split('@')[1], self.berth('config', '--images').stdout)

    def test_a_private_base_image_is_fetched_with_the_users_password(self):
        base = f'{self.host}/{self.name}-base:1'
        self.made.append(base)
        self.stack(f'services: {{base: {{image: "{base}", build: .}}}}\n', Dockerfile=f'FROM {BASE}\nENV BASE=1\n')
        self.berth('build', '--push', env=self.config('right'))
        self.forget(base)
        self.stack('services: {app: {build: .}}\n', Dockerfile=f'FROM {base}\nRUN test "$BASE" = 1\n')
        for options in ({}, {'DOCKER_BUILDKIT': '0'}):
            self.assertIn(base, self.berth('build', env=self.config('wrong'), status=17).stderr)
            self.berth('build', '--pull', env={**self.config('right'), **options})
            self.forget(base)

    def test_an_image_that_changed_recreates_and_age_decides_when_to_look(self):
        image = f'{self.host}/{self.name}:1'
        self.made.append(image)
        env = self.config('right')
        dockerfile = f'FROM {BASE}\nENV A='
        self.stack(f'services: {{app: {{image: "{image}", build: .}}}}\n', Dockerfile=dockerfile + '1\n')
        self.berth('build', '--push', env=env)
        old = self.inspect(image)['Id']
        (self.folder / 'Dockerfile').write_text(dockerfile + '2\n')
        self.berth('build', '--push', env=env)
        new = self.inspect(image)['Id']
        text = f'services:\n  app:\n    image: {image}\n    pull_policy: POLICY\n    {SLEEPER}\n'
        self.rewrite(text.replace('POLICY', 'every_1h'))
        query = urllib.parse.urlencode({'repo': image.rsplit(':', 1)[0], 'tag': '1'})
        engine().call('POST', f'/images/{old}/tag?{query}').read()
        self.berth('up', '-d', env=env)
        self.assertEqual(containers(self.name)[0]['ImageID'], old, 'named a moment ago')
        self.rewrite(text.replace('POLICY', 'every_1s'))
        time.sleep(2.1)
        self.berth('up', '-d', env=env)
        self.assertEqual(containers(self.name)[0]['ImageID'], new)
        self.rewrite(text.replace('POLICY', 'always'))
        failed = self.berth('up', '-d', env=self.config('wrong'), status=18).stderr
        self.assertIn('this engine has an older one: --pull missing uses it', failed)
        self.assertIn('nothing to do', self.berth('up', '-d', '--pull', 'missing', env=env).stderr)

    def test_an_image_on_a_registry_spares_the_build(self):
        image = f'{self.host}/{self.name}:1'
        self.made.append(image)
        env = self.config('right')
        self.stack(f'services:\n  app:\n    image: {image}\n    build: .\n    {SLEEPER}\n',
                   Dockerfile=f'FROM {BASE}\nENV FROM=registry\n')
        self.berth('build', '--push', env=env)
        self.forget(image)
        (self.folder / 'Dockerfile').write_text(f'FROM {BASE}\nENV FROM=build\n')
        self.berth('up', '-d', env=env)
        self.assertIn('FROM=registry', self.inspect(image)['Config']['Env'])
        self.berth('down')
        self.forget(image)
        self.berth('up', '-d', env=self.config('wrong'))
        self.assertIn('FROM=build', self.inspect(image)['Config']['Env'])


if __name__ == '__main__':
    unittest.main()
