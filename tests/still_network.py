"""A network namespace in which no interface comes or goes. Chromium drops whatever it loads when one does, and an engine's
do with each container.

As a program, inside such a namespace: still_network.py FOLDER COMMAND...: makes its interfaces, takes the ports of FOLDER's
sockets PORT.sock on loopback, and runs the command to its end.
"""
import contextlib
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading


class Relay:
    """Passes each connection of a listening socket on to what `connect` gives, both ways, until it is closed."""

    def __init__(self, listener, connect, seen=lambda client: None):
        self.listener, self.connect, self.seen = listener, connect, seen
        listener.listen(128)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                self.seen(client)
                threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client):
        with client, contextlib.suppress(OSError), self.connect() as server:
            back = threading.Thread(target=self._pass, args=(server, client), daemon=True)
            back.start()
            self._pass(client, server)
            back.join()

    @staticmethod
    def _pass(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def unix_listener(path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    return listener


def unix_connection(path):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(path))
    return connection


@contextlib.contextmanager
def still_network(env):
    """The beginning of a command that runs the rest in such a namespace, where the local ports that URLs of `env` name
    lead to those here."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix='berth-still-'))
    urls = ' '.join(value for value in env.values() if value.startswith(('http://', 'https://')))
    relays = [Relay(unix_listener(folder / f'{port}.sock'),
                    lambda port=port: socket.create_connection(('127.0.0.1', int(port)), 30))
              for port in set(re.findall(r'//[^/:\s]+:(\d+)', urls))]
    try:
        yield ['unshare', '--net', sys.executable, __file__, folder]
    finally:
        for relay in relays:
            relay.close()
        shutil.rmtree(folder, ignore_errors=True)


def main(folder, *command):
    # Besides loopback one that is up, so that the browser does not take itself for offline.
    # No address of IPv6: that one would come seconds later.
    for words in ('link set lo up', 'link add still0 type veth peer name still1', 'link set still0 addrgenmode none',
                  'link set still1 addrgenmode none', 'addr add 192.0.2.1/32 dev still0', 'link set still1 up',
                  'link set still0 up'):
        subprocess.run(['ip', *words.split()], check=True, timeout=20)
    for path in pathlib.Path(folder).glob('*.sock'):
        for family, address in ((socket.AF_INET, '127.0.0.1'), (socket.AF_INET6, '::1')):
            listener = socket.socket(family)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, int(path.stem)))
            Relay(listener, lambda path=path: unix_connection(path))
    sys.exit(subprocess.run(command).returncode)


if __name__ == '__main__':
    main(*sys.argv[1:])
