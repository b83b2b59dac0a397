import { useState } from 'preact/hooks';
import { carryOut } from '../base/deed';
import { shortId } from '../base/format';
import { offers } from '../base/offers';
import { useList } from '../base/query';
import { query, setQuery } from '../base/router';
import { canAnywhere, changes } from '../base/session';
import type { Container } from '../base/shapes';
import { copies, DeedButton } from '../ui/actions';
import { Menu } from '../ui/menu';
import { Copy, Empty, Head, Loaded, Ports, ProjectName, QueryChoice, StaleNote, Time } from '../ui/parts';
import { ContainerState } from '../ui/state';
import { Table, type Column } from '../ui/table';
import { askRemoval, deed, lifeDeeds } from './container-deeds';
import { NewContainer } from './container-new';

const fits = (state: string) => (each: Container) =>
  !state || (state === 'unhealthy' ? each.health === 'unhealthy' : state === 'running' ? each.state === 'running' : each.state !== 'running');

function RowActions({ of }: { of: Container }) {
  const life = changes('act', of.project) ? lifeDeeds(of) : [];
  const to = (tab: string) => `/containers/${of.name}/${tab}`;
  return (
    <div class="actions">
      {life.map((each) => <DeedButton key={each.label} deed={each} compact />)}
      <Menu label={`More for ${of.name}`} items={[
        { label: 'Logs', href: to('logs') }, ...(offers('/containers/{}/history') ? [{ label: 'Figures', href: to('stats') }] : []), ...(changes('exec', of.project) && of.state === 'running' && offers('/containers/{}/terminals') ? [{ label: 'Terminal', href: to('terminal') }] : []), { label: 'Details', href: to('inspect') },
        ...(life.length ? [{ label: 'rule', separator: true }, ...copies(life)] : []),
        ...(changes('remove', of.project) ? [{ label: 'rule2', separator: true }, { label: 'Remove …', danger: true, run: () => askRemoval(of) }] : [])]} />
    </div>
  );
}

const columns: Column<Container>[] = [
  { id: 'name', label: 'Name', by: (c) => c.name, show: (c) => <a class="name" href={`/containers/${c.name}`}>{c.name}</a> },
  { id: 'state', label: 'State', by: (c) => `${c.state}${c.health ?? ''}`, show: (c) => <ContainerState of={c} /> },
  { id: 'project', label: 'Project', by: (c) => c.project ?? '~', wide: true, show: (c) => <ProjectName of={c.project} /> },
  { id: 'image', label: 'Image', by: (c) => c.image, wide: true, show: (c) => <span class="mono" title={c.image}>{c.image.startsWith('sha256:') ? shortId(c.image) : c.image}</span> },
  { id: 'ports', label: 'Ports', wide: true, show: (c) => <Ports ports={c.ports} /> },
  { id: 'ip', label: 'Address', wide: true, by: (c) => c.networks?.[0]?.ip ?? '', show: (c) => (c.networks?.[0]?.ip ? <span class="mono">{c.networks[0].ip}<Copy text={c.networks[0].ip} what="address" /></span> : <span class="muted">–</span>) },
  { id: 'created', label: 'Created', by: (c) => c.createdAt, wide: true, show: (c) => <Time at={c.createdAt} /> },
  { id: 'actions', label: 'Actions', bare: true, right: true, show: (c) => <RowActions of={c} /> },
];

export default function Containers() {
  const list = useList<Container>('/containers');
  const [selected, setSelected] = useState(new Set<string>());
  const state = query.value.get('state') ?? '';
  const acts = (rows: Container[]) => rows.some((each) => changes('act', each.project));
  const all = (rows: Container[], verb: 'start' | 'stop' | 'restart') => async () => {
    for (const each of rows.filter((row) => selected.has(row.id))) await carryOut(deed(verb, each));
    setSelected(new Set());
  };
  return (
    <>
      <Head title="Containers">{changes('engine') && <button type="button" class="primary" onClick={() => setQuery({ new: '1' }, false)}>New container</button>}</Head>
      <Loaded from={list}>{(page) => <>
        <StaleNote stale={page.stale} />
        <Table label="Containers" rows={page.items.filter(fits(state))} columns={columns} id={(c) => c.id} href={(c) => `/containers/${c.name}`} sort="name"
          text={(c) => `${c.name} ${c.image} ${c.project ?? ''} ${c.service ?? ''} ${c.state} ${c.health ?? ''} ${c.ports?.join(' ') ?? ''} ${c.networks?.map((n) => n.ip).join(' ') ?? ''}`}
          filters={<QueryChoice name="state" label="State" options={[['', 'All'], ['running', 'Running'], ['stopped', 'Stopped'], ['unhealthy', 'Unhealthy']]} />}
          selected={acts(page.items) ? selected : undefined} onSelect={acts(page.items) ? setSelected : undefined}
          bulk={<><button type="button" onClick={all(page.items, 'start')}>Start</button><button type="button" onClick={all(page.items, 'stop')}>Stop</button><button type="button" onClick={all(page.items, 'restart')}>Restart</button></>}
          empty={page.items.length ? undefined : <Empty title="No container yet"><p class="muted">A project brings its own.</p>{canAnywhere('deploy') && <a class="button primary" href="/projects/new">Paste a compose file</a>}</Empty>} />
      </>}</Loaded>
      {query.value.get('new') && changes('engine') && <NewContainer onClose={() => setQuery({ new: null, image: null })} />}
    </>
  );
}
