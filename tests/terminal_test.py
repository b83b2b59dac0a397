"""Terminals in containers over the API's WebSocket, through the edge as a browser comes."""
import json
import struct
import unittest

from api_client import Api
from identity import HOST, PASSWORD, Browser, command, trusted
from support import BINARY, CLOSE, TEXT, Serve, WebSocket, engine, images, wait_until

NAME = 'terminal-one'


class Line:
    """One socket to a terminal; what came over it so far."""

    def __init__(self, browser, id, ticket, **headers):
        url = f'{browser.origin.replace("https", "wss")}/api/v1/terminals/{id}/socket?ticket={ticket}'
        cookie = '; '.join(f'{name}={value}' for name, value in browser.jar.items())
        headers = {'Cookie': cookie, 'Origin': browser.origin} | headers
        self.socket = WebSocket(url, ca=trusted(browser.serve), headers={k: v for k, v in headers.items() if v}, timeout=20)
        self.seen, self.said = b'', []

    def step(self):
        kind, payload = self.socket.receive()
        if kind == BINARY:
            self.seen += payload
        elif kind == TEXT:
            self.said.append(json.loads(payload))
        elif kind == CLOSE:
            self.said.append(struct.unpack('>H', payload[:2])[0])
        return kind

    def until(self, text):
        while text.encode() not in self.seen:
            self.step()
        return self

    def end(self):
        while self.step() != CLOSE:
            pass
        return self.said

    def run(self, line, answer):
        self.socket.send(f'{line}\n'.encode())
        return self.until(answer)

    def drop(self):
        """Hangs up without a word."""
        self.socket.reader.close()
        self.socket.socket.close()


class TerminalTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        engine()
        images('busybox')
        cls.serve = Serve()
        cls.addClassCleanup(cls.serve.stop)
        wait_until(lambda: (cls.serve.data / 'api.sock').exists(), 30, 'the API to listen')
        command(cls.serve, 'user', 'create', 'root', '--admin', '--password-stdin', stdin=PASSWORD + '\n')
        cls.api = Api(cls.serve.data).ready()
        wait_until(lambda: cls.api.get('/engines')['items'][0]['state'] == 'up', 30, 'the engine')
        wait_until(lambda: Browser(cls.serve).ask('GET', '/session').status == 200, 30, 'the platform to answer')
        cls.container(NAME)
        cls.addClassCleanup(cls.api.call, 'DELETE', f'/containers/{NAME}?force=1')
        cls.root = cls.browser('root')

    @classmethod
    def container(cls, name):
        def runs():
            response = cls.api.call('GET', f'/containers/{name}')
            return response.status == 200 and response.json()['state'] == 'running'
        cls.api.call('DELETE', f'/containers/{name}?force=1')
        cls.api.post('/containers', {'image': 'berth.local/busybox:latest', 'name': name, 'command': ['sleep', '3600']})
        wait_until(runs, 30, f'{name} to run')

    @classmethod
    def browser(cls, name):
        browser = Browser(cls.serve)
        answer = browser.sign_in(name, PASSWORD)
        if answer.status != 200:
            raise AssertionError(answer.text)
        return browser

    def user(self, name, role):
        self.api.post('/users', {'name': name, 'role': role, 'password': PASSWORD})
        return self.browser(name)

    def ask(self, browser, method, path, body=None, status=200):
        response = browser.ask(method, path, body)
        self.assertEqual(response.status, status, response.text)
        return json.loads(response.body) if response.body else None

    def open(self, name=NAME):
        made = self.ask(self.root, 'POST', f'/containers/{name}/terminals', {'command': ['sh'], 'cols': 100, 'rows': 30})
        self.addCleanup(self.api.call, 'DELETE', f'/terminals/{made["terminal"]}')
        return made['terminal'], made['ticket']

    def ticket(self, id):
        return self.ask(self.root, 'POST', f'/terminals/{id}/tickets')['ticket']

    def shown(self, id):
        return next((each for each in self.ask(self.root, 'GET', '/terminals')['items'] if each['id'] == id), None)

    def refused(self, status, *arguments, **headers):
        with self.assertRaisesRegex(AssertionError, f'status {status}'):
            Line(*arguments, **headers)

    def test_echoes_resizes_and_ends(self):
        id, ticket = self.open()
        line = Line(self.root, id, ticket).run('echo $((40 + 2))x', '42x')
        line.socket.send(json.dumps({'resize': {'cols': 111, 'rows': 33}}))
        line.run('stty size; echo do""ne', '33 111').until('done')
        self.assertEqual((self.shown(id)['name'], self.shown(id)['command'], self.shown(id)['attached']), (NAME, ['sh'], True))
        line.socket.send(b'exit 7\n')
        self.assertEqual(line.end(), [{'exit': 7}, 1000])
        wait_until(lambda: self.shown(id) is None, 20, 'the terminal to be gone')

    def test_comes_back_with_what_was_on_it(self):
        id, ticket = self.open()
        line = Line(self.root, id, ticket).run('mark=kept; echo first$((1 + 1))', 'first2')
        line.drop()
        wait_until(lambda: not self.shown(id)['attached'], 20, 'the socket to be missed')
        again = Line(self.root, id, self.ticket(id)).until('first2')
        again.run('echo $mark$((2 + 3))', 'kept5')
        third = Line(self.root, id, self.ticket(id)).until('kept5')
        self.assertEqual(again.end(), [1000])
        third.run('echo third$((6 + 1))', 'third7')

    def test_a_slow_reader_loses_nothing(self):
        id, ticket = self.open()
        line = Line(self.root, id, ticket).run('stty -echo; echo qui""et', 'quiet')
        line.seen = b''
        line.run('echo; seq 1 60000; echo do""ne', 'done')
        numbers = [int(each) for each in line.seen.decode().replace('\r', '').split('\n') if each.strip().isdigit()]
        self.assertEqual(numbers, list(range(1, 60001)))

    def test_tickets_are_for_one_socket_of_one_user(self):
        id, ticket = self.open()
        Line(self.root, id, ticket).run('echo $((1 + 1))x', '2x')
        self.refused(403, self.root, id, ticket)
        self.refused(403, self.root, id, 'guess')
        old = self.ticket(id)
        other = self.user('other-admin', 'admin')
        self.refused(403, other, id, old)
        new = self.ticket(id)
        self.refused(403, self.root, id, old)
        Line(self.root, id, new)

    def test_other_origins_are_refused(self):
        id, ticket = self.open()
        for origin in ('https://evil.example', f'http://{HOST}:{self.serve.websecure}', f'https://{HOST}.evil.example', 'null', None):
            self.refused(403, self.root, id, ticket, Origin=origin)
        self.refused(401, self.root, id, ticket, Cookie=None)
        Line(self.root, id, ticket).run('echo $((1 + 1))x', '2x')

    def test_who_may_not_is_refused(self):
        id, _ = self.open()
        viewer, operator = self.user('eve', 'viewer'), self.user('oscar', 'operator')
        self.ask(viewer, 'POST', f'/containers/{NAME}/terminals', {}, 404)
        self.ask(operator, 'POST', f'/terminals/{id}/tickets', None, 404)
        self.ask(operator, 'DELETE', f'/terminals/{id}', None, 404)
        self.assertEqual(self.ask(operator, 'GET', '/terminals')['items'], [])
        self.assertIsNotNone(self.shown(id))

    def test_a_viewer_of_the_project_is_refused(self):
        name = 'terminal-own'
        self.api.post('/projects', {'name': 'termown', 'files': {'compose.yaml':
            f'services: {{web: {{image: "berth.local/busybox:latest", container_name: {name}, command: [sleep, "3600"]}}}}\n'}})
        self.addCleanup(self.api.call, 'DELETE', f'/containers/{name}?force=1')
        self.api.post('/projects/termown/apply')
        wait_until(lambda: self.api.call('GET', f'/containers/{name}').status == 200, 60, 'the container')
        self.api.idle('termown')
        users = {}
        for who in ('viewer', 'developer'):
            users[who] = self.user(f'own-{who}', who)
            found = next(each for each in self.api.get('/users')['items'] if each['name'] == f'own-{who}')
            self.api.ask('PUT', f'/users/{found["id"]}/projects/termown', {'role': who})
        self.ask(users['viewer'], 'POST', f'/containers/{name}/terminals', {}, 403)
        made = self.ask(users['developer'], 'POST', f'/containers/{name}/terminals', {})
        Line(users['developer'], made['terminal'], made['ticket']).run('echo $((3 + 4))x', '7x')
        self.ask(users['viewer'], 'POST', f'/terminals/{made["terminal"]}/tickets', None, 404)

    def test_ending_ends_the_shell(self):
        name = 'terminal-end'
        self.container(name)
        self.addCleanup(self.api.call, 'DELETE', f'/containers/{name}?force=1')
        id, ticket = self.open(name)
        Line(self.root, id, ticket).run('echo $((1 + 1))x', '2x').drop()
        self.ask(self.root, 'DELETE', f'/terminals/{id}', None, 204)
        self.assertIsNone(self.shown(id))

        def processes():
            return [each[-1] for each in self.api.get(f'/containers/{name}/top')['processes']]
        wait_until(lambda: processes() == ['sleep 3600'], 20, 'the shell to end')

    def test_a_frame_that_breaks_a_rule_ends_the_socket_only(self):
        id, ticket = self.open()
        line = Line(self.root, id, ticket).run('echo $((1 + 1))x', '2x')
        line.socket.socket.sendall(b'\x82\x01x')
        self.assertEqual(line.end(), [1002])
        other = Line(self.root, id, self.ticket(id)).until('2x')
        other.socket.send('no json')
        self.assertEqual(other.end(), [1008])


if __name__ == '__main__':
    unittest.main()
