#!/usr/bin/env python3
"""The edge beside nginx, HAProxy, Caddy and Varnish, and a splice relay as the limit, interleaved in one run.

Usage: tools/bench edge [CASE...] [--quick] [--rounds N] [--seconds N] [--only NAME,NAME] [--write]
CPU time is the proxy's own (/proc/PID/task/*/schedstat of all its processes), so that waiting for a busy machine does not
count; what does is that caches are colder then: compare within a row. One worker each, alone on one CPU; its clients and
the origin share another one. Every answer is checked for its status and length. In each round every program has its turn,
and a ratio is that of a round: its median, its least and its greatest are shown. --write puts the tables into
doc/performance.md. The samples go to build/bench/edge.json.
"""
import argparse
import contextlib
import json
import os
import pathlib
import statistics
import sys
import tempfile
import time

from cases import CASES
from peers import ROOT, BenchError, World

RESULTS = ROOT / 'build/bench/edge.json'
PAGE = ROOT / 'doc/performance.md'
BEGIN, END = '<!-- written by tools/bench edge --write -->\n', '<!-- end of what tools/bench edge writes -->\n'


class Run:
    """What the cases are run with, and what came of it: `samples[case, program]`, one number a round."""

    def __init__(self, options, world):
        self.options, self.world = options, world
        self.samples, self.problems = {}, []
        self.seconds = options.seconds or (0.6 if options.quick else 1.5)
        self.rounds = options.rounds or (2 if options.quick else 5)
        self.quick = options.quick

    def chosen(self, names):
        only = self.options.only
        return [name for name in names if not only or name.lower() in only]

    def add(self, case, name, value):
        self.samples.setdefault((case, name), []).append(value)

    def one(self, case):
        begin = time.monotonic()
        try:
            case.run(self)
        except (BenchError, OSError, TimeoutError) as error:
            self.problems.append(f'{case.name}: {error}')
            print(f'bench: {self.problems[-1]}', file=sys.stderr, flush=True)
        print(f'bench: {case.name}: {time.monotonic() - begin:.0f} s', file=sys.stderr, flush=True)

    def ratios(self, case, name, of):
        """Round by round; empty when one of them was not measured."""
        mine, others = self.samples.get((case, name), []), self.samples.get((case, of), [])
        return [a / b for a, b in zip(mine, others) if b]


def short(value):
    return f'{value:.0f}' if value >= 1000 else f'{value:.3g}' if value >= 100 else f'{value:.1f}' if value >= 10 else f'{value:.2f}'


def series(values):
    """Median (least to greatest)."""
    if len(values) < 2:
        return ', '.join(short(value) for value in values)
    return f'{short(statistics.median(values))} ({short(min(values))} to {short(max(values))})'


def figures(run, cases):
    """The table of all that was measured."""
    names = ['relay', 'nginx', 'HAProxy', 'Caddy', 'Varnish', 'berth']
    yield '| | ' + ' | '.join(names) + ' |\n' + '|---' * (len(names) + 1) + '|\n'
    for case in cases:
        for key, text in case.rows:
            cells = [series(run.samples.get((key, name), [])) for name in names]
            if any(cells):
                yield f'| {text} | ' + ' | '.join(cells) + ' |\n'


def aims(run, cases):
    for case in cases:
        for aim in case.aims:
            values = aim.values(run)
            if not values:
                continue
            median = statistics.median(values)
            yield f'| {aim.text} | {series(values)} | {aim.most} | {"met" if median <= aim.most else "**missed**"} |\n'


def report(run, cases):
    load = ', '.join(f'{value:.1f}' for value in os.getloadavg())
    return ''.join([
        '\n', *figures(run, cases), '\nMedian (least to greatest) of the rounds.\n\n',
        '| aim | measured | at most | |\n|---|---|---|---|\n', *aims(run, cases),
        f'\nA ratio is that of one round. {run.rounds} rounds of {run.seconds} s; load averages at the end: {load}.\n\n'])


def write(text):
    page = PAGE.read_text()
    if BEGIN not in page or END not in page:
        sys.exit(f'bench: {PAGE} has no place for the tables')
    before, rest = page.split(BEGIN, 1)
    PAGE.write_text(before + BEGIN + text + END + rest.split(END, 1)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('cases', nargs='*', metavar='CASE', help=', '.join(case.name for case in CASES))
    parser.add_argument('--quick', action='store_true', help='two short rounds and fewer connections')
    parser.add_argument('--rounds', type=int)
    parser.add_argument('--seconds', type=float, help='of load for each turn')
    parser.add_argument('--only', type=lambda text: text.lower().split(','), help='programs: berth,nginx')
    parser.add_argument('--write', action='store_true', help='put the tables into doc/performance.md')
    options = parser.parse_args()
    known = {case.name: case for case in CASES}
    if wrong := [name for name in options.cases if name not in known]:
        sys.exit(f'bench: no case "{wrong[0]}" of the edge: {", ".join(known)}')
    cases = [known[name] for name in options.cases] or CASES
    with tempfile.TemporaryDirectory(prefix='berth-bench-') as folder, contextlib.closing(
            World(pathlib.Path(folder))) as world:
        run = Run(options, world)
        for case in cases:
            run.one(case)
    text = report(run, cases)
    print(text)
    RESULTS.write_text(json.dumps([[*key, value] for key, value in run.samples.items()]))
    if options.write and not run.problems:
        write(text)
    sys.exit(1 if run.problems else 0)


if __name__ == '__main__':
    main()
