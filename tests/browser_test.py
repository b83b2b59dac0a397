"""The UI in Chromium. The tests are those of web/e2e/*.mjs: each of them is run once and is one test here.

pages.mjs, logs.mjs and deeds.mjs run on the mock of the API (web/mock), which the UI is developed with; real.mjs is one
story on `berth serve` with a private engine, from the setup link to the removal of a project.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import unittest

from api_client import Api
from serve_test import hello_folder
from still_network import still_network
from support import Serve, berth, engine, images, must, remove_project

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / 'web/e2e'
TIME_LIMIT = 900


def names_in(file):
    """The names of the tests of a file, as it registers them."""
    return re.findall(r"^test\('((?:[^'\\]|\\.)+)'", (FOLDER / file).read_text(), re.M)


def results_of(file, env=None, timeout=420):
    """name -> error or None, of every test of the file. What did not run is not in it."""
    try:
        with still_network(env or {}) as inside:
            done = subprocess.run([*inside, 'node', FOLDER / file], capture_output=True, text=True, timeout=timeout, env=env)
        output, errors = done.stdout, done.stderr
    except subprocess.TimeoutExpired as late:
        output, errors = ((late.stdout or b'').decode(), f'{file} did not end within {timeout} s')
    results = {}
    for line in output.splitlines():
        if line.startswith('{"name"'):
            result = json.loads(line)
            results[result['name']] = result['error']
    return results, errors[-3000:]


def with_tests_of(file):
    """Gives a test case a method for each test of the file; its setUpClass sets `results` and `errors`."""
    def decorate(case):
        for number, name in enumerate(names_in(file), 1):
            def check(self, name=name):
                if name not in self.results:
                    self.fail(f'it did not run: {self.errors}')
                if self.results[name]:
                    self.fail(self.results[name])
            check.__doc__ = name
            setattr(case, f'test_{number:02}_' + re.sub(r'\W+', '_', name), check)
        return case
    return decorate


@with_tests_of('pages.mjs')
class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        subprocess.run([ROOT / 'tools/ui'], check=True, timeout=120)
        cls.results, cls.errors = results_of('pages.mjs')


@with_tests_of('logs.mjs')
class Logs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        subprocess.run([ROOT / 'tools/ui'], check=True, timeout=120)
        cls.results, cls.errors = results_of('logs.mjs')


@with_tests_of('deeds.mjs')
class Deeds(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        subprocess.run([ROOT / 'tools/ui'], check=True, timeout=120)
        cls.results, cls.errors = results_of('deeds.mjs')


@with_tests_of('real.mjs')
class Real(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        engine()
        images('busybox')
        cls.drop_shell()
        cls.addClassCleanup(cls.drop_shell)
        subprocess.run([ROOT / 'tools/ui'], check=True, timeout=120)
        folder = hello_folder()
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        must(berth('build', cwd=folder, timeout=180))
        remove_project('page')
        cls.addClassCleanup(remove_project, 'page')
        serve = Serve()
        cls.addClassCleanup(serve.stop)
        token = Api(serve.data).ready().ask('POST', '/setup/token')['token']
        cls.results, cls.errors = results_of('real.mjs', {
            **os.environ, 'BASE': f'https://berth.localhost:{serve.websecure}', 'TOKEN': token, 'IMAGE': 'hello-hello',
            'SHELL_IMAGE': 'berth.local/busybox'})
        cls.errors += serve.log.read_text(errors='replace')[-2000:]

    @staticmethod
    def drop_shell():
        """What the story makes beside its project."""
        for one in engine().json('GET', '/containers/json?all=1'):
            if '/browser-shell' in one['Names']:
                engine().call('DELETE', f'/containers/{one["Id"]}?force=1').read()
        if any(one['Name'] == 'page_then' for one in engine().json('GET', '/volumes')['Volumes'] or []):
            engine().call('DELETE', '/volumes/page_then').read()


if __name__ == '__main__':
    unittest.main()
