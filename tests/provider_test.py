"""Which containers berth serve routes and how: providers.docker by flags and files, what doctor and explain tell."""
import json
import pathlib
import shutil
import tempfile
import unittest

from support import Serve, berth, engine, images, must, project, wait_until

PROVIDERS = '''
providers:
  docker:
    constraints: Label(`tier`, `public`) && !LabelRegex(`com.docker.compose.service`, `^test`)
    network: provider_front
    defaultRule: Host(`{{ index .Labels "com.docker.compose.service" }}.{{ .Labels.zone }}`)
'''
STACK = '''
x-web: &web
  image: berth.local/busybox
  command: ["sh", "-c", "hostname >/index.html; exec httpd -f -p 8080 -h /"]
  init: true
  expose: [8080]
services:
  shop:
    <<: *web
    hostname: shop
    networks: [back, front]
    labels: {traefik.enable: "true", tier: public, zone: berth-provider.net}
  beta:
    <<: *web
    hostname: beta
    networks: [front]
    labels:
      traefik.enable: "true"
      tier: public
      traefik.http.routers.beta.rule: Host(`shop.berth-provider.net`) && Header(`X-Beta`, `yes`)
  test:
    <<: *web
    networks: [front]
    labels: {traefik.enable: "true", tier: public, zone: berth-provider.net}
  private:
    <<: *web
    networks: [front]
    labels: {traefik.enable: "true", tier: private, zone: berth-provider.net}
  forgotten:
    <<: *web
    networks: [front]
    labels: {tier: public, traefik.http.routers.forgotten.rule: Host(`forgotten.berth-provider.net`)}
  silent:
    <<: *web
    networks: [front]
    labels: {tier: public}
networks:
  back: {}
  front: {}
'''


class ProviderTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        engine()
        images('busybox')
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix='berth-provider-'))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.file = cls.folder / 'traefik.yml'
        cls.file.write_text(PROVIDERS)

    def names(self, serve):
        listed = berth('route', 'list', '--data', serve.data, '--format', 'json')
        routes = json.loads(listed.stdout)['routes'] if listed.returncode == 0 else []
        return {route['name']: route['rule'] for route in routes if 'berth-provider.net' in route['rule']}

    def exposure(self, serve):
        lines = berth('doctor', '--data', serve.data, '--format', 'json').stdout.splitlines()
        return next(line for line in map(json.loads, lines) if line['what'] == 'exposure')

    def explain(self, serve, *more):
        return berth('route', 'explain', 'https://shop.berth-provider.net/', '--data', serve.data, *more)

    def test_provider_options(self):
        folder = project(self, 'provider', STACK)
        with Serve('--static-config', self.file) as serve:
            must(berth('up', '-d', cwd=folder))
            wait_until(lambda: len(self.names(serve)) == 2, 30, 'two routers')
            self.assertEqual(self.names(serve), {
                'shop-provider@docker': 'Host(`shop.berth-provider.net`)',
                'beta@docker': 'Host(`shop.berth-provider.net`) && Header(`X-Beta`, `yes`)'})
            wait_until(lambda: serve.fetch('shop.berth-provider.net').text == 'shop\n', 20, 'the page')
            self.assertEqual(serve.fetch('shop.berth-provider.net', headers={'X-Beta': 'yes'}).text, 'beta\n')
            # What decides is told for just this request, with the address in the network that the file names.
            address = self.address('shop')
            told = must(self.explain(serve)).stdout
            self.assertIn('does not match Header(`x-beta`, `yes`)', told)
            self.assertIn(f'shop-provider@docker decides\n  service     shop-provider\n  targets     provider-shop-1 {address}:8080',
                          told)
            told = json.loads(must(self.explain(serve, '--header', 'X-Beta: yes', '--format', 'json')).stdout)
            self.assertEqual((told['router'], told['routers'][1]['why']),
                             ('beta@docker', 'matches, but an earlier one decided'))
            self.assertEqual(self.explain(serve, '--from', 'nobody').returncode, 1)

            wait_until(lambda: 'forgotten' in self.exposure(serve)['found'], 20, 'doctor')
            told = self.exposure(serve)
            self.assertEqual((told['verdict'], told['found']),
                             ('warn', 'labelled but not routed: provider-forgotten-1; '
                                      'beside them 1 without labels, which Traefik would route'))
            self.assertIn('traefik.enable=true', told['advice'])
        flags = ('--providers.docker', '--providers.docker.exposedbydefault=true')
        with Serve('--static-config', self.file, *flags) as serve:
            wait_until(lambda: 'forgotten@docker' in self.names(serve), 30, 'the container without traefik.enable')
            self.assertEqual(self.exposure(serve)['found'], 'berth serve routes all that Traefik would')

    def address(self, service):
        found = [c for c in engine().json('GET', '/containers/json') if f'/provider-{service}-1' in c['Names']]
        return found[0]['NetworkSettings']['Networks']['provider_front']['IPAddress']

    def test_what_is_wrong_is_told_with_its_place(self):
        self.file.write_text(PROVIDERS.replace('.Labels.zone }}', '.Labels.zone'))
        self.addCleanup(self.file.write_text, PROVIDERS)
        done = berth('serve', '--data', self.folder / 'data', '--static-config', self.file)
        self.assertEqual(done.returncode, 16)
        self.assertRegex(done.stderr, r'traefik.yml:6:5: providers.docker.defaultRule: 1:\d+: is not expected here')
        done = berth('serve', '--data', self.folder / 'data', '--providers.docker.constraints=Label(`a`)')
        self.assertEqual(done.returncode, 16)
        self.assertIn('providers.docker.constraints: 1:1: Label takes 2 arguments, got 1', done.stderr)


if __name__ == '__main__':
    unittest.main()
