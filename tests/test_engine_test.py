"""tools/test-engine: its own engine, marked, twice safe, gone without a trace, also after a kill; and no other."""
import http.server
import json
import os
import pathlib
import signal
import socketserver
import subprocess
import tempfile
import threading
import unittest

from support import Engine, ROOT, refuse_other_engines, skip, wait_until

# An engine beside the one that the other suites use, since this suite kills it.
ENVIRONMENT = {**os.environ, 'BERTH_TEST_ENGINE': 'throwaway'}


def tool(*arguments):
    return subprocess.run([ROOT / 'tools/test-engine', *arguments], capture_output=True, text=True, timeout=120,
                          stdin=subprocess.DEVNULL, env=ENVIRONMENT)


def variables():
    return dict(line.split('=', 1) for line in tool('env').stdout.splitlines())


class PrivateEngine(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if os.geteuid() != 0:
            skip('needs root: a private engine in namespaces of its own')

    def setUp(self):
        self.addCleanup(tool, 'stop')
        done = tool('start')
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.variables = variables()
        self.name = self.variables['BERTH_TEST_NETNS']
        self.engine = Engine(self.variables['DOCKER_HOST'])

    def assert_no_trace(self):
        self.assertFalse(pathlib.Path('/run', self.name).exists())
        self.assertFalse(pathlib.Path('/run/netns', self.name).exists())
        for table in ('filter', 'nat'):
            rules = subprocess.run(['iptables', '-t', table, '-S'], capture_output=True, text=True, check=True).stdout
            self.assertNotIn(self.name, rules)
        links = subprocess.run(['ip', '-o', 'link'], capture_output=True, text=True, check=True).stdout
        self.assertNotIn(self.name.replace('berth-test-', 'bt'), links)
        self.assertFalse(pathlib.Path('/proc', self.variables['BERTH_TEST_ENGINE_PID']).exists())

    def test_carries_the_mark_and_a_name_of_its_own(self):
        information = self.engine.get('/info')
        self.assertIn('berth.test-engine=1', information['Labels'])
        self.assertEqual(information['Name'], self.name)
        self.assertTrue(self.engine.is_for_tests())
        refuse_other_engines(self.engine)

    def test_start_again_uses_the_one_that_runs(self):
        again = tool('start')
        self.assertEqual((again.returncode, again.stdout), (0, f'test-engine: {self.name} runs\n'))
        self.assertEqual(variables(), self.variables)

    def test_commands_run_in_its_network(self):
        inside = tool('exec', 'ip', '-o', '-4', 'addr', 'show', 'docker0')
        self.assertEqual(inside.returncode, 0, inside.stderr)
        self.assertIn('docker0', inside.stdout)
        self.assertEqual(tool('exec', 'sh', '-c', 'exit 7').returncode, 7)

    def test_stop_leaves_no_trace_and_can_be_said_twice(self):
        self.assertEqual(tool('stop').returncode, 0)
        self.assert_no_trace()
        self.assertEqual(tool('stop').stdout, f'test-engine: {self.name} does not run\n')
        self.assertEqual(tool('status').returncode, 1)
        self.assertEqual(tool('exec', 'true').returncode, 1)

    def test_stop_after_a_kill_leaves_no_trace(self):
        os.kill(int(self.variables['BERTH_TEST_ENGINE_PID']), signal.SIGKILL)
        self.assertEqual(tool('stop').returncode, 0)
        self.assert_no_trace()

    def test_start_after_a_kill_keeps_what_it_held(self):
        self.engine.json('POST', '/volumes/create', {'Name': 'kept'})
        os.kill(int(self.variables['BERTH_TEST_ENGINE_PID']), signal.SIGKILL)
        wait_until(lambda: tool('status').returncode == 1, 10, 'the engine to be gone')
        self.assertEqual(tool('start').returncode, 0)
        self.assertIsNotNone(self.engine.get('/volumes/kept'))
        self.engine.call('DELETE', '/volumes/kept').read()


class OtherEngine(unittest.TestCase):
    """Something that answers like an engine, without the mark."""

    def test_is_refused(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = json.dumps({'Labels': ['somebody=else'], 'Name': 'theirs'}).encode()
                self.send_response(200)
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def address_string(self):
                return 'local'

            def log_message(self, *_):
                pass

        with tempfile.TemporaryDirectory() as folder:
            path = f'{folder}/docker.sock'
            with socketserver.UnixStreamServer(path, Handler) as server:
                thread = threading.Thread(target=server.serve_forever)
                thread.start()
                try:
                    with self.assertRaisesRegex(AssertionError, 'is not the engine of tools/test-engine'):
                        refuse_other_engines(Engine(f'unix://{path}'))
                finally:
                    server.shutdown()
                    thread.join()


if __name__ == '__main__':
    unittest.main()
