"""Registries of images on loopback, by plain HTTP, which engines take from 127.0.0.1 without being told to: one in
memory, as little as push, pull and a look at a digest need, and Debian's docker-registry, which wants a password."""
import hashlib
import http.server
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import urllib.parse
import uuid

from support import accepts, free_port, wait_until


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


class PrivateRegistry:
    """docker-registry for one user; `address` is "127.0.0.1:PORT". A missing program fails."""

    def __init__(self, user='user', password='right'):
        for program, package in (('docker-registry', 'docker-registry'), ('htpasswd', 'apache2-utils')):
            if not shutil.which(program):
                raise AssertionError(f'{program} is missing: apt-get install {package} (tools/setup does)')
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='berth-registry-'))
        self.port = free_port()
        self.address = f'127.0.0.1:{self.port}'
        words = subprocess.run(['htpasswd', '-Bin', user], input=password.encode(), capture_output=True, check=True,
                               timeout=30)
        (self.folder / 'passwords').write_bytes(words.stdout)
        (self.folder / 'registry.yml').write_text(f'''version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {self.folder}/data}}, delete: {{enabled: true}}}}
http: {{addr: "{self.address}"}}
auth: {{htpasswd: {{realm: test, path: {self.folder}/passwords}}}}
''')
        with open(self.folder / 'log', 'w') as log:
            self.process = subprocess.Popen(['docker-registry', 'serve', str(self.folder / 'registry.yml')],
                                            stdout=log, stderr=log)
        wait_until(lambda: accepts(self.port), 30, 'docker-registry to listen')

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)


if __name__ == '__main__':  # prints its address, and serves until its input ends
    import sys
    with Registry() as served:
        print(served.address, flush=True)
        sys.stdin.read()
