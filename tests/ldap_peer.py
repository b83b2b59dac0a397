"""A directory that answers as a test says: LDAP's envelope (RFC 4511) over TLS, and nothing of a directory behind it."""
import socket
import ssl
import threading

BIND, BOUND, UNBIND, SEARCH, ENTRY, DONE, EXTENDED, EXTENDED_DONE = 0x60, 0x61, 0x42, 0x63, 0x64, 0x65, 0x77, 0x78


def ber(tag, *parts):
    body = b''.join(parts)
    size = bytes([len(body)]) if len(body) < 128 else b'\x82' + len(body).to_bytes(2, 'big')
    return bytes([tag]) + size + body


def text(value, tag=0x04):
    return ber(tag, value.encode() if isinstance(value, str) else value)


def result(tag, code, matched='', said='', *more):
    return ber(tag, ber(0x0a, bytes([code])), text(matched), text(said), *more)


def entry(dn, **attributes):
    pairs = [ber(0x30, text(name), ber(0x31, *map(text, values))) for name, values in attributes.items()]
    return ber(ENTRY, text(dn), ber(0x30, *pairs))


def message(number, operation):
    return ber(0x30, ber(0x02, bytes([number])), operation)


class Peer:
    """`script(request tag, count of binds so far)` gives the operations to answer with, raw bytes, or None to hang up."""

    def __init__(self, test, certificate, key, secure=True):
        self.script = lambda tag, binds: []
        self.asked = []
        self.context = None
        if secure:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate, key)
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.binds = 0
        threading.Thread(target=self.accept, daemon=True).start()
        test.addClassCleanup(self.listener.close)

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        try:
            client.settimeout(20)
            if self.context:
                client = self.context.wrap_socket(client, server_side=True)
            with client, client.makefile('rb') as stream:
                while self.answer(client, stream):
                    pass
        except (OSError, IndexError):
            pass

    def answer(self, client, stream):
        head = stream.read(2)
        if len(head) < 2:
            return False
        size = head[1] if head[1] < 128 else int.from_bytes(stream.read(head[1] & 127), 'big')
        body = stream.read(size)
        number, tag = body[2], body[3]
        self.asked.append((tag, body))
        self.binds += tag == BIND
        answers = None if tag == UNBIND else self.script(tag, self.binds)
        if answers is None:
            return False
        if isinstance(answers, bytes):
            client.sendall(answers)
            return True
        for operation in answers:
            client.sendall(message(number, operation))
        return True
