"""berth against the reference loader of Docker Compose: a sample of public Compose files, and the small grammars.

The data is not part of this repository: BERTH_CONFORMANCE names its folder (default: shared/compose beside the checkout).
Without it the tests are skipped, and say so.
"""
import os
import pathlib
import subprocess
import sys
import unittest

TIME_LIMIT = 180
ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = pathlib.Path(os.environ.get('BERTH_CONFORMANCE') or ROOT.parent.joinpath('shared', 'compose'))
BERTH = ROOT / 'build/release/berth'
SAMPLE = 60         # cases of each of the six corpora
FLOOR = '99'        # percent of every corpus; the whole of them is at 99.86
GRAMMAR_FLOOR = '100'


@unittest.skipUnless((DATA / 'conformance.py').exists(),
                     f'no conformance data in {DATA}: set BERTH_CONFORMANCE to its folder')
class Conformance(unittest.TestCase):
    def run_tool(self, tool, *arguments):
        self.assertTrue(BERTH.exists(), f'{BERTH} is missing: run make build')
        done = subprocess.run([sys.executable, '-B', DATA / tool, *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=TIME_LIMIT - 20)
        print(done.stdout[-4000:])
        self.assertEqual(done.returncode, 0, f'{tool}: below its floor\n{done.stdout[-4000:]}')

    def test_files(self):
        self.run_tool('conformance.py', '--config-cmd', f'{BERTH} config --format json', '--limit', str(SAMPLE),
                      '--min-percent', FLOOR, '--diff')

    def test_grammars(self):
        self.run_tool('vectors.py', '--cmd', f'{BERTH} compose-vectors', '--min-percent', GRAMMAR_FLOOR, '--diff')


if __name__ == '__main__':
    unittest.main()
