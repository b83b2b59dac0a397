// Which address leads where, with which certificate; and why a given address leads there.
import { useState } from 'preact/hooks';
import { get, part } from '../base/api';
import { messageOf } from '../base/deed';
import { useResource } from '../base/query';
import { query, setQuery } from '../base/router';
import { can } from '../base/session';
import { DeedButton } from '../ui/actions';
import { Empty, Field, Head, Loaded, Problem, Tabs, Time } from '../ui/parts';
import { State } from '../ui/state';
import { Table, type Column } from '../ui/table';
import { addressOf, listOf, targetsOf, type Many, type Route } from './urls';

interface Certificate { id: string; hosts: string[]; resolver?: string; issuer?: string; error?: string | null; notAfterAt: number | null; renewalAt?: number | null; nextTryAt?: number | null }

const columns: Column<Route>[] = [
  { id: 'name', label: 'Route', by: (r) => r.name, show: (r) => <span class="name">{r.name}</span> },
  { id: 'rule', label: 'Rule', by: (r) => r.rule, show: (r) => { const url = addressOf(r.rule); return <span title={r.rule}>{url ? <a class="mono" href={url} target="_blank" rel="noreferrer noopener">{r.rule}</a> : <code>{r.rule}</code>}</span>; } },
  { id: 'target', label: 'Leads to', by: (r) => r.service, wide: true, show: (r) => <span title={targetsOf(r).join('\n')}>{r.service} <span class="muted mono">{targetsOf(r).slice(0, 2).join(', ')}</span></span> },
  { id: 'state', label: 'State', show: (r) => (r.down || targetsOf(r).length === 0 ? <State word="down" title={r.down ?? 'no target'} /> : r.warnings?.length ? <State word="warning" title={r.warnings.join('\n')} /> : <State word="up" />) },
  { id: 'entry', label: 'Entry points', wide: true, show: (r) => (r.entryPoints ?? []).map((each) => <span key={each} class="tag">{each}</span>) },
];

function Explain() {
  const [url, setUrl] = useState(query.value.get('url') ?? '');
  const [answer, setAnswer] = useState<unknown>(null);
  const [error, setError] = useState('');
  const ask = async (event: Event) => {
    event.preventDefault();
    setQuery({ url });
    try {
      setAnswer(await get<unknown>(`/routes/explain?url=${part(url)}`));
      setError('');
    } catch (cause) {
      setAnswer(null);
      setError(messageOf(cause));
    }
  };
  const text = answer && typeof answer === 'object' && 'text' in answer ? String((answer as { text: unknown }).text) : answer === null ? '' : typeof answer === 'string' ? answer : JSON.stringify(answer, null, 2);
  return (
    <>
      <form class="card" onSubmit={ask}><Field label="Address" hint="Nothing is sent; it says which route would decide, and why"><input required class="mono" value={url} placeholder="https://shop.localhost/cart" onInput={(e) => setUrl(e.currentTarget.value)} /></Field>
        <div class="actions"><button class="primary">Explain</button><span class="muted mono">berth route explain {url}</span></div></form>
      {error && <Problem text={error} />}
      {text && <pre class="code" tabIndex={0} role="region" aria-label="Explanation">{text}</pre>}
    </>
  );
}

function Certificates() {
  const list = useResource<Many<Certificate>>('/certificates');
  return (
    <Loaded from={list}>{(data) => listOf(data).length === 0 ? <Empty title="No certificate yet"><p class="muted">The first route with TLS brings one.</p></Empty> : (
      <div class="table-box"><table aria-label="Certificates"><thead><tr><th scope="col">Host</th><th scope="col">State</th><th scope="col">Ends</th><th scope="col" class="wide">From</th><th scope="col"><span class="sr">Actions</span></th></tr></thead>
        <tbody>{listOf(data).map((each) => {
          const host = each.hosts[0] ?? '', ends = each.notAfterAt ?? 0, left = ends - Date.now();
          return <tr key={host}><td class="name">{host}{each.hosts.length > 1 && <span class="muted"> +{each.hosts.length - 1}</span>}</td><td>{each.error ? <State word="failed" title={each.error} /> : !ends ? <State word="queued" /> : left < 0 ? <State word="expired" /> : left < 14 * 86_400_000 ? <State word="warning" title="ends soon" /> : <State word="valid" />}</td><td><Time at={ends} /></td><td class="wide">{each.issuer || each.resolver || '–'}</td>
            <td class="right">{can('settings') && <DeedButton deed={{ label: 'Renew', path: `/certificates/${part(host)}/renew`, cli: `berth cert renew ${host}`, done: `${host} is renewed` }} />}</td></tr>;
        })}</tbody></table></div>)}</Loaded>
  );
}

export default function Routes({ tab = 'routes' }: Record<string, string>) {
  const list = useResource<Many<Route>>('/routes');
  return (
    <>
      <Head title="Routes and certificates" />
      <Tabs label="Edge" tabs={[{ id: 'routes', label: 'Routes' }, { id: 'certificates', label: 'Certificates' }, { id: 'explain', label: 'Explain' }]} current={tab} to={(id) => (id === 'routes' ? '/routes' : `/routes/${id}`)} />
      {tab === 'routes' && <Loaded from={list}>{(data) => <><Table label="Routes" rows={listOf(data)} columns={columns} id={(r) => r.name} sort="name" text={(r) => `${r.name} ${r.rule} ${r.service}`} empty={<Empty title="No route yet"><p class="muted">Labels of containers make them, as Traefik reads them.</p></Empty>} />
        {listOf(data).flatMap((r) => (r.warnings ?? []).map((text) => <div key={r.name + text} class="notice warn"><strong>{r.name}</strong> {text}</div>))}</>}</Loaded>}
      {tab === 'certificates' && <Certificates />}
      {tab === 'explain' && <Explain />}
    </>
  );
}
