"""1,000 changes of routes and 100 of targets under load: no request fails, no stream of an unchanged route ends.

The edge runs without an engine; this suite says what core would."""
import random
import unittest

from edge_process import EdgeProcess, certificate
from load import Load, Origins, Site
from support import wait_until

TIME_LIMIT = 600  # some 20 s of an idle machine
CHANGES, SWITCHES, SITES = 1000, 100, 12


class Table:
    """What the edge is told: sites under load, one that stays, and some that come and go."""

    def __init__(self, origins):
        self.still = Site(1000, origins.open())
        self.sites = [Site(number, origins.open()) for number in range(SITES)]
        self.others = set()
        self.certificate = certificate('r0.test')

    def snapshot(self, version):
        routes, services = [], []
        for site in [*self.sites, self.still]:
            routes.append(self.route(site.name, site.host, site.version.now()))
            services.append({'name': site.name, 'upstreams': [
                {'host': '127.0.0.1', 'port': site.target.now(), 'target': f'{site.name}-{site.target.now()}'}]})
        for number in sorted(self.others):
            routes.append(self.route(f'other{number}', f'other{number}.test', 0) | {'service': self.still.name})
        return {'format': 1, 'version': version, 'settings': {}, 'routes': routes, 'services': services,
                'certificates': [self.certificate]}

    @staticmethod
    def route(name, host, version):
        headers = {'headers': {'customresponseheaders': {'X-Version': str(version)}}}
        return {'name': name, 'rule': f'Host(`{host}`)', 'listeners': ['web', 'websecure'], 'service': name,
                'middlewares': [{'name': f'{name}-headers', 'action': headers}]}


class ChangeTest(unittest.TestCase):
    def setUp(self):
        self.origins = Origins()
        self.addCleanup(self.origins.stop)
        self.table = Table(self.origins)
        self.edge = EdgeProcess(self.table.snapshot(1), workers=2)
        self.addCleanup(self.edge.stop)
        self.random = random.Random(4)

    def change_a_route(self):
        if self.random.random() < 0.4:
            self.table.others ^= {self.random.randrange(40)}
            self.edge.use(self.table.snapshot)
            return
        site = self.random.choice(self.table.sites)
        site.version.change(site.version.now() + 1)
        self.edge.use(self.table.snapshot)
        site.version.settle()

    def switch_a_target(self):
        """As a rollout does it: the old one goes when the edge says that nothing is asked of it any more."""
        site = self.random.choice(self.table.sites)
        old = site.target.now()
        site.target.change(self.origins.open())
        self.edge.use(self.table.snapshot)
        site.target.settle()
        self.edge.wait_left(f'127.0.0.1|{old}')
        self.assertEqual(self.origins.close(old), 0, 'requests that ran on a target that the edge had given up')

    def test_changes_under_load(self):
        load = Load(self.edge.web, self.edge.websecure, self.table.sites)
        load.begin(self.table.still)
        try:
            wait_until(lambda: load.echoes >= 20, what='the WebSockets')
            for number in range(CHANGES):
                self.change_a_route()
                if number % (CHANGES // SWITCHES) == 0:
                    self.switch_a_target()
        finally:
            rate = load.end()
        print(f'{load.done} requests, {rate:.0f} a second, {load.echoes} echoes, {len(load.failures)} failed')
        self.assertEqual((load.failures[:5], load.closed_streams[:5]), ([], []))
        self.assertGreater(load.done, 5000)


if __name__ == '__main__':
    unittest.main()
