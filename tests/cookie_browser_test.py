"""Cookies planted, read and fixed, requests forged and pages framed by a stranger's pages, in Chromium (cookies.mjs)."""
import os
import subprocess
import unittest

from browser_test import results_of, with_tests_of
from identity import HOST, PASSWORD, Browser, command, started
from support import ROOT, engine

TIME_LIMIT = 420


@with_tests_of('cookies.mjs')
class CookiesInTheBrowser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        engine()
        subprocess.run([ROOT / 'tools/ui'], check=True, timeout=120)
        serve = started(cls)
        command(serve, 'user', 'create', 'eve', '--password-stdin', stdin=PASSWORD + '\n')
        eve = Browser(serve)
        if eve.sign_in('eve', PASSWORD).status != 200:
            raise AssertionError('eve cannot sign in')
        cls.results, cls.errors = results_of('cookies.mjs', {
            **os.environ, 'BASE': f'https://{HOST}:{serve.websecure}', 'PASSWORD': PASSWORD, 'EVE': eve.jar['__Host-berth']})
        cls.errors += serve.log.read_text(errors='replace')[-2000:]
        failed = sum(1 for error in cls.results.values() if error)  # one of them is the control
        print(f'cookies: {len(cls.results) - 1} scenarios, {failed} succeed', flush=True)


if __name__ == '__main__':
    unittest.main()
