"""An edge alone, with this process in core's and the supervisor's place."""
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import tempfile

from support import BERTH, accepts, free_port, wait_until


def certificate(host):
    """One of a snapshot, self-signed."""
    with tempfile.TemporaryDirectory() as folder:
        key, chain = pathlib.Path(folder, 'key'), pathlib.Path(folder, 'chain')
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days',
                        '2', '-subj', f'/CN={host}', '-addext', f'subjectAltName=DNS:{host}', '-keyout', key, '-out', chain],
                       check=True, capture_output=True, timeout=60)
        return {'hosts': [host], 'chain': chain.read_text(), 'key': key.read_text(), 'not_before': 0,
                'not_after': 4_000_000_000}


def status_of(pid):
    """/proc/PID/status as a dictionary."""
    lines = pathlib.Path(f'/proc/{pid}/status').read_text().splitlines()
    return dict(line.split(':\t', 1) for line in lines if ':\t' in line)


class EdgeProcess:
    """Started with `snapshot` in its data folder, as when core is away; then attached to this process as its core."""

    def __init__(self, snapshot, folder=None, **options):
        """`folder`: the data folder of one that was killed, instead of a new one."""
        self.data = folder or tempfile.mkdtemp(prefix='berth-edge-')
        self.web, self.websecure = free_port(), free_port()
        pathlib.Path(self.data, 'snapshot').write_text(json.dumps(snapshot))
        self.supervisor, theirs = socket.socketpair()
        options = {'web': [f'127.0.0.1:{self.web}'], 'websecure': [f'127.0.0.1:{self.websecure}'], 'data': self.data,
                   'supervisor': theirs.fileno(), 'confined': True, 'users': ['nobody'], **options}
        self.process = subprocess.Popen([BERTH, 'edge', json.dumps(options)], pass_fds=[theirs.fileno()],
                                        stdin=subprocess.DEVNULL, start_new_session=True,
                                        env={**os.environ, 'ASAN_OPTIONS': 'detect_leaks=0:quarantine_size_mb=4'})
        theirs.close()
        wait_until(lambda: accepts(self.web), 20, 'the edge to listen')
        self.channel, theirs = socket.socketpair()
        socket.send_fds(self.supervisor, [b'c'], [theirs.fileno()])
        theirs.close()
        self.channel.settimeout(20)
        self.version, self.number, self.leaving, self.ended = snapshot['version'], 0, set(), False

    def _read(self, count):
        data = b''
        while len(data) < count:
            part = self.channel.recv(count - len(data))
            if not part:
                raise AssertionError('the edge closed its channel')
            data += part
        return data

    def _send(self, value):
        payload = json.dumps(value, separators=(',', ':')).encode()
        self.channel.sendall(struct.pack('>I', len(payload)) + payload)

    def event(self):
        """The next event; those about upstreams that leave are remembered."""
        event = json.loads(self._read(struct.unpack('>I', self._read(4))[0]))
        if event['event'] == 'leaving':
            self.leaving.add(event['subject'])
        if event['event'] == 'left':
            self.leaving.discard(event['subject'])
        return event

    def use(self, snapshot):
        """Has the edge use `snapshot(version)`, with a version that was not yet."""
        self.version += 1
        self._send(snapshot(self.version))
        while True:
            event = self.event()
            if event['event'] == 'refused':
                raise AssertionError(f'refused: {event}')
            if event['event'] == 'accepted' and event['version'] == self.version:
                return event

    def wait_left(self, key):
        """Until the upstream with that key is asked nothing any more."""
        while key in self.leaving:
            self.event()

    def command(self, **more):
        """A command as core sends it; the answer."""
        self.number += 1
        self._send({'command': 'cache', 'id': self.number, **more})
        while True:
            event = self.event()
            if event['event'] == 'answered' and event.get('version') == self.number:
                return json.loads(event['detail'])

    def kill(self):
        """Its data folder stays."""
        self.process.kill()
        self.process.wait()
        self.supervisor.close()
        self.channel.close()

    def stop(self):
        self.kill()
        shutil.rmtree(self.data, ignore_errors=True)
