"""Hooks, readiness probes and copied files on the private engine: what surrounds the start and the end of a container."""
import unittest

from support import berth, containers, engine, images, must, project

NAME = 'hooks'

HOOKED = '''services:
  web:
    image: berth.local/busybox
    command: [sleep, "1000"]
    environment: {MODE: "${MODE:-first}"}
    stop_grace_period: 0s
    volumes: ["./out:/out", "data:/data"]
    pre_start:
      - command: [sh, -c, "echo pre_start $$MODE $$STEP >> /out/log; echo $$STEP > /data/step"]
        environment: {STEP: one}
      - command: [sh, -c, "echo pre_start two >> /out/log"]
      - command: [sh, -c, "id -u > /out/user"]
        user: "7"
    post_start:
      - command: [sh, -c, "echo post_start $$MODE $$WHO $$(pwd) $$(id -u) >> /out/log"]
        environment: {WHO: me}
        user: "0"
        working_dir: /out
    pre_stop:
      - command: [sh, -c, "echo pre_stop >> /out/log"]
volumes:
  data:
'''

READY = '''services:
  web:
    image: berth.local/busybox
    command: [sh, -c, "mkdir -p /www; echo up > /www/ok; sleep 1; exec httpd -f -p 8080 -h /www"]
    stop_grace_period: 0s
    x-berth.ready: PROBE
  after:
    image: berth.local/busybox
    command: [sh, -c, "wget -qO- http://web:8080/ok > /out/seen; exec sleep 1000"]
    stop_grace_period: 0s
    volumes: ["./out:/out"]
    depends_on:
      web: {condition: service_healthy}
'''

SEALED = '''services:
  web:
    image: berth.local/busybox
    command: [sleep, "1000"]
    read_only: true
    user: "7"
    stop_grace_period: 0s
    secrets:
      - key
      - {source: word, target: /etc/app/word, uid: "7", mode: 0400}
    configs:
      - {source: text, target: /srv/text}
secrets:
  key: {environment: KEY}
  word: {file: ./word}
configs:
  text: {content: "hello"}
'''


class Hooks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        engine()
        images('busybox')

    def start(self, text, *flags, status=0, **files):
        self.folder = project(self, NAME, text, **files)
        (self.folder / 'out').mkdir(mode=0o777)
        (self.folder / 'out').chmod(0o777)
        return self.berth('up', '-d', *flags, status=status)

    def berth(self, *arguments, status=0, **variables):
        return must(berth(*arguments, cwd=self.folder, env=variables), status)

    def log(self):
        """What the hooks wrote since the last call."""
        path = self.folder / 'out/log'
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return lines

    def inside(self, *command):
        return self.berth('exec', '-T', 'web', *command).stdout

    def names(self):
        return sorted(one['Names'][0] for one in containers(NAME))

    def test_hooks_run_around_start_and_stop(self):
        self.start(HOOKED)
        before = ['pre_start first one', 'pre_start two']
        self.assertEqual(self.log(), [*before, 'post_start first me /out 0'])
        self.assertEqual(self.inside('cat', '/data/step', '/out/user'), 'one\n7\n')
        self.berth('up', '-d', '--scale', 'web=2')
        self.assertEqual(self.log(), ['post_start first me /out 0'], 'more of the same need no pre_start')
        self.berth('up', '-d')
        self.assertEqual(self.log(), ['pre_stop'])
        self.berth('up', '-d', MODE='second')
        self.assertEqual(sorted(self.log()), ['post_start second me /out 0', 'pre_start second one', 'pre_start two',
                                              'pre_stop'])
        self.berth('restart', MODE='second')
        self.assertEqual(self.log(), ['pre_stop', 'post_start second me /out 0'])
        self.berth('stop')
        self.assertEqual(self.log(), ['pre_stop'])
        self.berth('start')
        self.assertEqual(self.log(), ['post_start second me /out 0'])
        self.berth('down')
        self.assertEqual(self.log(), ['pre_stop'])
        self.assertEqual(self.names(), [])

    def test_a_failed_hook_fails_the_step(self):
        done = self.start(HOOKED.replace('echo pre_start two >>', 'echo no schema; exit 4; echo >>'), status=1)
        self.assertIn('ended with status 4', done.stderr)
        self.assertIn('no schema', done.stderr)
        self.assertEqual([(one['Names'][0], one['State']) for one in containers(NAME)], [(f'/{NAME}-web-1', 'created')])
        done = self.start(HOOKED.replace('echo post_start', 'exit 5; echo'), status=1)
        self.assertIn(f'post_start of container {NAME}-web-1 ended with status 5', done.stderr)

    def test_a_failed_pre_stop_leaves_the_container(self):
        self.start(HOOKED.replace('echo pre_stop', 'exit 6; echo'))
        self.assertIn('pre_stop of container', self.berth('stop', status=1).stderr)
        self.assertEqual([one['State'] for one in containers(NAME)], ['running'])

    def test_a_ready_probe_needs_nothing_in_the_image(self):
        self.start(READY.replace('PROBE', '{tcp: 8080}'), '--wait')
        self.assertEqual((self.folder / 'out/seen').read_text(), 'up\n')

    def test_what_is_never_ready_is_an_error(self):
        done = self.start(READY.replace('PROBE', '{http: 8080/missing, interval: 100ms, start_period: 2s, retries: 3}'),
                          status=1)
        self.assertIn('is not ready: http 8080/missing: status 404', done.stderr)
        self.assertEqual([one['State'] for one in containers(NAME, **{'com.docker.compose.service': 'after'})], ['created'])

    def files_volumes(self):
        listed = engine().json('GET', '/volumes')['Volumes'] or []
        return [one['Name'] for one in listed if (one['Labels'] or {}).get('berth.files') == NAME]

    def test_files_reach_a_read_only_container_with_their_owner(self):
        variables = {'KEY': 'k1'}
        self.folder = project(self, NAME, SEALED, word='open sesame')
        self.addCleanup(lambda: self.berth('down', '-v', **variables))
        self.berth('up', '-d', **variables)
        show = ['sh', '-c', 'cat /run/secrets/key /etc/app/word /srv/text; stat -c "%u %a" /etc/app/word']
        self.assertEqual(must(berth('exec', '-T', 'web', *show, cwd=self.folder, env=variables)).stdout,
                         'k1open sesamehello7 400\n')
        self.assertEqual(len(self.files_volumes()), 3)
        only = containers(NAME)[0]['Id']
        self.berth('up', '-d', **variables)
        self.assertEqual(containers(NAME)[0]['Id'], only, 'nothing differs')
        self.berth('up', '-d', KEY='k2')
        self.assertNotEqual(containers(NAME)[0]['Id'], only)
        self.assertEqual(must(berth('exec', '-T', 'web', 'cat', '/run/secrets/key', cwd=self.folder, env=variables)).stdout,
                         'k2')
        self.assertEqual(len(self.files_volumes()), 3, 'the old ones went with the old container')
        self.berth('down', **variables)
        self.assertEqual(self.files_volumes(), [])


if __name__ == '__main__':
    unittest.main()
