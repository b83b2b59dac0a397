"""Files in containers over the API on the private engine: folders, downloads, hostile names, bounded memory."""
import hashlib
import io
import shutil
import tarfile
import tempfile
import unittest
import urllib.parse

from api_client import Api
from support import Serve, engine, images

HOSTILE = [b'new\nline', b'<img src=x onerror=alert(1)>', b'%2e%2e', b'\xff\xfe', b'a?b#c', b'\x1b[31mred', 'ünïcode'.encode()]


def tar_of(entries):
    """A tar of (name, content or None for a folder, link) with names as bytes."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=tarfile.GNU_FORMAT, encoding='utf-8', errors='surrogateescape') as tar:
        for name, content, link in entries:
            info = tarfile.TarInfo(name.decode('utf-8', 'surrogateescape'))
            info.mtime, info.mode = 1_700_000_000, 0o640
            if link:
                info.type, info.linkname = tarfile.SYMTYPE, link
            elif content is None:
                info.type, info.mode = tarfile.DIRTYPE, 0o750
            else:
                info.size = len(content)
            tar.addfile(info, io.BytesIO(content) if content is not None else None)
    return out.getvalue()


class Files(unittest.TestCase):
    name = 'files-api'

    @classmethod
    def setUpClass(cls):
        engine()
        images('busybox')
        cls.data = tempfile.mkdtemp(prefix='berth-files-')
        cls.addClassCleanup(shutil.rmtree, cls.data, ignore_errors=True)
        cls.serve = Serve(data=cls.data)
        cls.addClassCleanup(cls.serve.stop)
        cls.api = Api(cls.data).ready()
        cls.noise = hashlib.sha256(b'seed').digest() * (96 << 10)  # 3 MiB
        made = engine().json('POST', f'/containers/create?name={cls.name}', {
            'Image': 'berth.local/busybox', 'Cmd': ['true'], 'HostConfig': {'NetworkMode': 'none'}})
        cls.addClassCleanup(lambda: engine().call('DELETE', f'/containers/{made["Id"]}?force=1').read())
        tar = tar_of([(b'data', None, None), (b'data/plain.txt', b'hello\n', None), (b'data/noise', cls.noise, None),
                      (b'data/deep', None, None), (b'data/deep/file', b'x' * 1000, None),
                      (b'data/deep/new\nfolder', None, None), (b'data/deep/new\nfolder/in', b'inside', None),
                      (b'data/up', None, '../../../../etc/shadow'), (b'data/absolute', None, '/etc/shadow'),
                      *((b'data/' + name, b'odd ' + name, None) for name in HOSTILE)])
        engine().call('PUT', f'/containers/{made["Id"]}/archive?path=/', body=tar,
                      headers={'Content-Type': 'application/x-tar'}).read()

    def list(self, path, status=200):
        response = self.api.call('GET', f'/containers/{self.name}/files?path={urllib.parse.quote(path)}')
        self.assertEqual(response.status, status, response.text)
        return response.json()

    def content(self, encoded):
        return self.api.call('GET', f'/containers/{self.name}/files/content?path={encoded}')

    def test_a_folder(self):
        found = self.list('/data')
        self.assertIsNone(found['partial'])
        items = {item['name']: item for item in found['items']}
        self.assertEqual(found['items'][0]['name'], 'deep', 'folders first')
        self.assertEqual(items['deep'] | {'modifiedAt': 0}, {
            'name': 'deep', 'path': '/data/deep', 'type': 'folder', 'size': 1006, 'mode': '0750', 'modifiedAt': 0, 'link': None})
        self.assertEqual(items['plain.txt'], {
            'name': 'plain.txt', 'path': '/data/plain.txt', 'type': 'file', 'size': 6, 'mode': '0640',
            'modifiedAt': 1_700_000_000_000, 'link': None})
        self.assertEqual((items['absolute']['type'], items['absolute']['link']), ('link', '/etc/shadow'))
        self.assertEqual(items['up']['link'], '../../../../etc/shadow')

    def test_the_root_of_the_container(self):
        found = self.list('/')
        names = {item['name']: item['type'] for item in found['items']}
        self.assertEqual((names['bin'], names['data']), ('folder', 'folder'), names)
        self.assertEqual([item['path'] for item in found['items'] if item['name'] == 'data'], ['/data'])

    def test_a_download(self):
        got = self.content('/data/noise')
        self.assertEqual(got.status, 200)
        self.assertEqual(hashlib.sha256(got.body).digest(), hashlib.sha256(self.noise).digest())
        self.assertEqual(got.headers['Content-Length'], str(len(self.noise)))
        self.assertEqual(got.headers['Content-Type'], 'application/octet-stream')
        self.assertTrue(got.headers['Content-Disposition'].startswith('attachment; filename="noise"'))
        self.assertIn('sandbox', got.headers['Content-Security-Policy'])

    def test_a_folder_is_a_tar(self):
        got = self.content('/data/deep')
        self.assertEqual((got.status, got.headers['Content-Type']), (200, 'application/x-tar'))
        with tarfile.open(fileobj=io.BytesIO(got.body)) as tar:
            self.assertIn('deep/file', tar.getnames())
            self.assertEqual(tar.extractfile('deep/file').read(), b'x' * 1000)

    def test_hostile_names_are_listed_and_read(self):
        items = {item['path']: item for item in self.list('/data')['items']}
        for name in HOSTILE:
            path = '/data/' + urllib.parse.quote(name, safe='-._~')
            self.assertIn(path, items)
            self.assertEqual(items[path]['name'], name.decode('utf-8', 'replace'))
            got = self.content(path)
            self.assertEqual((got.status, got.body), (200, b'odd ' + name), name)
            self.assertNotIn('\n', got.headers['Content-Disposition'])
        inside = self.api.get(f'/containers/{self.name}/files?path=/data/deep/new%0Afolder')
        self.assertEqual([item['name'] for item in inside['items']], ['in'])

    def test_nothing_leads_out(self):
        for path in '/..', '/data/../../etc', '..', '/data/deep/..':
            self.assertEqual(self.list(path, 400)['code'], 'invalid')
            self.assertEqual(self.content(urllib.parse.quote(path)).status, 400)
        for link in 'up', 'absolute':
            got = self.content(f'/data/{link}')
            self.assertEqual(got.status, 400)
            self.assertIn('is a link to', got.json()['message'])
            self.assertNotIn(b'root:', got.body)
            self.assertEqual(self.list(f'/data/{link}', 400)['code'], 'invalid')
        self.assertEqual(self.content('/data/a%00b').status, 400)

    def test_what_is_not_there(self):
        self.assertEqual(self.list('/nothing', 404)['message'], f'there is no "/nothing" in container {self.name}')
        self.assertEqual(self.content('/data/no%0Athing').status, 404)
        self.assertEqual(self.content('/data/deep/new%0Afolder').status, 400)
        self.assertIn('is a file', self.list('/data/plain.txt', 400)['message'])

    def test_changes(self):
        found = self.api.get(f'/containers/{self.name}/changes?limit=1000')
        self.assertIn({'path': '/data/plain.txt', 'kind': 'added'}, found['items'])


if __name__ == '__main__':
    unittest.main()
