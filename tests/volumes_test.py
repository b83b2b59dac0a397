"""Volumes over the API on the private engine: sizes, what lies in them, copies and back, and what a killed core leaves."""
import http.client
import io
import os
import pathlib
import shutil
import signal
import tarfile
import tempfile
import time
import unittest
import urllib.parse

from api_client import Api, UnixConnection
from files_test import HOSTILE, tar_of
from serve_test import role_pid
from support import Serve, engine, images, wait_until

PROJECT = 'volapi'
ENDED = {'succeeded', 'failed', 'interrupted', 'cancelled'}


class Volumes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        engine()
        images('busybox')
        cls.drop_all()
        cls.addClassCleanup(cls.drop_all)
        cls.data = tempfile.mkdtemp(prefix='berth-volumes-')
        cls.addClassCleanup(shutil.rmtree, cls.data, ignore_errors=True)
        cls.serve = Serve(data=cls.data)
        cls.addClassCleanup(lambda: cls.serve.stop())
        cls.api = Api(cls.data).ready()

    @classmethod
    def drop_all(cls):
        for one in engine().json('GET', '/containers/json?all=1'):
            if any(name.startswith(('/volapi', '/berth-')) for name in one['Names']):
                engine().call('DELETE', f'/containers/{one["Id"]}?force=1&v=1').read()
        for volume in engine().json('GET', '/volumes')['Volumes'] or []:
            if volume['Name'].startswith('volapi'):
                engine().call('DELETE', f'/volumes/{volume["Name"]}').read()

    def volume(self, suffix, tar=b'', script=''):
        """A volume of the project with what is in `tar` (below volume/); `script` runs with it at /volume."""
        name = f'volapi_{suffix}'
        engine().json('POST', '/volumes/create', {'Name': name, 'Labels': {'com.docker.compose.project': PROJECT}})
        made = engine().json('POST', f'/containers/create?name={name}-fill', {
            'Image': 'berth.local/busybox', 'Cmd': ['sh', '-c', script or 'true'],
            'HostConfig': {'NetworkMode': 'none', 'Binds': [f'{name}:/volume']}})['Id']
        if tar:
            engine().call('PUT', f'/containers/{made}/archive?path=/', body=tar,
                          headers={'Content-Type': 'application/x-tar'}).read()
        if script:
            engine().call('POST', f'/containers/{made}/start').read()
            self.assertEqual(engine().json('POST', f'/containers/{made}/wait')['StatusCode'], 0)
        engine().call('DELETE', f'/containers/{made}?force=1').read()
        return name

    def carriers(self):
        return [name for one in engine().json('GET', '/containers/json?all=1') for name in one['Names']
                if name.startswith('/berth-')]

    def job(self, answer, want='succeeded', seconds=90):
        job = wait_until(lambda: (job := self.api.get(f'/jobs/{answer["job"]}'))['state'] in ENDED and job, seconds, 'the job')
        self.assertEqual(job['state'], want, job)
        return job

    def lines(self, job):
        return self.api.call('GET', f'/jobs/{job["id"]}/events').text

    def kill_core(self):
        pid = wait_until(lambda: role_pid(self.serve, 'core'), 30, 'core to run')
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: role_pid(self.serve, 'core') not in (None, pid), 60, 'core to be started again')
        self.api.ready(60)

    def copies(self, volume):
        return self.api.get(f'/volumes/{volume}/backups')['items']

    # --- looking ---

    def test_what_lies_in_a_volume(self):
        name = self.volume('look', tar_of([
            (b'volume/plain.txt', b'hello\n', None), (b'volume/deep', None, None), (b'volume/deep/file', b'x' * 500, None),
            (b'volume/up', None, '../../../../etc/shadow'), (b'volume/absolute', None, '/etc/shadow'), (b'volume/out', None, '/'),
            *((b'volume/' + odd, b'odd ' + odd, None) for odd in HOSTILE)]))
        root = self.api.get(f'/volumes/{name}/files')
        items = {item['path']: item for item in root['items']}
        self.assertEqual((root['path'], items['/deep']['size'], items['/plain.txt']['size']), ('/', 500, 6))
        self.assertEqual(items['/absolute']['link'], '/etc/shadow')
        for odd in HOSTILE:
            path = '/' + urllib.parse.quote(odd, safe='-._~')
            self.assertEqual(items[path]['name'], odd.decode('utf-8', 'replace'))
            self.assertEqual(self.api.call('GET', f'/volumes/{name}/files/content?path={path}').body, b'odd ' + odd)
        got = self.api.call('GET', f'/volumes/{name}/files/content?path=/deep')
        with tarfile.open(fileobj=io.BytesIO(got.body)) as tar:
            self.assertEqual(tar.getnames(), ['deep', 'deep/file'])
        for path in '/up', '/absolute', '/out', '/..', '/../etc/shadow', '/deep/../../etc', '/out/etc/shadow', '/out/volume/..':
            for route in 'files', 'files/content':
                got = self.api.call('GET', f'/volumes/{name}/{route}?path={path}')
                self.assertIn(got.status, (400, 404), f'{path}: {got.text}')
                self.assertNotIn('root:', got.text)
        wait_until(lambda: self.carriers() == [], 30, 'the carriers to be gone')
        wait_until(lambda: 'berth/empty:latest' not in [tag for image in engine().json('GET', '/images/json')
                                                        for tag in image['RepoTags'] or []], 30, 'the image to be gone')

    def test_who_may_look(self):
        name = self.volume('who', tar_of([(b'volume/secret', b'key', None)]))
        self.api.post('/projects', {'name': PROJECT, 'files': {'compose.yaml': 'services: {web: {image: hello}}\n'}})
        seen = {}
        for role in 'viewer', 'developer':
            user = self.api.post('/users', {'name': role, 'role': role})
            self.api.ask('PUT', f'/users/{user["id"]}/projects/{PROJECT}', {'role': role})
            token = self.api.post(f'/users/{user["id"]}/tokens', {
                'name': role, 'scopes': ['view', 'exec', 'remove', 'engine']})['token']
            headers = {'Authorization': f'Bearer {token}'}
            for path in ('', '/files', '/files/content?path=/secret', '/backups'):
                seen[role, path] = self.serve.fetch('berth.localhost', f'/api/v1/volumes/{name}{path}', headers=headers).status
            seen[role, 'POST'] = self.serve.fetch('berth.localhost', f'/api/v1/volumes/{name}/backups', method='POST',
                                                  headers=headers).status
        self.assertEqual(seen, {
            ('viewer', ''): 200, ('viewer', '/files'): 403, ('viewer', '/files/content?path=/secret'): 403,
            ('viewer', '/backups'): 403, ('viewer', 'POST'): 403,
            ('developer', ''): 200, ('developer', '/files'): 200, ('developer', '/files/content?path=/secret'): 200,
            ('developer', '/backups'): 403, ('developer', 'POST'): 403})
        denied = self.api.get('/audit?verb=volume.backup')['items']
        self.assertEqual({(entry['name'], entry['decision']) for entry in denied if entry['subject'] == f'volume:{name}'},
                         {('viewer', 'denied'), ('developer', 'denied')})

    def test_sizes_come_later_and_say_how_old_they_are(self):
        name = self.volume('size', script='head -c 3000000 /dev/urandom > /volume/noise')
        shown = self.api.get(f'/volumes/{name}')
        self.assertEqual((shown['project'], shown['projects'], shown['unused']), (PROJECT, [PROJECT], True))
        self.job(self.api.call('POST', '/volumes/sizes').json())
        listed = {item['name']: item for item in self.api.get('/volumes')['items']}[name]
        self.assertGreaterEqual(listed['size'], 3_000_000)
        self.assertGreater(listed['sizeAt'], 1_700_000_000_000)

    # --- copies ---

    def test_a_copy_and_back(self):
        name = self.volume('copy', tar_of([(b'volume/kept', b'kept\n', None)]))
        self.assertIsNone(self.api.get(f'/volumes/{name}')['lastBackupAt'])
        done = self.job(self.api.post(f'/volumes/{name}/backups', {'meanwhile': 'run'}))
        self.assertIn('"done"', self.lines(done))
        copy, = self.copies(name)
        self.assertEqual(copy['volume'], name)
        self.assertEqual(self.api.get(f'/volumes/{name}')['lastBackupAt'], copy['at'])
        self.assertEqual(oct(os.stat(f'{self.data}/backups').st_mode & 0o777), '0o700')
        self.job(self.api.ask('POST', f'/backups/{copy["name"]}/verify'))
        refused = self.api.call('POST', f'/backups/{copy["name"]}/restore', {'volume': name})
        self.assertEqual(refused.status, 409, refused.text)
        self.job(self.api.post(f'/backups/{copy["name"]}/restore', {'volume': f'{name}_new'}))
        self.assertEqual(self.api.call('GET', f'/volumes/{name}_new/files/content?path=/kept').body, b'kept\n')
        wait_until(lambda: self.carriers() == [], 30, 'the carriers to be gone')
        verbs = [(entry['verb'], entry['decision']) for entry in self.api.get('/audit?limit=1000')['items']
                 if name in entry['subject']]
        self.assertEqual(sorted(set(verbs)), [('backup.restore', 'allowed'), ('backup.restore', 'failed'),
                                              ('backup.verify', 'allowed'), ('volume.backup', 'allowed')])
        # A copy outlives its volume; a damaged one is told and changes nothing.
        self.api.call('DELETE', f'/volumes/{name}')
        self.assertEqual([each['name'] for each in self.api.get(f'/backups?volume={name}')['items']], [copy['name']])
        file = pathlib.Path(self.data) / 'backups' / f'{copy["name"]}.tar.zst'
        file.write_bytes(file.read_bytes()[:-4])
        self.job(self.api.ask('POST', f'/backups/{copy["name"]}/verify'), 'failed')
        self.job(self.api.post(f'/backups/{copy["name"]}/restore'), 'failed')
        self.assertEqual(self.api.call('GET', f'/volumes/{name}').status, 404)

    def test_names_of_copies_lead_nowhere(self):
        for name in ('..%2f..%2fetc%2fpasswd', 'x', 'a-20261122T220100', '..%2fa-20261122T220100Z', 'a-20261122T220100Z'):
            for deed in 'verify', 'restore':
                self.assertTrue(self.api.call('POST', f'/backups/{name}/{deed}').status in (400, 404), name)
            self.assertIn(self.api.call('DELETE', f'/backups/{name}').status, (400, 404), name)

    def test_copies_go_by_name_or_by_number(self):
        name, other = self.volume('thin'), self.volume('thin-1')
        self.job(self.api.post(f'/volumes/{other}/backups'))
        for _ in range(3):
            newest = len(self.copies(name)) and self.copies(name)[0]['at']
            wait_until(lambda: time.time() * 1000 > newest + 1000, 5, 'a second: names are times')
            self.job(self.api.post(f'/volumes/{name}/backups'))
        folder = pathlib.Path(self.data) / 'backups'
        copies = self.copies(name)
        gone = copies[1]['name']
        self.assertEqual(self.api.call('DELETE', f'/backups/{gone}').status, 204)
        self.assertEqual(self.api.call('DELETE', f'/backups/{gone}').status, 404)
        self.assertEqual(list(folder.glob(f'{gone}*')), [])
        entry = self.api.get('/audit?verb=backup.remove&limit=1000')['items']
        self.assertIn((f'backup:{gone}', 'allowed', name),
                      [(each['subject'], each['decision'], each['difference'].get('volume')) for each in entry])
        for wrong in 0, -1, 10**6:
            self.assertEqual(self.api.call('POST', f'/volumes/{name}/backups', {'keep': wrong}).status, 400)
        wait_until(lambda: time.time() * 1000 > copies[0]['at'] + 1000, 5, 'a second')
        done = self.job(self.api.post(f'/volumes/{name}/backups', {'keep': 2}))
        self.assertIn(f'removed {copies[2]["name"]}', self.lines(done))
        self.assertEqual([each['name'] for each in self.copies(name)[1:]], [copies[0]['name']])
        self.assertEqual(len(self.copies(other)), 1, 'of another volume')

    def test_a_folder_of_ones_own(self):
        folder = tempfile.mkdtemp(prefix='berth-copies-')
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.addCleanup(self.api.ask, 'PATCH', '/settings', {'backupFolder': ''})
        for wrong in 'relative', '/a/../b':
            self.assertEqual(self.api.call('PATCH', '/settings', {'backupFolder': wrong}).status, 400)
        self.assertEqual(self.api.ask('PATCH', '/settings', {'backupFolder': folder})['backupFolder'], folder)
        name = self.volume('folder')
        self.job(self.api.post(f'/volumes/{name}/backups'))
        self.assertEqual(len(os.listdir(folder)), 2)
        self.assertEqual(self.api.get('/backups')['folder'], folder)

    # --- kills ---

    def test_a_killed_look_leaves_no_carrier(self):
        name = self.volume('slow', script='truncate -s 1G /volume/large')
        connection = UnixConnection(self.api.path, 30)
        self.addCleanup(connection.close)
        connection.request('GET', f'/api/v1/volumes/{name}/files/content?path=/large')
        response = connection.getresponse()
        response.read(1000)
        self.assertEqual(len(self.carriers()), 1)
        self.kill_core()
        with self.assertRaises((http.client.IncompleteRead, ConnectionError)):
            while response.read(1 << 20):
                pass
            raise ConnectionError('cut off')
        wait_until(lambda: self.carriers() == [], 30, 'the carrier to be gone')

    def test_a_killed_copy_is_no_copy(self):
        name = self.volume('large', script='truncate -s 3G /volume/large')
        ordered = self.api.post(f'/volumes/{name}/backups')
        folder = pathlib.Path(self.data) / 'backups'
        wait_until(lambda: list(folder.glob(f'{name}-*.part')), 60, 'the copy to begin')
        self.kill_core()
        self.job(ordered, 'interrupted')
        wait_until(lambda: self.carriers() == [], 30, 'the carrier to be gone')
        self.assertEqual(self.copies(name), [])
        self.assertIsNone(self.api.get(f'/volumes/{name}')['lastBackupAt'])
        self.volume('large', script='rm /volume/large')
        self.job(self.api.post(f'/volumes/{name}/backups'))
        self.assertEqual(list(folder.glob(f'{name}-*.part')), [], 'what was half-made is gone with the next copy')
        self.assertEqual(len(self.copies(name)), 1)

    def test_a_killed_restore_leaves_no_volume(self):
        name = self.volume('whole', script='truncate -s 400M /volume/large')
        self.job(self.api.post(f'/volumes/{name}/backups'))
        copy, = self.copies(name)
        ordered = self.api.post(f'/backups/{copy["name"]}/restore', {'volume': f'{name}_new'})
        wait_until(lambda: f'/berth-restore-{name}_new' in self.carriers(), 60, 'the restore to begin')
        self.kill_core()
        self.job(ordered, 'interrupted')
        wait_until(lambda: self.carriers() == [], 60, 'the carriers to be gone')
        self.assertEqual(self.api.call('GET', f'/volumes/{name}_new').status, 404)
        self.assertNotIn(f'{name}_new', [volume['Name'] for volume in engine().json('GET', '/volumes')['Volumes']])


if __name__ == '__main__':
    unittest.main()
