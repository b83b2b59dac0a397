"""The Debian package: what is in it, that its parts are well formed, that the same inputs give the same bytes."""
import hashlib
import os
import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
UNITS = sorted((ROOT / 'packaging/systemd').glob('*.service'))


def run(*command, status=0, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, cwd=ROOT, stdin=subprocess.DEVNULL, **options)
    if done.returncode != status:
        raise AssertionError(f'{" ".join(map(str, command))}: status {done.returncode}\n{done.stdout}{done.stderr}')
    return done


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        made = run('tools/deb').stdout
        cls.deb = ROOT / re.search(r'build/berth_\S+\.deb', made).group()
        cls.files = [line.split(maxsplit=5)[5] for line in run('dpkg-deb', '-c', cls.deb).stdout.splitlines()]

    def field(self, name):
        return run('dpkg-deb', '-f', self.deb, name).stdout.strip()

    def test_it_holds_what_it_should(self):
        for path in ('./usr/bin/berth', './lib/systemd/system/berth.service', './etc/apparmor.d/usr.bin.berth',
                     './usr/share/man/man1/berth.1.gz', './usr/share/bash-completion/completions/berth',
                     './usr/share/doc/berth/copyright'):
            self.assertIn(path, self.files)
        listed = run('dpkg-deb', '-c', self.deb).stdout
        owners = {line.split()[1] for line in listed.splitlines()}
        self.assertEqual(owners, {'root/root'})
        self.assertEqual(self.field('Package'), 'berth')
        for needed in ('libc6', 'libssl3', 'libsqlite3-0', 'adduser', 'git', 'openssh-client', 'ca-certificates'):
            self.assertRegex(self.field('Depends'), rf'(^|, ){re.escape(needed)}( |,|$)')
        conffiles = run('dpkg-deb', '--ctrl-tarfile', self.deb, encoding='latin-1').stdout
        self.assertIn('/etc/apparmor.d/usr.bin.berth', conffiles)

    def test_the_program_in_it_runs(self):
        program = ROOT / 'build/deb/root/usr/bin/berth'
        self.assertEqual(run(program, 'version', '--short').stdout.strip(), self.field('Version'))

    def test_its_scripts_are_right_shell(self):
        for script in (ROOT / 'packaging/deb').glob('p*'):
            run('sh', '-n', script)
            self.assertTrue(os.access(script, os.X_OK), script)

    def test_the_accounts_of_units_are_made(self):
        made = (ROOT / 'packaging/deb/postinst').read_text()
        for unit in UNITS:
            for account in re.findall(r'^(?:User|Group)=(\S+)', unit.read_text(), re.M):
                self.assertIn(f' {account} ', f' {made} '.replace(';', ' '))

    def exposure(self, unit):
        told = run('systemd-analyze', 'security', '--offline=true', '--no-pager', unit).stdout
        return float(re.search(r'Overall exposure level for \S+: ([\d.]+)', told).group(1))

    def test_units_give_little_away(self):
        # Of systemd's scale: 9.6 is a unit without any wish. The supervisor has to change accounts.
        for unit in UNITS:
            most = 3.2 if unit.name == 'berth.service' else 2.0
            self.assertLessEqual(self.exposure(unit), most, unit.name)

    def test_units_run_commands_that_berth_knows(self):
        for unit in UNITS:
            words = re.search(r'^ExecStart=/usr/bin/berth (.*)$', unit.read_text(), re.M).group(1).split()
            shown = run(ROOT / 'build/release/berth', words[0], '--help').stdout
            for flag in (word for word in words[1:] if word.startswith('--')):
                self.assertIn(flag, shown, unit.name)

    def test_the_apparmor_profile_is_well_formed(self):
        # Without a kernel that enforces it: nothing is loaded.
        run('apparmor_parser', '--skip-kernel-load', '--skip-cache', 'packaging/apparmor/berth')

    def test_again_gives_the_same_bytes(self):
        first = hashlib.sha256(self.deb.read_bytes()).hexdigest()
        run('tools/deb')
        self.assertEqual(hashlib.sha256(self.deb.read_bytes()).hexdigest(), first)


if __name__ == '__main__':
    unittest.main(verbosity=2)
