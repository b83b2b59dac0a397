"""The programs that are compared: how each is configured and started, and what it has used by its own accounting."""
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILT = ROOT / 'build/bench'
HOST = 'bench.test'
CPUS = sorted(os.sched_getaffinity(0))
MEASURED, OTHERS = CPUS[-1], CPUS[0]  # the proxy alone on one; its clients and the origin on the other


class BenchError(Exception):
    """A program that does not start or answer, or an answer that is wrong."""


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def start(words, cpu, log, environment=(), pass_fds=()):
    def pin():
        os.sched_setaffinity(0, {cpu})

    with open(log, 'ab') as output:
        return subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                env={**os.environ, **dict(environment)}, pass_fds=pass_fds, start_new_session=True,
                                preexec_fn=pin)


def stop(process):
    if process is None:
        return
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def await_port(port, process, log):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            socket.create_connection(('127.0.0.1', port), 1).close()
            return
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.02)
    tail = pathlib.Path(log).read_text(errors='replace')[-800:]
    raise BenchError(f'nothing listens on port {port}: {tail.strip()}')


class Keys:
    """A certificate of its own for the run: ECDSA P-256, as berth makes them."""

    def __init__(self, folder):
        self.chain, self.key, self.both = folder / 'chain.pem', folder / 'key.pem', folder / 'both.pem'
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                        '-days', '30', '-subj', f'/CN={HOST}', '-addext', f'subjectAltName=DNS:{HOST}', '-keyout',
                        self.key, '-out', self.chain], check=True, capture_output=True)
        self.both.write_text(self.chain.read_text() + self.key.read_text())


class World:
    """What all share: a folder, the keys, the origin."""

    def __init__(self, folder):
        self.folder = folder
        self.keys = Keys(folder)
        self.origin = free_port()
        self.process = start([BUILT / 'origin', self.origin], OTHERS, folder / 'origin.log')
        await_port(self.origin, self.process, folder / 'origin.log')

    def close(self):
        stop(self.process)


class Peer:
    """One proxy in front of the origin. `port` and `tls` are what it listens on."""

    name = ''
    has_tls = True

    def __init__(self, world, environment=()):
        self.world, self.environment = world, dict(environment)
        self.port, self.tls = free_port(), free_port()
        self.folder = world.folder / f'{self.name}-{self.port}'
        self.folder.mkdir()
        self.log = self.folder / 'log'
        self.process = None

    def __enter__(self):
        try:
            self.process = self.run()
            await_port(self.port, self.process, self.log)
            if self.has_tls:
                await_port(self.tls, self.process, self.log)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        stop(self.process)
        self.process = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self):
        raise NotImplementedError

    def start(self, *words, environment=(), pass_fds=()):
        return start(words, MEASURED, self.log, {**dict(environment), **self.environment}, pass_fds)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def processes(self):
        """Its process and all below."""
        found, waiting = [], [self.process.pid]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            for task in pathlib.Path(f'/proc/{pid}/task').iterdir():
                waiting += [int(word) for word in (task / 'children').read_text().split()]
        return found

    def cpu(self):
        """Nanoseconds of CPU so far, of all threads."""
        total = 0
        for pid in self.processes():
            for task in pathlib.Path(f'/proc/{pid}/task').iterdir():
                try:
                    total += int((task / 'schedstat').read_text().split()[0])
                except OSError:
                    pass  # a thread that ended meanwhile
        return total

    def memory(self):
        """Resident bytes."""
        total = 0
        for pid in self.processes():
            for line in pathlib.Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines():
                if line.startswith('Rss:'):
                    total += int(line.split()[1]) * 1024
        return total


class Relay(Peer):
    name, has_tls = 'relay', False

    def run(self):
        return self.start(BUILT / 'relay', self.port, self.world.origin)


NGINX = """daemon off;
user root;
worker_processes 1;
worker_rlimit_nofile 20000;
pid {folder}/pid;
error_log {folder}/log crit;
events {{ worker_connections 16384; }}
http {{
  access_log off;
  keepalive_timeout 600s;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  proxy_max_temp_file_size 0;
  proxy_cache_path {folder}/cache keys_zone=cache:8m;
  server_names_hash_max_size 65536; server_names_hash_bucket_size 128;
  map $http_upgrade $connection_field {{ default upgrade; '' ''; }}
  upstream origin {{ server 127.0.0.1:{origin}; keepalive 256; keepalive_timeout 600s; keepalive_requests 1000000000; }}
  proxy_http_version 1.1;
  proxy_set_header Host $host;
  proxy_set_header Connection $connection_field;
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  proxy_set_header X-Forwarded-Host $host;
  proxy_set_header X-Forwarded-Port $server_port;
  proxy_set_header X-Forwarded-Proto $scheme;
  proxy_set_header X-Forwarded-Server bench;
  proxy_set_header X-Real-Ip $remote_addr;
  ssl_certificate {keys.chain}; ssl_certificate_key {keys.key}; ssl_protocols TLSv1.2 TLSv1.3;
  server {{
    listen 127.0.0.1:{port} backlog=4096; listen 127.0.0.1:{tls} ssl http2 backlog=4096;
    server_name bench.test;
    location / {{ proxy_pass http://origin; }}
    location /cache/ {{ proxy_pass http://origin; proxy_cache cache; add_header Cache-Status $upstream_cache_status; }}
  }}
{servers}}}
"""


class Nginx(Peer):
    name = 'nginx'
    routes = 1  # server blocks, each with a name of its own

    def run(self):
        one = '  server {{ listen 127.0.0.1:{}; server_name {}; location / {{ proxy_pass http://origin; }} }}\n'
        servers = ''.join(one.format(self.port, route_host(i)) for i in range(1, self.routes))
        text = NGINX.format(folder=self.folder, origin=self.world.origin, keys=self.world.keys, port=self.port,
                            tls=self.tls, servers=servers)
        return self.start('nginx', '-p', self.folder, '-c', self.write('nginx.conf', text), '-e', self.log)


HAPROXY = """global
  nbthread 1
  maxconn 9000
defaults
  mode http
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  timeout tunnel 600s
  timeout http-keep-alive 600s
  http-reuse always
frontend edge
  bind 127.0.0.1:{port} backlog 4096
  bind 127.0.0.1:{tls} ssl crt {keys.both} alpn h2,http/1.1 ssl-min-ver TLSv1.2 backlog 4096
  option forwardfor
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Port %[dst_port]
  http-request set-header X-Forwarded-Proto https if {{ ssl_fc }}
  http-request set-header X-Forwarded-Proto http unless {{ ssl_fc }}
  http-request set-header X-Forwarded-Server bench
  http-request set-header X-Real-Ip %[src]
  acl known hdr(host) -i bench.test
  use_backend origin if known
backend origin
  server origin 127.0.0.1:{origin}
"""


class Haproxy(Peer):
    name = 'HAProxy'

    def run(self):
        text = HAPROXY.format(port=self.port, tls=self.tls, keys=self.world.keys, origin=self.world.origin)
        return self.start('haproxy', '-db', '-f', self.write('haproxy.cfg', text))


CADDY = """{{
  admin off
  auto_https off
}}
(origin) {{
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:{origin} {{
    transport http {{
      keepalive 600s
      keepalive_idle_conns_per_host 256
    }}
  }}
}}
http://bench.test:{port} {{
  import origin
}}
https://bench.test:{tls} {{
  import origin
  tls {keys.chain} {keys.key}
}}
"""


class Caddy(Peer):
    name = 'Caddy'

    def run(self):
        text = CADDY.format(port=self.port, tls=self.tls, origin=self.world.origin, keys=self.world.keys)
        environment = {'GOMAXPROCS': '1', 'HOME': str(self.folder), 'XDG_DATA_HOME': str(self.folder),
                       'XDG_CONFIG_HOME': str(self.folder)}
        return self.start('caddy', 'run', '--adapter', 'caddyfile', '--config', self.write('Caddyfile', text),
                          environment=environment)


class Varnish(Peer):
    name, has_tls = 'Varnish', False

    def run(self):
        threads = [word for text in ('thread_pools=1', 'thread_pool_min=150', 'thread_pool_max=150')
                   for word in ('-p', text)]
        return self.start('varnishd', '-F', '-n', self.folder / 'state', '-a', f'127.0.0.1:{self.port}', '-b',
                          f'127.0.0.1:{self.world.origin}', '-s', 'malloc,128m', *threads)


def route_host(number):
    return f'host-{number}.{HOST}'


class Berth(Peer):
    """The edge role by itself, fed by snapshots as core sends them."""

    name = 'berth'
    routes = 1

    def __init__(self, world, environment=()):
        super().__init__(world, environment)
        self.version, self.supervisor, self.channel, self.sent = 0, None, None, None

    def snapshot(self, changed=None):
        """`changed`: the number of a route that is for another path than the others."""
        self.version += 1

        def route(name, rule, middlewares=()):
            return {'name': name, 'rule': rule, 'listeners': ['web', 'websecure'], 'service': 'origin',
                    'middlewares': list(middlewares)}

        keys = self.world.keys
        cache = {'name': 'cache', 'action': {'cache': {}}}
        routes = [route('edge', f'Host(`{HOST}`)'),
                  route('cache', f'Host(`{HOST}`) && PathPrefix(`/cache/`)', [cache])]
        for i in range(1, self.routes):
            rule = f'Host(`{route_host(i)}`)'
            routes.append(route(f'r{i}', rule + (f' && Path(`/{100 + self.version}`)' if i == changed else '')))
        upstream = {'host': '127.0.0.1', 'port': self.world.origin, 'target': 'origin'}
        certificate = {'hosts': [HOST], 'chain': keys.chain.read_text(), 'key': keys.key.read_text(),
                       'not_before': int(time.time()) - 3600, 'not_after': int(time.time()) + 86400}
        settings = {'idle_timeout': 600_000, 'connections': 16_000, 'client_connections': 16_000}
        return {'format': 1, 'version': self.version, 'settings': settings, 'routes': routes,
                'services': [{'name': 'origin', 'upstreams': [upstream]}], 'certificates': [certificate]}

    def run(self):
        self.write('snapshot', json.dumps(self.snapshot()))
        self.supervisor, theirs = socket.socketpair()
        options = {'web': [f'127.0.0.1:{self.port}'], 'websecure': [f'127.0.0.1:{self.tls}'], 'data': str(self.folder),
                   'supervisor': theirs.fileno()}
        process = self.start(ROOT / 'build/release/berth', 'edge', json.dumps(options), pass_fds=[theirs.fileno()])
        theirs.close()
        self.channel, theirs = socket.socketpair()
        socket.send_fds(self.supervisor, [b'c'], [theirs.fileno()])
        theirs.close()
        self.channel.settimeout(60)
        return process

    def close(self):
        for end in (self.supervisor, self.channel):
            if end is not None:
                end.close()
        super().close()

    def _read(self, count):
        data = b''
        while len(data) < count:
            part = self.channel.recv(count - len(data))
            if not part:
                raise BenchError('the edge closed its channel')
            data += part
        return data

    def update(self, changed):
        """The next snapshot as core sends it: whole down a new channel, then what is different."""
        before, self.sent = self.sent, self.snapshot(changed)
        if before is None:
            return self.sent
        pairs = zip(before['routes'], self.sent['routes'])
        splices = [{'at': i, 'drop': 1, 'put': [now]} for i, (old, now) in enumerate(pairs) if old != now]
        return {'format': 2, 'version': self.version, 'base': before['version'], 'routes': splices}

    def change(self, number):
        """Sends the routes with one changed; seconds until the edge says that it uses them."""
        payload = json.dumps(self.update(number), separators=(',', ':')).encode()
        frame = struct.pack('>I', len(payload)) + payload
        begin = time.perf_counter()
        self.channel.sendall(frame)
        while True:
            event = json.loads(self._read(struct.unpack('>I', self._read(4))[0]))
            if event['event'] == 'refused':
                raise BenchError(f'the edge refused a snapshot: {event["detail"]}')
            if event['event'] == 'accepted' and event.get('version') == self.version:
                return time.perf_counter() - begin


PEERS = {peer.name: peer for peer in (Relay, Nginx, Haproxy, Caddy, Varnish, Berth)}
