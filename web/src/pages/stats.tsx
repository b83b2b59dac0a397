// CPU, memory and network over time: what the store kept, then live samples at its end.
import { useEffect, useState } from 'preact/hooks';
import { base } from '../base/api';
import { at, elsewhere } from '../base/engine';
import { bytes, percent } from '../base/format';
import { useResource } from '../base/query';
import { query } from '../base/router';
import type { History, Sample } from '../base/shapes';
import { lazy } from '../ui/lazy';
import { Loaded, QueryChoice } from '../ui/parts';

const Chart = lazy(() => import('../chart/view'));
const rate = (value: number) => `${bytes(value)}/s`;

export function LiveCharts({ history, live = [], host = false }: { history: History; live?: Sample[]; host?: boolean }) {
  // rx and tx of live samples are counters; the store keeps rates.
  const more = live.slice(1).map((sample, i) => {
    const before = live[i]!, seconds = Math.max(0.2, (sample.at - before.at) / 1000);
    return { ...sample, rx: Math.max(0, (sample.rx - before.rx) / seconds), tx: Math.max(0, (sample.tx - before.tx) / seconds) };
  }).filter((sample) => sample.at > (history.at.at(-1) ?? 0));
  const at = [...history.at, ...more.map((each) => each.at)];
  const column = (name: 'cpu' | 'memory' | 'rx' | 'tx') => [...(history[name] ?? []), ...more.map((each) => each[name])];
  if (at.length < 2) return <p class="muted">No figures yet: they are taken while it runs.</p>;
  return (
    <div class="grid" style={{ marginBottom: '1rem' }}>
      <Chart title={host ? 'CPU of the host' : 'CPU'} at={at} series={[{ label: 'of one core', values: column('cpu') }]} show={percent} />
      <Chart title={host ? 'Memory of the host' : 'Memory'} at={at} series={[{ label: 'in use', values: column('memory') }]} show={bytes} />
      <Chart title={host ? 'Network of the host' : 'Network'} at={at} series={[{ label: 'received', values: column('rx') }, { label: 'sent', values: column('tx') }]} show={rate} />
    </div>
  );
}

const none: History = { step: 1000, at: [], cpu: [], memory: [], rx: [], tx: [] };

export function Stats({ id, running }: { id: string; running: boolean }) {
  const range = query.value.get('range') === '24h' ? '24h' : '1h';
  const there = elsewhere(); // berth keeps figures of the local engine alone
  const history = useResource<History>(there ? null : `/containers/${id}/history?range=${range}`);
  const [live, setLive] = useState<Sample[]>([]);
  useEffect(() => {
    setLive([]);
    if (!running) return undefined;
    const stream = new EventSource(base + at(`/containers/${id}/stats?stream=true`));
    const take = (event: Event) => {
      try {
        const sample = JSON.parse((event as MessageEvent<string>).data) as Sample;
        setLive((now) => [...now.slice(-600), sample]);
      } catch {
        // not a sample
      }
    };
    for (const name of ['message', 'stats', 'sample']) stream.addEventListener(name, take);
    return () => stream.close();
  }, [id, running]);
  const last = live.at(-1);
  return (
    <>
      <div class="bar">{!there && <QueryChoice name="range" label="Range" options={[['', 'Last hour'], ['24h', 'Last day']]} />}
        {last && <span class="muted" role="status">now {percent(last.cpu)} of one core, {bytes(last.memory)}{last.memoryLimit ? ` of ${bytes(last.memoryLimit)}` : ''}{last.pids ? `, ${last.pids} processes` : ''}</span>}</div>
      {there && <LiveCharts history={none} live={live} />}
      <Loaded from={history}>{(kept) => <LiveCharts history={kept} live={live} />}</Loaded>
    </>
  );
}
