"""tools/check_rooms finds each planted fault at its file and line, and finds nothing in the real tree."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROOMS = '''# a comment
base:
io: base
engine: base io
compose: base io engine
testing: base
tests: testing
pure: base compose/load
'''


class CheckRooms(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.plant('ROOMS', ROOMS)
        self.plant('src/base/error.h', '#pragma once\n#include <string>\n')

    def plant(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def check(self, root=None):
        done = subprocess.run([sys.executable, ROOT / 'tools/check_rooms', root or self.root], capture_output=True,
                              text=True, timeout=60)
        self.assertEqual(done.stderr, '')
        self.assertEqual(done.returncode, 1 if done.stdout else 0)
        return done.stdout.splitlines()

    def test_clean_tree_is_silent(self):
        self.plant('src/compose/load.cc', '#include "compose/load.h"\n\n#include <openssl/evp.h>\n')
        self.plant('src/compose/load.h', '#include "base/error.h"\n')
        self.assertEqual(self.check(), [])

    def test_real_tree_is_clean(self):
        self.assertEqual(self.check(ROOT), [])

    def test_upward_include(self):
        self.plant('src/engine/client.cc', '#include "base/error.h"\n\n#include "compose/load.h"\n')
        self.assertEqual(self.check(), ['src/engine/client.cc:3: engine may not include compose'])

    def test_cycle_in_the_map(self):
        self.plant('ROOMS', 'base:\nio: base engine\nengine: io\n')
        self.assertEqual(self.check(), ['ROOMS:3: cycle engine -> io -> engine'])

    def test_cycle_of_headers(self):
        self.plant('src/io/a.h', '#include "io/b.h"\n')
        self.plant('src/io/b.h', '#include "io/a.h"\n')
        self.assertEqual(self.check(), ['src/io/a.h:1: include cycle io/a.h -> io/b.h -> io/a.h'])

    def test_unknown_rooms(self):
        self.plant('ROOMS', 'base:\nio: base attic\n')
        self.plant('src/cellar/wine.h', '')
        self.assertEqual(self.check(),
                         ['ROOMS:2: io names unknown room attic', 'src/cellar/wine.h:1: room cellar is not in ROOMS'])

    def test_testing_only_from_tests(self):
        for name in ('load_test.cc', 'load_fuzz.cc', 'load_bench.cc', 'more.cc'):
            self.plant(f'src/compose/{name}', '#include "testing/fake_engine.h"\n')
        self.assertEqual(self.check(), ['src/compose/more.cc:1: only tests may include testing'])

    def test_effects_in_a_pure_file(self):
        effects = ['#include <thread>', '#include <sys/socket.h>', '#include <openssl/ssl.h>', '#include "io/loop.h"',
                   'auto now = std::chrono::steady_clock::now();', 'std::this_thread::sleep_for(1s);',
                   'const char* home = getenv("HOME");', 'std::random_device seed;']
        self.plant('src/compose/load.cc', '\n'.join(effects))
        self.plant('src/compose/run.cc', '\n'.join(effects))  # not pure: allowed
        found = self.check()
        self.assertEqual([line.split(': ')[0] for line in found],
                         [f'src/compose/load.cc:{n}' for n in range(1, len(effects) + 1)])
        self.assertIn('src/compose/load.cc:1: effect in a pure file: <thread>', found)

    def test_effect_in_a_pure_room_but_not_in_its_tests(self):
        self.plant('src/base/text.cc', '#include <string>\n#include <fstream>\n')
        self.plant('src/base/text_test.cc', '#include <fstream>\n')
        self.assertEqual(self.check(), ['src/base/text.cc:2: effect in a pure file: <fstream>'])

    def test_too_long(self):
        self.plant('src/io/long.cc', 'int x;\n' * 601)
        self.plant('src/io/long.h', 'int x;\n' * 251)
        self.plant('src/io/fits.cc', 'int x;\n' * 600)
        self.plant('src/io/fits.h', 'int x;\n' * 250)
        self.assertEqual(self.check(), ['src/io/long.cc:601: 601 lines, at most 600',
                                        'src/io/long.h:251: 251 lines, at most 250'])

    def test_includes_are_written_from_src(self):
        self.plant('src/io/a.cc', '#include "../base/error.h"\n#include "loop.h"\n')
        self.assertEqual(self.check(), ['src/io/a.cc:1: write the include from src/, not "../base/error.h"',
                                        'src/io/a.cc:2: write the include from src/, not "loop.h"'])

    def test_too_many_own_includes(self):
        self.plant('src/compose/big.cc', ''.join(f'#include "io/f{n}.h"\n' for n in range(11)))
        self.assertEqual(self.check(), ['src/compose/big.cc:11: 11 includes of our own, at most 10'])

    def test_forbidden_code(self):
        self.plant('src/io/bad.cc', 'FILE* f = popen("ls", "r");\nint r = system("ls");\nstd::regex pattern;\n'
                   'throw std::runtime_error("no");\nclass LoopManager {};\n// TODO later\n')
        self.assertEqual([line.split(': ')[0] for line in self.check()], [f'src/io/bad.cc:{n}' for n in range(1, 7)])

    def test_words_in_comments_and_strings_are_not_code(self):
        self.plant('src/base/words.cc', '// never throw a system( or popen( call\n'
                   '/* std::regex\n   throw it */\nauto a = "throw x; getenv(\\"HOME\\")";\n'
                   'auto b = R"x(throw "up" system()x";\nint c = 1\'000\'000;\nfile_system (c); d.system();\n')
        self.assertEqual(self.check(), [])

    def test_missing_root(self):
        done = subprocess.run([sys.executable, ROOT / 'tools/check_rooms', self.root / 'nowhere'],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn('nowhere/ROOMS: no such file', done.stderr)


if __name__ == '__main__':
    unittest.main()
