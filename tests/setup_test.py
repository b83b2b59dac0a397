"""tools/setup: again and again, quickly, without changing anything; wrong words are refused."""
import pathlib
import subprocess
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent


def setup(*groups):
    return subprocess.run([ROOT / 'tools/setup', *groups], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          timeout=120)


class Setup(unittest.TestCase):
    def test_twice_is_quick_and_says_what_it_found(self):
        self.assertEqual(setup('build', 'test').returncode, 0)
        start = time.monotonic()
        second = setup('build', 'test')
        self.assertLess(time.monotonic() - start, 2)
        self.assertEqual(second.returncode, 0, second.stderr)
        self.assertEqual(second.stdout.splitlines(), ['setup: build: everything is installed',
                                                      'setup: test: everything is installed'])

    def test_unknown_group(self):
        done = setup('biuld')
        self.assertEqual((done.returncode, done.stderr),
                         (1, 'setup: unknown group "biuld": build, engine, test, package, bench or peers\n'))

    def test_an_engine_that_is_named_but_dead_is_not_replaced(self):
        done = subprocess.run([ROOT / 'tools/setup', 'engine'], capture_output=True, text=True, timeout=120,
                              env={'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'DOCKER_HOST': 'unix:///nowhere/docker.sock'})
        self.assertEqual(done.returncode, 1)
        self.assertIn('DOCKER_HOST=unix:///nowhere/docker.sock does not answer', done.stderr)


if __name__ == '__main__':
    unittest.main()
