"""A fake engine on a socket, a core before it, and clients that follow a log; nothing but counts comes of it.

`python3 log_load.py FOLLOWERS COUNT RATE SOCKET [--slow N]` is the clients' own process.
"""
import json
import os
import pathlib
import re
import selectors
import socket
import subprocess
import sys
import tempfile
import time

from api_client import Api
from support import Serve, wait_until

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINE = re.compile(rb'"text":"line (\d{9}) ')
GAP = re.compile(rb'event: gap\ndata: \{"lost":(\d+)\}\n')
WHOLE = b'\n\n'


class FakeEngine:
    """testing_fake_engine of a build folder."""

    def __init__(self, build):
        self.folder = tempfile.TemporaryDirectory(prefix='berth-fake-')
        self.socket = f'{self.folder.name}/docker.sock'
        self.process = subprocess.Popen([build / 'testing_fake_engine', self.socket], stdin=subprocess.DEVNULL)
        wait_until(lambda: os.path.exists(self.socket), 20, 'the fake engine')
        self.host = f'unix://{self.socket}'

    def order(self, path):
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(self.socket)
            line.sendall(f'GET /fake/{path} HTTP/1.0\r\n\r\n'.encode())
            line.settimeout(60)
            if b' 200 ' not in line.recv(4096).split(b'\n')[0]:
                raise AssertionError(f'the fake engine does not take {path}')

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Follower:
    """One client. `slow` reads a little, seldom."""

    def __init__(self, path, slow, checks):
        self.line = socket.socket(socket.AF_UNIX)
        self.line.connect(path)
        self.line.sendall(b'GET /api/v1/containers/load-1/logs?follow=1&tail=0 HTTP/1.0\r\nHost: berth\r\n\r\n')
        self.line.setblocking(False)
        self.slow, self.checks = slow, checks
        self.begun, self.rest, self.received, self.lost, self.next, self.wrong = False, b'', 0, 0, 1, 0

    def step(self):
        """Takes what is there; False at the end."""
        try:
            piece = self.line.recv(4096 if self.slow else 262144)
        except BlockingIOError:
            return True
        if not piece:
            return False
        data = self.rest + piece
        if not self.begun:
            head, found, data = data.partition(b'\r\n\r\n')
            if not found:
                self.rest = head
                return True
            if b' 200 ' not in head.split(b'\n')[0]:
                raise AssertionError(head)
            self.begun = True
        end = data.rfind(WHOLE)
        self.rest = data[end + 2:] if end >= 0 else data
        self.take(data[:end + 2] if end >= 0 else b'')
        return True

    def take(self, data):
        if not self.checks:
            self.received += data.count(b'"text":"line ')
            self.lost += sum(int(count) for count in GAP.findall(data)) if b'event: gap' in data else 0
            return
        for event in data.split(WHOLE):
            if gap := GAP.match(event + b'\n'):
                self.lost += int(gap[1])
                self.next += int(gap[1])
            elif line := LINE.search(event):
                self.wrong += int(line[1]) != self.next
                self.received, self.next = self.received + 1, int(line[1]) + 1


def follow(followers, count, seconds, path, slow):
    """Follows until each has got or was told of `count` lines: what they came to."""
    clients = [Follower(path, i < slow, followers <= 60 or i < slow) for i in range(followers)]
    late = time.monotonic() + 60
    while not all(client.begun for client in clients):  # then core follows the log for them
        if time.monotonic() > late:
            raise AssertionError('core does not take all followers')
        for client in clients:
            client.step()
        time.sleep(0.05)
    selector = selectors.DefaultSelector()
    for client in clients[slow:]:
        selector.register(client.line, selectors.EVENT_READ, client)
    print('ready', flush=True)
    end, left, pause = time.monotonic() + seconds, set(clients), time.monotonic()
    while left and time.monotonic() < end:
        for key, _ in selector.select(0.05):
            key.data.step()
        if time.monotonic() - pause > 0.2:  # the slow ones have their turn
            pause = time.monotonic()
            for client in clients[:slow]:
                client.step()
        behind = {client for client in left if client.received + client.lost < count}
        if behind and all(client.slow for client in behind):
            for client in behind:  # nothing is written any more: they catch up
                client.slow = False
                selector.register(client.line, selectors.EVENT_READ, client)
        left = behind
    return {'followers': followers, 'sent': count, 'received': [client.received for client in clients],
            'lost': [client.lost for client in clients], 'wrong': sum(client.wrong for client in clients)}


class Load:
    """A core whose engine is fake, with as many containers."""

    def __init__(self, build, count, **serve):
        self.engine = FakeEngine(build)
        self.engine.order(f'containers?count={count}')
        try:
            self.serve = Serve('--host', self.engine.host, **serve)
        except AssertionError:
            self.engine.stop()
            raise
        self.api = Api(self.serve.data).ready()
        try:
            wait_until(lambda: self.listed() == count, 120, 'the containers')
        except AssertionError:
            self.stop()
            raise

    def stop(self):
        self.serve.stop()
        self.engine.stop()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def listed(self):
        response = self.api.call('GET', '/containers?limit=1000')
        return len(response.json()['items']) if response.status == 200 else 0

    def process(self, role):
        """The pid of core or broker."""
        found = subprocess.run(['pgrep', '-P', str(self.serve.process.pid), '-f', f'^[^ ]+ {role} '], capture_output=True,
                               text=True, check=True)
        return int(found.stdout.split()[0])

    def cpu(self, role):
        """Milliseconds of CPU so far."""
        folder = pathlib.Path(f'/proc/{self.process(role)}/task')
        return sum(int((task / 'schedstat').read_text().split()[0]) for task in folder.iterdir()) / 1e6

    def resident(self, role, kind='VmRSS'):
        """MiB; VmHWM is the most so far."""
        status = pathlib.Path(f'/proc/{self.process(role)}/status').read_text()
        return int(re.search(rf'{kind}:\s+(\d+)', status)[1]) / 1024

    def follow(self, followers, count, rate, slow=0, seconds=120):
        """What the followers of a log came to, of which so many lines are written a second."""
        command = [sys.executable, '-B', __file__, followers, count, seconds, self.api.path, slow]
        with subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True) as clients:
            try:
                if clients.stdout.readline().strip() != 'ready':
                    raise AssertionError('the followers do not begin')
                self.engine.order(f'write?container=load-1&count={count}&rate={rate}')
                return json.loads(clients.stdout.readline())
            finally:
                clients.kill()


if __name__ == '__main__':
    numbers = [int(word) for word in sys.argv[1:4]]
    print(json.dumps(follow(*numbers, sys.argv[4], int(sys.argv[5]))), flush=True)
