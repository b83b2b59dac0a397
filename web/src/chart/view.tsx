// Small charts over time by uPlot, and the same figures as a table for those who do not see them.
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { clock } from '../base/format';
import { dark } from '../base/prefs';

export interface Series {
  label: string;
  values: (number | null)[];
}
interface Props {
  title: string;
  at: number[];
  series: Series[];
  show: (value: number) => string;
}
const strokes = ['--accent', '--info', '--warn'];
const colour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function options({ series, show }: Props, width: number): uPlot.Options {
  const axis = { stroke: colour('--muted'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false }, font: '11px system-ui' };
  return {
    width, height: 170, padding: [10, 8, 0, 0],
    cursor: { points: { size: 6 }, sync: { key: 'berth' } },
    axes: [{ ...axis, space: 70, values: (_, ticks) => ticks.map((t) => clock(t * 1000).slice(0, 5)) }, { ...axis, size: 68, space: 34, values: (_, ticks) => ticks.map(show) }],
    scales: { y: { range: (_, __, max) => [0, Math.max(max * 1.1, 1)] } },
    series: [{ value: (_, v) => (v ? clock(v * 1000) : '–') }, ...series.map((each, i) => ({
      label: each.label, stroke: colour(strokes[i]!), width: 1.6, fill: i === 0 ? `${colour(strokes[i]!)}22` : undefined,
      value: (_: uPlot, v: number | null) => (v === null ? '–' : show(v)) }))],
  };
}

export default function Chart(props: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [table, setTable] = useState(false);
  const { at, series, show, title } = props;
  const data = (): uPlot.AlignedData => [at.map((t) => t / 1000), ...series.map((each) => each.values)];
  useEffect(() => {
    if (table || !box.current) return undefined;
    const place = box.current;
    plot.current = new uPlot(options(props, place.clientWidth), data(), place);
    const watch = new ResizeObserver(() => plot.current?.setSize({ width: place.clientWidth, height: 170 }));
    watch.observe(place);
    return () => {
      watch.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [table, dark.value, series.length]);
  useEffect(() => plot.current?.setData(data()), [at, series]);
  const latest = series.map((each) => `${each.label} ${show(each.values.at(-1) ?? 0)}`).join(', ');
  const every = Math.max(1, Math.ceil(at.length / 40));
  return (
    <section class="card chart" aria-label={title}>
      <header><h2>{title}</h2><button type="button" class="quiet" aria-pressed={table} onClick={() => setTable(!table)}>{table ? 'Chart' : 'Table'}</button></header>
      {table ? (
        <div class="chart-table" tabIndex={0} role="region" aria-label={`${title} as a table`}><table class="plain"><thead><tr><th scope="col">Time</th>{series.map((each) => <th key={each.label} scope="col" class="right">{each.label}</th>)}</tr></thead>
          <tbody>{at.flatMap((t, i) => ((at.length - 1 - i) % every ? [] : [<tr key={t}><td>{clock(t)}</td>{series.map((each) => <td key={each.label} class="right">{each.values[i] === null ? '–' : show(each.values[i]!)}</td>)}</tr>])).reverse()}</tbody></table></div>
      ) : <div ref={box} role="img" aria-label={`${title}: now ${latest}`} />}
    </section>
  );
}
