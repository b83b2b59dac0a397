"""Certificates by ACME: berth serve against pebble, which refuses three nonces in ten and takes its time over each
validation, by all three challenges; DNS-01 also through a real DNS server that takes signed updates."""
import base64
import datetime
import http.server
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import textwrap
import threading
import time
import unittest
import urllib.request

from support import Serve, berth, engine, fetch, free_port, images, must, project, remove_project, wait_until
from serve_test import role_pid

EAB_KEY = 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W'
TSIG_SECRET = 'dGhpcyBpcyBubyByZWFsIHNlY3JldCBvZiBhbnlib2R5'
ISSUED = 60  # seconds for an order, most of which are nonces and polls
SLEEP = '3'  # before a validation pebble sleeps 0, 1 or 2 seconds, whichever it draws


def start(test, log, command, **env):
    """A program that runs until the class is done."""
    with log.open('w') as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                   env={**os.environ, **env})
    test.addClassCleanup(process.wait)
    test.addClassCleanup(process.kill)


class Pebble:
    """A CA with a DNS server of its own, in which every name is 127.0.0.1; or one that asks the server at port `dns`."""

    def __init__(self, test, web, websecure, dns=None, **settings):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='berth-pebble-'))
        test.addClassCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.port, self.management, self.dns, self.dns_control = (free_port() for _ in range(4))
        self.certificate = self.folder / 'ca.pem'
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                        '-keyout', self.folder / 'ca.key', '-out', self.certificate, '-days', '2', '-subj', '/CN=pebble',
                        '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'], check=True, capture_output=True)
        config = {'listenAddress': f'127.0.0.1:{self.port}', 'managementListenAddress': f'127.0.0.1:{self.management}',
                  'certificate': str(self.certificate), 'privateKey': str(self.folder / 'ca.key'), 'httpPort': web,
                  'tlsPort': websecure, 'ocspResponderURL': '', 'externalAccountBindingRequired': False, **settings}
        (self.folder / 'pebble.json').write_text(json.dumps({'pebble': config}))
        if not dns:
            start(test, self.folder / 'dns.log',
                  ['pebble-challtestsrv', '-http01', '', '-https01', '', '-tlsalpn01', '', '-dns01',
                   f'127.0.0.1:{self.dns}', '-management', f'127.0.0.1:{self.dns_control}',
                   '-defaultIPv4', '127.0.0.1', '-defaultIPv6', ''])
        start(test, self.folder / 'ca.log',
              ['pebble', '-config', self.folder / 'pebble.json', '-dnsserver', f'127.0.0.1:{dns or self.dns}'],
              PEBBLE_VA_SLEEPTIME=SLEEP, PEBBLE_WFE_NONCEREJECT='30', PEBBLE_AUTHZREUSE='0')
        self.root = wait_until(self.fetch_root, 20, 'pebble')

    @property
    def directory(self):
        return f'https://localhost:{self.port}/dir'

    @property
    def log(self):
        return (self.folder / 'ca.log').read_text()

    def get(self, url):
        context = ssl.create_default_context(cafile=self.certificate)
        with urllib.request.urlopen(url, context=context, timeout=5) as answer:
            return answer.read().decode()

    def fetch_root(self):
        try:
            return self.get(f'https://localhost:{self.management}/roots/0')
        except OSError:
            return None


class RenewalInformation:
    """ARI (RFC 9773), which Debian's pebble does not have: a directory that leads to that of `ca` for all else."""

    def __init__(self, test, ca):
        self.begin, self.asked = datetime.timedelta(days=30), []  # of the window, from now
        renewal = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                renewal.asked.append(self.path)
                reply = json.dumps(renewal.directory() if self.path == '/dir' else renewal.window()).encode()
                self.send_response(200)
                self.send_header('Content-Length', str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *_):
                pass

        self.ca = ca
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(ca.certificate, ca.folder / 'ca.key')
        server.socket = context.wrap_socket(server.socket, server_side=True)
        self.base = f'https://localhost:{server.server_port}'
        self.certificate = ca.certificate
        threading.Thread(target=server.serve_forever, daemon=True).start()
        test.addClassCleanup(server.server_close)
        test.addClassCleanup(server.shutdown)

    @property
    def url(self):
        return f'{self.base}/dir'

    def directory(self):
        return {**json.loads(self.ca.get(self.ca.directory)), 'renewalInfo': f'{self.base}/ari'}

    def window(self):
        begin = datetime.datetime.now(datetime.timezone.utc) + self.begin
        texts = [(begin + more).strftime('%Y-%m-%dT%H:%M:%SZ') for more in (datetime.timedelta(0), datetime.timedelta(1))]
        return {'suggestedWindow': dict(zip(('start', 'end'), texts))}


class Knot:
    """An authoritative DNS server; only who signs by a key may change TXT records, and of one zone alone."""

    def __init__(self, test):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='berth-knot-'))
        test.addClassCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.port = free_port()
        for zone in ('signed', 'closed'):
            (self.folder / f'{zone}.zone').write_text(textwrap.dedent(f'''\
                $ORIGIN {zone}.berth-knot.net.
                @ 60 SOA ns hostmaster 1 3600 600 86400 5
                @ 60 NS ns
                * 60 A 127.0.0.1
                '''))
        (self.folder / 'knot.conf').write_text(textwrap.dedent(f'''\
            server:
                listen: 127.0.0.1@{self.port}
                rundir: {self.folder}
            database:
                storage: {self.folder}
            key:
              - id: berth
                algorithm: hmac-sha256
                secret: {TSIG_SECRET}
            acl:
              - id: challenges
                action: update
                key: berth
                update-type: TXT
            zone:
              - domain: signed.berth-knot.net
                file: {self.folder}/signed.zone
                acl: challenges
              - domain: closed.berth-knot.net
                file: {self.folder}/closed.zone
            '''))
        start(test, self.folder / 'knot.log', ['knotd', '-c', self.folder / 'knot.conf'])
        wait_until(lambda: self.records('signed.berth-knot.net', 'SOA'), 20, 'knotd')

    def records(self, name, kind='TXT'):
        done = subprocess.run(['dig', '@127.0.0.1', '-p', str(self.port), '+short', '+time=2', '+tries=1', name, kind],
                              capture_output=True, text=True, timeout=30)
        return done.stdout.split('\n')[:-1] if done.returncode == 0 else []


def presented(port, host, ca):
    """The leaf that the edge shows for a name, when a client that trusts `ca` alone accepts it; else None."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=ca)
    try:
        with socket.create_connection(('127.0.0.1', port), 5) as plain:
            with context.wrap_socket(plain, server_hostname=host) as secure:
                return secure.getpeercert()
    except OSError:
        return None


class AcmeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        engine()
        images('busybox')
        cls.ports = (free_port(), free_port())
        cls.ca = Pebble(cls, *cls.ports)
        cls.knot = Knot(cls)
        cls.by_knot = Pebble(cls, *cls.ports, dns=cls.knot.port)
        cls.renewal = RenewalInformation(cls, cls.ca)
        cls.bound = Pebble(cls, *cls.ports, externalAccountBindingRequired=True, externalAccountMACKeys={'kid-1': EAB_KEY})
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix='berth-acme-'))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.data, cls.gate = cls.folder / 'data', cls.folder / 'closed'
        cls.data.mkdir()
        cls.write_hook()
        cls.serve = cls.start_serve()
        cls.addClassCleanup(lambda: cls.serve.stop())

    @classmethod
    def write_hook(cls):
        """Changes records by the test server's own interface; waits while the gate is closed."""
        hook = cls.folder / 'hook'
        hook.write_text(textwrap.dedent(f'''\
            #!/bin/sh
            echo "$@" >>{cls.folder}/hook.log
            while [ -e {cls.gate} ]; do sleep 0.1; done
            [ "$1" = present ] && path=set-txt || path=clear-txt
            exec curl -sf -d "{{\\"host\\":\\"$2\\",\\"value\\":\\"$3\\"}}" http://127.0.0.1:{cls.ca.dns_control}/$path
            '''))
        hook.chmod(0o755)

    @classmethod
    def start_serve(cls):
        def resolver(name, ca, **keys):
            keys = {'caServer': ca.directory if ca else 'https://127.0.0.1:1/dir', 'email': 'a@berth-acme.net',
                    'caCertificates': str((ca or cls.ca).certificate), **keys}
            return [f'--certificatesresolvers.{name}.acme.{key}={value}' for key, value in keys.items()]

        flags = [*resolver('web', cls.ca, **{'httpChallenge.entryPoint': 'web'}),
                 *resolver('tls', cls.ca, tlsChallenge='true'),
                 *resolver('dns', cls.ca, **{'dnsChallenge.provider': 'exec', 'dnsChallenge.delayBeforeCheck': '0'}),
                 *resolver('dead', None, tlsChallenge='true', fallback='bound'),
                 *resolver('knot', cls.by_knot, **{'dnsChallenge.provider': 'rfc2136', 'dnsChallenge.delayBeforeCheck': '0'}),
                 *resolver('ari', cls.ca, tlsChallenge='true', caServer=cls.renewal.url),
                 *resolver('bound', cls.bound, tlsChallenge='true', keyType='RSA2048',
                           **{'eab.kid': 'kid-1', 'eab.hmacEncoded': EAB_KEY})]
        return Serve(*flags, data=cls.data, ports=cls.ports,
                     env={'EXEC_PATH': str(cls.folder / 'hook'), 'RFC2136_NAMESERVER': f'127.0.0.1:{cls.knot.port}',
                          'RFC2136_TSIG_KEY': 'berth', 'RFC2136_TSIG_SECRET': TSIG_SECRET})

    def route(self, name, host, resolver, *more):
        """A project whose service is routed under a host with a resolver."""
        labels = '\n'.join(f'      - {label}' for label in more)
        folder = project(self, name, f'''
services:
  web:
    image: berth.local/busybox
    command: ["sh", "-c", "echo {name} >/index.html; exec httpd -f -p 8080 -h /"]
    init: true
    labels:
      - traefik.enable=true
      - traefik.http.routers.{name}.rule=Host(`{host}`)
      - traefik.http.routers.{name}.tls.certresolver={resolver}
      - traefik.http.services.{name}.loadbalancer.server.port=8080
{labels}
''')
        must(berth('up', '-d', cwd=folder))
        return folder

    def issued(self, host, ca=None, seconds=ISSUED):
        try:
            return wait_until(lambda: presented(self.ports[1], host, (ca or self.ca).root), seconds, f'{host}')
        except AssertionError as error:
            raise AssertionError(f'{error}\n{self.serve.log.read_text()[-3000:]}') from None

    def state(self, host):
        """What is kept of the certificate whose first host this is."""
        for path in (self.data / 'acme').glob('*.json'):
            state = json.loads(path.read_text())
            if state.get('hosts', [None])[0] == host:
                return state
        return None

    def test_http_challenge_and_what_is_kept(self):
        self.route('acmeweb', 'web.berth-acme.net', 'web')
        # Until then the local CA signs.
        wait_until(lambda: presented(self.ports[1], 'web.berth-acme.net', self.serve.ca) or
                   presented(self.ports[1], 'web.berth-acme.net', self.ca.root), 10, 'some certificate')
        leaf = self.issued('web.berth-acme.net')
        self.assertEqual(leaf['subjectAltName'], (('DNS', 'web.berth-acme.net'),))
        page = fetch(f'https://web.berth-acme.net:{self.ports[1]}/', ca=self.ca.root)
        self.assertEqual((page.status, page.text), (200, 'acmeweb\n'))
        folder = self.data / 'acme'
        self.assertEqual(folder.stat().st_mode & 0o777, 0o700)
        for path in folder.iterdir():
            self.assertEqual(path.stat().st_mode & 0o777, 0o700 if path.is_dir() else 0o600, path)
        self.assertEqual(self.state('web.berth-acme.net')['orders'], {})
        self.assertNotIn(EAB_KEY, self.serve.log.read_text())

    def test_tls_challenge(self):
        self.route('acmetls', 'tls.berth-acme.net', 'tls')
        self.assertEqual(self.issued('tls.berth-acme.net')['subjectAltName'], (('DNS', 'tls.berth-acme.net'),))

    def test_wildcard_by_dns(self):
        name = 'traefik.http.routers.acmewild.tls.domains[0]'
        self.route('acmewild', 'a.wild.berth-acme.net', 'dns', f'{name}.main=*.wild.berth-acme.net',
                   f'{name}.sans=wild.berth-acme.net')
        leaf = self.issued('a.wild.berth-acme.net')
        self.assertEqual({value for _, value in leaf['subjectAltName']}, {'*.wild.berth-acme.net', 'wild.berth-acme.net'})
        self.assertIsNotNone(presented(self.ports[1], 'b.wild.berth-acme.net', self.ca.root))
        calls = (self.folder / 'hook.log').read_text().split('\n')
        self.assertEqual(sum(call.startswith('present _acme-challenge.wild.berth-acme.net. ') for call in calls), 2)
        wait_until(lambda: (self.folder / 'hook.log').read_text().count('cleanup _acme-challenge.wild') == 2, 10, 'cleanup')

    def test_wildcard_by_signed_updates(self):
        name, zone = 'traefik.http.routers.acmeknot.tls.domains[0]', 'signed.berth-knot.net'
        self.route('acmeknot', f'a.{zone}', 'knot', f'{name}.main=*.{zone}', f'{name}.sans={zone}')
        leaf = self.issued(f'a.{zone}', self.by_knot)
        self.assertEqual({value for _, value in leaf['subjectAltName']}, {f'*.{zone}', zone})
        # Both answers stood at one name, and the updates made later versions of the zone.
        wait_until(lambda: not self.knot.records(f'_acme-challenge.{zone}'), 20, 'the records to be gone')
        self.assertGreater(int(self.knot.records(zone, 'SOA')[0].split()[2]), 2)
        self.assertNotIn(TSIG_SECRET, self.serve.log.read_text())

    def test_refused_update_is_told(self):
        host = 'a.closed.berth-knot.net'
        self.route('acmeclosed', host, 'knot')
        state = wait_until(lambda: (self.state(host) or {}).get('failures') and self.state(host), ISSUED, 'a failure')
        self.assertRegex(state['error'], 'knot: nsupdate ended with status 2: .*(REFUSED|NOTAUTH)')
        self.assertNotIn(TSIG_SECRET, json.dumps(state) + self.serve.log.read_text())

    def test_renewal_when_the_ca_says_so(self):
        host = 'ari.berth-acme.net'
        self.route('acmeari', host, 'ari')
        first = self.issued(host)
        state = wait_until(lambda: (self.state(host) or {}).get('window') and self.state(host), 20, 'the window')
        self.assertGreater(state['ask_window'], time.time() + 3600)
        # The CA wants it replaced, say because of a fault of its own. Hours go by, with berth away.
        asked = len(self.renewal.asked)
        type(self).serve.stop()
        self.renewal.begin = -datetime.timedelta(days=2)
        file = next(path for path in (self.data / 'acme').glob(f'{host}*.json'))
        file.write_text(json.dumps({**json.loads(file.read_text()), 'ask_window': 0, 'next_try': 0}))
        type(self).serve = self.start_serve()
        wait_until(lambda: self.issued(host)['serialNumber'] != first['serialNumber'], ISSUED, 'another certificate')
        self.assertTrue(any(path.startswith('/ari/') for path in self.renewal.asked[asked:]), self.renewal.asked)

    def test_second_issuer_with_external_account(self):
        self.route('acmebound', 'bound.berth-acme.net', 'dead')
        self.issued('bound.berth-acme.net', self.bound)
        self.assertEqual(self.state('bound.berth-acme.net')['issuer'], 'bound')

    def test_renewal_on_demand_keeps_the_old_one_until_then(self):
        self.route('acmeagain', 'again.berth-acme.net', 'tls')
        first = self.issued('again.berth-acme.net')
        must(berth('cert', 'renew', '--data', self.data, '--force', 'again.berth-acme.net'))
        wait_until(lambda: self.issued('again.berth-acme.net')['serialNumber'] != first['serialNumber'], ISSUED, 'another one')
        listed = json.loads(must(berth('cert', 'list', '--data', self.data, '--format', 'json')).stdout)
        entry = next(each for each in listed if each['hosts'] == ['again.berth-acme.net'])
        self.assertEqual((entry['issuer'], entry['error']), ('tls', ''))
        table = must(berth('cert', 'list', '--data', self.data)).stdout
        self.assertIn('again.berth-acme.net', table)
        unknown = berth('cert', 'renew', '--data', self.data, 'nobody.berth-acme.net')
        self.assertEqual(unknown.returncode, 1)

    def test_kill_in_the_middle_goes_on_with_the_order(self):
        self.gate.touch()
        self.addCleanup(self.gate.unlink, missing_ok=True)
        self.route('acmekill', 'kill.berth-acme.net', 'dns')
        orders = wait_until(lambda: (self.state('kill.berth-acme.net') or {}).get('orders'), ISSUED, 'an order')
        wait_until(lambda: 'present _acme-challenge.kill.' in (self.folder / 'hook.log').read_text(), ISSUED, 'the hook')
        core = role_pid(self.serve, 'core')
        os.kill(core, signal.SIGKILL)
        wait_until(lambda: role_pid(self.serve, 'core') not in (None, core), 10, 'a new core')
        self.assertEqual(self.state('kill.berth-acme.net')['orders'], orders)
        self.gate.unlink()
        self.issued('kill.berth-acme.net')
        # The CA numbers orders by random texts: this one, and no other since.
        number = orders['dns'].rsplit('/', 1)[1]
        self.assertIn(f'for order {number}', self.ca.log)
        self.assertNotIn('Added order', self.ca.log.split(f'Added order "{number}"')[1])

    def test_certificates_survive_restarts(self):
        self.route('acmestay', 'stay.berth-acme.net', 'tls')
        leaf = self.issued('stay.berth-acme.net')
        type(self).serve.stop()
        type(self).serve = self.start_serve()
        self.assertEqual(self.issued('stay.berth-acme.net', seconds=10)['serialNumber'], leaf['serialNumber'])
        time.sleep(0.5)
        self.assertEqual(self.issued('stay.berth-acme.net', seconds=1)['serialNumber'], leaf['serialNumber'])

    def test_failure_is_told_and_kept(self):
        self.route('acmefail', 'fail.berth-acme.net', 'web', 'traefik.http.routers.acmefail.tls.domains[0].main=*.berth-acme.org')
        state = wait_until(lambda: (self.state('*.berth-acme.org') or {}).get('failures') and self.state('*.berth-acme.org'),
                           ISSUED, 'a failure')
        self.assertIn('does not offer http-01', state['error'])
        self.assertGreater(state['next_try'], time.time() + 30)
        # The host has a certificate all the same.
        self.assertIsNotNone(presented(self.ports[1], 'fail.berth-acme.net', self.serve.ca))

    def test_imported_certificates_are_served_and_none_is_ordered(self):
        host = 'imported.berth-acme.net'
        key, leaf = self.folder / 'imported.key', self.folder / 'imported.pem'

        def acme_json():
            subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                            '-keyout', key, '-out', leaf, '-days', '90', '-subj', f'/CN={host}',
                            '-addext', f'subjectAltName=DNS:{host}'], check=True, capture_output=True)
            encoded = [base64.b64encode(path.read_bytes()).decode() for path in (leaf, key)]
            file = self.folder / 'acme.json'
            file.write_text(json.dumps({'tls': {'Account': None, 'Certificates': [
                {'domain': {'main': host}, 'certificate': encoded[0], 'key': encoded[1], 'Store': 'default'}]}}, indent=2))
            return file
        bring = ('import', 'traefik', acme_json(), '--data', self.data)
        self.assertIn(host, must(berth(*bring)).stdout)
        self.assertIn('is there', must(berth(*bring)).stdout)
        own = leaf.read_text()
        self.route('acmeimported', host, 'tls')
        served = wait_until(lambda: presented(self.ports[1], host, own), 20, 'the imported certificate')
        self.assertEqual(self.state(host)['orders'], {})
        for path in (self.data / 'acme').glob(f'{host}*'):
            self.assertEqual(path.stat().st_mode & 0o777, 0o600, path)
        acme_json()
        refused = berth(*bring)
        self.assertEqual(refused.returncode, 1)
        self.assertIn('It stays; use --yes', refused.stderr)
        self.assertEqual(presented(self.ports[1], host, own)['serialNumber'], served['serialNumber'])
        self.assertNotIn(host, self.ca.log)
        (self.folder / 'acme.json').write_text('{"tls": }')
        self.assertIn('acme.json:1:9: not JSON', berth(*bring).stderr)


if __name__ == '__main__':
    unittest.main()
