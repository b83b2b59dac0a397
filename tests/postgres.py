"""A real PostgreSQL server for the suites: a cluster of its own in a temporary folder, on a unix socket, without rights."""
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile

from support import wait_until

PROGRAMS = max(pathlib.Path('/usr/lib/postgresql').glob('*/bin'), default=pathlib.Path('/usr/lib/postgresql'))


class Postgres:
    """Started when it is made; `stop` ends it and removes its folder."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix='berth-postgres-')
        os.chmod(self.folder, 0o711)  # core may have a user of its own
        self.count = 0
        if os.geteuid() == 0:
            user = pwd.getpwnam('postgres')
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        self.must('initdb', '-D', f'{self.folder}/data', '-U', 'postgres', '-A', 'trust', '--no-sync', '-E', 'UTF8',
                  '--locale=C.UTF-8')
        self.process = subprocess.Popen(
            self.command('postgres', '-D', f'{self.folder}/data', '-k', self.folder, '-c', 'listen_addresses=', '-c',
                         'fsync=off', '-c', 'shared_buffers=16MB', '-c', 'logging_collector=on'),
            cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: self.run('pg_isready', '-h', self.folder).returncode == 0, 60, 'PostgreSQL to answer')

    @staticmethod
    def command(program, *arguments):
        as_user = ['--reuid=postgres', '--regid=postgres', '--clear-groups'] if os.geteuid() == 0 else []
        return ['setpriv', '--pdeathsig', 'QUIT', *as_user, PROGRAMS / program, *arguments]

    def run(self, program, *arguments):
        return subprocess.run(self.command(program, *arguments), cwd=self.folder, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=60)

    def must(self, program, *arguments):
        done = self.run(program, *arguments)
        if done.returncode != 0:
            raise AssertionError(f'{program}: {done.stderr}')
        return done.stdout

    def database(self):
        """The URL of a new, empty database."""
        self.count += 1
        self.must('createdb', '-h', self.folder, '-U', 'postgres', '-T', 'template0', f'test{self.count}')
        return f'postgresql:///test{self.count}?user=postgres&host={self.folder}'

    def ask(self, url, sql):
        """The rows as lists of texts."""
        return [line.split('|') for line in self.must('psql', '-d', url, '-Atqc', sql).splitlines()]

    def stop(self):
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)
