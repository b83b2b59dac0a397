"""The Compose command line on the private engine: what a user does with it, and what it answers to bad input."""
import json
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import time
import unittest

from support import BERTH, berth, containers, engine, free_port, images, must, project, wait_until

TIME_LIMIT = 600  # seconds, see tools/test

SHOP = '''services:
  web:
    image: berth.local/busybox
    command: [sh, -c, "echo web is $$MODE; exec sleep 1000"]
    environment:
      MODE: ${MODE:-slow}
    stop_grace_period: 0s
    depends_on: [db]
  db:
    image: berth.local/busybox
    command: [sh, -c, "echo db is here; exec sleep 1000"]
    stop_grace_period: 0s
'''


class Cli(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        engine()
        images('busybox')

    def setUp(self):
        self.name = 'cli-' + self._testMethodName.replace('_', '-')[5:30]

    def shop(self, text=SHOP):
        self.folder = project(self, self.name, text)

    def berth(self, *arguments, status=0, **options):
        return must(berth(*arguments, cwd=self.folder, **options), status)

    def ids(self):
        return {item['Labels']['com.docker.compose.service']: item['Id'] for item in containers(self.name)}

    def running(self):
        return sorted(item['Labels']['com.docker.compose.service'] for item in containers(self.name)
                      if item['State'] == 'running')


class Life(Cli):
    def test_up_ps_logs_exec_down(self):
        self.shop()
        self.berth('up', '-d')
        self.assertEqual(self.running(), ['db', 'web'])
        rows = [json.loads(line) for line in self.berth('ps', '--format', 'json').stdout.splitlines()]
        self.assertEqual(sorted(row['Service'] for row in rows), ['db', 'web'])
        self.assertIn('web is slow', self.berth('logs', '--no-log-prefix', 'web').stdout)
        self.assertRegex(self.berth('logs').stdout, r'(?m)^db-1 +\| db is here$')
        self.assertEqual(self.berth('exec', '-T', 'web', 'sh', '-c', 'echo $MODE; exit 7', status=7).stdout, 'slow\n')
        self.assertEqual(self.berth('exec', '-T', 'web', 'cat', stdin='through stdin').stdout, 'through stdin')
        self.berth('down')
        self.assertEqual(containers(self.name), [])

    def test_second_up_does_nothing_and_says_so(self):
        self.shop()
        self.berth('up', '-d')
        before = self.ids()
        again = self.berth('up', '-d')
        self.assertEqual(self.ids(), before)
        self.assertIn('nothing to do', again.stderr)
        self.berth('plan', '--detailed-exitcode', status=0)

    def test_changed_variable_recreates_that_service(self):
        self.shop()
        self.berth('up', '-d')
        before = self.ids()
        plan = self.berth('plan', '--detailed-exitcode', env={'MODE': 'fast'}, status=2)
        self.assertIn('Env.MODE', plan.stdout)
        self.assertIn('slow', plan.stdout)
        self.assertIn('fast', plan.stdout)
        self.berth('up', '-d', env={'MODE': 'fast'})
        after = self.ids()
        self.assertNotEqual(after['web'], before['web'])
        self.assertEqual(after['db'], before['db'])
        self.assertIn('web is fast', self.berth('logs', 'web').stdout)

    def test_force_recreate_and_a_killed_one(self):
        self.shop()
        self.berth('up', '-d')
        before = self.ids()
        self.berth('up', '-d', '--force-recreate', 'web')
        self.assertNotEqual(self.ids()['web'], before['web'])
        self.assertEqual(self.ids()['db'], before['db'])
        self.berth('kill', 'web')
        wait_until(lambda: self.running() == ['db'], what='web to end')
        self.berth('up', '-d')
        self.assertEqual(self.running(), ['db', 'web'])

    def test_orphans_and_scale(self):
        self.shop()
        self.berth('up', '-d', '--scale', 'web=3')
        self.assertEqual(self.running(), ['db', 'web', 'web', 'web'])
        (self.folder / 'compose.yaml').write_text(f'name: {self.name}\n' + SHOP[:10] + SHOP[SHOP.index('  db:'):])
        self.assertIn('web', self.berth('up', '-d').stderr)
        self.assertEqual(self.running(), ['db', 'web', 'web', 'web'])
        self.berth('up', '-d', '--remove-orphans')
        self.assertEqual(self.running(), ['db'])

    def test_stop_start_restart_rm(self):
        self.shop()
        self.berth('up', '-d')
        self.berth('stop')
        self.assertEqual(self.running(), [])
        self.berth('start')
        self.assertEqual(self.running(), ['db', 'web'])
        self.berth('restart', 'web')
        self.berth('pause', 'db')
        self.assertIn('(Paused)', self.berth('ps', 'db').stdout)
        self.berth('unpause', 'db')
        self.berth('rm', '-sf')
        self.assertEqual(containers(self.name), [])

    def test_run_and_wait(self):
        self.shop()
        done = self.berth('run', '--rm', '-T', '-e', 'X=1', 'web', 'sh', '-c', 'echo $X $MODE; exit 5', status=5)
        self.assertEqual(done.stdout, '1 slow\n')
        self.assertEqual(self.running(), ['db'])
        self.assertEqual(self.berth('run', '--rm', '-T', '--no-deps', 'web', 'cat', stdin='piped').stdout, 'piped')
        name = self.berth('run', '-d', '--no-deps', 'web', 'sleep', '1').stdout.strip()
        self.assertRegex(name, rf'^{self.name}-web-run-[0-9a-f]{{12}}$')
        self.berth('down')

    def test_look_verbs(self):
        port = free_port()
        self.shop(f'''services:
  web:
    image: berth.local/busybox
    command: [sleep, "1000"]
    stop_grace_period: 0s
    ports: ["127.0.0.1:{port}:80"]
''')
        self.berth('up', '-d')
        self.assertEqual(self.berth('port', 'web', '80').stdout, f'127.0.0.1:{port}\n')
        self.assertIn('sleep 1000', self.berth('top').stdout)
        self.assertIn('berth.local/busybox', self.berth('images').stdout)
        self.assertIn(self.name, self.berth('ls', '-q').stdout.split())
        self.assertIn('running', self.berth('explain', 'web').stdout)
        events = self.berth('events', '--json', '--since', '10m', '--until', '0s')
        self.assertIn('start', [json.loads(line)['action'] for line in events.stdout.splitlines()])

    def test_cp_both_ways(self):
        self.shop()
        self.berth('up', '-d')
        (self.folder / 'in.txt').write_text('hello')
        self.berth('cp', 'in.txt', 'web:/tmp/renamed.txt')
        self.assertEqual(self.berth('exec', '-T', 'web', 'cat', '/tmp/renamed.txt').stdout, 'hello')
        self.berth('cp', 'web:/tmp/renamed.txt', 'out.txt')
        self.assertEqual((self.folder / 'out.txt').read_text(), 'hello')
        self.berth('exec', '-T', 'web', 'sh', '-c', 'mkdir -p /data/sub && echo deep >/data/sub/file')
        self.berth('cp', 'web:/data', 'copied')
        self.assertEqual((self.folder / 'copied/sub/file').read_text(), 'deep\n')
        self.berth('cp', 'copied', 'web:/tmp')
        self.assertEqual(self.berth('exec', '-T', 'web', 'cat', '/tmp/copied/sub/file').stdout, 'deep\n')

    def test_followed_logs_survive_a_recreate(self):
        self.shop()
        self.berth('up', '-d')
        follow = subprocess.Popen([BERTH, 'logs', '-f', '--no-log-prefix', 'web'], cwd=self.folder, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(follow.stdout.close)
        self.addCleanup(follow.wait)
        self.addCleanup(follow.kill)
        self.assertEqual(follow.stdout.readline(), 'web is slow\n')
        self.berth('up', '-d', env={'MODE': 'fast'})
        self.assertEqual(follow.stdout.readline(), 'web is fast\n')

    def test_exec_has_a_terminal_when_we_have_one(self):
        self.shop()
        self.berth('up', '-d')
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.folder)
            os.execv(BERTH, ['berth', 'exec', 'web', 'sh', '-c', 'tty; stty size; read line; echo got $line; exit 3'])
        output = b''
        os.write(terminal, b'a line\n')
        while select.select([terminal], [], [], 20)[0]:
            try:
                piece = os.read(terminal, 4096)
            except OSError:
                break
            output += piece
            if not piece:
                break
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.close(terminal)
        self.assertIn(b'/dev/pts/', output)
        self.assertIn(b'got a line', output)
        self.assertEqual(status, 3)


class Interrupted(Cli):
    def start(self, *arguments):
        process = subprocess.Popen([BERTH, *arguments], cwd=self.folder, text=True, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def many(self):
        services = ''.join(f'''  s{i}:
    image: berth.local/busybox
    command: [sleep, "1000"]
    stop_grace_period: 0s
    depends_on: {[f's{i - 1}'] if i else []}
''' for i in range(6))
        self.shop(f'services:\n{services}')

    def test_ctrl_c_in_up_then_up(self):
        self.many()
        up = self.start('up', '-d')
        wait_until(lambda: containers(self.name), what='the first container')
        up.send_signal(signal.SIGINT)
        _, errors = up.communicate(timeout=60)
        self.assertEqual(up.returncode, 130, errors)
        self.assertIn('`berth up` does the rest', errors)
        self.berth('up', '-d')
        self.finished()

    def test_kill_in_up_then_up(self):
        for pause in (0.05, 0.3, 0.8):
            self.many()
            up = self.start('up', '-d')
            time.sleep(pause)
            up.kill()
            up.communicate(timeout=60)
            self.berth('up', '-d')
            self.finished()
            self.berth('up', '-d', '--force-recreate')
            self.berth('down')

    def test_kill_in_recreate_then_up(self):
        self.many()
        self.berth('up', '-d')
        for pause in (0.1, 0.4, 0.9):
            up = self.start('up', '-d', '--force-recreate')
            time.sleep(pause)
            up.kill()
            up.communicate(timeout=60)
            self.berth('up', '-d')
            self.finished()

    def finished(self):
        self.assertEqual(self.running(), [f's{i}' for i in range(6)])
        names = sorted(item['Names'][0] for item in containers(self.name))
        self.assertEqual(names, [f'/{self.name}-s{i}-1' for i in range(6)])
        self.berth('plan', '--detailed-exitcode', status=0)

    def test_ctrl_c_of_an_attached_up_stops(self):
        self.shop()
        up = self.start('up')
        self.assertIn('|', up.stdout.readline())
        up.send_signal(signal.SIGINT)
        up.communicate(timeout=60)
        self.assertEqual(up.returncode, 130)
        self.assertEqual(self.running(), [])
        self.assertEqual(len(containers(self.name)), 2)

    def test_exit_code_from(self):
        self.shop('''services:
  job:
    image: berth.local/busybox
    command: [sh, -c, "echo working; exit 6"]
  db:
    image: berth.local/busybox
    command: [sleep, "1000"]
    stop_grace_period: 0s
''')
        done = self.berth('up', '--exit-code-from', 'job', status=6)
        self.assertIn('job-1  | working', done.stdout)
        self.assertEqual(self.running(), [])


class BadInput(Cli):
    def refused(self, text, status, *words, arguments=('up', '-d'), **options):
        self.shop(text)
        done = self.berth(*arguments, status=status, **options)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertTrue(done.stderr.startswith('berth: '), done.stderr)
        self.assertEqual(containers(self.name), [])
        return done

    def test_table(self):
        web = 'services:\n  web:\n    image: berth.local/busybox\n'
        for text, status, *words in (
                ('services: [', 15, 'compose.yaml:3:1'),
                ('services:\n  web:\n    imag: x\n', 15, 'compose.yaml:4:5', 'did you mean', '^'),
                ('services:\n  web:\n    image: [1]\n', 15, 'compose.yaml:4:'),
                (web + '    ports: ["80:http"]\n', 15, 'compose.yaml:5:', 'http'),
                (web + '    depends_on: [web]\n', 15, 'web'),
                (web + '    environment:\n      A: ${A:?set it}\n', 15, 'compose.yaml:6:', 'set it'),
                (web + '    networks: [front]\nnetworks:\n  front:\n    external: true\n', 1, 'front', 'compose.yaml:'),
                (web + '    volumes: [nosuch:/x]\n', 15, 'nosuch'),
        ):
            with self.subTest(text=text):
                self.refused(text, status, *words)

    def test_usage(self):
        self.shop()
        for arguments, status in ((['upp'], 16), (['up', '--nope'], 16), (['-f', 'nope.yaml', 'up'], 14),
                                  (['up', '-d', 'wbe'], 1), (['logs', 'wbe'], 1), (['stop', '-t', 'x'], 16),
                                  (['--env-file', 'nope.env', 'up'], 14)):
            with self.subTest(arguments=arguments):
                self.assertTrue(self.berth(*arguments, status=status).stderr.startswith('berth: '))

    def test_no_engine_and_no_permission(self):
        self.shop()
        gone = self.berth('ps', status=1, env={'DOCKER_HOST': 'unix:///nowhere/docker.sock'})
        self.assertIn('/nowhere/docker.sock', gone.stderr)
        path = self.folder / 'denied.sock'
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()
            os.chmod(path, 0o600)
            os.chmod(self.folder, 0o755)
            denied = subprocess.run([BERTH, '-H', f'unix://{path}', 'ps'], cwd=self.folder, capture_output=True,
                                    text=True, timeout=30, user=65534, group=65534, extra_groups=[])
        self.assertEqual(denied.returncode, 1)
        self.assertIn('denied.sock', denied.stderr)

    def test_taken_port_names_the_process(self):
        with socket.socket() as taken:
            taken.bind(('0.0.0.0', 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.shop(f'services:\n  web:\n    image: berth.local/busybox\n    ports:\n      - "{port}:80"\n')
            done = self.berth('up', '-d', status=1)
        self.assertRegex(done.stderr, rf'compose.yaml:6:\d+: service "web": port {port} is taken by python')
        self.assertIn(f'(pid {os.getpid()})', done.stderr)
        self.assertEqual(containers(self.name), [])

    def test_taken_port_names_the_container(self):
        port = free_port()
        text = f'''services:
  web:
    image: berth.local/busybox
    command: [sleep, "1000"]
    stop_grace_period: 0s
    ports: ["{port}:80"]
'''
        other = project(self, self.name + '-other', text)
        must(berth('up', '-d', cwd=other))
        self.shop(text)
        done = self.berth('up', '-d', status=1)
        self.assertIn(f'port {port} is taken by container {self.name}-other-web-1', done.stderr)

    def test_image_that_cannot_be_had_leaves_the_rest(self):
        self.shop()
        self.berth('up', '-d')
        before = self.ids()
        path = self.folder / 'compose.yaml'
        path.write_text(path.read_text().replace('berth.local/busybox', 'localhost:1/nosuch', 1))
        self.berth('up', '-d', status=18)
        self.assertEqual(self.ids(), before)
        self.assertEqual(self.running(), ['db', 'web'])

    def test_removed_working_directory_is_an_error(self):
        self.shop()
        gone = self.folder / 'gone'
        gone.mkdir()
        done = subprocess.run(['/bin/bash', '-c', 'cd "$1" && rmdir "$1" && exec "$2" ps', 'bash', gone, BERTH],
                              timeout=20, capture_output=True, text=True)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn('working directory', done.stderr)

    def test_broken_pipe_is_no_crash(self):
        self.shop()
        done = subprocess.run(f'{BERTH} --help | head -n 1; exit ${{PIPESTATUS[0]}}', shell=True, timeout=30,
                              executable='/bin/bash', capture_output=True, text=True)
        self.assertIn(done.returncode, (0, 141), done.stderr)


if __name__ == '__main__':
    unittest.main(argv=[sys.argv[0], '-v'])
