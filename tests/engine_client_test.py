"""The engine client's conversations (src/engine/flow_test.cc) against the private engine."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import support

PROGRAM = support.ROOT / 'build/test/engine_test'


class EngineClient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        support.engine()
        support.images('debian')

    def test_conversations_with_a_real_engine(self):
        socket = os.environ['DOCKER_HOST'].removeprefix('unix://')
        with tempfile.TemporaryDirectory() as folder:
            report = pathlib.Path(folder) / 'report.json'
            done = subprocess.run([PROGRAM, '--gtest_filter=*EngineFlow*/real', f'--gtest_output=json:{report}'],
                                  env={**os.environ, 'BERTH_TEST_SOCKET': socket}, capture_output=True, text=True,
                                  timeout=240)
            self.assertEqual(done.returncode, 0, done.stdout[-6000:] + done.stderr[-2000:])
            told = json.loads(report.read_text())
        tests = [test for suite in told['testsuites'] for test in suite['testsuite']]
        self.assertGreater(len(tests), 10)
        self.assertEqual([test['name'] for test in tests if test['result'] != 'COMPLETED'], [])


if __name__ == '__main__':
    unittest.main()
