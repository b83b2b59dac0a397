"""`berth broker` in front of the private engine: clients behave through it as they do directly, and no more gets through
than its policy says."""
import contextlib
import io
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tarfile
import tempfile
import unittest

from api_client import Api
from serve_test import role_pid
from still_network import Relay, unix_connection, unix_listener
from support import BERTH, ROOT, Serve, accepts, berth, engine, free_port, images, must, wait_until

BUSYBOX = 'berth.local/busybox:latest'
SECRET = 'hunter2-canary'
# The Docker client as a program, with a terminal where it wants one.
TTY = ['script', '-qec']


class Broker:
    """A broker process with a socket for each policy."""

    def __init__(self, *arguments, policies=('operate',), env=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='berth-broker-'))
        self.config = self.folder / 'broker.d'
        self.config.mkdir(mode=0o755)
        self.log = self.folder / 'denied.log'
        command = [BERTH, 'broker', '--folder', self.config, '--log', self.log, *arguments]
        for policy in policies:
            command += ['--policy', policy, '--listen', f'unix:{self.path(policy)}']
        self.errors = open(self.folder / 'stderr', 'w+')
        self.process = subprocess.Popen(command, stderr=self.errors, env={**os.environ, **(env or {})})
        wait_until(lambda: all(self.path(p).exists() for p in policies) or self.process.poll() is not None, 30, 'broker')
        if self.process.poll() is not None:
            raise AssertionError((self.folder / 'stderr').read_text())

    def path(self, policy):
        return self.folder / (pathlib.Path(policy).stem + '.sock')

    def address(self, policy='operate'):
        return f'unix://{self.path(policy)}'

    def denials(self):
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        self.errors.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, method, path, body=None, policy='operate', headers=()):
        """(status, bytes) of one request whose bytes are as given."""
        text = b'' if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        head = [f'{method} {path} HTTP/1.1', 'Host: docker', 'Connection: close', *headers]
        if body is not None:
            head += ['Content-Type: application/json', f'Content-Length: {len(text)}']
        return self.raw('\r\n'.join([*head, '', '']).encode() + text, policy)

    def raw(self, data, policy='operate'):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(60)
            client.connect(str(self.path(policy)))
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                client.sendall(data)
            reply = b''
            with contextlib.suppress(ConnectionResetError):
                while piece := client.recv(65536):
                    reply += piece
        head, _, rest = reply.partition(b'\r\n\r\n')
        return int(head.split(b' ', 2)[1]) if head else 0, rest


def docker(address, *words, stdin='', timeout=60):
    """(status, output) of the docker program."""
    done = subprocess.run(['docker', *words], env={**os.environ, 'DOCKER_HOST': address, 'DOCKER_BUILDKIT': '0'},
                          input=stdin.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout)
    return done.returncode, done.stdout.decode(errors='replace')


def in_terminal(address, command):
    done = subprocess.run([*TTY, command, '/dev/null'], env={**os.environ, 'DOCKER_HOST': address},
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    # The terminal echoes the end of the input whenever it comes.
    return done.returncode, done.stdout.decode(errors='replace').replace('^@', '').replace('^D\x08\x08', '')


def follow(address, *words):
    """A command that does not end by itself: 124 once it was stopped, with what it had said."""
    done = subprocess.run(['timeout', '3', 'docker', *words], env={**os.environ, 'DOCKER_HOST': address},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    return done.returncode, done.stdout.decode(errors='replace')


def normal(text):
    """Without what differs between two runs of the same command."""
    text = re.sub(r'\b[0-9a-f]{12}(?:[0-9a-f]{52})?\b', 'ID', text)
    text = re.sub(r'\d{4}-\d\d-\d\d[T ][\d:.]+(Z| \+0000 UTC)?', 'TIME', text)
    text = re.sub(r'\b(Less than a second|About a minute|\d+ (second|minute|hour)s?)( ago)?\b', 'AGE', text)
    text = re.sub(r'[\d.]+(%|[kMG]?i?B)', 'N', text)
    return re.sub(r'[ \t]+', ' ', text)


class CliChecks:
    """The docker program's verbs, one after the other, on one engine address."""

    def __init__(self, address, folder):
        self.address, self.folder, self.results = address, folder, []
        self.run_all()

    def note(self, name, outcome, exact=True):
        status, output = outcome
        self.results.append((name, status, normal(output) if exact else ''))
        return output

    def do(self, name, *words, stdin='', exact=True):
        return self.note(name, docker(self.address, *words, stdin=stdin), exact)

    def run_all(self):
        self.clean()
        self.look()
        self.make()
        self.use()
        self.images_and_files()
        self.change()
        self.remove()

    def clean(self):
        for words in (['rm', '-f', 'c1', 'c2', 'c3', 'c4'], ['network', 'rm', 'n1'], ['volume', 'rm', 'v1'],
                      ['rmi', '-f', 'made:1', 'tagged:1', 'built:1']):
            docker(self.address, *words)

    def look(self):
        self.do('version', 'version')
        self.do('info', 'info', exact=False)
        self.do('ps', 'ps', '-a', '--format', '{{.Names}}')
        status, listed = docker(self.address, 'images', '--format', '{{.Repository}}')
        self.note('images', (status, '\n'.join(sorted(listed.split()))))  # of equal age they come in any order
        self.do('image inspect', 'image', 'inspect', BUSYBOX)
        self.do('context ls', 'context', 'ls', exact=False)

    def make(self):
        self.do('network create', 'network', 'create', 'n1')
        self.do('volume create', 'volume', 'create', 'v1')
        self.do('run -d', 'run', '-d', '--name', 'c1', '--network', 'n1', '-v', 'v1:/data', '-p', '127.0.0.1:18080:80',
                '-e', 'A=1', '--label', 'l=1', BUSYBOX, 'sh', '-c',
                'trap "exit 0" TERM; i=0; while true; do i=$((i+1)); [ $i -lt 4 ] && echo line $i; sleep 0.2; done')
        self.do('run --rm', 'run', '--rm', BUSYBOX, 'echo', 'hello')
        self.do('exit status', 'run', '--rm', BUSYBOX, 'sh', '-c', 'exit 7')
        self.do('run -i', 'run', '--rm', '-i', BUSYBOX, 'cat', stdin='from stdin\n' * 2000)
        self.note('run -it', in_terminal(self.address, f'docker run --rm -it {BUSYBOX} sh -c "tty; echo hi"'))
        self.do('inspect', 'inspect', '--format', '{{.Name}} {{.HostConfig.NetworkMode}} {{.Config.Env}}', 'c1')

    def use(self):
        self.do('exec', 'exec', 'c1', 'echo', 'inside')
        self.do('exec -i', 'exec', '-i', 'c1', 'cat', stdin='x' * 100000)
        self.do('exec -d', 'exec', '-d', 'c1', 'touch', '/tmp/detached')
        self.do('exec status', 'exec', 'c1', 'sh', '-c', 'echo bad >&2; exit 3')
        self.note('exec -it', in_terminal(self.address, 'docker exec -it c1 sh -c "tty; echo hi"'))
        wait_until(lambda: 'line 3' in docker(self.address, 'logs', 'c1')[1], 20, 'the lines of c1')
        self.do('logs', 'logs', '--tail', '2', 'c1')
        self.note('logs -f', follow(self.address, 'logs', '-f', 'c1'))
        self.do('stats', 'stats', '--no-stream', '--format', '{{.Name}}', 'c1')
        self.do('top', 'top', 'c1', exact=False)
        status, changes = docker(self.address, 'diff', 'c1')
        self.note('diff', (status, '\n'.join(sorted(changes.splitlines()))))
        self.do('port', 'port', 'c1')
        self.do('events', 'events', '--since', '1h', '--until', '0s', '--filter', 'container=c1', '--filter', 'event=create',
                '--format', '{{.Action}}', exact=False)

    def images_and_files(self):
        folder = self.folder
        (folder / 'in.txt').write_text('copied\n')
        self.do('cp in', 'cp', str(folder / 'in.txt'), 'c1:/tmp/in.txt')
        self.do('cp out', 'cp', 'c1:/tmp/in.txt', str(folder / 'out.txt'))
        self.results.append(('cp content', 0, (folder / 'out.txt').read_text()))
        self.do('cp tar', 'cp', 'c1:/tmp/in.txt', '-', exact=False)
        self.do('commit', 'commit', 'c1', 'made:1', exact=False)
        self.do('save', 'save', '-o', str(folder / 'saved.tar'), 'made:1')
        self.do('load', 'load', '-i', str(folder / 'saved.tar'))
        self.do('export', 'export', '-o', str(folder / 'exported.tar'), 'c1')
        self.do('import', 'import', str(folder / 'exported.tar'), 'imported:1', exact=False)
        self.do('build', 'build', '-t', 'built:1', '-', stdin=f'FROM {BUSYBOX}\nRUN echo built > /b\n', exact=False)
        self.do('run built', 'run', '--rm', 'built:1', 'cat', '/b')
        self.do('history', 'history', '--format', '{{.CreatedBy}}', 'built:1')
        self.do('tag', 'tag', 'built:1', 'tagged:1')
        self.do('system df', 'system', 'df', '-v', exact=False)

    def change(self):
        self.do('pause', 'pause', 'c1')
        self.do('unpause', 'unpause', 'c1')
        self.do('update', 'update', '--memory', '64m', '--memory-swap', '128m', 'c1', exact=False)
        self.do('rename', 'rename', 'c1', 'c2')
        self.do('restart', 'restart', '-t', '5', 'c2')
        self.do('network disconnect', 'network', 'disconnect', 'n1', 'c2')
        self.do('network connect', 'network', 'connect', '--alias', 'a', 'n1', 'c2')
        self.do('network inspect', 'network', 'inspect', '--format', '{{.Name}} {{len .Containers}}', 'n1')
        self.do('create', 'create', '--name', 'c3', '-i', BUSYBOX, 'sh', '-c', 'read x; echo got $x; exit 4')
        self.do('start -ai', 'start', '-ai', 'c3', stdin='word\n')
        self.do('wait', 'wait', 'c3')
        self.do('kill', 'kill', 'c2')
        self.do('start', 'start', 'c2')
        self.do('stop', 'stop', '-t', '5', 'c2')

    def remove(self):
        self.do('rm', 'rm', '-v', 'c3')
        self.do('rm -f', 'rm', '-f', 'c2')
        self.do('network rm', 'network', 'rm', 'n1')
        self.do('volume rm', 'volume', 'rm', 'v1')
        self.do('rmi', 'rmi', 'tagged:1', exact=False)
        self.do('rmi more', 'rmi', '-f', 'built:1', 'made:1', 'imported:1', exact=False)
        self.do('no such', 'inspect', 'nothing-of-this-name')
        self.do('container prune', 'container', 'prune', '-f', exact=False)


class ClientTest(unittest.TestCase):
    """The docker program through the policy `operate`."""

    @classmethod
    def setUpClass(cls):
        engine()
        images('busybox')
        cls.direct = os.environ['DOCKER_HOST']
        cls.broker = Broker(policies=('operate', 'monitor', 'traefik', 'ci', 'deploy'))
        cls.addClassCleanup(cls.broker.stop)
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix='berth-cli-'))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)

    def test_docker_behaves_as_it_does_directly(self):
        self.maxDiff = None
        before = len(self.broker.denials()) if self.broker.log.exists() else 0
        through = CliChecks(self.broker.address(), self.folder).results
        direct = CliChecks(self.direct, self.folder).results
        self.assertGreaterEqual(len(direct), 49)
        for one, other in zip(direct, through):
            self.assertEqual(*map(self.compared, (one, other)))
        self.assertEqual(self.broker.denials()[before:], [])
        print(f'{len(direct)} checks of the docker program are the same through the broker')

    def compared(self, check):
        return check

    def test_monitor_shows_no_secret(self):
        """Everything that it can ask, held against a word that stands in environment, command, labels and health."""
        must_run = docker(self.direct, 'run', '-d', '--name', 'secretive', '-e', f'PASSWORD={SECRET}', '--label',
                          f'private={SECRET}', '--health-cmd', f'echo {SECRET}', '--health-interval', '1s', '-v',
                          f'{self.folder}:/{SECRET}-not-here', BUSYBOX, 'sh', '-c', f': {SECRET}; sleep 1000')
        self.assertEqual(must_run[0], 0, must_run[1])
        self.addCleanup(docker, self.direct, 'rm', '-f', 'secretive')
        wait_until(lambda: SECRET in docker(self.direct, 'inspect', '--format', '{{json .State.Health.Log}}', 'secretive')[1],
                   30, 'a health check')
        docker(self.direct, 'exec', 'secretive', 'true', SECRET)
        seen = json.loads(self.broker.ask('GET', '/containers/secretive/json', policy='monitor')[1])
        self.assertEqual(seen['State']['Status'], 'running')
        self.assertIn('IPAddress', seen['NetworkSettings'])
        for path in ('/containers/secretive/json', '/containers/json?all=1', '/images/json', f'/images/{BUSYBOX}/json',
                     '/networks', '/networks/bridge', '/volumes', '/info', '/version', '/system/df', '/events?since=0&until=1',
                     '/containers/secretive/stats?stream=0', '/_ping'):
            status, body = self.broker.ask('GET', path, policy='monitor')
            self.assertEqual(status, 200, path)
            # The mount's target is the container's own matter; it is shown on purpose.
            self.assertNotIn(SECRET, body.decode().replace(f'/{SECRET}-not-here', ''), path)
            self.assertNotIn(str(self.folder), body.decode(), path)
        now = subprocess.run(['date', '+%s'], capture_output=True, text=True, check=True).stdout.strip()
        events = self.broker.ask('GET', f'/events?since={int(now) - 600}&until={now}', policy='monitor')[1].decode()
        self.assertIn('exec_create', events)
        self.assertNotIn(SECRET, events)
        for path in ('/containers/secretive/logs?stdout=1', '/containers/secretive/top?ps_args=axe',
                     '/containers/secretive/archive?path=/etc/passwd', '/containers/secretive/export',
                     f'/images/{BUSYBOX}/get', '/images/get?names=x', '/images/search?term=127.0.0.1:1/x',
                     '/distribution/127.0.0.1:1/x/json', '/containers/secretive/attach/ws?stdin=1', '/debug/pprof/',
                     '/debug/vars', '/grpc', '/session', '/swarm/unlockkey', '/secrets'):
            self.assertEqual(self.broker.ask('GET', path, policy='monitor')[0], 403, path)

    def test_traefik_sees_labels_and_no_environment(self):
        self.assertEqual(docker(self.direct, 'create', '--name', 'labelled', '-e', f'P={SECRET}', '--label',
                                'traefik.enable=true', BUSYBOX, 'true')[0], 0)
        self.addCleanup(docker, self.direct, 'rm', '-f', 'labelled')
        body = self.broker.ask('GET', '/v1.24/containers/labelled/json', policy='traefik')[1].decode()
        self.assertIn('traefik.enable', body)
        self.assertNotIn(SECRET, body)
        self.assertEqual(self.broker.ask('POST', '/containers/labelled/start', policy='traefik')[0], 403)

    def test_bytes_that_mean_two_things_are_refused(self):
        raw = self.broker.raw
        two = b'GET /_ping HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n' \
              b'GET /images/json HTTP/1.1\r\nHost: d\r\n\r\n'
        status, rest = raw(two)
        self.assertEqual(status, 403)
        self.assertNotIn(b'200 OK', rest)
        both = b'POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nContent-Length: 2\r\n' \
               b'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
        self.assertEqual(raw(both)[0], 400)
        self.assertEqual(raw(b'GET /_ping HTTP/1.1\nHost: d\n\n')[0], 400)
        self.assertEqual(raw(b'GET http://evil/containers/json HTTP/1.1\r\nHost: d\r\n\r\n')[0], 400)
        for path in ('/%63ontainers/json', '/containers%2Fjson', '//containers/json', '/v1.41.0.0/containers/json',
                     '/containers/../containers/json', '/containers/x/kill/json', '/networks/'):
            self.assertEqual(self.broker.ask('GET', path)[0], 403, path)
        self.assertEqual(self.broker.ask('GET', '/v1.99/_ping')[0], 400)
        self.assertEqual(self.broker.ask('GET', '/_ping', headers=['Origin: http://evil'])[0], 403)
        # The second of two pipelined requests is decided for itself.
        status, rest = raw(b'GET /_ping HTTP/1.1\r\nHost: d\r\n\r\nGET /debug/vars HTTP/1.1\r\nHost: d\r\n'
                           b'Connection: close\r\n\r\n')
        self.assertEqual(status, 200)
        self.assertIn(b'403 Forbidden', rest)

    def test_bodies_are_bounded_and_denials_are_told(self):
        huge = b'{"Image":"' + b'x' * (5 << 20) + b'"}'
        self.assertEqual(self.broker.ask('POST', '/containers/create', huge)[0], 413)
        name = f'/containers/create?name=evil-{os.getpid()}'
        status, body = self.broker.ask('POST', name, {'Image': BUSYBOX, 'HostConfig': {'Privileged': True}})
        self.assertEqual(status, 403)
        self.assertIn('privileged', json.loads(body)['message'])
        denial = self.broker.denials()[-1]
        self.assertEqual((denial['rule'], denial['policy'], denial['path']), ('privileged', 'operate', '/containers/create'))
        self.assertIn(f'pid={os.getpid()}', denial['client'])
        for sock in ('/var/run/docker.sock', '/run/docker.sock/', self.direct.removeprefix('unix://')):
            body = {'Image': BUSYBOX, 'HostConfig': {'Binds': [f'{sock}:/s']}}
            self.assertEqual(self.broker.ask('POST', name, body)[0], 403, sock)
        status, told = docker(self.broker.address(), 'run', '--privileged', BUSYBOX, 'true')
        self.assertNotEqual(status, 0)
        self.assertIn('privileged is not granted by the policy', told)

    def test_compressed_archives_are_refused(self):
        self.assertEqual(docker(self.direct, 'create', '--name', 'archived', BUSYBOX, 'true')[0], 0)
        self.addCleanup(docker, self.direct, 'rm', '-f', 'archived')
        for mode, expected in (('w', 200), ('w:gz', 403), ('w:xz', 403), ('w:bz2', 403)):
            file = io.BytesIO()
            with tarfile.open(fileobj=file, mode=mode) as archive:
                archive.addfile(tarfile.TarInfo('x'))
            status, _ = self.broker.ask('PUT', '/containers/archived/archive?path=/', file.getvalue())
            self.assertEqual(status, expected, mode)
            # Its front byte by byte: the broker waits for enough of it to judge.
            text, pieces = file.getvalue(), [file.getvalue()[i:i + 1] for i in range(20)]
            chunks = b''.join(b'%x\r\n%s\r\n' % (len(each), each) for each in [*pieces, text[20:]]) + b'0\r\n\r\n'
            status, _ = self.broker.raw(b'PUT /containers/archived/archive?path=/ HTTP/1.1\r\nHost: d\r\nConnection: close\r\n'
                                        b'Content-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n' + chunks)
            self.assertEqual(status, expected, f'{mode} in pieces')

    def test_the_network_of_the_host_has_no_other_name(self):
        """Of services and containers: its id, and the front of it, mean the same to an engine."""
        listed = json.loads(self.broker.ask('GET', '/networks')[1])
        host, = (each['Id'] for each in listed if each['Driver'] == 'host')
        for name, expected in ((host, 403), (host[:12], 403), ('host', 403), ('no-such-network', 404)):
            for body in ({'Networks': [{'Target': name}]}, {'TaskTemplate': {'Networks': [{'Target': name}]}}):
                status, told = self.broker.ask('POST', '/services/create', {'Name': 's', **body})
                self.assertEqual(status, expected, (name, told))
        for body in ({'HostConfig': {'NetworkMode': host}}, {'HostConfig': {'NetworkMode': host[:9]}},
                     {'NetworkingConfig': {'EndpointsConfig': {host[:20]: {}}}}):
            status, told = self.broker.ask('POST', '/containers/create', {'Image': BUSYBOX, **body})
            self.assertEqual(status, 403, told)

    def test_links_do_not_lead_out_of_allowed_folders(self):
        inside = self.folder / 'allowed'
        inside.mkdir()
        (inside / 'here').mkdir()
        (inside / 'out').symlink_to('/etc')
        broker = Broker('--bind', inside)
        self.addCleanup(broker.stop)
        for name, expected in (('here', 201), ('out', 403), ('../allowed/here', 403), ('', 201)):
            status, body = broker.ask('POST', '/containers/create?name=bound',
                                      {'Image': BUSYBOX, 'HostConfig': {'Binds': [f'{inside}/{name}:/b']}})
            docker(self.direct, 'rm', '-f', 'bound')
            self.assertEqual(status, expected, (name, body))

    def test_a_policy_with_labels_is_a_world_of_its_own(self):
        config = self.folder / 'policies'
        config.mkdir(mode=0o755)
        policy = config / 'blue.yaml'
        policy.write_text('extends: operate\nlabels: {team: blue}\n')
        broker = Broker(policies=(str(policy),))
        self.addCleanup(broker.stop)
        self.assertEqual(docker(self.direct, 'create', '--name', 'foreign', BUSYBOX, 'true')[0], 0)
        self.addCleanup(docker, self.direct, 'rm', '-f', 'foreign', 'ours')
        address = broker.address('blue')
        self.assertEqual(docker(address, 'create', '--name', 'ours', BUSYBOX, 'true')[0], 0)
        self.assertEqual(docker(address, 'ps', '-a', '--format', '{{.Names}}'), (0, 'ours\n'))
        for words in (['inspect', 'foreign'], ['start', 'foreign'], ['rm', 'foreign'], ['exec', 'foreign', 'true'],
                      ['run', '--rm', '--network', 'container:foreign', BUSYBOX, 'true']):
            self.assertNotEqual(docker(address, *words)[0], 0, words)
        docker(address, 'rm', '-f', 'foreign')  # the program takes "no such container" for success here
        self.assertEqual(docker(self.direct, 'inspect', '--format', '{{.Name}}', 'foreign'), (0, '/foreign\n'))
        self.assertEqual(docker(address, 'inspect', '--format', '{{.Config.Labels.team}}', 'ours'), (0, 'blue\n'))

    def test_policies_are_read_again_and_never_weaker(self):
        broker = Broker(policies=())
        broker.stop()
        config = pathlib.Path(tempfile.mkdtemp(prefix='berth-policies-'))
        self.addCleanup(shutil.rmtree, config, ignore_errors=True)
        policy = config / 'mine.yaml'
        policy.write_text('allow: [system.ping]\n')
        broker = Broker(policies=(str(policy),))
        self.addCleanup(broker.stop)
        ask = lambda path: broker.ask('GET', path, policy='mine')[0]
        self.assertEqual((ask('/_ping'), ask('/version')), (200, 403))
        policy.write_text('allow: [system.ping, system.version]\n')
        broker.process.send_signal(signal.SIGHUP)
        wait_until(lambda: ask('/version') == 200, 20, 'the new policy')
        for broken in ('allow: [everything]\n', 'allow: *\n'):
            policy.write_text(broken)
            broker.process.send_signal(signal.SIGHUP)
            wait_until(lambda: 'keeps its policies' in (broker.folder / 'stderr').read_text(), 20, 'a refusal')
            self.assertEqual((ask('/_ping'), ask('/info')), (200, 403))
        policy.write_text('allow: ["*"]\n')
        policy.chmod(0o666)
        done = berth('broker', '--policy', policy, '--listen', f'unix:{config}/x.sock')
        self.assertIn('writable by nobody else', done.stderr)

    def test_variables_of_socket_proxy(self):
        broker = Broker('--from-environment', policies=('any',), env={'CONTAINERS': '1', 'ALLOW_RESTARTS': '1'})
        self.addCleanup(broker.stop)
        ask = lambda method, path: broker.ask(method, path, policy='any')[0]
        self.assertEqual(ask('GET', '/containers/json'), 200)
        self.assertEqual(ask('GET', '/version'), 200)
        self.assertEqual(ask('POST', '/containers/none/restart'), 404)
        self.assertEqual(ask('POST', '/containers/none/start'), 403)
        self.assertEqual(ask('GET', '/images/json'), 403)

    def test_plain_tcp_is_for_loopback(self):
        done = berth('broker', '--listen', 'tcp:0.0.0.0:0')
        self.assertEqual(done.returncode, 1)
        self.assertIn('could be reached by others', done.stderr)
        done = berth('broker', '--listen', 'mtls:127.0.0.1:0')
        self.assertIn('needs --certificate', done.stderr)


class CertificatesTest(unittest.TestCase):
    """The listener that knows clients by their certificates."""

    @classmethod
    def setUpClass(cls):
        engine()
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix='berth-mtls-'))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        for name in ('ca', 'other'):
            cls.openssl('req', '-x509', *cls.key(name), '-out', f'{name}.pem', '-days', '30', '-subj', f'/CN={name}')
        cls.sign('server', 'ca', extension='subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth')
        cls.sign('client', 'ca')
        cls.sign('stranger', 'other')
        cls.sign('server-only', 'ca', extension='extendedKeyUsage=serverAuth')
        cls.sign('expired', 'ca', dates=('20200101000000Z', '20200201000000Z'))
        cls.port = free_port()
        cls.broker = Broker('--policy', 'monitor', '--certificate', cls.folder / 'server.pem', '--key', cls.folder /
                            'server.key', '--client-ca', cls.folder / 'ca.pem', '--listen', f'mtls:127.0.0.1:{cls.port}',
                            policies=())
        cls.addClassCleanup(cls.broker.stop)
        wait_until(lambda: accepts(cls.port), 30, 'the listener')

    @classmethod
    def openssl(cls, *words):
        subprocess.run(['openssl', *words], cwd=cls.folder, check=True, capture_output=True)

    @staticmethod
    def key(name):
        return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', f'{name}.key']

    @classmethod
    def sign(cls, name, authority, extension='extendedKeyUsage=clientAuth', dates=('20200101000000Z', '20480101000000Z')):
        cls.openssl('req', *cls.key(name), '-out', f'{name}.csr', '-subj', f'/CN={name}')
        for file in ('index', 'index.attr', 'serial'):
            (cls.folder / file).write_text('01\n' if file == 'serial' else '')
        (cls.folder / 'ca.cnf').write_text(
            '[ca]\ndefault_ca=d\n[d]\ndatabase=index\nserial=serial\nnew_certs_dir=.\npolicy=p\ndefault_md=sha256\n'
            f'x509_extensions=x\n[p]\ncommonName=supplied\n[x]\n{extension}\n')
        cls.openssl('ca', '-batch', '-notext', '-config', 'ca.cnf', '-cert', f'{authority}.pem', '-keyfile',
                    f'{authority}.key', '-in', f'{name}.csr', '-out', f'{name}.pem', '-startdate', dates[0], '-enddate', dates[1])

    def ask(self, client, path='/_ping'):
        """The status, or the word of the alert."""
        context = ssl.create_default_context(cafile=self.folder / 'ca.pem')
        if client:
            context.load_cert_chain(self.folder / f'{client}.pem', self.folder / f'{client}.key')
        try:
            with socket.create_connection(('127.0.0.1', self.port), 30) as plain, \
                    context.wrap_socket(plain, server_hostname='127.0.0.1') as secure:
                secure.sendall(f'GET {path} HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n'.encode())
                return int(secure.recv(4096).split(b' ')[1])
        except ssl.SSLError as error:
            return error.reason
        except (ConnectionError, IndexError):
            return 'closed'

    def test_only_certificates_of_the_authority_get_in(self):
        self.assertEqual(self.ask('client'), 200)
        self.assertEqual(self.ask('client', '/containers/x/logs'), 403)
        for client in (None, 'stranger', 'expired', 'server-only'):
            self.assertNotIsInstance(self.ask(client), int, client)
        self.assertEqual(self.ask('client'), 200)
        with socket.create_connection(('127.0.0.1', self.port), 30) as plain:
            plain.sendall(b'GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n')
            self.assertNotIn(b' 200 ', plain.recv(4096))


class ContainerTest(unittest.TestCase):
    """Plain TCP in a container: where all of its networks are internal, and nowhere else."""

    NAME, INSIDE = 'berth-inside', 'berth-inside-net'
    PING = (r"exec 3<>/dev/tcp/127.0.0.1/2375; printf 'GET /_ping HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n' >&3; "
            'cat <&3')

    @classmethod
    def setUpClass(cls):
        engine()
        images('debian')
        cls.direct = os.environ['DOCKER_HOST']
        cls.clear()
        cls.addClassCleanup(cls.clear)
        status, told = docker(cls.direct, 'network', 'create', '--internal', cls.INSIDE)
        if status != 0:
            raise AssertionError(told)

    @classmethod
    def clear(cls):
        docker(cls.direct, 'rm', '-f', cls.NAME)
        docker(cls.direct, 'network', 'rm', cls.INSIDE)

    def setUp(self):
        docker(self.direct, 'rm', '-f', self.NAME)

    def start(self, verb, *words, address='unix:///engine/docker.sock'):
        """This machine's program and libraries on Debian's root file system, with the engine's socket."""
        return docker(self.direct, verb, '-v', '/usr:/usr:ro', '-v', f'{BERTH.resolve().parent}:/berth:ro', '-v',
                      f'{pathlib.Path(self.direct.removeprefix("unix://")).parent}:/engine', '-e',
                      'ASAN_OPTIONS=detect_leaks=0', *words, 'berth.local/debian:12', '/berth/berth', 'broker', '--engine',
                      address, '--folder', '/none', '--listen', 'tcp:0.0.0.0:2375')

    def inside(self, command):
        return docker(self.direct, 'exec', self.NAME, 'bash', '-c', command)[1]

    def ended(self):
        """(status, output) of the container, once it has ended."""
        wait_until(lambda: docker(self.direct, 'inspect', '-f', '{{.State.Running}}', self.NAME)[1].strip() == 'false', 60,
                   'the end of the broker')
        status = docker(self.direct, 'inspect', '-f', '{{.State.ExitCode}}', self.NAME)[1].strip()
        return status, docker(self.direct, 'logs', self.NAME)[1]

    def test_without_any_network(self):
        status, output = self.start('run', '-d', '--name', self.NAME, '--network', 'none')
        self.assertEqual(status, 0, output)
        wait_until(lambda: ' 200 ' in self.inside(self.PING), 60, 'an answer')

    def test_internal_networks_alone_until_another_comes(self):
        status, output = self.start('run', '-d', '--name', self.NAME, '--network', self.INSIDE)
        self.assertEqual(status, 0, output)
        wait_until(lambda: ' 200 ' in self.inside(self.PING), 60, 'an answer')
        if engine().json('GET', '/version')['ApiVersion'] == '1.41':  # where a route tells nothing
            self.assertRegex(self.inside('cat /proc/net/route'), r'eth0\t00000000')
        status, output = docker(self.direct, 'network', 'connect', 'bridge', self.NAME)
        self.assertEqual(status, 0, output)
        status, told = self.ended()
        self.assertEqual(status, '1', told)
        self.assertIn(f'network bridge of container {self.NAME} is not internal', told)

    def test_one_open_network_is_refused_by_its_name(self):
        status, output = self.start('create', '--name', self.NAME, '--network', self.INSIDE)
        self.assertEqual(status, 0, output)
        docker(self.direct, 'network', 'connect', 'bridge', self.NAME)
        docker(self.direct, 'start', self.NAME)
        status, told = self.ended()
        self.assertEqual(status, '1', told)
        self.assertIn(f'network bridge of container {self.NAME} is not internal', told)
        self.assertIn('made with --internal', told)

    def test_the_network_of_the_host_or_of_another_container(self):
        status, output = self.start('run', '--rm', '--name', self.NAME, '--network', 'host')
        self.assertEqual(status, 1)
        self.assertIn(f"container {self.NAME} has the host's own network", output)
        self.assertEqual(docker(self.direct, 'run', '-d', '--name', self.NAME, 'berth.local/debian:12', 'sleep', '600')[0], 0)
        status, output = self.start('run', '--rm', '--network', f'container:{self.NAME}')
        self.assertEqual(status, 1)
        self.assertIn(f'network bridge of container {self.NAME} is not internal', output)

    def test_an_engine_that_cannot_say_opens_nothing(self):
        """Where the engine is away, as where it is another one, the default route decides."""
        status, output = self.start('run', '--rm', '--network', 'bridge', address='unix:///nowhere.sock')
        self.assertEqual(status, 1)
        self.assertIn('could be reached by others', output)
        status, output = self.start('run', '-d', '--name', self.NAME, '--network', 'none', address='unix:///nowhere.sock')
        self.assertEqual(status, 0, output)
        wait_until(lambda: ' 503 ' in self.inside(self.PING), 60, 'an answer')


class Peers:
    """A socket that passes each connection on to the engine and remembers the processes that connected."""

    def __init__(self, target):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='berth-peers-'))
        self.path, self.seen = self.folder / 'engine.sock', set()
        self.relay = Relay(unix_listener(self.path), lambda: unix_connection(target), self._look)

    def _look(self, client):
        credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        self.seen.add(int.from_bytes(credentials[:4], sys.byteorder))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.relay.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class DocumentTest(unittest.TestCase):
    def test_the_table_says_what_policies_allow(self):
        policies = json.loads(must(berth('broker', 'policies', '--format', 'json')).stdout)
        rows = re.findall(r'^\| `([a-z.-]+)` \|(.*)\|$', (ROOT / 'doc/broker.md').read_text(), re.M)
        told = {name: {operation for operation, cells in rows if cells.split('|')[i].strip() == 'yes'}
                for i, name in enumerate(policies)}
        self.assertEqual(told, {name: set(allowed) for name, allowed in policies.items()})


class ServeTest(unittest.TestCase):
    """The broker beside core in `berth serve`."""

    @classmethod
    def setUpClass(cls):
        engine()
        images('busybox')
        cls.grants = tempfile.mkdtemp(prefix='berth-grants-')
        cls.addClassCleanup(shutil.rmtree, cls.grants, ignore_errors=True)
        cls.serve = Serve('--broker-folder', cls.grants)
        cls.addClassCleanup(cls.serve.stop)

    def ask(self, host_config, project='shop'):
        """The status of a create through core's own socket."""
        body = json.dumps({'Image': BUSYBOX, 'Labels': {'com.docker.compose.project': project}, 'HostConfig': host_config})
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(30)
            client.connect(f'{self.serve.data}/broker.sock')
            client.sendall(('POST /containers/create?name=granted HTTP/1.1\r\nHost: d\r\nConnection: close\r\n'
                            f'Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}').encode())
            reply = b''
            while piece := client.recv(65536):
                reply += piece
        docker(os.environ['DOCKER_HOST'], 'rm', '-f', 'granted')
        return int(reply.split(b' ', 2)[1])

    def test_core_gets_what_features_need_and_grants_add_to_it(self):
        self.assertEqual(os.stat(f'{self.serve.data}/broker.sock').st_mode & 0o777, 0o600)
        self.assertEqual(self.ask({}), 201)
        self.assertEqual(self.ask({'Privileged': True}), 403)
        self.assertEqual(self.ask({'Binds': [f'{self.serve.data}/projects/shop:/p']}), 201)
        self.assertEqual(self.ask({'Binds': [f'{self.serve.data}:/p']}), 403)
        where = ('--folder', self.grants, '--data', self.serve.data)
        must(berth('broker', 'grant', 'shop', 'privileged', *where))
        wait_until(lambda: self.ask({'Privileged': True}) == 201, 20, 'the grant')
        self.assertEqual(self.ask({'Privileged': True}, project='other'), 403)
        self.assertIn('shop', must(berth('broker', 'grants', *where)).stdout)
        self.assertEqual(self.audited('broker.grant')['difference'], {'before': [], 'after': ['privileged']})
        must(berth('broker', 'revoke', 'shop', 'privileged', *where))
        wait_until(lambda: self.ask({'Privileged': True}) == 403, 20, 'the end of the grant')
        entry = self.audited('broker.revoke')
        self.assertEqual(entry['difference'], {'before': ['privileged'], 'after': []})
        self.assertEqual((entry['project'], entry['name'], entry['decision']), ('shop', 'root', 'allowed'))
        must(berth('audit', 'verify', '--data', self.serve.data))

    def audited(self, verb):
        listed = must(berth('audit', 'list', '--verb', verb, '--format', 'json', '--data', self.serve.data)).stdout
        entries = [json.loads(line) for line in listed.splitlines()]
        self.assertEqual(len(entries), 1, listed)
        return entries[0]

    def test_core_goes_on_after_the_broker_was_killed(self):
        pid = int(pathlib.Path(self.serve.data, 'broker.pid').read_text())
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: self.ask({}) == 201, 30, 'the next broker')
        self.assertNotEqual(int(pathlib.Path(self.serve.data, 'broker.pid').read_text()), pid)


class PeersTest(unittest.TestCase):
    """Who of `berth serve` talks to the engine, as the engine's socket sees it."""

    @classmethod
    def setUpClass(cls):
        engine()

    def test_core_never_talks_to_the_engine_itself(self):
        with Peers(os.environ['DOCKER_HOST'].removeprefix('unix://')) as peers:
            serve = Serve(env={'DOCKER_HOST': f'unix://{peers.path}'})
            self.addCleanup(serve.stop)
            api = Api(serve.data).ready()
            states = lambda: {row['name']: row['state'] for row in api.ask('GET', '/engines')['items']}
            wait_until(lambda: states()['local'] == 'up', 30, 'the engine to be seen')
            api.ask('GET', '/containers')
            self.assertEqual(peers.seen, {role_pid(serve, 'broker')})


if __name__ == '__main__':
    unittest.main()
