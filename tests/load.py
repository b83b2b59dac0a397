"""Steady load on an edge from keep-alive and new connections, in plain text and TLS, with WebSockets that stay open.

Each reply is checked: it must come from a target, and carry a version of its route, that was in use at some moment
between the request and its reply. Whatever else happens to a request is a failure, told in `failures`.
"""
import asyncio
import pathlib
import ssl
import subprocess
import sys
import threading
import time


class Origins:
    """Services in a process of their own (load_origin.py)."""

    def __init__(self):
        program = pathlib.Path(__file__).with_name('load_origin.py')
        self.process = subprocess.Popen([sys.executable, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def _ask(self, line):
        self.process.stdin.write(line + '\n')
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def open(self):
        return self._ask('open')

    def close(self, port):
        """How many requests and WebSockets it cut."""
        return self._ask(f'close {port}')

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Value:
    """Something of a route that changes: the values that it had, the newest last, and how many of them are settled."""

    def __init__(self, first):
        self.all, self.settled = [first], 0

    def now(self):
        return self.all[-1]

    def change(self, value):
        """From here on replies may show it; after settle() requests that begin must."""
        self.all.append(value)

    def settle(self):
        self.settled = len(self.all) - 1


class Site:
    """A host of the edge under load."""

    def __init__(self, number, target):
        self.name, self.host = f'r{number}', f'r{number}.test'
        self.target, self.version = Value(target), Value(0)


class Client(asyncio.Protocol):
    """One connection: a request after the other, or a single one when it is `fresh`."""

    def __init__(self, load, number, fresh, path='/'):
        self.load, self.number, self.fresh, self.path = load, number, fresh, path
        self.buffer, self.asked, self.count = b'', None, 0

    def connection_made(self, transport):
        self.transport = transport
        self.ask()

    def ask(self):
        self.count += 1
        load = self.load
        self.site = load.sites[(self.number * 7 + self.count) % len(load.sites)]
        self.sent = f'{self.path}{self.number}/{self.count}'
        self.asked = (self.site.target.settled, self.site.version.settled)
        close = 'Connection: close\r\n' if self.fresh else ''
        self.transport.write(f'GET {self.sent} HTTP/1.1\r\nHost: {self.site.host}\r\n{close}\r\n'.encode())

    def data_received(self, data):
        self.buffer += data
        end = self.buffer.find(b'\r\n\r\n')
        if end < 0:
            return
        lines = self.buffer[:end].decode('latin-1').split('\r\n')
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(':') for line in lines[1:])}
        size = int(fields.get('content-length', -1))
        body = self.buffer[end + 4:]
        if size < 0 or len(body) > size:
            self.fail(f'a reply without a length or longer than that: {self.buffer!r}')
        elif len(body) == size:
            self.buffer = b''
            self.reply(lines[0], fields, body.decode())

    def reply(self, status, fields, body):
        target, version = self.asked
        self.asked = None
        targets = {f'{each} {self.sent}' for each in self.site.target.all[target:]}
        versions = {str(each) for each in self.site.version.all[version:]}
        if status != 'HTTP/1.1 200 OK' or body not in targets or fields.get('x-version') not in versions:
            self.fail(f'{self.site.host}{self.sent}: {status}, {body[:80]!r}, version {fields.get("x-version")}; expected '
                      f'one of {sorted(targets)[-3:]}, versions {sorted(versions)[-3:]}')
            return
        self.load.done += 1
        if self.fresh or self.load.ending or fields.get('connection') == 'close':
            self.transport.close()
        else:
            self.ask()

    def fail(self, why):
        self.asked = None
        self.load.failures.append(why)
        self.transport.abort()

    def connection_lost(self, error):
        if self.asked:
            self.fail(f'{self.site.host}{self.sent}: the connection ended ({error}) after {len(self.buffer)} bytes')
        if not self.load.ending:
            self.load.start(self.number, self.fresh, self.path)


class Load:
    """Runs in a thread from begin() to end(); `port` and `tls_port` are the edge's."""

    def __init__(self, port, tls_port, sites, keep_alive=16, fresh=4, slow=4, websockets=20):
        self.port, self.tls_port, self.sites = port, tls_port, sites
        self.shape = (keep_alive, fresh, slow, websockets)
        self.done, self.echoes, self.failures, self.ending = 0, 0, [], False
        self.closed_streams, self.tasks = [], set()
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE

    def start(self, number, fresh, path):
        task = asyncio.get_running_loop().create_task(self.connect(number, fresh, path))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def connect(self, number, fresh, path):
        secure = number % 4 == 0  # TLS for one in four
        try:
            await asyncio.get_running_loop().create_connection(
                lambda: Client(self, number, fresh, path), '127.0.0.1', self.tls_port if secure else self.port,
                ssl=self.tls if secure else None, server_hostname='r0.test' if secure else None)
        except OSError as error:
            self.failures.append(f'connecting: {error!r}')
            await asyncio.sleep(0.05)
            if not self.ending:
                self.start(number, fresh, path)

    async def stream(self, number, site):
        """A WebSocket of a route that never changes."""
        reader, writer = await asyncio.open_connection('127.0.0.1', self.port)
        writer.write(f'GET /ws HTTP/1.1\r\nHost: {site.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
                     'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'.encode())
        head = await reader.readuntil(b'\r\n\r\n')
        if not head.startswith(b'HTTP/1.1 101 '):
            self.closed_streams.append(f'no WebSocket: {head!r}')
            return
        try:
            while not self.ending:
                sent = f'{number} {self.echoes}\n'.encode()
                writer.write(sent)
                if await asyncio.wait_for(reader.readexactly(len(sent)), 20) != sent:
                    self.closed_streams.append('a wrong echo')
                    break
                self.echoes += 1
                await asyncio.sleep(0.2)
        except (OSError, EOFError, asyncio.TimeoutError) as error:
            self.closed_streams.append(f'WebSocket {number}: {error!r}')
        writer.close()

    async def run(self, still):
        keep_alive, fresh, slow, websockets = self.shape
        streams = [asyncio.create_task(self.stream(number, still)) for number in range(websockets)]
        for number in range(keep_alive + fresh + slow):
            self.start(number, keep_alive <= number < keep_alive + fresh, '/slow/' if number >= keep_alive + fresh else '/')
        await asyncio.gather(*streams, return_exceptions=False)
        while not self.ending:
            await asyncio.sleep(0.1)
        while self.tasks:
            await asyncio.wait(set(self.tasks))
        await asyncio.sleep(1)  # for the replies to what was asked last

    def begin(self, still):
        """`still` is the site of the WebSockets, one that is not in `sites`."""
        self.thread = threading.Thread(target=lambda: asyncio.run(self.run(still)))
        self.begun = time.monotonic()
        self.thread.start()

    def end(self):
        """Requests a second."""
        self.ending = True
        self.thread.join()
        return self.done / (time.monotonic() - self.begun)
