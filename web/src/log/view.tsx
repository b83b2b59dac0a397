// The log viewer: of one container, of a project's services merged, or of several side by side.
import { useMemo, useState } from 'preact/hooks';
import { part as encoded } from '../base/api';
import { useList } from '../base/query';
import { query, setQuery } from '../base/router';
import type { Container } from '../base/shapes';
import { Pane, type Step } from './pane';
import { partOf, times } from './span';
import { levelsOf, Tools, wraps } from './tools';

const kPanes = 4; // each is a stream of its own, and browsers open few
const colours = ['#7ddc9a', '#86b8f5', '#e9c25f', '#d5a6f2', '#6fd0d6', '#ffad8a', '#a2eab8', '#f2a6c8'];
const listed = (text: string | null): string[] => (text ?? '').split(',').filter(Boolean);

interface Props {
  path: string;
  name: string;
  /** Services whose lines are merged, to choose from. */
  services?: string[];
  /** It is the log of one container: others can stand beside it. */
  container?: boolean;
}
interface Shown { path: string; name: string; title?: string; onClose?: () => void }

function panesOf({ path, name, services, container }: Props): Shown[] {
  const wanted = query.value, picked = listed(wanted.get('services'));
  const beside = listed(wanted.get('beside')).filter((each) => each !== name);
  if (container && beside.length)
    return [{ path, name, title: name }, ...beside.map((each) => ({ path: `/containers/${encoded(each)}/logs`, name: each, title: each,
      onClose: () => setQuery({ beside: beside.filter((other) => other !== each).join(',') || null }) }))].slice(0, kPanes);
  if (services && wanted.get('split') === '1')
    return (picked.length ? picked : services).slice(0, kPanes).map((each) => ({ path: `${path}?services=${encoded(each)}`, name: `${name}-${each}`, title: each }));
  return [{ path: picked.length ? `${path}?services=${picked.map(encoded).join(',')}` : path, name }];
}

function Beside({ name }: { name: string }) {
  const list = useList<Container>('/containers');
  const beside = listed(query.value.get('beside'));
  const others = (list.data.value?.items ?? []).map((each) => each.name).filter((each) => each !== name && !beside.includes(each)).sort();
  if (beside.length + 1 >= kPanes || !others.length) return null;
  return (
    <select aria-label="Show beside" value="" onChange={(e) => setQuery({ beside: [...beside, e.currentTarget.value].join(',') })}>
      <option value="">beside …</option>{others.map((each) => <option key={each} value={each}>{each}</option>)}</select>
  );
}

function Services({ of }: { of: string[] }) {
  const chosen = listed(query.value.get('services'));
  const toggle = (service: string) => setQuery({ services: (chosen.includes(service) ? chosen.filter((each) => each !== service) : [...chosen, service]).join(',') || null });
  const more = query.value.get('split') === '1' && (chosen.length || of.length) > kPanes;
  return <div class="log-tools" role="group" aria-label="Services">{of.map((service) => <button key={service} type="button" aria-pressed={chosen.includes(service)} class={chosen.includes(service) ? 'on' : ''} onClick={() => toggle(service)}>{service}</button>)}
    {more && <span class="muted">{kPanes} at a time are shown side by side.</span>}</div>;
}

export default function LogView(props: Props) {
  const { name, services, container } = props;
  const wanted = query.value;
  const [found, setFound] = useState(wanted.get('find') ?? '');
  const [step, setStep] = useState<Step>({ by: 1, count: 0 });
  const [active, setActive] = useState(0);
  const asked = ['at', 'since', 'until', 'tail'].map((each) => wanted.get(each)).join(' ');
  const part = useMemo(() => partOf(wanted), [asked]); // "the last hour" is that of when it was chosen
  const find = found.trim().toLowerCase(), only = wanted.get('only') === '1', level = wanted.get('level') ?? '', stream = wanted.get('stream') ?? '';
  const filter = useMemo(() => ({ find, only, levels: levelsOf(level), stream }), [find, only, level, stream]);
  const panes = panesOf(props), split = wanted.get('split') === '1';
  const names = container ? panes.map((each) => each.title ?? '') : (services ?? []);
  const colour = (service?: string) => (service && names.includes(service) ? colours[names.indexOf(service) % colours.length] : undefined);
  const now = Math.min(active, panes.length - 1);
  return (
    <div>
      <Tools found={found} onFind={(text) => { setFound(text); setQuery({ find: text }); }} onStep={(by) => setStep({ by, count: step.count + 1 })}
        beside={container ? <Beside name={name} /> : services && services.length > 1 && <button type="button" class={split ? 'on' : ''} aria-pressed={split} onClick={() => setQuery({ split: split ? null : '1' })}>Side by side</button>} />
      {services && services.length > 1 && <Services of={services} />}
      <div class={`log-panes ${panes.length > 1 ? 'several' : ''}`}>
        {panes.map((each, i) => <Pane key={each.path} {...each} part={part} at={Number(wanted.get('at') ?? 0)} filter={filter} wrap={wraps.value === 'on'} stamp={times.value}
          step={step} active={i === now} colour={colour} onActive={() => setActive(i)} />)}
      </div>
    </div>
  );
}
