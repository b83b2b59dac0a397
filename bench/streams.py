#!/usr/bin/env python3
"""Many containers and many followers of a log, on a fake engine: what core needs for them.

Usage: tools/bench streams [--seconds N]
CPU is core's own (/proc/PID/task/*/schedstat); a turn of its loop is what a callback may have to wait for (turns.c).
"""
import argparse
import os
import pathlib
import struct
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / 'tests'))
import support  # noqa: E402  pylint: disable=wrong-import-position
import log_load  # noqa: E402  pylint: disable=wrong-import-position

BUILD = ROOT / 'build/simulate'
STEPS = 65536  # of 10 us: bench/turns.c


class Turns:
    """How long core's turns took, in CPU time and by the clock."""

    def __init__(self):
        self.path = pathlib.Path(tempfile.mkstemp(prefix='berth-turns-')[1])
        self.path.write_bytes(bytes(2 * STEPS * 8))
        self.path.chmod(0o666)
        self.environment = {'LD_PRELOAD': str(ROOT / 'build/bench/turns.so'), 'BENCH_TURNS': str(self.path),
                            'BENCH_TURNS_OF': 'core'}
        self.before = self.read()

    def read(self):
        return struct.unpack(f'{2 * STEPS}Q', self.path.read_bytes())

    def longest(self):
        """(CPU, clock, 99.9th percentile of CPU) in milliseconds since the last call."""
        now, before = self.read(), self.before
        self.before = now
        counts = [a - b for a, b in zip(now, before)]
        rows = counts[:STEPS], counts[STEPS:]
        most = [max((i for i, count in enumerate(row) if count), default=0) / 100 for row in rows]
        left, at = sum(rows[0]) * 0.001, STEPS - 1
        while at > 0 and left >= rows[0][at]:
            left, at = left - rows[0][at], at - 1
        return most[0], most[1], at / 100


def listing(load):
    for _ in range(3):
        load.api.get('/containers?limit=1000')
    before, count = (load.cpu('core'), load.cpu('broker')), 10
    for _ in range(count):
        load.api.get('/containers?limit=1000')
    core, broker = load.cpu('core') - before[0], load.cpu('broker') - before[1]
    print(f'list of 1,000 containers, CPU ms: core {core / count:.1f}, broker {broker / count:.1f} (aim 50)', flush=True)


def following(load, turns, followers, rate, slow, seconds):
    turns.longest()
    before = load.cpu('core'), load.cpu('broker')
    came = load.follow(followers, rate * seconds, rate, slow=slow, seconds=seconds + 90)
    used = [(load.cpu(role) - past) / 10 / seconds for role, past in zip(('core', 'broker'), before)]
    cpu, clock, usual = turns.longest()
    whole = sum(a + b == came['sent'] for a, b in zip(came['received'], came['lost']))
    print(f'{followers} followers ({slow} slow) at {rate} lines/s for {seconds} s: {whole} got or were told of every line, '
          f'{sum(lost > 0 for lost in came["lost"])} missed some ({sum(came["lost"])} of {came["sent"] * followers} lines), '
          f'{came["wrong"]} out of order; core {used[0]:.0f} %, broker {used[1]:.0f} % of a CPU; '
          f'turns of core: longest {cpu:.1f} ms of CPU ({clock:.1f} by the clock), 99.9 % under {usual:.2f} ms; '
          f'core at most {load.resident("core", "VmHWM"):.0f} MiB', flush=True)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument('--seconds', type=int, default=10)
    seconds = options.parse_args().seconds
    support.BERTH = BUILD / 'berth'
    turns = Turns()
    try:
        with log_load.Load(BUILD, 1000, env=turns.environment) as load:
            listing(load)
            following(load, turns, 50, 2000, 0, seconds)
            following(load, turns, 500, 10_000, 20, seconds)
    finally:
        os.unlink(turns.path)


if __name__ == '__main__':
    main()
