"""Where a project comes from: the COMPOSE_* variables, a docker context, and files in git repositories."""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import unittest

from support import accepts, berth, containers, engine, free_port, images, must, remove_project, wait_until

TIME_LIMIT = 300  # seconds, see tools/test

# Nothing of the caller's own environment may decide.
FOREIGN = ('COMPOSE_', 'DOCKER_', 'GIT_', 'BERTH_ALLOW', 'XDG_')


class Files(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='berth-files-'))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def write(self, texts):
        for name, text in texts.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def run_berth(self, *arguments, status=0, keep=(), **env):
        before = {name: os.environ.pop(name) for name in list(os.environ)
                  if name.startswith(FOREIGN) and name not in keep}
        try:
            return must(berth(*arguments, cwd=self.folder, env={'HOME': str(self.folder), **env}), status)
        finally:
            os.environ.update(before)

    def config(self, *arguments, **env):
        return json.loads(self.run_berth(*arguments, 'config', '--format', 'json', **env).stdout)


class Variables(Files):
    def setUp(self):
        super().setUp()
        self.write({'compose.yaml': 'name: own\nservices: {a: {image: "x:${TAG-none}"}, b: {image: x, profiles: [p]}}\n',
                    'other.yaml': 'services: {c: {image: y}}\n', 'one.env': 'TAG=1\n', '.env': 'TAG=dot\n'})

    def services(self, *arguments, **env):
        return set(self.config(*arguments, **env)['services'])

    def test_compose_file_and_separator(self):
        self.assertEqual(self.services(COMPOSE_FILE='other.yaml'), {'c'})
        self.assertEqual(self.services(COMPOSE_FILE='compose.yaml:other.yaml'), {'a', 'c'})
        self.assertEqual(self.services(COMPOSE_FILE='compose.yaml;other.yaml', COMPOSE_PATH_SEPARATOR=';'), {'a', 'c'})
        self.assertEqual(self.services('-f', 'compose.yaml', COMPOSE_FILE='other.yaml'), {'a'})
        self.run_berth('config', status=14, COMPOSE_FILE='missing.yaml')

    def test_compose_project_name(self):
        self.assertEqual(self.config()['name'], 'own')
        self.assertEqual(self.config(COMPOSE_PROJECT_NAME='given')['name'], 'given')
        self.assertEqual(self.config('-p', 'flag', COMPOSE_PROJECT_NAME='given')['name'], 'flag')

    def test_compose_profiles(self):
        self.assertEqual(self.services(COMPOSE_PROFILES='q,p'), {'a', 'b'})

    def test_compose_env_files(self):
        def image(**env):
            return self.config(**env)['services']['a']['image']
        self.assertEqual(image(), 'x:dot')
        self.assertEqual(image(COMPOSE_ENV_FILES='one.env'), 'x:1')
        self.assertEqual(image(COMPOSE_DISABLE_ENV_FILE='1'), 'x:none')
        self.assertEqual(image(TAG='shell'), 'x:shell')

    def test_variables_in_the_env_file_count(self):
        self.write({'.env': 'COMPOSE_FILE=other.yaml\nCOMPOSE_PROJECT_NAME=dotted\nCOMPOSE_ANSI=always\n'})
        found = self.config()
        self.assertEqual((found['name'], set(found['services'])), ('dotted', {'c'}))
        self.assertIn('\x1b[', self.run_berth('nonsense', status=16).stderr + self.run_berth('exec', 'z', status=1,
                      DOCKER_HOST=f'unix://{self.folder}/none').stderr)

    def test_compatibility(self):
        self.write({'compose.yaml': 'name: own\nservices: {a: {build: .}}\n'})

        def images_of(*arguments, **env):
            return self.run_berth(*arguments, 'config', '--images', **env).stdout
        self.assertEqual(images_of(), 'own-a\n')
        self.assertEqual(images_of('--compatibility'), 'own_a\n')
        self.assertEqual(images_of(COMPOSE_COMPATIBILITY='true'), 'own_a\n')

    def test_docker_context(self):
        done = self.run_berth('ps', status=1, DOCKER_CONTEXT='far', DOCKER_CONFIG=str(self.folder))
        self.assertIn('there is no docker context "far"', done.stderr)
        # DOCKER_HOST wins over a context, as with docker.
        done = self.run_berth('ps', status=1, DOCKER_CONTEXT='far', DOCKER_HOST=f'unix://{self.folder}/engine.sock')
        self.assertIn('engine.sock', done.stderr)


class Remote(Files):
    def git(self, *arguments):
        return subprocess.run(['git', '-C', self.folder / 'srv/far', '-c', 'user.name=t', '-c', 'user.email=t@t',
                               *arguments], check=True, capture_output=True, text=True, timeout=60).stdout.strip()

    def commit(self, message):
        self.git('add', '.')
        self.git('commit', '-qm', message)
        return self.git('rev-parse', 'HEAD')

    def setUp(self):
        super().setUp()
        self.write({'srv/far/compose.yaml': 'services: {r: {image: r1, volumes: [./d:/d]}}\n',
                    'srv/far/deep/part.yaml': 'services: {p: {image: p}}\n'})
        (self.folder / 'srv/far/out.yaml').symlink_to('/etc/hostname')
        self.git('init', '-q', '-b', 'main')
        self.first = self.commit('one')
        self.serve()

    def serve(self):
        port = free_port()
        daemon = subprocess.Popen(['git', 'daemon', f'--base-path={self.folder}/srv', '--export-all', '--reuseaddr',
                                   '--listen=127.0.0.1', f'--port={port}'], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, start_new_session=True)
        self.addCleanup(daemon.wait, 20)
        self.addCleanup(daemon.terminate)
        wait_until(lambda: accepts(port), 20, 'git daemon to listen')
        self.url = f'git://127.0.0.1:{port}/far'

    def cached(self):
        cache = self.folder / '.cache/berth/git'
        return sorted(str(path.relative_to(cache)).split('/', 1)[1] for path in cache.glob('*/*'))

    def test_off_unless_asked_for(self):
        self.write({'compose.yaml': f'include: ["{self.url}"]\n'})
        done = self.run_berth('config', status=15)
        self.assertIn(f'compose.yaml:1:11: include: {self.url}: remote files are off', done.stderr)
        self.assertIn('--allow-remote', done.stderr)
        self.run_berth('-f', self.url, 'config', status=15)
        self.assertFalse((self.folder / '.cache').exists())

    def test_include_extends_and_file(self):
        self.write({'compose.yaml': f'include: ["{self.url}"]\nservices:\n  e:\n    extends: '
                                    f'{{file: "{self.url}#main:deep/part.yaml", service: p}}\n'})
        services = self.config('--allow-remote')['services']
        self.assertEqual({name: it['image'] for name, it in services.items()}, {'r': 'r1', 'e': 'p'})
        self.assertEqual(self.cached(), [self.first])
        source = services['r']['volumes'][0]['source']
        self.assertTrue(source.endswith(f'/{self.first}/far/d'), source)
        self.assertEqual(self.config('-f', self.url, BERTH_ALLOW_REMOTE='1')['name'], 'far')
        self.assertEqual(self.config('--allow-remote', '-f', f'{self.url}#main:deep/part.yaml')['name'], 'deep')
        self.assertFalse(list((self.folder / '.cache').rglob('.git')))

    def test_a_branch_moves_and_a_commit_stays(self):
        def image(ref=''):
            return self.config('--allow-remote', '-f', self.url + ref)['services']['r']['image']
        self.assertEqual(image(), 'r1')
        self.git('tag', '-a', 'v1', '-m', 'one')
        self.write({'srv/far/compose.yaml': 'services: {r: {image: r2}}\n'})
        second = self.commit('two')
        self.git('branch', 'other/main', self.first)
        self.assertEqual((image(), image('#main')), ('r2', 'r2'))
        self.assertEqual((image('#v1'), image('#' + self.first)), ('r1', 'r1'))
        self.assertEqual(self.cached(), sorted([self.first, second]))
        shutil.rmtree(self.folder / 'srv')  # a pinned commit that was fetched needs nobody
        self.assertEqual(image('#' + self.first), 'r1')

    def test_what_cannot_be_had_is_said(self):
        gone = self.url.replace('/far', '/none')
        for url, status, said in ((self.url + '#nope', 14, 'there is no branch or tag "nope"'),
                                  (self.url + '#main:missing', 14, 'no Compose file at "missing"'),
                                  (self.url + '#main:out.yaml', 15, 'out.yaml is a link out of the repository'),
                                  (self.url + '#--upload-pack=x', 15, 'its ref is no name'),
                                  (self.url + '#' + '0' * 40, 15, '0000'),
                                  (gone, 15, 'fatal: '), ('ext::touch x', 14, 'does not exist'),
                                  (f'file://{self.folder}/srv/far', 15, 'an https or ssh URL is needed'),
                                  ('https://me:hunter2@h/x', 15, 'a password does not belong'),
                                  ('oci://registry.example/x', 15, 'image registries are not read')):
            with self.subTest(url):
                done = self.run_berth('--allow-remote', '-f', url, 'config', status=status)
                self.assertIn(said, done.stderr)
                self.assertNotIn('hunter2', done.stderr)
                self.write({'compose.yaml': f'services: {{}}\ninclude: ["{url}"]\n'})
                done = self.run_berth('--allow-remote', 'config', status=status)
                self.assertIn('compose.yaml:2:11: include: ', done.stderr)
                self.assertIn(said, done.stderr)
        self.assertEqual([name for name in self.cached() if name.startswith('fetch')], [])

    def test_what_the_user_or_the_repository_says_runs_no_program(self):
        mark = self.folder / 'ran'
        program = self.folder / 'program'
        program.write_text(f'#!/bin/sh\ntouch {mark}\n')
        program.chmod(0o755)
        self.write({'.gitconfig': f'[core]\n  hooksPath = {self.folder}/hooks\n', 'srv/far/.gitattributes': '* filter=x\n'})
        (self.folder / 'hooks').mkdir()
        shutil.copy(program, self.folder / 'hooks/post-checkout')
        self.commit('attributes')
        done = self.config('--allow-remote', '-f', self.url, GIT_SSH=str(program), GIT_PROXY_COMMAND=str(program),
                           GIT_EXEC_PATH=str(self.folder))
        self.assertEqual(done['services']['r']['image'], 'r1')
        self.assertFalse(mark.exists())

    def test_ctrl_c_leaves_no_folder(self):
        listener = socket.create_server(('127.0.0.1', 0))
        self.addCleanup(listener.close)
        url = f'git://127.0.0.1:{listener.getsockname()[1]}/x#{"1" * 40}'
        from support import BERTH
        process = subprocess.Popen([BERTH, '--allow-remote', '-f', url, 'config'], cwd=self.folder,
                                   env={**os.environ, 'HOME': str(self.folder)}, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        self.addCleanup(process.kill)
        accepted, _ = listener.accept()  # git waits for an answer
        self.addCleanup(accepted.close)
        self.assertTrue(any(name.startswith('fetch') for name in self.cached()))
        process.terminate()
        self.assertEqual(process.wait(20), 130)
        self.assertEqual(self.cached(), [])

    def test_up_follows_the_branch_in_place(self):
        engine()
        images('busybox')
        self.serve()  # again, in the engine's namespace
        self.addCleanup(remove_project, 'far')
        text = ('services: {r: {image: berth.local/busybox, command: [sleep, "1000"], environment: {MODE: NOW}, '
                'stop_grace_period: 0s}}\n')
        keep = [name for name in os.environ if name.startswith('DOCKER_')]
        arguments = ('--allow-remote', '-f', self.url, '--data', self.folder / 'data', 'up', '-d')

        def ids():
            return [item['Id'] for item in containers('far')]
        self.write({'srv/far/compose.yaml': text})
        self.commit('runs')
        self.run_berth(*arguments, keep=keep)
        before = ids()
        self.write({'srv/far/README': 'nothing that runs\n'})
        self.commit('says nothing of containers')
        self.run_berth(*arguments, keep=keep)  # from another folder of the cache, and yet the same project
        self.assertEqual((ids(), len(before)), (before, 1))
        self.write({'srv/far/compose.yaml': text.replace('NOW', 'LATER')})
        self.commit('changes')
        self.run_berth(*arguments, keep=keep)
        self.assertNotEqual(ids(), before)
        history = self.run_berth('-p', 'far', '--data', self.folder / 'data', 'rollback', '1', keep=keep)
        self.assertIn('MODE=NOW', engine().json('GET', f'/containers/{ids()[0]}/json')['Config']['Env'], history.stderr)


if __name__ == '__main__':
    unittest.main()
