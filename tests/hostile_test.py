"""Clients and services that mean harm: memory and time of the edge stay bounded, and others are served meanwhile.

The edge runs without an engine; its deadlines are short here. Clients of HTTP/2 are written frame by frame, since no
library would send what they send. doc/safety.md tells what each threat meets."""
import pathlib
import re
import socket
import struct
import threading
import time
import unittest

from edge_process import EdgeProcess
from support import ROOT, wait_until

HOST = b'app.test'
GOOD = b'GET /good HTTP/1.1\r\nHost: app.test\r\n\r\n'
PREFACE = b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
DATA, HEADERS, PRIORITY, RESET, SETTINGS, PING, GOAWAY, WINDOW, CONTINUATION = 0, 1, 2, 3, 4, 6, 7, 8, 9
END_STREAM, END_HEADERS = 1, 4
MOST_GROWTH = 96 << 20  # bytes of memory for any one attack here
MOST_WAIT = 5  # seconds that a good client may wait on a busy machine

# What a service says to GET /NAME: the bytes, whether it closes then, and what the client must get: a status, or None
# for a reply that is cut.
PLAIN = b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
CHUNKED = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'


def endless(begin, piece):
    """Says the piece until nobody listens; true when the edge bears 64 MiB of it."""
    def say(connection):
        connection.sendall(begin)
        for _ in range((64 << 20) // len(piece)):
            connection.sendall(piece)
        return True
    return say


REPLIES = {
    'nothing': (b'', True, 502),
    'garbage': (b'\x16\x03\x01 what is this\r\n\r\n', True, 502),
    'many_fields': (b'HTTP/1.1 200 OK\r\n' + b'A: b\r\n' * 1000 + b'\r\n', True, 502),
    'long_field': (b'HTTP/1.1 200 OK\r\nA: ' + b'b' * (1 << 20) + b'\r\n\r\n', True, 502),
    'two_lengths': (b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk', True, 502),
    'length_and_chunked': (b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', True, 502),
    'length_of_words': (b'HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok', True, 502),
    'unknown_coding': (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok', True, 502),
    'bare_feeds': (b'HTTP/1.1 200 OK\nContent-Length: 2\n\nok', True, 502),
    'nul_in_field': (b'HTTP/1.1 200 OK\r\nA: \0\r\nContent-Length: 2\r\n\r\nok', True, 502),
    'folded': (b'HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 2\r\n\r\nok', True, 502),
    'no_colon': (b'HTTP/1.1 200 OK\r\nwhat\r\nContent-Length: 2\r\n\r\nok', True, 502),
    'status_999': (b'HTTP/1.1 999 X\r\nContent-Length: 2\r\n\r\nok', True, 502),
    'upgrade_unasked': (b'HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n', True, 502),
    'interim_flood': (b'HTTP/1.1 103 Early Hints\r\n\r\n' * 1000 + PLAIN, True, 502),
    'cut_head': (b'HTTP/1.1 200 OK\r\nConten', True, 502),
    'cut_body': (b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok', True, None),
    'cut_chunk': (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok', True, None),
    'bad_chunk': (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n0\r\n\r\n', True, None),
    'second_reply': (PLAIN + b'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison', False, 200),
    'too_long': (PLAIN + b'poison', False, 200),
    'body_of_204': (b'HTTP/1.1 204 X\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison', False, 204),
    'body_of_304': (b'HTTP/1.1 304 X\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison', False, 304),
    'length_negative': (b'HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok', True, 502),
    'length_list': (b'HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok', True, 502),
    'length_overflow': (b'HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551618\r\n\r\nok', True, 502),
    'length_never_met': (b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok', False, None),
    'coding_behind_others': (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n', True, 502),
    'coding_of_http10': (b'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', True, 502),
    'space_before_colon': (b'HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok', True, 502),
    'version_9': (b'HTTP/9.9 200 OK\r\nContent-Length: 2\r\n\r\nok', True, 502),
    'status_20': (b'HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok', True, 502),
    'return_in_field': (b'HTTP/1.1 200 OK\r\nA: b\rC: d\r\nContent-Length: 2\r\n\r\nok', True, 502),
    'chunk_size_with_sign': (CHUNKED + b'+2\r\nok\r\n0\r\n\r\n', True, None),
    'chunk_size_with_prefix': (CHUNKED + b'0x2\r\nok\r\n0\r\n\r\n', True, None),
    'chunk_size_overflow': (CHUNKED + b'10000000000000002\r\nok\r\n0\r\n\r\n', True, None),
    'chunk_too_long': (CHUNKED + b'2\r\nokpoison\r\n0\r\n\r\n', True, None),
    'chunk_of_feeds': (CHUNKED + b'2\nok\n0\n\n', True, None),
    'trailer_without_colon': (CHUNKED + b'2\r\nok\r\n0\r\nwhat\r\n\r\n', True, None),
    # What has no end is given up long before 64 MiB of it.
    'endless_head': (endless(b'HTTP/1.1 200 OK\r\n', b'A: b\r\n' * 500), True, 502),
    'endless_field': (endless(b'HTTP/1.1 200 OK\r\nA: ', b'b' * 4000), True, 502),
    'endless_status_line': (endless(b'HTTP/1.1 200 ', b'b' * 4000), True, 502),
    'endless_interim': (endless(b'', b'HTTP/1.1 100 Continue\r\n\r\n' * 100), True, 502),
    'endless_hints': (endless(b'', b'HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\n' * 100), True, 502),
    'endless_trailers': (endless(CHUNKED + b'2\r\nok\r\n0\r\n', b'A: b\r\n' * 500), True, None),
    'endless_trailer': (endless(CHUNKED + b'2\r\nok\r\n0\r\nA: ', b'b' * 4000), True, None),
    'endless_extension': (endless(CHUNKED + b'2;a=', b'b' * 4000), True, None),
    'endless_chunk_size': (endless(CHUNKED, b'0' * 4000), True, None),
    'endless_extensions': (endless(CHUNKED, b'1;' + b'e' * 200 + b'\r\nx\r\n'), True, None),
    'after_last_chunk': (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n'
                         b'Content-Length: 6\r\n\r\npoison', False, 200),
}


class Service:
    """Answers /good well, and others by REPLIES; /slow never."""

    def __init__(self):
        self.asked, self.open, self.bore = 0, 0, []
        self.listener = socket.create_server(('127.0.0.1', 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        self.open += 1
        try:
            with connection, connection.makefile('rb') as stream:
                while self.answer(connection, stream):
                    pass
        except OSError:
            pass
        self.open -= 1

    def answer(self, connection, stream):
        line = stream.readline()
        if not line:
            return False
        while stream.readline() not in (b'\r\n', b''):
            pass
        self.asked += 1
        name = line.split()[1].decode()[1:]
        if name == 'slow':
            return bool(stream.read(1))
        if name == 'big':
            connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n' % (4 << 20) + b'x' * (4 << 20))
            return True
        if name == 'chunks':
            connection.sendall(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' + (b'4000\r\n' + b'x' * 0x4000 + b'\r\n') * 256 + b'0\r\n\r\n')
            return True
        if name == 'early':  # the body is not looked at
            connection.sendall(b'HTTP/1.1 413 X\r\nContent-Length: 2\r\n\r\nno')
            return bool(stream.read(1)) and time.sleep(2)
        if name == 'leaves':
            stream.read(1 << 20)
            return False
        if name == 'resets':
            connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok')
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            return False
        said, closes, _ = REPLIES.get(name, (b'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood', False, 200))
        if callable(said):
            self.bore += [name] if said(connection) else []
        else:
            connection.sendall(said)
        return not closes


class GoodClient:
    """Asks on new and on kept connections until it is left; then every answer was right, and none was late."""

    def __init__(self, port):
        self.port, self.stop, self.slowest, self.answers, self.faults = port, threading.Event(), 0.0, 0, []

    def run(self):
        while not self.stop.is_set():
            begun = time.monotonic()
            try:
                with socket.create_connection(('127.0.0.1', self.port), timeout=20) as connection:
                    for _ in range(3):
                        if ask(connection, GOOD)[::2] != (200, b'good'):
                            self.faults.append('another answer')
                        self.answers += 1
            except OSError as error:
                self.faults.append(repr(error))
            self.slowest = max(self.slowest, time.monotonic() - begun)
            time.sleep(0.02)

    def __enter__(self):
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join(30)


def receive(connection):
    """One reply: its status, fields and body; body None when it was cut, status 0 when nothing came."""
    data = b''
    while b'\r\n\r\n' not in data or data.startswith(b'HTTP/1.1 1'):
        while data.startswith(b'HTTP/1.1 1') and b'\r\n\r\n' in data:
            data = data.split(b'\r\n\r\n', 1)[1]
        if b'\r\n\r\n' in data:
            break
        part = connection.recv(65536)
        if not part:
            return 0, b'', None
        data += part
    head, body = data.split(b'\r\n\r\n', 1)
    status = int(head.split()[1])
    if status in (204, 304):
        return status, head, b''
    length = re.search(rb'(?i)content-length: (\d+)', head)
    while not (len(body) >= int(length[1]) if length else body.endswith(b'0\r\n\r\n')):
        part = connection.recv(65536)
        if not part:
            return status, head, None
        body += part
    return status, head, body


def ask(connection, request):
    connection.sendall(request)
    return receive(connection)


def frame(kind, flags, stream, payload=b''):
    return struct.pack('>I', len(payload))[1:] + bytes([kind, flags]) + struct.pack('>I', stream) + payload


def literal(name, value):
    """A field that no table remembers (RFC 7541 6.2.2)."""
    return b'\x00' + bytes([len(name)]) + name + bytes([len(value)]) + value


def head(path=b'/good', method=b'GET'):
    return b''.join([literal(b':method', method), literal(b':scheme', b'http'), literal(b':path', path),
                     literal(b':authority', HOST)])


class H2:
    """A connection that begins with HTTP/2; what comes is read all the time, and its frames' heads are kept."""

    def __init__(self, port, settings=b'', reads=True):
        self.socket = socket.socket()
        if not reads:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(20)
        self.socket.connect(('127.0.0.1', port))
        self.socket.sendall(PREFACE + frame(SETTINGS, 0, 0, settings))
        self.frames, self.closed = [], threading.Event()
        if reads:
            threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        data = b''
        try:
            while part := self.socket.recv(65536):
                data += part
                while len(data) >= 9 and len(data) >= 9 + (size := int.from_bytes(data[:3], 'big')):
                    self.frames.append((data[3], data[4], int.from_bytes(data[5:9], 'big'), data[9:min(9 + size, 40)]))
                    data = data[9 + size:]
        except OSError:
            pass
        self.closed.set()

    def send(self, data):
        """False once the edge takes no more."""
        try:
            self.socket.sendall(data)
        except OSError:
            return False
        return not self.closed.is_set()

    def of(self, kind):
        return [each for each in list(self.frames) if each[0] == kind]

    def close(self):
        self.socket.close()


class HostileTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = Service()
        route = {'name': 'app', 'rule': 'Host(`app.test`)', 'listeners': ['web'], 'service': 'app'}
        cls.edge = EdgeProcess({
            'format': 1, 'version': 1, 'routes': [route], 'certificates': [],
            'settings': {'header_timeout': 1500, 'stall_timeout': 1500, 'idle_timeout': 3000, 'response_timeout': 4000},
            'services': [{'name': 'app', 'upstreams': [{'host': '127.0.0.1', 'port': cls.service.port, 'target': 'app'}]}]})

    @classmethod
    def tearDownClass(cls):
        cls.edge.stop()
        cls.service.listener.close()

    def memory(self):
        status = pathlib.Path(f'/proc/{self.edge.process.pid}/status').read_text()
        return int(re.search(r'VmRSS:\s+(\d+)', status)[1]) << 10

    def attack(self, *attacks):
        """Runs them one after the other; memory is bounded, and a good client notices nothing."""
        before, growth = self.memory(), 0
        with GoodClient(self.edge.web) as good:
            for each in attacks:
                each()
                growth = max(growth, self.memory() - before)
            while good.answers < 6 and not good.faults:
                time.sleep(0.02)
        self.assertEqual(good.faults, [])
        self.assertLess(good.slowest, MOST_WAIT)
        self.assertLess(growth, MOST_GROWTH)
        self.assertIsNone(self.edge.process.poll())

    def connect(self):
        connection = socket.create_connection(('127.0.0.1', self.edge.web), timeout=20)
        self.addCleanup(connection.close)
        return connection

    def h2(self, settings=b'', reads=True):
        client = H2(self.edge.web, settings, reads)
        self.addCleanup(client.close)
        return client

    def test_slow_clients_are_ended(self):
        def slow():
            heads = [self.connect() for _ in range(100)]
            bodies = [self.connect() for _ in range(100)]
            for each in heads:
                each.sendall(b'GET / HTTP/1.1\r\nHost: app.test\r\n')
            for each in bodies:
                each.sendall(b'POST /slow HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1000\r\n\r\na')
            until = time.monotonic() + 2.5
            while time.monotonic() < until:
                for each in heads:  # a field now and then does not buy more time
                    try:
                        each.sendall(b'X: y\r\n')
                    except OSError:
                        pass
                time.sleep(0.3)
            for each in heads + bodies:
                each.settimeout(10)
                try:
                    while each.recv(65536):
                        pass
                except ConnectionError:
                    pass
        self.attack(slow)

    def test_clients_that_never_read_are_ended(self):
        def deaf():
            clients = []
            for _ in range(40):
                client = socket.socket()
                self.addCleanup(client.close)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.connect(('127.0.0.1', self.edge.web))
                client.sendall(b'GET /big HTTP/1.1\r\nHost: app.test\r\n\r\n')
                clients.append(client)
            time.sleep(3)
            self.assertLess(self.service.open, 12)  # the edge let go of what it asked for them
        self.attack(deaf)

    def test_clients_that_read_a_byte_now_and_then_are_ended(self):
        before = self.service.asked

        def drip():
            clients = []
            for number in range(40):  # bodies with a length go through the kernel, chunks through the edge's memory
                client = socket.socket()
                self.addCleanup(client.close)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.connect(('127.0.0.1', self.edge.web))
                client.sendall(b'GET /%s HTTP/1.1\r\nHost: app.test\r\n\r\n' % (b'chunks' if number % 2 else b'big'))
                client.setblocking(False)
                clients.append(client)
            streams = self.h2(b'\0\4\0\0\0\0')  # INITIAL_WINDOW_SIZE 0
            numbers = range(1, 41, 2)
            for stream in numbers:
                streams.send(frame(HEADERS, END_STREAM | END_HEADERS, stream, head(b'/big')))
            wait_until(lambda: self.service.asked - before >= 60, 20, 'all of them are asked for')

            def let_go():
                for client in clients:
                    try:
                        client.recv(1)
                    except OSError:
                        pass
                for stream in numbers:
                    streams.send(frame(WINDOW, 0, stream, b'\0\0\0\1'))
                time.sleep(0.1)
                return self.service.open < 12 and {each[2] for each in streams.of(RESET)} == set(numbers)
            wait_until(let_go, 20, 'the edge lets go of what it asked for them, and of the streams')
        self.attack(drip)

    def until_gone(self, client, piece, most=40_000):
        """Sends piece(i) until the edge has enough; how many it took."""
        for number in range(most):
            if not client.send(piece(number)):
                break
        self.assertTrue(client.closed.wait(10), 'the edge bears it all')
        client.close()
        return number

    def test_floods_of_frames_end_the_connection(self):
        pieces = [lambda _: frame(PING, 0, 0, b'12345678') * 50, lambda _: frame(SETTINGS, 0, 0) * 50,
                  lambda _: frame(PRIORITY, 0, 1, b'\0\0\0\0\1') * 50, lambda _: frame(WINDOW, 0, 0, b'\0\0\0\1') * 50,
                  lambda _: frame(99, 0, 0) * 50]
        self.attack(*[lambda piece=piece: self.until_gone(self.h2(), piece) for piece in pieces])

    def test_rapid_resets_end_the_connection(self):
        before = self.service.asked

        def reset(number):
            stream = 2 * number + 1
            return frame(HEADERS, END_STREAM | END_HEADERS, stream, head(b'/slow')) + frame(RESET, 0, stream, b'\0\0\0\x08')

        def provoke(number):  # the edge must reset: a window that overflows
            stream = 2 * number + 1
            return frame(HEADERS, END_HEADERS, stream, head(b'/slow', b'POST')) + 2 * frame(WINDOW, 0, stream, b'\x7f\xff\xff\xff')

        def both():
            for piece in (reset, provoke):
                for _ in range(3):
                    self.until_gone(self.h2(), piece)
        self.attack(both)
        self.assertLess(self.service.asked - before, 6 * 250 + 10_000)

    def test_continuations_without_end_end_the_connection(self):
        def flood():
            client = self.h2()
            client.send(frame(HEADERS, END_STREAM, 1, head()))
            took = self.until_gone(client, lambda _: frame(CONTINUATION, 0, 1, literal(b'x', b'y' * 100) * 100))
            self.assertLess(took, 1000)
        self.attack(flood)

    def test_small_blocks_that_unpack_to_much_are_refused(self):
        def bomb():
            # One field of almost 4 KiB goes into the table, then is named by one byte 15,000 times: 60 MB.
            clients = [self.h2() for _ in range(8)]
            value = b'v' * 4000
            indexed = b'\x40\x01x' + b'\x7f' + bytes([(len(value) - 127) & 0x7f | 0x80, (len(value) - 127) >> 7]) + value
            for client in clients:
                client.send(frame(HEADERS, END_STREAM | END_HEADERS, 1, head() + indexed))
                for stream in range(3, 13, 2):
                    client.send(frame(HEADERS, END_STREAM | END_HEADERS, stream, head() + b'\xbe' * 15_000))
            for client in clients:
                self.assertTrue(client.closed.wait(10), 'the edge unpacks it all')
                client.close()
        self.attack(bomb)

    def test_streams_beyond_the_limit_are_refused(self):
        def many():
            client = self.h2()
            for stream in range(1, 601, 2):
                client.send(frame(HEADERS, END_STREAM | END_HEADERS, stream, head(b'/slow')))
            deadline = time.monotonic() + 10
            while len(client.of(RESET)) < 300 - 128 and time.monotonic() < deadline:
                time.sleep(0.05)
            self.assertGreaterEqual(len(client.of(RESET)), 300 - 128)
            # The service sees a little later what the edge let go of before; /slow never ends by itself.
            wait_until(lambda: self.service.open <= 128 + 12, 10, 'the streams that are asked of the service')
            client.close()
        self.attack(many)

    def test_windows_that_stay_shut_hold_little(self):
        def shut():
            # A window of one byte, never opened; the replies are 4 MiB each.
            client = self.h2(settings=b'\0\4\0\0\0\1')
            for stream in range(1, 201, 2):
                client.send(frame(HEADERS, END_STREAM | END_HEADERS, stream, head(b'/big')))
            wait_until(lambda: len(client.of(RESET)) >= 100, 15, 'each stream to end by its own deadline')
            client.close()
        self.attack(shut)

    def test_small_replies_behind_shut_windows_end_too(self):
        def shut():
            # What is left of a reply that is complete must not wait for ever, be the connection in use or not.
            client = self.h2(settings=b'\0\4\0\0\0\1')
            for stream in range(1, 201, 2):
                client.send(frame(HEADERS, END_STREAM | END_HEADERS, stream, head(b'/good')))
            deadline, stream = time.monotonic() + 20, 201
            while len(client.of(RESET)) < 100 and time.monotonic() < deadline:
                client.send(frame(HEADERS, END_STREAM | END_HEADERS, stream, head(b'/good', b'HEAD')))
                stream += 2
                time.sleep(0.3)
            self.assertEqual(len(client.of(RESET)), 100)
            self.assertEqual(client.of(GOAWAY), [])
            client.close()
        self.attack(shut)

    def test_a_client_of_http2_that_never_reads_holds_little(self):
        def deaf():
            for _ in range(4):
                client = self.h2(reads=False)
                client.socket.settimeout(3)
                for number in range(3000):
                    if not client.send(frame(PING, 0, 0, b'12345678') * 10):
                        break
                client.close()
        self.attack(deaf)

    def test_a_hostile_service_harms_its_own_request_alone(self):
        def ask_all():
            for name, (_, _, expected) in REPLIES.items():
                with self.subTest(name), self.connect() as connection:
                    status, fields, body = ask(connection, b'GET /%s HTTP/1.1\r\nHost: app.test\r\n\r\n' % name.encode())
                    self.assertEqual(None if body is None else status, expected)
                    self.assertNotIn(b'poison', fields + (body or b''))
                # What the service said beyond its reply must not be the reply to the next request.
                for _ in range(3):
                    with self.connect() as connection:
                        self.assertEqual(ask(connection, GOOD)[::2], (200, b'good'), name)
        self.attack(ask_all)
        self.assertEqual(self.service.bore, [], 'the edge reads what has no end')

    def upload(self, name, size=32 << 20):
        """The reply to a body of which a service reads little or nothing; as much of it is sent as the edge takes."""
        with self.connect() as connection:
            connection.sendall(b'POST /%s HTTP/1.1\r\nHost: app.test\r\nContent-Length: %d\r\n\r\n' % (name, size))

            def send():
                try:
                    for _ in range(size >> 16):
                        connection.sendall(b'x' * 65536)
                except OSError:
                    pass
            sender = threading.Thread(target=send, daemon=True)
            sender.start()
            status = receive(connection)[0]
            try:
                connection.shutdown(socket.SHUT_RDWR)  # wakes the sender
            except OSError:
                pass  # the edge was first
            sender.join(20)
        return status

    def test_services_that_answer_or_leave_in_the_middle_of_a_body(self):
        def all_of_them():
            for _ in range(3):
                self.assertEqual(self.upload(b'early'), 413)
                self.assertEqual(self.upload(b'leaves'), 502)
                with self.connect() as connection:
                    try:
                        body = ask(connection, b'GET /resets HTTP/1.1\r\nHost: app.test\r\n\r\n')[2]
                    except ConnectionError:
                        body = None
                    self.assertIsNone(body)
        self.attack(all_of_them)

    def test_a_service_that_never_ends_its_head_is_given_up(self):
        listener = socket.create_server(('127.0.0.1', 0))
        self.addCleanup(listener.close)

        def drip():
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b'HTTP/1.1 200 OK\r\n')
                try:
                    while True:
                        connection.sendall(b'X: y\r\n')
                        time.sleep(0.05)
                except OSError:
                    pass
        threading.Thread(target=drip, daemon=True).start()
        route = {'name': 'drip', 'rule': 'Host(`app.test`)', 'listeners': ['web'], 'service': 'drip'}
        edge = EdgeProcess({'format': 1, 'version': 1, 'routes': [route], 'certificates': [],
                            'settings': {'response_timeout': 1500}, 'services': [{'name': 'drip', 'upstreams': [
                                {'host': '127.0.0.1', 'port': listener.getsockname()[1], 'target': 'drip'}]}]})
        self.addCleanup(edge.stop)
        with socket.create_connection(('127.0.0.1', edge.web), timeout=15) as connection:
            self.assertEqual(ask(connection, GOOD)[0], 504)


class SafetyPageTest(unittest.TestCase):
    def test_names_tests_that_exist(self):
        named = re.findall(r'`(\w+\.\w+)`', (ROOT / 'doc/safety.md').read_text())
        self.assertGreater(len(named), 25)
        sources = [*ROOT.glob('src/*/*_test.cc'), *ROOT.glob('src/*/*_fuzz.cc'), *ROOT.glob('tests/*_test.py')]
        text = {source: source.read_text() for source in sources}
        for name in named:
            suite, test = name.split('.')
            if test == 'case':
                self.assertTrue([*ROOT.glob(f'src/edge/testdata/*/{name}')], f'doc/safety.md: there is no {name}')
                continue
            of_suite = [t for t in text.values() if re.search(rf'\(\s*{suite}\b|class {suite}\b', t)]
            self.assertTrue(any(re.search(rf'\b{test}(_body)?\b', t) for t in of_suite), f'doc/safety.md: there is no {name}')


if __name__ == '__main__':
    unittest.main()
