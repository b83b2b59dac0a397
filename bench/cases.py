"""What is measured, with which programs, and what berth aims at."""
import contextlib
import dataclasses
import struct
import time

import loads
from peers import BUILT, HOST, PEERS, BenchError, Berth, Nginx, route_host


@dataclasses.dataclass
class Aim:
    """berth's figure of a row, as a multiple of another's where `of` names one."""

    text: str
    row: str
    most: float
    of: str = ''
    mine: str = 'berth'

    def values(self, run):
        if self.of:
            return run.ratios(self.row, self.mine, self.of)
        return run.samples.get((self.row, self.mine), [])


class Case:
    """`rows`: (key of the samples, words for the table)."""

    def __init__(self, name, text, names, aims=()):
        self.name, self.names, self.rows = name, names, [(name, text)]
        self.aims = [Aim(of=of, row=name, most=most, text=f'{text} / {of}' if of else text) for of, most in aims]

    def run(self, run):
        raise NotImplementedError


class Load(Case):
    """CPU time of a request. `load(peer, seconds)` gives (requests, CPU ns)."""

    def __init__(self, name, text, names, load, aims=(), before=None):
        super().__init__(name, text, names, aims)
        self.load, self.before = load, before

    def run(self, run):
        with contextlib.ExitStack() as stack:
            peers = [stack.enter_context(PEERS[name](run.world)) for name in run.chosen(self.names)]
            for peer in peers:
                if self.before:
                    self.before(peer)
                self.load(peer, 0.3)  # warm
            for i in range(run.rounds):
                for peer in peers[i % len(peers):] + peers[:i % len(peers)]:
                    requests, used = self.load(peer, run.seconds)
                    run.add(self.name, peer.name, used / 1000 / requests)


def kept(size, path=None, tls=False):
    def load(peer, seconds):
        return loads.steady(peer, seconds, 'kept', 32 if tls else 64, u=path or f'/{size}', b=size, t=tls)

    return load


def messages(peer, seconds):
    return loads.steady(peer, seconds, 'ws', 64)


def streams(peer, seconds):
    used = peer.cpu()
    requests = loads.h2load(peer.tls, 100, seconds, '/100')
    return requests, peer.cpu() - used


def new_connections(peer, seconds):
    used = peer.cpu()
    count = loads.whole_connections(peer.tls, max(100, int(1500 * seconds)), 16)
    return count, peer.cpu() - used


def checked(path, size, tls=False):
    def check(peer):
        loads.check(peer.tls if tls else peer.port, path, size, tls=tls)

    return check


def stored(peer):
    """The second answer must come from the cache: the origin cannot be asked which it was, but the reply says it."""
    loads.check(peer.port, '/cache/1000', 1000)
    fields = loads.check(peer.port, '/cache/1000', 1000)
    told = fields.get('Cache-Status', '') + fields.get('X-Varnish', '')
    if not ('hit' in told.lower() or len(told.split()) == 2):
        raise BenchError(f'{peer.name} did not answer from its cache: {told!r}')


class Routes(Case):
    """One route and five thousand, asked for in turn by their hosts."""

    COUNT = 5000

    def __init__(self):
        super().__init__('routes', 'HTTP/1.1, 100 bytes, 5,000 hosts asked for in turn', ['nginx', 'berth'])
        self.rows = [('routes 1', 'HTTP/1.1, 100 bytes, one host of one route'),
                     ('routes 5000', 'the same, one host of 5,000 routes'),
                     ('routes all', 'the same, 5,000 hosts of 5,000 routes in turn')]
        self.aims = [Aim('one of 5,000 routes / one route', 'routes 5000 ratio', 1.1),
                     Aim('5,000 hosts in turn / one route', 'routes all ratio', 1.1)]

    def run(self, run):
        for program in (Nginx, Berth):
            if program.name not in [name for name in run.chosen(self.names)]:
                continue
            with contextlib.ExitStack() as stack:
                one = stack.enter_context(program(run.world))
                many = program(run.world)
                many.routes = self.COUNT
                stack.enter_context(many)
                loads.check(many.port, '/100', 100, host=route_host(self.COUNT - 1))
                self.rounds(run, program.name, one, many)

    def rounds(self, run, name, one, many):
        turns = [('routes 1', one, 0), ('routes 5000', many, 0), ('routes all', many, self.COUNT - 1)]
        for _, peer, hosts in turns:
            loads.steady(peer, 0.3, 'kept', 64, n=hosts)
        for i in range(run.rounds):
            for row, peer, hosts in turns[i % 3:] + turns[:i % 3]:
                requests, used = loads.steady(peer, run.seconds, 'kept', 64, n=hosts)
                run.add(row, name, used / 1000 / requests)
        for row in ('routes 5000', 'routes all'):
            pairs = zip(run.samples[row, name], run.samples['routes 1', name])
            run.samples[f'{row} ratio', name] = [a / b for a, b in pairs]


class Change(Case):
    """One route of 5,000 changed: from sending the snapshot until the edge says that it uses it."""

    def __init__(self):
        super().__init__('change', 'one route of 5,000 changed, ms until it is used', ['berth'], [('', 5)])

    def run(self, run):
        peer = Berth(run.world)
        peer.routes = Routes.COUNT
        with peer:
            peer.change(0)
            for i in range(run.rounds * 2):
                took = peer.change(i + 1)
                path = f'/{100 + peer.version}'
                loads.check(peer.port, path, 100 + peer.version, host=route_host(i + 1))
                if loads.ask(peer.port, '/100', route_host(i + 1))[0] != 404:
                    raise BenchError('the changed route still answers for its old path')
                run.add('change', 'berth', took * 1000)


class Idle(Case):
    """Resident bytes of a connection that has made a request and does nothing."""

    def __init__(self, name, text, most, tls):
        super().__init__(name, text, ['nginx', 'HAProxy', 'berth'], [('', most)])
        self.tls = tls

    def run(self, run):
        count = 1000 if run.quick else 4000
        for name in run.chosen(self.names):
            with PEERS[name](run.world) as peer:
                port = peer.tls if self.tls else peer.port
                # What so many requests at once need as those that the connections begin with is there already.
                loads.check(port, '/100', 100, tls=self.tls)
                loads.whole_connections(port, 256, 64, self.tls)
                time.sleep(0.5)
                before = peer.memory()
                with loads.Standing('idle', port, count, t=self.tls):
                    time.sleep(1.5)
                    run.add(self.name, name, (peer.memory() - before) / count)


class Handshakes(Case):
    """How long the loop's turns take while 5,000 TLS connections arrive, by bench/turns.c."""

    STEPS, STEP = 65536, 0.01  # of the histogram; milliseconds

    def __init__(self):
        super().__init__('handshakes', '', ['nginx', 'HAProxy', 'berth'])
        self.rows = [('longest', '5,000 TLS handshakes at 500 at once: longest turn of the loop, ms of CPU'),
                     ('p99.9', 'the same: 99.9th percentile of the turns, ms of CPU'),
                     ('p99.9 idle', 'one request at a time instead: 99.9th percentile of the turns, ms of CPU')]
        self.aims = [Aim('longest turn of the loop under 5,000 handshakes, ms', 'longest', 2),
                     Aim('99.9th percentile of the turns beyond that of a quiet loop, ms', 'p99.9 more', 2)]

    def read(self, path):
        """The CPU half."""
        return struct.unpack(f'{self.STEPS}Q', path.read_bytes()[:self.STEPS * 8])

    def percentile(self, counts, share):
        left = sum(counts) * (1 - share)
        for step in range(self.STEPS - 1, -1, -1):
            left -= counts[step]
            if counts[step] and left <= 0:
                return (step + 1) * self.STEP
        raise BenchError('no turn of the loop was counted')

    def during(self, path, work):
        before = self.read(path)
        work()
        return [b - a for a, b in zip(before, self.read(path))]

    def run(self, run):
        for name in run.chosen(self.names):
            path = run.world.folder / f'turns-{name}'
            path.write_bytes(bytes(2 * self.STEPS * 8))
            environment = {'LD_PRELOAD': str(BUILT / 'turns.so'), 'BENCH_TURNS': str(path)}
            with PEERS[name](run.world, environment) as peer:
                loads.whole_connections(peer.tls, 100, 10)
                for _ in range(1 if run.quick else 3):
                    idle = self.during(path, lambda: loads.steady(peer, run.seconds, 'kept', 1))
                    busy = self.during(path, lambda: loads.whole_connections(peer.tls, 5000, 500))
                    run.add('longest', name, self.percentile(busy, 1))
                    run.add('p99.9', name, self.percentile(busy, 0.999))
                    run.add('p99.9 idle', name, self.percentile(idle, 0.999))
                    run.add('p99.9 more', name, self.percentile(busy, 0.999) - self.percentile(idle, 0.999))


ALL = ['nginx', 'HAProxy', 'Caddy', 'berth']
CASES = [
    Load('h1', 'HTTP/1.1, 100 bytes', ['relay', *ALL], kept(100), [('nginx', 0.85), ('HAProxy', 0.80)],
         checked('/100', 100)),
    Load('10k', 'HTTP/1.1, 10 KB', ['relay', *ALL], kept(10_000), [('nginx', 0.85), ('HAProxy', 0.80)],
         checked('/10000', 10_000)),
    Load('1m', 'HTTP/1.1, 1 MB', ['relay', *ALL], kept(1_000_000), [('relay', 1.5)], checked('/1000000', 1_000_000)),
    Load('tls', 'HTTP/1.1 over TLS, 100 bytes', ALL, kept(100, tls=True), [('HAProxy', 0.8)],
         checked('/100', 100, True)),
    Load('h2', 'HTTP/2 over TLS, 100 bytes', ALL, streams, [('HAProxy', 0.9)], checked('/100', 100, True)),
    Load('connect', 'new TLS connection and one request', ALL, new_connections, [('nginx', 0.8)],
         checked('/100', 100, True)),
    Load('ws', 'WebSocket message of 64 bytes there and back', ['relay', *ALL], messages, [('relay', 1.1)]),
    Load('cache', 'HTTP/1.1, 1,000 bytes from the cache', ['Varnish', 'nginx', 'berth'], kept(1000, '/cache/1000'),
         [('Varnish', 0.5)], stored),
    Routes(),
    Change(),
    Idle('idle', 'idle connection, bytes', 1024, False),
    Idle('idle-tls', 'idle TLS connection, bytes', 15 * 1024, True),
    Handshakes(),
]
