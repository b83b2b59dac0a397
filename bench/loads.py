"""What is done to a proxy, and whether its answers were right."""
import http.client
import re
import select
import socket
import ssl
import subprocess
import time

from peers import BUILT, HOST, OTHERS, BenchError

WAIT = 120  # seconds that a load may take at most


def run(words, limit=WAIT):
    done = subprocess.run(['taskset', '-c', str(OTHERS), *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=limit)
    if done.returncode != 0:
        raise BenchError(f'{words[0]}: {(done.stderr or done.stdout).strip()[-400:]}')
    return done.stdout


def number(pattern, text):
    found = re.search(pattern, text)
    if not found:
        raise BenchError(f'no {pattern!r} in: {text[-400:]}')
    return int(found.group(1))


def ask(port, path, host=HOST, tls=False):
    """One request; (status, body, fields)."""
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=20)
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection.sock = context.wrap_socket(socket.create_connection(('127.0.0.1', port), 20), server_hostname=host)
    try:
        connection.request('GET', path, headers={'Host': host})
        reply = connection.getresponse()
        return reply.status, reply.read(), reply.headers
    finally:
        connection.close()


def check(port, path, size, host=HOST, tls=False):
    status, body, fields = ask(port, path, host, tls)
    if status != 200 or body != b'x' * size:
        raise BenchError(f'{path} of {host}: status {status}, {len(body)} bytes where 200 and {size} were expected')
    return fields


def h2load(port, size, seconds, path, connections=32, streams=4):
    text = run(['h2load', '-t1', f'-c{connections}', f'-m{streams}', '-D', f'{seconds * 1000:.0f}ms', '-H',
                f':authority: {HOST}', '--connect-to', f'127.0.0.1:{port}', f'https://{HOST}:{port}{path}'])
    requests, good = number(r'(\d+) done', text), number(r'status codes: (\d+) 2xx', text)
    failed, body = number(r'(\d+) failed', text), number(r'\((\d+)\) data', text)
    if 'Application protocol: h2' not in text or failed or requests == 0 or requests > good:
        raise BenchError(f'h2load: {text[-500:]}')
    if not requests * size <= body <= (requests + connections * streams) * size:
        raise BenchError(f'h2load: {requests} requests of {size} bytes, but {body} bytes of bodies')
    return requests


def whole_connections(port, count, at_once, tls=True):
    """New connections with one request each."""
    text = run([BUILT / 'load', 'close', '-p', port, '-c', count, '-a', at_once, '-t', int(tls)])
    if number(r'done (\d+)', text) != count:
        raise BenchError(f'load close: {text}')
    return count


class Standing:
    """Connections of bench/load.c that all stand."""

    def __init__(self, mode, port, count, **flags):
        words = ['taskset', '-c', OTHERS, BUILT / 'load', mode, '-p', port, '-c', count]
        for name, value in flags.items():
            words += ['-' + name, int(value) if isinstance(value, bool) else value]
        self.process = subprocess.Popen([str(word) for word in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        if not select.select([self.process.stdout], [], [], WAIT)[0] or self.process.stdout.readline() != 'ready\n':
            self.process.kill()
            raise BenchError(f'load: {self.process.communicate()[1].strip()[-400:]}')
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def line(self):
        self.process.stdin.write('\n')
        self.process.stdin.flush()

    def done(self):
        """What it counted; the connections still stand."""
        if not select.select([self.process.stdout], [], [], WAIT)[0]:
            raise BenchError('load: it did not end')
        text = self.process.stdout.readline()
        if not text:
            raise BenchError(f'load: {self.process.communicate()[1].strip()[-400:]}')
        return number(r'done (\d+)', text)


def steady(peer, seconds, mode, count, **flags):
    """Requests or messages on connections that stand: (their number, CPU ns). Opening them is not counted."""
    with Standing(mode, peer.tls if flags.get('t') else peer.port, count, **flags) as load:
        used = peer.cpu()
        load.line()
        time.sleep(seconds)
        load.line()
        return load.done(), peer.cpu() - used
