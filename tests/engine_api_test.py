"""The API of `berth serve` on the private engine: on its socket, and through the edge."""
import http.client
import json
import socket
import subprocess
import unittest

from support import BERTH, Serve, engine, free_port, images, wait_until


class Local(http.client.HTTPConnection):
    """To the unix socket."""

    def __init__(self, path):
        super().__init__('berth', timeout=60)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(self.path)


class ApiTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        engine()
        images('nginx')
        cls.serve = Serve()
        cls.addClassCleanup(cls.serve.stop)
        wait_until((cls.serve.data / 'api.sock').exists, what='the socket of the API')
        wait_until(lambda: cls.call('GET', '/api/v1/engines')[1]['items'][0]['state'] == 'up', what='the engine')
        cls.image = 'berth.local/nginx:latest'

    @classmethod
    def call(cls, method, path, body=None, accept=None):
        connection = Local(cls.serve.data / 'api.sock')
        headers = {'Content-Type': 'application/json'} if body else {}
        connection.request(method, path, json.dumps(body) if body else None, headers | ({'Accept': accept} if accept else {}))
        reply = connection.getresponse()
        text = reply.read().decode()
        connection.close()
        return reply.status, json.loads(text) if 'json' in reply.headers.get('Content-Type', '') else text

    def test_the_plain_contract(self):
        name, ports = 'api-plain', [f'{free_port()}:80', f'{free_port()}:81']
        status, made = self.call('POST', '/api/containers', {'image': self.image, 'name': name, 'ports': ports})
        self.addCleanup(self.call, 'DELETE', f'/api/v1/containers/{name}?force=1')
        self.assertEqual((status, made['name'], made['status']), (201, name, 'initializing'), made)
        self.assertIn('[init] started', made['logs'])
        listed = next(each for each in self.call('GET', '/api/containers')[1]['containers'] if each['id'] == made['id'])
        self.assertEqual(set(listed), {'id', 'name', 'image', 'status', 'createdAt', 'ports'})
        self.assertEqual((listed['name'], listed['image']), (name, self.image))
        limits = self.call('GET', f'/api/v1/containers/{name}')[1]['limits']
        self.assertEqual(limits, {'memory': 512 << 20, 'cpus': 1})
        status, log = self.call('GET', f'/api/containers/{name}/logs', accept='text/plain')
        self.assertEqual((status, log.splitlines()[:len(made['logs'])]), (200, made['logs']))
        self.call('POST', f'/api/v1/containers/{name}/stop')
        # One that has stopped already is removed all the same.
        self.assertEqual(self.call('DELETE', f'/api/containers/{made["id"]}'), (200, {'success': True, 'id': made['id']}))
        self.assertEqual(self.call('GET', f'/api/v1/containers/{name}')[0], 404)

    def test_through_the_edge(self):
        self.assertEqual(self.serve.fetch('berth.localhost', '/api/v1/health').status, 200)
        for path in ('/api/v1/containers', '/api/containers', '/api/images'):
            reply = self.serve.fetch('berth.localhost', path, headers={'X-Berth-Edge': 'guess'})
            self.assertEqual((reply.status, reply.json()['code']), (401, 'unauthorized'), path)

    def test_describes_every_route(self):
        document = self.call('GET', '/api/v1/openapi.json')[1]
        self.assertEqual(document['openapi'], '3.1.0')
        names = [each['operationId'] for methods in document['paths'].values() for each in methods.values()]
        self.assertEqual(len(names), len(set(names)))
        printed = subprocess.run([BERTH, 'api-docs'], capture_output=True, timeout=60, check=True).stdout
        self.assertEqual(json.loads(printed), document)

    def test_tells_what_a_container_uses(self):
        name = 'api-figures'
        self.call('POST', '/api/containers', {'image': self.image, 'name': name})
        self.addCleanup(self.call, 'DELETE', f'/api/v1/containers/{name}?force=1')
        status, now = self.call('GET', f'/api/v1/containers/{name}/stats')
        self.assertEqual(status, 200, now)
        self.assertGreater(now['memory'], 0)
        self.assertEqual(now['memoryLimit'], 512 << 20)
        history = f'/api/v1/containers/{name}/history'
        wait_until(lambda: self.call('GET', history)[1]['at'], 60, 'a figure of the container')
        kept = self.call('GET', history)[1]
        self.assertGreater(kept['memory'][0], 0)
        self.assertGreater(self.call('GET', '/api/v1/history?range=1h')[1]['memory'][0], kept['memory'][0])
        self.assertEqual(self.call('GET', f'{history}?range=7d')[0], 400)
        self.call('POST', f'/api/v1/containers/{name}/stop')
        self.assertEqual(self.call('GET', f'/api/v1/containers/{name}/stats')[0], 409)

    def test_sets_the_limits_of_new_containers(self):
        before = self.call('GET', '/api/v1/settings')[1]
        self.assertEqual(before, {'defaultMemory': 512 << 20, 'defaultCpus': 1, 'backupFolder': ''})
        self.addCleanup(self.call, 'PATCH', '/api/v1/settings', before)
        self.assertEqual(self.call('PATCH', '/api/v1/settings', {'defaultMemory': 1})[0], 400)
        status, now = self.call('PATCH', '/api/v1/settings', {'defaultMemory': 64 << 20, 'defaultCpus': 0.5})
        self.assertEqual((status, now), (200, {'defaultMemory': 64 << 20, 'defaultCpus': 0.5, 'backupFolder': ''}))
        self.call('POST', '/api/containers', {'image': self.image, 'name': 'api-bounded'})
        self.addCleanup(self.call, 'DELETE', '/api/v1/containers/api-bounded?force=1')
        limits = self.call('GET', '/api/v1/containers/api-bounded')[1]['limits']
        self.assertEqual(limits, {'memory': 64 << 20, 'cpus': 0.5})

    def test_draws_what_is_connected(self):
        name = 'api-drawn'
        self.call('POST', '/api/containers', {'image': self.image, 'name': name})
        self.addCleanup(self.call, 'DELETE', f'/api/v1/containers/{name}?force=1')
        drawn = self.call('GET', '/api/v1/networks/topology')[1]
        self.assertIn({'id': f'container:{name}', 'kind': 'container', 'name': name, 'state': 'running'}, drawn['nodes'])
        self.assertIn({'from': f'container:{name}', 'to': 'network:bridge'}, drawn['edges'])


if __name__ == '__main__':
    unittest.main()
