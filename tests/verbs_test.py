"""Verbs of the command line on the private engine that cli_test leaves out, docker's plugin, and the completions in real
shells."""
import functools
import io
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
import unittest

from registry import Registry
from support import BERTH, ROOT, berth, containers, engine, images, must, project, wait_until

TIME_LIMIT = 400  # seconds, see tools/test

SLEEPER = '''services:
  web:
    image: berth.local/busybox
    command: [sleep, "1000"]
    environment: {MODE: slow}
    volumes: [data:/data]
    stop_grace_period: 0s
volumes:
  data:
'''


@functools.cache
def peer():
    """docker compose 2.26.1, or None where it cannot be had."""
    found = subprocess.run([ROOT / 'tools/compose-peers', '2'], capture_output=True, text=True, timeout=320)
    return found.stdout.strip() if found.returncode == 0 else None


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        engine()
        images('busybox')

    def shop(self, text=SLEEPER, **files):
        self.name = 'verbs-' + self._testMethodName.replace('_', '-')[5:30]
        self.folder = project(self, self.name, text, **files)

    def berth(self, *arguments, status=0, **options):
        return must(berth(*arguments, cwd=self.folder, **options), status)

    def start(self, *arguments, **options):
        process = subprocess.Popen([BERTH, *arguments], cwd=self.folder, text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, **{'stdin': subprocess.DEVNULL, **options})
        for close in (process.stdout.close, process.stderr.close, process.wait, process.kill):
            self.addCleanup(close)
        return process

    def states(self):
        return {item['Labels']['com.docker.compose.service']: item['State'] for item in containers(self.name)}

    def cat(self, path):
        return berth('exec', '-T', 'web', 'cat', path, cwd=self.folder).stdout


class Terminal:
    """A program on a terminal of its own; `read_until(text)` and `end()` give what it wrote."""

    def __init__(self, folder, *argv, env=None):
        self.output = b''
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe(str(argv[0]), [str(a) for a in argv], {**os.environ, 'TERM': 'xterm', **(env or {})})

    def send(self, keys):
        os.write(self.fd, keys)

    def read_until(self, text, seconds=20):
        end = time.monotonic() + seconds
        while text not in self.output:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                raise AssertionError(f'waited for {text!r}; there is {self.output!r}')
            try:
                self.output += os.read(self.fd, 4096)
            except OSError:
                raise AssertionError(f'ended before {text!r}: {self.output!r}') from None
        return self.output

    def end(self, seconds=20):
        """The exit status."""
        while True:
            if not select.select([self.fd], [], [], seconds)[0]:
                os.kill(self.pid, signal.SIGKILL)
                break
            try:
                piece = os.read(self.fd, 4096)
            except OSError:
                break
            if not piece:
                break
            self.output += piece
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


class Inside(Case):
    def test_exec_opens_a_shell(self):
        self.shop()
        self.berth('up', '-d')
        self.assertEqual(self.berth('exec', '-T', 'web', stdin='echo $MODE; exit 4\n', status=4).stdout, 'slow\n')
        self.assertEqual(self.berth('exec', '-T', '-i=false', 'web', 'echo', 'x').stdout, 'x\n')

    def test_run_with_an_empty_entrypoint(self):
        self.shop(SLEEPER.replace('command:', 'entrypoint: [echo, wrapped]\n    command:'))
        self.assertEqual(self.berth('run', '--rm', '-T', 'web', 'echo', 'x').stdout, 'wrapped echo x\n')
        self.assertEqual(self.berth('run', '--rm', '-T', '--entrypoint=', 'web', 'echo', 'x').stdout, 'x\n')

    def test_run_flags(self):
        self.shop(SLEEPER, **{'one.env': 'A=file\nB=b\n'})
        done = self.berth('run', '--rm', '-T', '--env-from-file', 'one.env', '-e', 'A=flag', '--cap-drop', 'ALL',
                          '-u', '1000', '-w', '/tmp', 'web', 'sh', '-c', 'echo $A $B $(id -u) $(pwd)')
        self.assertEqual(done.stdout, 'flag b 1000 /tmp\n')

    def test_cp_of_tars(self):
        self.shop()
        self.berth('up', '-d', '--scale', 'web=2')
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode='w') as tar:
            entry = tarfile.TarInfo('from-tar.txt')
            entry.size = 4
            tar.addfile(entry, io.BytesIO(b'tar\n'))
        must(subprocess.run([BERTH, 'cp', '-', 'web:/tmp'], cwd=self.folder, input=packed.getvalue(), timeout=60,
                            capture_output=True))
        self.assertEqual(self.cat('/tmp/from-tar.txt'), 'tar\n')
        out = must(subprocess.run([BERTH, 'cp', 'web:/tmp/from-tar.txt', '-'], cwd=self.folder, timeout=60,
                                  capture_output=True)).stdout
        with tarfile.open(fileobj=io.BytesIO(out)) as tar:
            self.assertEqual(tar.extractfile('from-tar.txt').read(), b'tar\n')
        (self.folder / 'all.txt').write_text('both')
        self.berth('cp', 'all.txt', 'web:/tmp/all.txt')
        for index in ('1', '2'):
            self.assertEqual(self.berth('exec', '-T', '--index', index, 'web', 'cat', '/tmp/all.txt').stdout, 'both')

    def test_debug_of_a_service_that_dies(self):
        self.shop(SLEEPER.replace('sleep, "1000"', 'sh, -c, "exit 3"').replace(
            'stop_grace_period', 'healthcheck: {test: [CMD, "false"]}\n    stop_grace_period'))
        self.berth('up', '-d')
        done = self.berth('debug', 'web', stdin='echo $MODE; ls -d /data; exit 5\n', status=5)
        self.assertEqual(done.stdout, 'slow\n/data\n')
        self.assertIn('it runs "sh" "-c" "exit 3"', done.stderr)
        self.assertEqual(self.berth('debug', '-e', 'X=1', 'web', 'sh', '-c', 'echo $X').stdout, '1\n')
        self.assertEqual(len(containers(self.name)), 1)

    def test_attach_hands_signals_on_and_returns_the_status(self):
        self.shop(SLEEPER.replace('sleep, "1000"', 'sh, -c, "trap \'echo got it; exit 7\' INT; while :; do echo tick; sleep 0.1; done"'))
        self.berth('up', '-d')
        process = self.start('attach', 'web')
        self.assertEqual(process.stdout.readline(), 'tick\n')
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(20), 7)
        self.assertIn('got it', process.stdout.read())

    def test_attach_by_a_terminal_detaches_by_keys(self):
        talk = 'sh, -c, "while ! read -t 1 line; do echo tick; done; echo got $$line; exec sleep 1000"'
        self.shop(SLEEPER.replace('sleep, "1000"', talk).replace('stop_grace', 'tty: true\n    stdin_open: true\n    stop_grace'))
        self.berth('up', '-d')
        terminal = Terminal(self.folder, BERTH, 'attach', '--detach-keys', 'ctrl-x,d', 'web')
        terminal.read_until(b'tick')
        terminal.send(b'hello\r')
        terminal.read_until(b'got hello')
        terminal.send(b'\x18d')
        self.assertEqual(terminal.end(), 0)
        self.assertIn(b'detached', terminal.output)
        self.assertEqual(self.states(), {'web': 'running'})


class Images(Case):
    def test_commit_and_export(self):
        self.shop()
        self.berth('up', '-d')
        self.berth('exec', '-T', 'web', 'sh', '-c', 'echo kept >/marker')
        name = f'verbs.local/{self.name}:fixed'
        self.addCleanup(lambda: engine().call('DELETE', f'/images/{name}?force=1').read())
        image = self.berth('commit', '-m', 'why', '-a', 'someone', '-c', 'ENV ADDED=yes', 'web', name).stdout.strip()
        found = engine().json('GET', f'/images/{name}/json')
        self.assertEqual((found['Id'], found['Comment'], found['Author']), (image, 'why', 'someone'))
        self.assertIn('ADDED=yes', found['Config']['Env'])
        self.berth('export', '-o', 'web.tar', 'web')
        with tarfile.open(self.folder / 'web.tar') as tar:
            self.assertEqual(tar.extractfile('marker').read(), b'kept\n')
        self.assertEqual(sorted(p.name for p in self.folder.glob('web.tar*')), ['web.tar'])
        self.berth('commit', 'web', 'Bad Name', status=16)
        self.berth('export', '--index', '9', 'web', status=1)

    def test_push_pull_and_digests(self):
        with Registry() as registry:
            name = f'{registry.address}/app:1'
            self.shop(f'services:\n  web:\n    image: {name}\n    build: .\n', Dockerfile='FROM berth.local/busybox\nENV A=1\n')
            self.addCleanup(lambda: engine().call('DELETE', f'/images/{name}?force=1').read())
            self.berth('build', timeout=200)
            done = self.berth('push')
            self.assertIn(f'image {name}  pushed', done.stderr)
            self.assertIn(('app', '1'), registry.manifests)
            done = self.berth('config', '--lock-image-digests', '--format', 'json')
            digest = next(reference for _, reference in registry.manifests if reference.startswith('sha256:'))
            self.assertEqual(json.loads(done.stdout), {'services': {'web': {'image': f'{name}@{digest}'}}})
            done = self.berth('--progress', 'json', 'pull')
            steps = [json.loads(line) for line in done.stderr.splitlines() if line.startswith('{')]
            self.assertEqual((steps[-1]['id'], steps[-1]['status']), (f'image {name}', 'Done'))
            registry.manifests.clear()
            self.berth('config', '--resolve-image-digests', status=1)


class Looks(Case):
    def test_stats_and_top(self):
        self.shop()
        self.berth('up', '-d')
        row = json.loads(self.berth('stats', '--no-stream', '--format', 'json').stdout)
        self.assertEqual(row['Name'], f'{self.name}-web-1')
        self.assertRegex(row['MemUsage'], r'^[\d.]+[KMG]iB / [\d.]+[KMG]iB$')
        self.assertEqual(row['PIDs'], '1')
        live = self.start('stats', '--format', '{{.Name}}')
        self.assertEqual([live.stdout.readline() for _ in range(2)], [f'{self.name}-web-1\n'] * 2)
        live.send_signal(signal.SIGINT)
        self.assertEqual(live.wait(10), 130)
        top = self.start('top', '--live')
        wait_until(lambda: 'sleep 1000' in top.stdout.readline(), 20, 'the second picture of top')
        wait_until(lambda: 'sleep 1000' in top.stdout.readline(), 20, 'the second picture of top')

    def test_shapes_are_those_of_docker_compose(self):
        """Key by key: what 2.26.1 prints as JSON."""
        if not peer():
            self.skipTest('docker compose 2.26.1 cannot be had')
        self.shop()
        self.berth('up', '-d')
        for verb in (['ps'], ['images'], ['ls'], ['version'], ['events']):
            flags = ['--format', 'json'] if verb != ['events'] else ['--json']
            ours, theirs = (self.shape(program, verb, flags) for program in (BERTH, peer()))
            self.assertEqual(ours, theirs, verb)

    def shape(self, program, verb, flags):
        if verb == ['events']:
            process = subprocess.Popen([program, *verb, *flags], cwd=self.folder, text=True, stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
            for _ in range(10):  # nothing tells when it listens
                self.berth('restart', '-t', '0')
                if select.select([process.stdout], [], [], 2)[0]:
                    break
            line = process.stdout.readline()
            process.kill()
            process.wait()
            process.stdout.close()
        else:
            line = must(subprocess.run([program, *verb, *flags], cwd=self.folder, text=True, capture_output=True,
                                       timeout=60)).stdout
        value = json.loads(line)
        kind = type(value).__name__
        first = value[0] if kind == 'list' else value
        return kind, {key: type(item).__name__ for key, item in first.items()}

    def test_every_flag_of_docker_compose_is_known(self):
        if not peer():
            self.skipTest('docker compose 2.26.1 cannot be had')

        def help_of(program, *verb):
            return must(subprocess.run([program, *verb, '--help'], text=True, capture_output=True, timeout=60)).stdout
        globals_of_ours = help_of(BERTH)
        verbs = re.findall(r'^  ([a-z]+) ', help_of(peer()).split('Commands:')[1], re.M)
        self.assertIn('watch', verbs)
        for verb in set(verbs) - {'build'}:
            ours = help_of(BERTH, verb)
            for short, long in re.findall(r'^  (?:(-\w), |    )(--[\w-]+)', help_of(peer(), verb), re.M):
                self.assertRegex(ours + globals_of_ours, rf'(?m)^  .*(?<!\S){long}\b', verb)
                if short:
                    self.assertRegex(ours, rf'(?m)^  {short}, .*(?<!\S){long}\b', verb)

    def test_config_flags(self):
        self.shop(SLEEPER.replace('slow', '"${MODE:-slow}"').replace('busybox', 'busybox${TAG-}'))
        self.assertIn('${MODE:-slow}', self.berth('config', '--no-interpolate').stdout)
        self.assertEqual(self.berth('config', '--images').stdout, 'berth.local/busybox\n')
        self.assertRegex(self.berth('config', '--variables').stdout, r'MODE\s+false\s+slow')
        self.assertIn('MODE=fast', self.berth('config', '--environment', env={'MODE': 'fast'}).stdout)
        self.berth('config', '-o', 'merged.yaml')
        self.assertIn('MODE: slow', (self.folder / 'merged.yaml').read_text())
        self.assertEqual(self.berth('convert', '--services').stdout, 'web\n')

    def test_statuses(self):
        self.shop()
        self.berth('ps', '--format', '{{range .}}', status=16)
        self.berth('up', '--pull', 'sometimes', status=16)
        self.berth('-f', 'none.yaml', 'ps', status=14)
        self.berth('-H', 'unix:///nowhere.sock', 'ps', status=1)
        (self.folder / 'compose.yaml').write_text('services:\n  web:\n    image: 127.0.0.1:1/none\n')
        self.berth('pull', status=18)
        self.berth('up', '-d', status=18)
        self.berth('pull', '--ignore-pull-failures')
        (self.folder / 'compose.yaml').write_text(f'name: {self.name}\nservices:\n  web:\n    build: .\n')
        (self.folder / 'Dockerfile').write_text('FROM berth.local/busybox\nRUN false\n')
        self.berth('build', status=17)


WATCHED = '''services:
  web:
    image: berth.local/{name}
    build: .
    command: [sh, -c, "echo started >>/data/starts; exec sleep 1000"]
    stop_grace_period: 0s
    volumes: [data:/data]
    develop:
      watch:
        - {{path: ./src, action: sync, target: /code, ignore: ["*.tmp"], initial_sync: true}}
        - {{path: ./conf, action: sync+restart, target: /etc/app}}
        - {{path: ./hook, action: sync+exec, target: /hook, exec: {{command: [sh, -c, "cat /hook/x >/hooked"]}}}}
        - {{path: ./version, action: rebuild}}
volumes:
  data:
'''


class Watch(Case):
    def test_watch(self):
        self.name = 'verbs-watch'
        self.folder = project(self, self.name, WATCHED.format(name=self.name),
                              Dockerfile='FROM berth.local/busybox\nCOPY version /version\n', version='1')
        self.addCleanup(lambda: engine().call('DELETE', f'/images/berth.local/{self.name}?force=1').read())
        for folder in ('src/sub', 'conf', 'hook'):
            (self.folder / folder).mkdir(parents=True)
        (self.folder / 'src/first').write_text('first')
        process = self.start('watch')
        wait_until(lambda: 'watching' in process.stderr.readline(), 60, 'watch to begin')
        self.assertEqual(self.cat('/code/first'), 'first')

        (self.folder / 'src/sub/new').write_text('one')
        (self.folder / 'src/x.tmp').write_text('ignored')
        wait_until(lambda: self.cat('/code/sub/new') == 'one', 20, 'a sync')
        (self.folder / 'src/sub/new').unlink()
        wait_until(lambda: self.cat('/code/sub/new') == '', 20, 'a removal')
        (self.folder / 'src/made').mkdir()
        (self.folder / 'src/made/deep').write_text('deep')
        wait_until(lambda: self.cat('/code/made/deep') == 'deep', 20, 'a file in a new folder')
        self.assertEqual(self.cat('/code/x.tmp'), '')

        (self.folder / 'conf/a.ini').write_text('a')
        wait_until(lambda: self.cat('/data/starts').count('started') == 2, 20, 'a restart')
        self.assertEqual(self.cat('/etc/app/a.ini'), 'a')

        (self.folder / 'hook/x').write_text('hooked')
        wait_until(lambda: self.cat('/hooked') == 'hooked', 20, 'a hook')

        (self.folder / 'version').write_text('2')
        wait_until(lambda: self.cat('/version') == '2', 60, 'a rebuild')
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(20), 130)

    def test_attached_up_watches(self):
        self.shop('''services:
  web:
    image: berth.local/busybox
    command: [sleep, "1000"]
    stop_grace_period: 0s
    develop: {watch: [{path: ./src, action: sync, target: /code}]}
''')
        (self.folder / 'src').mkdir()
        process = self.start('up', '--watch')
        wait_until(lambda: 'watching' in process.stderr.readline(), 30, 'watch to begin')
        (self.folder / 'src/a').write_text('a')
        wait_until(lambda: self.cat('/code/a') == 'a', 20, 'a sync')
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(30), 130)
        self.assertEqual(self.states(), {'web': 'exited'})


class Plugin(Case):
    """berth as `docker compose`."""

    def setUp(self):
        self.shop(SLEEPER.replace('sleep, "1000"', 'sh, -c, "echo here; exec sleep 1000"'))
        config = pathlib.Path(tempfile.mkdtemp(prefix='berth-docker-'))
        self.addCleanup(shutil.rmtree, config)
        (config / 'cli-plugins').mkdir()
        self.config = config
        self.plugin = config / 'cli-plugins/docker-compose'
        self.plugin.symlink_to(BERTH.resolve())
        self.env = {**os.environ, 'DOCKER_CONFIG': str(config)}

    def docker(self, *arguments, status=0, env=None):
        done = subprocess.run(['docker', *arguments], cwd=self.folder, env={**self.env, **(env or {})}, text=True,
                              capture_output=True, timeout=120, stdin=subprocess.DEVNULL)
        return must(done, status)

    def test_docker_compose_is_berth(self):
        self.assertIn('Compose projects with berth', self.docker('--help').stdout)
        self.assertIn('berth version', self.docker('compose', 'version').stdout)
        self.docker('compose', 'up', '-d')
        self.assertEqual(self.docker('compose', '-p', self.name, 'ps', '--services').stdout, 'web\n')
        self.assertEqual(self.docker('compose', 'exec', '-T', 'web', 'sh', '-c', 'echo $MODE').stdout, 'slow\n')
        self.docker('compose', 'exec', '-T', 'web', 'sh', '-c', 'exit 9', status=9)
        self.docker('compose', 'up', '--bogus', status=16)
        self.assertIn('Usage: berth up', self.docker('compose', 'up', '--help').stdout)
        self.docker('compose', 'down', '-v')

    def test_dockers_own_flags(self):
        host = os.environ['DOCKER_HOST']
        away = {'DOCKER_HOST': 'unix:///nowhere.sock'}
        self.assertEqual(self.docker('-H', host, 'compose', 'ps', '-q', env=away).stdout, '')
        self.docker('-D', '--log-level', 'error', 'compose', 'ps')
        self.docker('context', 'create', 'tests', '--docker', f'host={host}')
        no_host = {'DOCKER_HOST': ''}
        self.assertEqual(self.docker('--context', 'tests', 'compose', 'ps', '-q', env=no_host).stdout, '')
        self.docker('--config', str(self.config), '--context', 'tests', 'compose', 'ps', env={'DOCKER_HOST': '', 'DOCKER_CONFIG': '/nowhere'}) \
            if self.finds_plugins_by_flag() else None
        self.docker('compose', 'ps', env=away, status=1)

    def finds_plugins_by_flag(self):
        return 'compose' in subprocess.run(['docker', '--config', self.config, '--help'], text=True, timeout=30,
                                           capture_output=True, env={**os.environ, 'DOCKER_CONFIG': '/nowhere'}).stdout

    def test_stand_alone(self):
        done = must(subprocess.run([self.plugin, 'ps', '-q'], cwd=self.folder, capture_output=True, text=True, timeout=60))
        self.assertEqual(done.stdout, '')
        metadata = json.loads(must(subprocess.run([self.plugin, 'docker-cli-plugin-metadata'], capture_output=True,
                                                  text=True, timeout=60)).stdout)
        self.assertEqual(metadata['SchemaVersion'], '0.1.0')

    def test_docker_ends_it(self):
        """Without a terminal docker hands SIGINT on by its own way."""
        self.docker('compose', 'up', '-d')
        process = subprocess.Popen(['docker', 'compose', 'logs', '-f'], cwd=self.folder, env=self.env, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        self.addCleanup(process.stdout.close)
        self.assertEqual(process.stdout.readline(), 'web-1  | here\n')
        os.kill(process.pid, signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError('docker compose logs -f did not end') from None


class Completion(unittest.TestCase):
    """In the shells themselves; no engine is asked."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='berth-complete-'))
        self.addCleanup(shutil.rmtree, self.folder)
        (self.folder / 'compose.yaml').write_text('services:\n  web: {image: x}\n  worker: {image: x}\n  db: {image: x}\n')
        (self.folder / 'sub').mkdir()
        (self.folder / 'bin').mkdir()
        (self.folder / 'bin/berth').symlink_to(BERTH.resolve())
        self.env = {'PATH': f'{self.folder / "bin"}:{os.environ["PATH"]}', 'HOME': str(self.folder), 'LANG': 'C.UTF-8',
                    'DOCKER_HOST': 'unix:///nowhere.sock', 'TERM': 'xterm'}

    def need(self, shell):
        self.assertTrue(shutil.which(shell), f'{shell} is missing: tools/setup test')

    def output(self, *argv):
        return must(subprocess.run(argv, cwd=self.folder, env=self.env, text=True, capture_output=True, timeout=60,
                                   stdin=subprocess.DEVNULL)).stdout

    def bash(self, *words):
        """COMPREPLY, as Tab would fill it, for words as readline divides them."""
        quoted = ' '.join(f"'{word}'" for word in ('berth', *words))
        script = ('compopt() { :; }; source <(berth completion bash); ' +
                  f'COMP_WORDS=({quoted}); COMP_CWORD={len(words)}; _berth; printf "%s\\n" "${{COMPREPLY[@]}}"')
        return [line for line in self.output('bash', '--norc', '-c', script).splitlines() if line]

    def test_bash(self):
        self.assertEqual(self.bash('up', 'w'), ['web', 'worker'])
        self.assertEqual(self.bash('ev'), ['events'])
        self.assertEqual(self.bash('up', '--wait'), ['--wait', '--wait-timeout'])
        self.assertEqual(self.bash('config', '--format', '=', 'j'), ['json'])
        self.assertEqual(self.bash('cp', 'web', ':'), [])
        self.assertEqual(self.bash('-f', 'comp'), ['compose.yaml'])
        self.assertEqual(self.bash('--project-directory', 's'), ['sub'])

    def test_bash_by_tab(self):
        shell = Terminal(self.folder, 'bash', '--norc', env={**self.env, 'PS1': 'ready$ '})
        shell.read_until(b'ready$ ')
        shell.send(b'source <(berth completion bash); echo lo""aded\n')
        shell.read_until(b'loaded')
        shell.send(b'berth logs wo\t')
        shell.read_until(b'worker ')
        shell.send(b'\x15exit\n')
        shell.end()

    def test_fish(self):
        self.need('fish')
        script = 'berth completion fish | source; '

        def offered(line):
            done = self.output('fish', '--no-config', '-c', f"{script} complete -C '{line}'")
            return [row.split('\t')[0] for row in done.splitlines()]
        self.assertEqual(offered('berth up w'), ['web', 'worker'])
        self.assertEqual(offered('berth ev'), ['events'])
        self.assertEqual(offered('berth config --format=j'), ['--format=json'])
        self.assertEqual(offered('berth -f comp'), ['compose.yaml'])
        self.assertIn('--wait-timeout', offered('berth up --wait'))

    def test_zsh(self):
        self.need('zsh')
        shell = Terminal(self.folder, 'zsh', '-f', env={**self.env, 'PS1': 'ready> '})
        shell.read_until(b'ready> ')
        shell.send(b'autoload -U compinit && compinit -u -D && source <(berth completion zsh); echo lo""aded\r')
        shell.read_until(b'loaded')
        shell.send(b'berth logs wo\t')
        shell.read_until(b'worker')
        shell.send(b'\x15berth config --format=j\t')
        shell.read_until(b'--format=json')
        shell.send(b'\x15berth eve\t')
        shell.read_until(b'events')
        shell.send(b'\x15exit\r')
        shell.end()


if __name__ == '__main__':
    unittest.main()
