"""The built UI: how much a browser loads first and later, and that its page needs nothing that its policy forbids."""
import gzip
import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILT = ROOT / 'build/web'
FIRST_LOAD = 60 * 1024  # bytes of script, gzip
LAZY_CHUNK = 180 * 1024
IMPORT = re.compile(r'(?:\bfrom|\bimport)\s*"(\./[\w.-]+\.js)"')


def packed(file):
    return len(gzip.compress(file.read_bytes(), 9))


class Ui(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        subprocess.run([ROOT / 'tools/ui'], check=True, timeout=120)
        cls.page = BUILT / 'dist/index.html'
        if not cls.page.exists():
            raise AssertionError('the UI was not built: tools/setup build installs what it needs, tools/ui builds it')
        cls.text = cls.page.read_text()
        cls.scripts = sorted((BUILT / 'dist/assets').glob('*.js'))

    def first_load(self):
        """The scripts that the page names and what these import at once."""
        wanted = [BUILT / f'dist{path}' for path in re.findall(r'(?:src|href)="(/assets/[^"]+\.js)"', self.text)]
        seen = set()
        while wanted:
            script = wanted.pop()
            if script not in seen:
                seen.add(script)
                wanted += [script.parent / name for name in IMPORT.findall(script.read_text())]
        return seen

    def test_first_load_is_small(self):
        sizes = {script.name: packed(script) for script in self.first_load()}
        self.assertTrue(sizes)
        self.assertLessEqual(sum(sizes.values()), FIRST_LOAD, sizes)

    def test_lazy_chunks_are_bounded(self):
        for script in set(self.scripts) - self.first_load():
            self.assertLessEqual(packed(script), LAZY_CHUNK, script.name)

    def test_the_page_has_no_inline_script_or_style_and_no_other_origin(self):
        for tag in re.findall(r'<script\b[^>]*>', self.text):
            self.assertRegex(tag, r'\bsrc="/assets/')
        self.assertNotRegex(self.text, r'<style|\bstyle=|\bon\w+=|https?://')
        for sheet in (BUILT / 'dist/assets').glob('*.css'):
            self.assertNotRegex(sheet.read_text(), r'@import|url\((?!["\']?(data:|/))', sheet.name)

    def test_every_file_is_in_the_table(self):
        table = (BUILT / 'assets.inc').read_text()
        for file in (BUILT / 'dist').rglob('*'):
            if file.is_file():
                self.assertIn(f'"/{file.relative_to(BUILT / "dist")}"', table)
        ends = [int(a) + int(b) for a, b in re.findall(r'\{(\d+), (\d+)\}', table)]
        self.assertEqual(max(ends), (BUILT / 'assets.bin').stat().st_size)


if __name__ == '__main__':
    unittest.main()
