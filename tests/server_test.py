"""Engines on other machines: over a real ssh server, over TLS in both directions, and all that can be wrong there."""
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest

from api_client import Api
from log_load import ROOT, FakeEngine
from support import Serve, accepts, berth, engine, free_port, images, must, project, wait_until

FOLDER = pathlib.Path(tempfile.mkdtemp(prefix='berth-servers-'))
EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60, **options)
    if done.returncode != 0:
        raise AssertionError(f'{command}: {done.stderr}')
    return done.stdout


class Sshd:
    """A server of ssh for one account and one key, whose docker speaks to `docker_host`."""

    def __init__(self, name, docker_host):
        self.folder, self.port = FOLDER / name, free_port()
        self.folder.mkdir()
        for key in ('host', 'user'):
            run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', self.folder / key)
        self.identity = self.folder / 'user'
        self.address = f'ssh://root@127.0.0.1:{self.port}'
        self.docker_host = docker_host
        self.start()

    def start(self):
        (self.folder / 'config').write_text(
            f'Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.folder}/host\nUsePAM no\nStrictModes no\n'
            f'AuthorizedKeysFile {self.folder}/user.pub\nPidFile none\nPermitRootLogin yes\n'
            f'SetEnv DOCKER_HOST={self.docker_host}\n')
        pathlib.Path('/run/sshd').mkdir(mode=0o755, exist_ok=True)
        self.process = subprocess.Popen(['/usr/sbin/sshd', '-D', '-e', '-f', self.folder / 'config'],
                                        stdin=subprocess.DEVNULL, stderr=(self.folder / 'log').open('ab'))
        wait_until(lambda: accepts(self.port), 20, 'sshd')

    def stop(self):
        """The server and those of its connections."""
        if self.process.poll() is not None:
            return
        for pid in pathlib.Path(f'/proc/{self.process.pid}/task/{self.process.pid}/children').read_text().split():
            os.kill(int(pid), signal.SIGKILL)
        self.process.kill()
        self.process.wait(20)

    def new_host_key(self):
        self.stop()
        for name in ('host', 'host.pub'):
            (self.folder / name).unlink()
        run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', self.folder / 'host')
        self.start()

    @property
    def fingerprint(self):
        return run('ssh-keygen', '-lf', self.folder / 'host.pub').split()[1]

    def as_user(self):
        """An environment whose `ssh` is configured as a user would have: key and known host."""
        folder = self.folder / 'bin'
        folder.mkdir(exist_ok=True)
        key = (self.folder / 'host.pub').read_text().split()
        (self.folder / 'known').write_text(f'[127.0.0.1]:{self.port} {key[0]} {key[1]}\n')
        (self.folder / 'ssh_config').write_text(
            f'IdentityFile {self.identity}\nUserKnownHostsFile {self.folder}/known\nIdentityAgent none\n')
        (folder / 'ssh').write_text(f'#!/bin/sh\necho "$@" >>{self.folder}/calls\n'
                                    f'exec /usr/bin/ssh -F {self.folder}/ssh_config "$@"\n')
        (folder / 'ssh').chmod(0o755)
        return {'PATH': f'{folder}:{os.environ["PATH"]}', 'DOCKER_HOST': self.address}


class Authority:
    """A CA, a certificate of the engine for 127.0.0.1, and one of a client: the folder that docker would want."""

    def __init__(self, name):
        self.folder = FOLDER / name
        self.folder.mkdir()
        run('openssl', 'req', '-x509', *EC, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '3', '-subj', '/CN=ca',
            cwd=self.folder)
        self.issue('server', 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth')
        self.issue('elsewhere', 'subjectAltName=DNS:elsewhere.test\nextendedKeyUsage=serverAuth')
        self.issue('client', 'extendedKeyUsage=clientAuth')
        shutil.copy(self.folder / 'client.pem', self.folder / 'cert.pem')
        shutil.copy(self.folder / 'client.key', self.folder / 'key.pem')

    def issue(self, name, extensions):
        (self.folder / 'extensions').write_text(extensions)
        run('openssl', 'req', *EC, '-keyout', f'{name}.key', '-out', f'{name}.csr', '-subj', f'/CN={name}',
            cwd=self.folder)
        run('openssl', 'x509', '-req', '-in', f'{name}.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial',
            '-days', '3', '-out', f'{name}.pem', '-extfile', 'extensions', cwd=self.folder)

    def flags(self):
        return ['--ca', self.folder / 'ca.pem', '--cert', self.folder / 'cert.pem', '--key', self.folder / 'key.pem']


class TlsEngine:
    """An engine's socket behind TLS that wants a client's certificate; with `target` None it takes all and says nothing."""

    def __init__(self, authority, target, certificate='server'):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(authority.folder / f'{certificate}.pem', authority.folder / f'{certificate}.key')
        self.context.load_verify_locations(authority.folder / 'ca.pem')
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.target = target
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.address = f'tcp://127.0.0.1:{self.listener.getsockname()[1]}'
        self.open = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.open.append(connection)
            if self.target:
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, plain):
        try:
            client = self.context.wrap_socket(plain, server_side=True)
        except (OSError, ssl.SSLError):
            plain.close()
            return
        above = socket.socket(socket.AF_UNIX)
        above.connect(self.target)
        threading.Thread(target=self.pump, args=(above, client), daemon=True).start()
        self.pump(client, above)

    @staticmethod
    def pump(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except (OSError, ValueError):
            pass

    def stop(self):
        if self.listener.fileno() < 0:
            return
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.open:
            connection.close()


class Servers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        engine()
        images('busybox')
        cls.addClassCleanup(shutil.rmtree, FOLDER, ignore_errors=True)
        cls.local = os.environ['DOCKER_HOST']
        cls.unix = cls.local.removeprefix('unix://')
        cls.authority, cls.other = Authority('tls'), Authority('other')
        # The check of a server that takes connections and never answers ends by its deadline, meanwhile.
        cls.hanging = TlsEngine(cls.authority, None)
        cls.addClassCleanup(cls.hanging.stop)
        cls.late = subprocess.Popen(
            [pathlib.Path(__file__).parent.parent / 'build/release/berth', 'server', 'add', 'late', cls.hanging.address,
             '--data', FOLDER / 'late', *cls.authority.flags()],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        cls.addClassCleanup(cls.late.communicate)
        cls.addClassCleanup(cls.late.kill)
        cls.sshd = Sshd('ssh', cls.local)
        cls.addClassCleanup(cls.sshd.stop)

    def setUp(self):
        self.data = pathlib.Path(tempfile.mkdtemp(prefix='data-', dir=FOLDER))

    def server(self, *words, status=0):
        return must(berth('server', *words, '--data', self.data), status)

    def tls(self, authority=None, certificate='server'):
        made = TlsEngine(authority or self.authority, self.unix, certificate)
        self.addCleanup(made.stop)
        return made

    # --- Compose verbs

    def test_verbs_work_over_one_login_of_ssh(self):
        user = self.sshd.as_user()
        folder = project(self, 'overssh', '''services:
  web:
    image: berth.local/busybox
    init: true
    command: sh -c 'echo hello from there; exec sleep 600'
    stop_grace_period: 1s
''')
        must(berth('up', '-d', cwd=folder, env=user))
        listed = json.loads(must(berth('ps', '--format', 'json', cwd=folder, env=user)).stdout.splitlines()[0])
        self.assertEqual('running', listed['State'])
        self.assertIn('hello from there', must(berth('logs', cwd=folder, env=user)).stdout)
        echoed = must(berth('exec', '-T', 'web', 'cat', cwd=folder, env=user, stdin='through and back\n'))
        self.assertEqual('through and back\n', echoed.stdout)
        (self.sshd.folder / 'calls').unlink()
        must(berth('down', cwd=folder, env=user))
        calls = (self.sshd.folder / 'calls').read_text().splitlines()
        self.assertEqual(1, sum(' -M ' in call for call in calls), calls)
        self.assertTrue(any('docker system dial-stdio' in call for call in calls), calls)

    def test_verbs_refuse_an_unknown_host(self):
        user = self.sshd.as_user()
        (self.sshd.folder / 'known').write_text('')
        done = must(berth('ls', env=user), 1)
        self.assertIn("the host's key is not known here", done.stderr)

    def test_verbs_work_over_tls_and_a_context(self):
        far = self.tls()
        tls = {'DOCKER_HOST': far.address, 'DOCKER_TLS_VERIFY': '1', 'DOCKER_CERT_PATH': str(self.authority.folder)}
        must(berth('ls', '-a', env=tls))
        docker = {'DOCKER_CONFIG': str(self.data)}
        certificates = ','.join(f'{key}={self.authority.folder}/{name}' for key, name in
                                (('ca', 'ca.pem'), ('cert', 'cert.pem'), ('key', 'key.pem')))
        run('docker', 'context', 'create', 'far', '--docker', f'host={far.address},{certificates}',
            env={**os.environ, **docker})
        must(berth('--context', 'far', 'ls', '-a', env={**docker, 'DOCKER_HOST': 'unix:///nowhere'}))

    def test_verbs_say_what_is_wrong_with_tls(self):
        far, away = self.tls(), self.tls(certificate='elsewhere')
        tls = {'DOCKER_HOST': far.address, 'DOCKER_TLS_VERIFY': '1', 'DOCKER_CERT_PATH': str(self.other.folder)}
        done = must(berth('ls', env=tls), 1)
        self.assertIn('the certificate is not trusted', done.stderr)
        self.assertIn('ca.pem must be of the CA', done.stderr)
        named = {**tls, 'DOCKER_HOST': away.address, 'DOCKER_CERT_PATH': str(self.authority.folder)}
        self.assertIn('IP address mismatch', must(berth('ls', env=named), 1).stderr)
        plain = must(berth('ls', env={'DOCKER_HOST': 'tcp://192.0.2.1:2375'}), 1)
        self.assertIn('DOCKER_TLS_VERIFY=1', plain.stderr)

    # --- servers

    def test_a_host_is_known_by_its_key(self):
        asked = self.server('add', 'far', self.sshd.address, '--identity', self.sshd.identity, status=1)
        self.assertIn(self.sshd.fingerprint, asked.stderr)
        self.assertIn('nobody can be asked', asked.stderr)
        self.assertEqual([], json.loads(self.server('list', '--format', 'json').stdout))
        wrong = self.server('add', 'far', self.sshd.address, '--fingerprint', 'SHA256:nothing', status=1)
        self.assertIn(f'the host shows {self.sshd.fingerprint}, not SHA256:nothing', wrong.stderr)
        self.server('add', 'far', self.sshd.address, '--identity', self.sshd.identity, '--fingerprint',
                    self.sshd.fingerprint)
        [row] = json.loads(self.server('list', '--format', 'json').stdout)
        self.assertEqual(('far', 'ssh', 'up', self.sshd.fingerprint),
                         (row['name'], row['kind'], row['state'], row['fingerprint']))
        self.assertEqual(engine().json('GET', '/version')['Version'], row['version'])
        self.assertIn('already', self.server('add', 'far', self.sshd.address, '-y', status=1).stderr)
        self.server('remove', 'far')
        self.assertIn('there is no server "far"', self.server('check', 'far', status=1).stderr)
        self.assertEqual([], list((self.data / 'servers').iterdir()))

    def test_a_changed_key_is_refused_until_it_is_pinned_anew(self):
        moved = Sshd(f'moved-{self.data.name}', self.local)
        self.addCleanup(moved.stop)
        self.server('add', 'moved', moved.address, '--identity', moved.identity, '-y')
        moved.new_host_key()
        refused = self.server('check', 'moved', status=1)
        self.assertIn('another key than the one that was pinned', refused.stderr)
        self.assertIn('berth server remove', refused.stderr)
        self.server('remove', 'moved')
        again = self.server('add', 'moved', moved.address, '--identity', moved.identity, '-y')
        self.assertIn(moved.fingerprint, again.stderr)
        self.assertIn('answers at', again.stdout)

    def test_ssh_says_what_is_wrong_there(self):
        down = Sshd(f'down-{self.data.name}', 'unix:///nowhere/docker.sock')
        self.addCleanup(down.stop)
        added = self.server('add', 'down', down.address, '--identity', down.identity, '-y')
        self.assertIn('added, but it does not answer', added.stderr)
        self.assertIn('/nowhere/docker.sock', added.stderr)
        self.server('add', 'stranger', down.address, '--identity', self.sshd.identity, '-y')
        self.assertIn('takes none of our keys', self.server('check', 'stranger', status=1).stderr)
        down.stop()
        self.assertIn('Connection refused', self.server('check', 'down', status=1).stderr)

    def test_tls_servers(self):
        far = self.tls()
        self.server('add', 'far', far.address, *self.authority.flags())
        for name in ('berth.db', 'berth.db-wal'):
            if (self.data / name).exists():
                self.assertNotIn(b'PRIVATE KEY', (self.data / name).read_bytes())
        nobody = self.server('add', 'nobody', far.address, '--ca', self.authority.folder / 'ca.pem')
        self.assertRegex(nobody.stderr, 'certificate required|bad certificate|handshake failure')
        strange = self.server('add', 'strange', far.address, *self.other.flags())
        self.assertIn('the certificate is not trusted', strange.stderr)
        self.assertIn('plain TCP', self.server('add', 'plain', 'tcp://192.0.2.1:2375', status=1).stderr)
        far.stop()
        self.assertIn('Connection refused', self.server('check', 'far', status=1).stderr)

    def test_who_never_answers_is_given_up(self):
        _, errors = self.late.communicate(timeout=60)
        self.assertEqual(0, self.late.returncode, errors)
        self.assertIn('no answer within 10 s', errors)

    # --- the API

    def test_the_api_looks_at_a_server(self):
        fake = FakeEngine(ROOT / 'build/test')
        self.addCleanup(fake.stop)
        fake.order('containers?count=3')
        far = TlsEngine(self.authority, fake.socket)
        self.addCleanup(far.stop)
        self.server('add', 'far', far.address, *self.authority.flags())
        with Serve(data=self.data):
            api = Api(self.data).ready()

            def names(path):
                return {each['name'] for each in api.get(path)['items']}
            wait_until(lambda: len(names('/containers?engine=far')) == 3, 30, 'the containers there')
            self.assertEqual(names('/containers?engine=far'), {'load-1', 'load-2', 'load-3'})
            self.assertFalse(names('/containers') & {'load-1', 'load-2', 'load-3'})
            self.assertIn('data-1', names('/volumes?engine=far'))
            self.assertEqual('running', api.get('/containers/load-1?engine=far')['state'])
            fake.order('write?container=load-1&count=3&rate=1000')
            log = '/containers/load-1/logs?engine=far'
            wait_until(lambda: api.call('GET', log, headers={'Accept': 'text/plain'}).text.count('line 00000000') == 3, 20,
                       'what is written there')
            for method, path in (('POST', '/containers/load-1/stop'), ('DELETE', '/containers/load-1')):
                refused = api.call(method, f'{path}?engine=far')
                self.assertEqual(409, refused.status, refused.text)
                self.assertIn(f'berth --host {far.address}', refused.text)
            self.assertEqual(404, api.call('GET', '/containers?engine=gone').status)
            fake.stop()
            down = wait_until(lambda: (page := api.get('/containers?engine=far'))['stale'] and page, 60, 'far to be down')
            self.assertEqual(3, len(down['items']), 'the last that was known')
            self.assertGreater(down['stale']['since'], 0)

    def test_the_api_lists_adds_and_removes(self):
        with Serve(data=self.data) as serve:
            api = Api(self.data).ready()
            body = {'name': 'far', 'address': self.sshd.address, 'identity': str(self.sshd.identity)}
            asked = api.call('POST', '/engines', body)
            told = asked.json()
            self.assertEqual((409, 'host_key', self.sshd.fingerprint), (asked.status, told['code'], told['fingerprint']))
            api.post('/engines', {**body, 'fingerprint': told['fingerprint']})

            def states():
                return {row['id']: row['state'] for row in api.get('/engines')['items']}
            self.assertEqual({'local': 'up', 'far': 'up'}, states())
            self.sshd.stop()
            try:
                wait_until(lambda: states()['far'] == 'down', 60, 'far to be down')
                self.assertIn('Connection refused', api.get('/engines/far')['why'])
            finally:
                self.sshd.start()
            wait_until(lambda: states()['far'] == 'up', 60, 'far to be up again')
            self.assertIn('far', self.server('list').stdout)
            self.server('remove', 'far')
            self.assertEqual(404, api.call('GET', '/engines/far').status)
            self.assertEqual(409, api.call('DELETE', '/engines/local').status)
            audit = api.get('/audit?verb=server.')['items']
            self.assertEqual({('server.add', 'server:far'), ('server.remove', 'server:far')},
                             {(entry['verb'], entry['subject']) for entry in audit if entry['decision'] == 'allowed'})
            self.assertEqual(0, serve.stop())


if __name__ == '__main__':
    unittest.main()
