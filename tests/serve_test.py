"""`berth serve` with examples/hello behind it, on the private engine: what a user of the demo can do to it."""
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
import time
import unittest

from support import (BERTH, ROOT, Serve, berth, containers, engine, fetch, free_port, must, open_url, project,
                     remove_project, wait_until)

HOST = 'hello.localhost'


def tree(pid):
    """The pids of a process and its descendants."""
    found = [pid]
    for parent in found:
        try:
            with open(f'/proc/{parent}/task/{parent}/children') as children:
                found += [int(child) for child in children.read().split()]
        except FileNotFoundError:
            pass
    return found


def role_pid(serve, role):
    for pid in tree(serve.process.pid)[1:]:
        try:
            with open(f'/proc/{pid}/cmdline', 'rb') as text:
                words = text.read().split(b'\0')
        except OSError:
            continue  # it ended just now
        if words[1:2] == [role.encode()]:  # a dead one that nobody has waited for yet shows no words
            return pid
    return None


def hello_folder():
    """A copy of examples/hello with its program built."""
    subprocess.run(['make', '-C', ROOT / 'examples/hello'], check=True, capture_output=True, timeout=120)
    folder = tempfile.mkdtemp(prefix='berth-hello-')
    shutil.copytree(ROOT / 'examples/hello', folder, dirs_exist_ok=True)
    return folder


class ServeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        engine()
        cls.folder = hello_folder()
        remove_project('hello')
        cls.metrics = free_port()
        cls.serve = Serve('--metrics', f'127.0.0.1:{cls.metrics}')
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.addClassCleanup(remove_project, 'hello')
        cls.addClassCleanup(cls.serve.stop)
        must(berth('up', '-d', '--wait', cwd=cls.folder, timeout=180))
        wait_until(lambda: cls.serve.fetch(HOST).status == 200, 10, 'the page')

    def fetch(self, path='/', **options):
        return self.serve.fetch(HOST, path, **options)

    def test_page_comes_over_tls_with_the_printed_root(self):
        page = self.fetch()
        self.assertEqual(page.status, 200)
        self.assertIn('<html', page.text)

    def test_foreign_root_is_refused_by_a_client(self):
        with self.assertRaises(ssl.SSLCertVerificationError):
            url = f'https://{HOST}:{self.serve.websecure}/'
            other = subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                                    'ec_paramgen_curve:P-256', '-nodes', '-keyout', '/dev/null', '-days', '1',
                                    '-subj', '/CN=other'], capture_output=True, text=True, check=True).stdout
            fetch(url, ca=other)

    def test_plain_http_redirects_to_tls(self):
        answer = fetch(f'http://{HOST}:{self.serve.web}/a?b=c')
        self.assertIn(answer.status, (301, 308))
        self.assertEqual(answer.headers['Location'], f'https://{HOST}:{self.serve.websecure}/a?b=c')

    def test_metrics_have_an_address_of_their_own(self):
        self.fetch()
        answer = fetch(f'http://127.0.0.1:{self.metrics}/metrics')
        self.assertEqual(answer.status, 200)
        self.assertIn('text/plain', answer.headers['Content-Type'])
        self.assertRegex(answer.text, r'(?m)^berth_requests_total\{route="hello[^"]*".*\} [1-9]')
        self.assertEqual(fetch(f'http://127.0.0.1:{self.metrics}/').status, 404, 'nothing else is there')
        with self.assertRaises(ssl.SSLError):
            self.serve.fetch('127.0.0.1', '/metrics')

    def test_unknown_host_gets_no_page(self):
        with self.assertRaises(ssl.SSLError):
            self.serve.fetch('nobody.localhost')

    def test_websocket_echoes_through_the_edge(self):
        channel = self.serve.websocket(HOST, '/ws')
        for text in ('hello', 'x' * 70000, 'bye'):
            self.assertEqual(channel.echo(text), text)
        channel.close()

    def test_streamed_response_arrives_piece_by_piece(self):
        url = f'https://{HOST}:{self.serve.websecure}/stream'
        begun = time.monotonic()
        with open_url(url, ca=self.serve.ca) as answer:
            first = answer.read1(65536)
            after_first = time.monotonic() - begun
            rest = answer.read()
        whole = time.monotonic() - begun
        self.assertTrue(first)
        self.assertGreater(len((first + rest).splitlines()), 2)
        self.assertLess(after_first, whole / 2, 'the first line waited for the last')

    def test_forwarded_headers_say_who_asked_and_cannot_be_forged(self):
        answer = self.fetch('/headers', headers={'X-Forwarded-For': '203.0.113.9', 'X-Forwarded-Proto': 'http'})
        text = answer.text.lower()
        self.assertIn('x-forwarded-proto: https', text)
        self.assertIn(f'x-forwarded-host: {HOST}', text)
        self.assertIn('x-forwarded-for: 127.0.0.1', text)
        self.assertNotIn('203.0.113.9', text)

    def test_bodies_pass_both_ways(self):
        body = os.urandom(900_000)
        answer = self.fetch('/echo', method='POST', body=body)
        self.assertEqual((answer.status, len(answer.body)), (200, len(body)))
        self.assertEqual(answer.body, body)

    def test_recreate_fails_only_while_no_instance_runs(self):
        results, stop = [], threading.Event()
        ca = self.serve.ca

        def ask():
            url = f'https://{HOST}:{self.serve.websecure}/healthz'
            while not stop.is_set():
                try:
                    status = fetch(url, ca=ca, timeout=10).status
                except OSError as error:
                    status = repr(error)
                results.append((time.monotonic(), status))

        worker = threading.Thread(target=ask)
        worker.start()
        try:
            wait_until(lambda: len(results) > 20, 10, 'requests')
            must(berth('up', '-d', '--wait', '--force-recreate', cwd=self.folder, timeout=120))
            ended = time.monotonic()
            count = len(results)
            wait_until(lambda: len(results) > count + 50, 20, 'requests after the recreation')
        finally:
            stop.set()
            worker.join(30)
        # A request that was under way when `up` returned counts as before.
        after = [status for when, status in results[count + 1:]]
        self.assertEqual(set(after), {200}, f'after the recreation: {after[:20]} (ended {ended})')
        statuses = [status for _, status in results]
        first_bad = next((i for i, status in enumerate(statuses) if status != 200), None)
        if first_bad is not None:
            last_bad = max(i for i, status in enumerate(statuses) if status != 200)
            self.assertLess(results[last_bad][0] - results[first_bad][0], 10, 'failing for longer than the gap')
            self.assertLessEqual({status for status in statuses if status != 200}, {502, 503, 504})

    def test_stopped_service_is_503_for_its_route_alone(self):
        other = project(self, 'other', '''
services:
  web:
    image: hello-hello
    labels:
      traefik.enable: "true"
      traefik.http.routers.other.rule: Host(`other.localhost`)
      traefik.http.routers.other.tls: "true"
      traefik.http.services.other.loadbalancer.server.port: "8080"
''')
        must(berth('up', '-d', '--wait', cwd=other))
        wait_until(lambda: self.try_status('other.localhost') == 200, 10, 'the second route')
        must(berth('stop', '-t', '1', cwd=other))
        wait_until(lambda: self.try_status('other.localhost') == 503, 10, 'its 503')
        self.assertEqual(self.fetch().status, 200)
        must(berth('start', cwd=other))
        wait_until(lambda: self.try_status('other.localhost') == 200, 10, 'its return')

    def try_status(self, host):
        try:
            return self.serve.fetch(host).status
        except OSError:
            return None

    def test_killed_core_leaves_the_edge_serving_and_comes_back(self):
        core, edge = role_pid(self.serve, 'core'), role_pid(self.serve, 'edge')
        os.kill(core, signal.SIGKILL)
        for _ in range(20):
            self.assertEqual(self.fetch().status, 200)
        wait_until(lambda: role_pid(self.serve, 'core') not in (None, core), 10, 'a new core')
        self.assertEqual(role_pid(self.serve, 'edge'), edge)
        # The new core speaks to the old edge: a change still arrives.
        must(berth('up', '-d', '--wait', '--force-recreate', cwd=self.folder, timeout=120))
        wait_until(lambda: self.try_status(HOST) == 200, 10, 'the page from the new core')

    def test_killed_edge_serves_again(self):
        edge = role_pid(self.serve, 'edge')
        os.kill(edge, signal.SIGKILL)
        wait_until(lambda: role_pid(self.serve, 'edge') not in (None, edge), 10, 'a new edge')
        wait_until(lambda: self.try_status(HOST) == 200, 10, 'the page')

    def test_route_list_names_rule_and_target(self):
        listed = wait_until(lambda: self.routes(), 5, 'a route')
        route = next(r for r in listed['routes'] if r['name'].startswith('hello'))
        self.assertEqual(route['rule'], f'Host(`{HOST}`)')
        self.assertIn('hello-hello-1', must(berth('route', 'list', '--data', self.serve.data)).stdout)

    def test_route_explain_names_winner_and_target(self):
        wait_until(lambda: self.routes(), 5, 'a route')
        explained = must(berth('route', 'explain', f'https://{HOST}/a/../b', '--data', self.serve.data)).stdout
        self.assertRegex(explained, rf'GET /b on websecure from 127.0.0.1\n\d+ hello\S* Host\(`{HOST}`\): matches, to service ')
        self.assertRegex(explained, r'hello\S* decides\n(.*\n)*  targets +hello-hello-1 \d')
        redirected = must(berth('route', 'explain', f'http://{HOST}/', '--data', self.serve.data)).stdout
        self.assertIn('the edge redirects to https', redirected)
        lost = berth('route', 'explain', 'nobody.localhost', '--data', self.serve.data)
        self.assertEqual((lost.returncode, 'answers 404' in lost.stdout), (1, True), lost.stderr)

    def routes(self):
        done = berth('route', 'list', '--data', self.serve.data, '--format', 'json')
        return json.loads(done.stdout) if done.returncode == 0 else None

    def test_second_serve_on_the_same_data_is_refused(self):
        done = berth('serve', '--data', self.serve.data, '--web', '0', '--websecure', '0')
        self.assertEqual(done.returncode, 75)
        self.assertIn(str(self.serve.process.pid), done.stderr)

    def test_taken_port_names_itself_and_ends_serve(self):
        with tempfile.TemporaryDirectory() as data:
            done = berth('serve', '--data', data, '--web', '0', '--websecure', self.serve.websecure, timeout=20)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(str(self.serve.websecure), done.stderr)

    def test_redirect_names_a_port_that_the_kernel_chose(self):
        with tempfile.TemporaryDirectory() as data:
            serve = subprocess.Popen([BERTH, 'serve', '--data', data, '--web', '0', '--websecure', '0'],
                                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                def ports():
                    status = pathlib.Path(data, 'status.json')
                    listeners = json.loads(status.read_text())['listeners'] if status.exists() else {}
                    found = {name: int(addresses[0].rsplit(':', 1)[1]) for name, addresses in listeners.items()}
                    return found if len(found) == 2 else None

                found = wait_until(ports, 20, 'both listeners')
                wanted = f'https://{HOST}:{found["websecure"]}/'
                wait_until(lambda: fetch(f'http://{HOST}:{found["web"]}/').headers['Location'] == wanted, 10,
                           'the redirect to the chosen port')
            finally:
                serve.terminate()
                serve.wait(40)

    def test_keys_are_private(self):
        for found in self.serve.data.rglob('*'):
            if found.is_file() and (found.suffix == '.key' or found.name == 'snapshot'):
                self.assertEqual(found.stat().st_mode & 0o777, 0o600, found)
        self.assertEqual(self.serve.data.stat().st_mode & 0o777, 0o700)

    def test_processes_keep_the_name_berth_and_memory_is_printed(self):
        for pid in tree(self.serve.process.pid):
            with open(f'/proc/{pid}/comm') as name:
                self.assertEqual(name.read().strip(), 'berth')
        done = must(berth('doctor', '--memory', env={'BERTH_DATA': str(self.serve.data)}))
        self.assertRegex(done.stdout, r'\d')


class DoorTest(unittest.TestCase):
    """The way from the edge to core: nobody may stand in it while core is away."""

    def test_the_port_is_kept_while_core_is_away(self):
        engine()
        with Serve() as serve:
            def health():
                try:
                    return serve.fetch('berth.localhost', '/api/v1/health').status == 200
                except OSError:
                    return False

            def port():
                status = json.loads((serve.data / 'status.json').read_text())
                (service,) = [one for one in status['services'] if one['name'] == 'berth@internal']
                return service['upstreams'][0]['port']
            wait_until(health, 30, 'the platform')
            before = port()
            for _ in range(3):
                os.kill(role_pid(serve, 'core'), signal.SIGKILL)
                end = time.monotonic() + 1
                while time.monotonic() < end:
                    with socket.socket() as thief, self.assertRaises(OSError):
                        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                        thief.bind(('127.0.0.1', before))
                wait_until(health, 30, 'the next core')
            must(berth('upgrade', '--data', serve.data, timeout=120))
            wait_until(health, 30, 'the platform of the new program')
            self.assertEqual(port(), before)


class WithoutEngineTest(unittest.TestCase):
    def test_the_platform_answers_and_a_later_engine_is_followed(self):
        engine()
        real = pathlib.Path(os.environ['DOCKER_HOST'].removeprefix('unix://'))
        folder = pathlib.Path(tempfile.mkdtemp(prefix='berth-late-'))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        late = folder / 'docker.sock'
        with Serve('--host', f'unix://{late}') as serve:
            def health():
                try:
                    return serve.fetch('berth.localhost', '/api/v1/health').status == 200
                except OSError:
                    return False
            wait_until(health, 20, 'the platform without an engine')
            late.symlink_to(real)
            hello = hello_folder()
            self.addCleanup(shutil.rmtree, hello, ignore_errors=True)
            self.addCleanup(remove_project, 'hello')
            must(berth('up', '-d', '--wait', cwd=hello, timeout=180))
            wait_until(lambda: serve.fetch(HOST).status == 200, 30, 'the page once the engine is there')
            self.assertTrue(health())


class EngineAwayTest(unittest.TestCase):
    """Whatever is started anew while the engine is away: the page that says so answers, and what was served is."""

    def setUp(self):
        engine()
        real = pathlib.Path(os.environ['DOCKER_HOST'].removeprefix('unix://'))
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='berth-away-'))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.socket = self.folder / 'docker.sock'
        self.socket.symlink_to(real)
        hello = hello_folder()
        self.addCleanup(shutil.rmtree, hello, ignore_errors=True)
        self.addCleanup(remove_project, 'hello')
        must(berth('up', '-d', '--wait', cwd=hello, timeout=180))
        self.real = real
        self.start()
        self.addCleanup(lambda: self.serve.stop())

    def start(self):
        (self.folder / 'data').mkdir(mode=0o700, exist_ok=True)
        self.serve = Serve('--host', f'unix://{self.socket}', data=self.folder / 'data',
                           ports=(self.serve.web, self.serve.websecure) if hasattr(self, 'serve') else None)

    def status(self, host, path='/'):
        try:
            return self.serve.fetch(host, path, timeout=5).status
        except OSError:
            return None

    def both(self, when):
        wait_until(lambda: self.status('berth.localhost', '/api/v1/health') == 200, 40, f'the platform after {when}')
        self.assertEqual(self.status(HOST), 200, when)

    def kill(self, *roles):
        before = {role: wait_until(lambda role=role: role_pid(self.serve, role), 20, role) for role in roles}
        for pid in before.values():
            os.kill(pid, signal.SIGKILL)
        for role, pid in before.items():
            wait_until(lambda role=role, pid=pid: role_pid(self.serve, role) not in (None, pid), 20, f'a new {role}')

    def test_every_order(self):
        wait_until(lambda: self.status(HOST) == 200, 30, 'the page')
        self.both('the start')
        self.socket.unlink()
        for roles in ('core',), ('edge',), ('core', 'edge'):
            self.kill(*roles)
            self.both(f'a kill of {roles}')
        self.serve.stop()
        self.start()
        self.both('a start of all')
        must(berth('upgrade', '--data', self.serve.data, timeout=120))
        self.both('an upgrade')
        self.kill('core')
        self.both('a kill after the upgrade')
        self.socket.symlink_to(self.real)
        remove_project('hello')
        wait_until(lambda: self.status(HOST) != 200, 60, 'the engine to be followed again')
        self.assertEqual(self.status('berth.localhost', '/api/v1/health'), 200)


class MemoryTest(unittest.TestCase):
    """The aim of 40 MiB with 20 containers is a figure of `make bench`; here only that nothing is far off."""

    def test_twenty_containers(self):
        engine()
        hello = hello_folder()  # for the image: this suite may be the first to run
        self.addCleanup(shutil.rmtree, hello, ignore_errors=True)
        must(berth('build', cwd=hello, timeout=180))
        folder = project(self, 'many', '''
services:
  web:
    image: hello-hello
    scale: 20
    labels:
      traefik.enable: "true"
      traefik.http.routers.many.rule: Host(`many.localhost`)
      traefik.http.routers.many.tls: "true"
      traefik.http.services.many.loadbalancer.server.port: "8080"
''')
        with Serve() as serve:
            must(berth('up', '-d', '--wait', cwd=folder, timeout=180))
            self.assertEqual(len(containers('many')), 20)
            wait_until(lambda: serve.fetch('many.localhost').status == 200, 10, 'the page')
            total = 0
            for pid in tree(serve.process.pid):
                with open(f'/proc/{pid}/smaps_rollup') as rollup:
                    total += sum(int(line.split()[1]) for line in rollup if line.startswith('Pss:'))
            print(f'Pss of serve with 20 containers: {total} KiB')
            self.assertLess(total, 80 * 1024)


if __name__ == '__main__':
    unittest.main()
