// What happened: live at the top, and what the store kept beyond the engine's own buffer.
import { useEffect, useState } from 'preact/hooks';
import { get } from '../base/api';
import { messageOf } from '../base/deed';
import { elsewhere } from '../base/engine';
import { moment } from '../base/format';
import { recent, type LiveEvent } from '../base/live';
import type { Page } from '../base/query';
import { query, setQuery } from '../base/router';
import { Icon } from '../ui/icons';
import { Empty, Head, Problem, ProjectName } from '../ui/parts';

const kinds = ['container', 'image', 'volume', 'network', 'project', 'job', 'route', 'engine', 'audit'];
const hrefOf = (event: LiveEvent): string | null => {
  const name = encodeURIComponent(event.name ?? '');
  if (event.type === 'container' && event.name) return `/containers/${name}`;
  if (event.type === 'project' && event.name) return `/projects/${name}`;
  if (event.type === 'volume' && event.name) return `/volumes/${name}`;
  if (event.type === 'network' && event.name) return `/networks?q=${name}`;
  if (event.type === 'image' && event.name) return `/images?q=${name}`;
  if (event.type === 'job' && event.id) return `/jobs/${event.id}`;
  return event.type === 'route' ? '/routes' : null;
};
const key = (event: LiveEvent) => `${event.at} ${event.type} ${event.action} ${event.id ?? event.name}`;

export default function Events() {
  const type = query.value.get('type') ?? '', action = query.value.get('action') ?? '', words = (query.value.get('q') ?? '').toLowerCase();
  const [kept, setKept] = useState<LiveEvent[]>([]);
  const [next, setNext] = useState<string | null>(null);
  const [error, setError] = useState('');
  const there = elsewhere();
  const load = async (cursor: string | null) => {
    if (there) return;
    const parameters = new URLSearchParams({ ...(type && { type }), ...(action && { action }), ...(cursor && { cursor }) });
    try {
      const page = await get<Page<LiveEvent>>(`/events/log?${parameters}`);
      setKept((now) => (cursor ? [...now, ...page.items] : page.items));
      setNext(page.next);
      setError('');
    } catch (cause) {
      setError(messageOf(cause));
    }
  };
  useEffect(() => void load(null), [type, action]);
  const seen = new Set<string>();
  const shown = [...recent.value, ...kept].filter((event) => {
    if ((type && event.type !== type) || (action && event.action !== action)) return false;
    if (words && !`${event.type} ${event.action} ${event.name ?? ''} ${event.project ?? ''}`.toLowerCase().includes(words)) return false;
    return !seen.has(key(event)) && seen.add(key(event));
  });
  return (
    <>
      <Head title="Events" note={there && <span>What happens from now on: berth keeps the past of the local engine alone.</span>} />
      <div class="bar">
        <label class="search"><Icon name="search" size={14} /><span class="sr">Filter events</span><input type="search" placeholder="Filter" value={query.value.get('q') ?? ''} onInput={(e) => setQuery({ q: e.currentTarget.value })} /></label>
        <label class="row"><span class="sr">Kind</span><select value={type} onChange={(e) => setQuery({ type: e.currentTarget.value })}><option value="">every kind</option>{kinds.map((each) => <option key={each}>{each}</option>)}</select></label>
        {action && <button type="button" onClick={() => setQuery({ action: null })}>{action} ×</button>}
      </div>
      {error && <Problem text={error} retry={() => load(null)} />}
      {shown.length === 0 ? type || action || words ? <Empty title="Nothing fits"><button type="button" onClick={() => setQuery({ type: null, action: null, q: null })}>Show all events</button></Empty> : <Empty title="Nothing happened yet"><p class="muted">What starts, stops, comes and goes on the engine is listed here as it happens.</p></Empty> : (
        <div class="table-box"><table aria-label="Events"><thead><tr><th scope="col">When</th><th scope="col">Kind</th><th scope="col">What</th><th scope="col">Subject</th><th scope="col" class="wide">Project</th></tr></thead>
          <tbody>{shown.slice(0, 1000).map((event) => {
            const href = hrefOf(event);
            return <tr key={key(event)}><td class="mono">{moment(event.at)}</td><td>{event.type}</td><td><button type="button" class="link" onClick={() => setQuery({ action: event.action })}>{event.action}</button></td><td>{href ? <a href={href}>{event.name ?? event.id}</a> : (event.name ?? event.id ?? '–')}</td><td class="wide"><ProjectName of={event.project} /></td></tr>;
          })}</tbody></table></div>)}
      {next && <p><button type="button" onClick={() => load(next)}>Older</button></p>}
    </>
  );
}
