"""A registry of images in memory, as little of it as push, pull and a look at a digest need. Plain HTTP on loopback,
which engines take from 127.0.0.1 without being told to."""
import hashlib
import http.server
import re
import threading
import urllib.parse
import uuid


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *_):
        pass

    def answer(self, status, body=b'', **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace('_', '-'), value)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)

    def body(self):
        if self.headers.get('Transfer-Encoding') != 'chunked':
            return self.rfile.read(int(self.headers.get('Content-Length') or 0))
        out = b''
        while size := int(self.rfile.readline().split(b';')[0], 16):
            out += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return out

    def do_GET(self):
        path = urllib.parse.urlsplit(self.path).path
        if path == '/v2/':
            return self.answer(200)
        if found := re.fullmatch(r'/v2/(.+)/manifests/(.+)', path):
            kind, content = self.server.manifests.get(found.groups(), (None, None))
        else:
            found = re.fullmatch(r'/v2/(.+)/blobs/(sha256:\w+)', path)
            kind, content = 'application/octet-stream', self.server.blobs.get(found[2]) if found else None
        if content is None:
            return self.answer(404, b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}')
        self.answer(200, content, Content_Type=kind, Docker_Content_Digest=digest_of(content))

    do_HEAD = do_GET

    def do_POST(self):
        self.body()
        where = f'{urllib.parse.urlsplit(self.path).path}{uuid.uuid4()}'
        self.server.uploads[where] = b''
        self.answer(202, Location=where, Range='0-0')

    def do_PATCH(self):
        where = urllib.parse.urlsplit(self.path).path
        self.server.uploads[where] += self.body()
        self.answer(202, Location=where, Range=f'0-{len(self.server.uploads[where]) - 1}')

    def do_PUT(self):
        parts = urllib.parse.urlsplit(self.path)
        body = self.body()
        if found := re.fullmatch(r'/v2/(.+)/manifests/(.+)', parts.path):
            for reference in (found[2], digest_of(body)):
                self.server.manifests[found[1], reference] = (self.headers['Content-Type'], body)
            return self.answer(201, Docker_Content_Digest=digest_of(body))
        content = self.server.uploads.pop(parts.path) + body
        self.server.blobs[digest_of(content)] = content
        self.answer(201, Location=parts.path, Docker_Content_Digest=digest_of(content))


def digest_of(content):
    return 'sha256:' + hashlib.sha256(content).hexdigest()


class Registry(http.server.ThreadingHTTPServer):
    """`with Registry() as registry:`; `address` is "127.0.0.1:PORT", `manifests` {(name, reference): (type, bytes)}."""
    daemon_threads = True

    def __init__(self):
        super().__init__(('127.0.0.1', 0), Handler)
        self.blobs, self.uploads, self.manifests = {}, {}, {}
        self.address = f'127.0.0.1:{self.server_port}'

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()
