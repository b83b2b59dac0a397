"""examples/inventory, brought up by berth and reached through its edge: what its users and its operator do."""
import base64
import http.cookies
import json
import re
import shutil
import subprocess
import tempfile
import unittest
import urllib.parse

from support import ROOT, Serve, berth, containers, engine, images, must, remove_project, wait_until

TIME_LIMIT = 600
HOST = 'inventory.localhost'
HOSTS = '/api/inventory/hosts'


class Browser:
    """Keeps cookies, as a browser would; names its page as the referrer."""

    def __init__(self, serve):
        self.serve, self.cookies = serve, {}

    def go(self, path, **form):
        headers = {'Cookie': '; '.join(f'{k}={v}' for k, v in self.cookies.items()),
                   'Referer': f'https://{HOST}:{self.serve.websecure}{path}'}
        body = urllib.parse.urlencode(form) if form else None
        if body:
            headers['Content-Type'] = 'application/x-www-form-urlencoded'
        page = self.serve.fetch(HOST, path, method='POST' if form else 'GET', headers=headers, body=body)
        for line in page.headers.get_all('Set-Cookie') or []:
            self.cookies.update({name: item.value for name, item in http.cookies.SimpleCookie(line).items()})
        return page


class Inventory(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        engine()
        images('nginx', 'postgres', 'python', 'mkdocs')
        cls.folder = tempfile.mkdtemp(prefix='berth-inventory-')
        shutil.copytree(ROOT / 'examples/inventory', cls.folder, dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns('.env', 'secrets', '__pycache__'))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        subprocess.run([f'{cls.folder}/init'], check=True, capture_output=True, timeout=30)
        with open(f'{cls.folder}/secrets/admin_password') as file:
            cls.password = file.read()
        remove_project('inventory')
        cls.addClassCleanup(remove_project, 'inventory')
        cls.serve = Serve()
        cls.addClassCleanup(cls.serve.stop)
        cls.up()

    @classmethod
    def berth(cls, *arguments, **options):
        return berth(*arguments, cwd=cls.folder, timeout=300, **options)

    @classmethod
    def up(cls):
        done = must(cls.berth('up', '-d', '--wait'))
        wait_until(lambda: cls.serve.fetch(HOST, '/healthz').status == 200, 20, 'the application behind the edge')
        return done

    def api(self, method='GET', path=HOSTS, body=None):
        token = base64.b64encode(f'admin:{self.password}'.encode()).decode()
        return self.serve.fetch(HOST, path, method=method, body=json.dumps(body) if body else None,
                                headers={'Authorization': f'Basic {token}', 'Content-Type': 'application/json'})

    def add(self, name):
        made = self.api('POST', body={'hostname': name, 'ip': '10.0.0.7'})
        self.assertEqual(made.status, 201, made.text)
        self.addCleanup(self.api, 'DELETE', f'{HOSTS}/{name}')

    def ids(self):
        return {c['Labels']['com.docker.compose.service']: c['Id'] for c in containers('inventory')}

    def test_a_row_survives_down_and_up(self):
        self.add('kept1')
        must(self.berth('down'))
        self.assertEqual(containers('inventory'), [])
        self.up()
        self.assertEqual(self.api(path=f'{HOSTS}/kept1').json()['ip'], '10.0.0.7')

    def test_the_api_refuses_strangers_and_wrong_rows(self):
        self.assertEqual(self.serve.fetch(HOST, HOSTS).status, 401)
        wrong = self.api('POST', body={'hostname': 'Not A Name', 'ip': '300.1.1.1'})
        self.assertEqual(wrong.status, 400)
        self.assertEqual(sorted(wrong.json()['fields']), ['hostname', 'ip'])

    def test_the_admin_pages_render_after_a_sign_in(self):
        browser = Browser(self.serve)
        token = re.search(r'csrfmiddlewaretoken" value="([^"]+)', browser.go('/admin/login/').text)[1]
        answer = browser.go('/admin/login/', csrfmiddlewaretoken=token, username='admin', password=self.password,
                            next='/admin/')
        self.assertEqual((answer.status, answer.headers['Location']), (302, '/admin/'))
        page = browser.go('/admin/inventory/host/add/')
        self.assertEqual(page.status, 200)
        self.assertIn('Lab inventory', page.text)

    def test_static_files_and_documentation_are_served(self):
        self.assertIn('text/css', self.serve.fetch(HOST, '/static/admin/css/base.css').headers['Content-Type'])
        self.assertIn('<title>Lab inventory</title>', self.serve.fetch(HOST, '/docs/').text)
        self.assertEqual(self.serve.fetch(HOST, '/docs/operation/').status, 200)

    def test_a_second_up_changes_nothing_and_says_so(self):
        before = self.ids()
        done = self.up()
        self.assertIn('nothing to do', done.stdout + done.stderr)
        self.assertEqual(self.ids(), before)

    def test_one_variable_recreates_one_service_and_the_plan_says_why(self):
        before = self.ids()
        environment = {'SMTP_PORT': '2525'}
        planned = must(self.berth('plan', '--detailed-exitcode', env=environment), 2)
        self.assertIn('Env.SMTP_PORT: "25" -> "2525"', planned.stdout)
        must(self.berth('up', '-d', '--wait', env=environment))
        after = self.ids()
        self.assertEqual({name for name in after if after[name] != before[name]}, {'cores'})
        self.up()

    def test_a_killed_container_is_healed(self):
        engine().call('DELETE', f'/containers/{self.ids()["cores"]}?force=1').read()
        self.up()
        self.assertEqual(self.api().status, 200)

    def test_only_nginx_is_routed(self):
        routed = [c['Labels']['com.docker.compose.service'] for c in containers('inventory')
                  if c['Labels'].get('traefik.enable') == 'true']
        self.assertEqual(routed, ['nginx'])
        self.assertFalse(any(c['Ports'] and any('PublicPort' in p for p in c['Ports']) for c in containers('inventory')))


if __name__ == '__main__':
    unittest.main()
