"""TCP and UDP routers: PostgreSQL by labels, plain and by TLS in both ways; files, datagrams, PROXY protocol headers."""
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import unittest

from support import BERTH, Serve, accepts, berth, engine, free_port, images, must, project, wait_until

SNAKEOIL = '-c ssl=on -c ssl_cert_file=/etc/ssl/certs/ssl-cert-snakeoil.pem -c ssl_key_file=/etc/ssl/private/ssl-cert-snakeoil.key'
DATABASE = f'''
services:
  db:
    image: berth.local/postgres:15
    command: postgres {SNAKEOIL}
    environment: {{POSTGRES_PASSWORD: secret}}
    healthcheck: {{test: [CMD, pg_isready, -h, 127.0.0.1, -U, postgres], interval: 1s, retries: 60}}
    labels:
      traefik.enable: "true"
      traefik.tcp.routers.db.rule: HostSNI(`*`)
      traefik.tcp.routers.db.entrypoints: postgres
      traefik.tcp.routers.through.rule: HostSNI(`through.localhost`)
      traefik.tcp.routers.through.tls.passthrough: "true"
      traefik.tcp.routers.ended.rule: HostSNI(`ended.localhost`)
      traefik.tcp.routers.ended.tls: "true"
      traefik.tcp.routers.closed.rule: HostSNI(`closed.localhost`)
      traefik.tcp.routers.closed.tls: "true"
      traefik.tcp.routers.closed.middlewares: nobody
      traefik.tcp.middlewares.nobody.ipallowlist.sourcerange: 192.0.2.1
      traefik.tcp.services.db.loadbalancer.server.port: "5432"
'''


def select(text, **connection):
    """What psql prints for a query; AssertionError with its message when it fails."""
    words = ' '.join(f'{key}={value}' for key, value in
                     {'user': 'postgres', 'dbname': 'postgres', 'hostaddr': '127.0.0.1', 'connect_timeout': 10, **connection}.items())
    done = subprocess.run(['psql', words, '-Atc', text], capture_output=True, text=True, timeout=60,
                          env={**os.environ, 'PGPASSWORD': 'secret'})
    return must(done).stdout.strip()


class PostgresTest(unittest.TestCase):
    def test_postgres_plain_passed_through_and_ended(self):
        engine()
        images('postgres')
        folder = project(self, 'tcp', DATABASE)
        port = free_port()
        with Serve(f'--entrypoints.postgres.address=:{port}') as serve:
            must(berth('up', '-d', '--wait', cwd=folder, timeout=180))
            encrypted = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()'
            wait_until(lambda: 'db@docker' in berth('route', 'list', '--data', serve.data).stdout, what='the router')
            self.assertEqual(select(encrypted, port=port, sslmode='disable'), 'f')
            # By name on the port of HTTPS: to the server's own certificate, and to ours.
            self.assertEqual(select(encrypted, host='through.localhost', port=serve.websecure, sslmode='require'), 't')
            root = folder / 'root.pem'
            root.write_text(serve.ca)
            ours = {'host': 'ended.localhost', 'port': serve.websecure, 'sslmode': 'verify-full', 'sslrootcert': root}
            self.assertEqual(select(encrypted, **ours), 'f')
            with self.assertRaises(AssertionError):
                select('select 1', **{**ours, 'host': 'closed.localhost'})
            rows = select("select repeat('x', 1000) from generate_series(1, 20000)", **ours)
            self.assertEqual(len(rows), 20000 * 1001 - 1)
            listed = must(berth('route', 'list', '--data', serve.data)).stdout
            self.assertRegex(listed, r'ended@docker +tcp websecure,postgres HostSNI\(`ended\.localhost`\) +\S+ [\d.]+:5432')
            told = must(berth('route', 'explain', 'tls://ended.localhost', '--data', serve.data)).stdout
            self.assertIn('ended@docker decides', told)
            self.assertEqual(berth('route', 'explain', 'tls://other.localhost', '--data', serve.data).returncode, 1)


FILES = '''
entryPoints:
  web: {address: "127.0.0.1:%(web)d", proxyProtocol: {trustedIPs: [127.0.0.1]}}
  websecure: {address: "127.0.0.1:%(websecure)d"}
  raw: {address: "127.0.0.1:%(raw)d"}
  names: {address: "127.0.0.1:%(names)d/udp", udp: {timeout: 1s}}
http:
  routers: {page: {rule: Host(`page.localhost`), entryPoints: [web], service: page}}
  services: {page: {loadBalancer: {servers: [{url: "http://127.0.0.1:%(server)d"}]}}}
tcp:
  routers: {raw: {rule: HostSNI(`*`), entryPoints: [raw], service: raw}}
  services: {raw: {loadBalancer: {proxyProtocol: {version: %(version)d}, servers: [{address: "127.0.0.1:%(server)d"}]}}}
udp:
  routers: {names: {entryPoints: [names], service: names}}
  services: {names: {loadBalancer: {servers: [{address: "127.0.0.1:%(answers)d"}]}}}
'''


def keep_first_bytes(listener, got):
    """Notes what comes first on each connection, answers as HTTP, and closes."""
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            got.append(connection.recv(4096))
            connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok')


def answer_datagrams(server):
    with server:
        while text_and_client := server.recvfrom(2048):
            text, client = text_and_client
            if not text:
                return
            server.sendto(text.upper(), client)


class FilesTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='berth-tcp-'))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.got = []
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.server.bind(('127.0.0.1', 0))
        self.ports = {name: free_port() for name in ('web', 'websecure', 'raw', 'names')}
        self.write(2)
        threading.Thread(target=keep_first_bytes, args=(self.listener, self.got), daemon=True).start()
        threading.Thread(target=answer_datagrams, args=(self.server,), daemon=True).start()
        self.errors = open(self.folder / 'errors', 'w+')
        self.process = subprocess.Popen([BERTH, 'edge', '--config', self.folder / 'all.yml', '--data', self.folder / 'data'],
                                        stderr=self.errors)
        self.addCleanup(self.stop)
        # Before the files are in use the edge answers as HTTP.
        wait_until(lambda: accepts(self.ports['raw']) and self.say(self.ports['raw'], b'hello\r\n\r\n').endswith(b'ok'), what='the edge')

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.process.wait(20), 0, (self.folder / 'errors').read_text())
        self.errors.close()
        self.listener.close()
        self.server.sendto(b'', self.server.getsockname())

    def write(self, version):
        values = {**self.ports, 'server': self.listener.getsockname()[1], 'answers': self.server.getsockname()[1], 'version': version}
        (self.folder / 'all.yml').write_text(FILES % values)

    def say(self, port, text):
        """Everything that comes back."""
        with socket.create_connection(('127.0.0.1', port), 10) as client:
            client.sendall(text)
            return b''.join(iter(lambda: client.recv(4096), b''))

    def seen(self, port, text):
        """What the server got first on its newest connection."""
        self.say(port, text)
        return self.got[-1]

    def test_headers_come_and_go(self):
        version_2 = b'\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c' + bytes([127, 0, 0, 1, 127, 0, 0, 1])
        first = self.seen(self.ports['raw'], b'hello')
        self.assertTrue(first.startswith(version_2), first)
        self.assertEqual(struct.unpack('!H', first[26:28])[0], self.ports['raw'])
        # Another version counts for the next connection, without a restart.
        self.write(1)
        wait_until(lambda: self.seen(self.ports['raw'], b'hello').startswith(b'PROXY TCP4 127.0.0.1 127.0.0.1 '), what='version 1')
        request = b'GET / HTTP/1.1\r\nHost: page.localhost\r\nConnection: close\r\n\r\n'
        for header in (b'PROXY TCP4 192.0.2.7 192.0.2.1 1000 80\r\n',
                       version_2[:16] + bytes([192, 0, 2, 7, 192, 0, 2, 1]) + struct.pack('!HH', 1000, 80)):
            self.assertIn(b'x-forwarded-for: 192.0.2.7\r\n', self.seen(self.ports['web'], header + request).lower())
        self.assertEqual(self.say(self.ports['web'], request), b'')

    def test_datagrams_are_answered(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(10)
            client.connect(('127.0.0.1', self.ports['names']))
            for _ in range(3):
                client.send(b'question')
                self.assertEqual(client.recv(100), b'QUESTION')

    def test_unknown_entry_point_is_an_error(self):
        (self.folder / 'wrong.yml').write_text('tcp: {routers: {a: {rule: HostSNI(`*`), entryPoints: [ra], service: b}}}')
        checked = berth('edge', '--check', '--config', self.folder / 'wrong.yml', '--data', self.folder / 'other')
        self.assertEqual(checked.returncode, 1)
        self.assertIn('tcp.routers.a.entrypoints: "ra" is no entry point of TCP', checked.stderr)


if __name__ == '__main__':
    unittest.main()
