import { useState } from 'preact/hooks';
import { part } from '../base/api';
import { carryOut, type Deed } from '../base/deed';
import { offers } from '../base/offers';
import { useList, useResource } from '../base/query';
import { query, setQuery } from '../base/router';
import { changes } from '../base/session';
import type { Network } from '../base/shapes';
import type { Edge, Node } from '../graph/view';
import { confirmRemoval, Dialog, SameAs } from '../ui/dialog';
import { lazy } from '../ui/lazy';
import { Menu } from '../ui/menu';
import { Empty, Field, Head, Loaded, ProjectName, StaleNote, Tabs } from '../ui/parts';
import { State } from '../ui/state';
import { Table, type Column } from '../ui/table';

const Topology = lazy(() => import('../graph/view'));

function askRemoval(of: Network): void {
  confirmRemoval({ title: `Remove ${of.name}?`, name: of.name, lost: [], keeps: of.containers.length ? `Containers are attached (${of.containers.map((c) => c.name).join(', ')}): the engine will refuse.` : undefined,
    deed: { label: 'Remove', method: 'DELETE', path: `/networks/${part(of.id)}`, danger: true, done: `${of.name} removed` } });
}
const preset = ['bridge', 'host', 'none'];

const columns: Column<Network>[] = [
  { id: 'name', label: 'Network', by: (n) => n.name, show: (n) => <><span class="name">{n.name}</span>{n.internal && <> <span class="tag" title="no way outward">internal</span></>}{n.attachable && <> <span class="tag">attachable</span></>}</> },
  { id: 'containers', label: 'Attached', by: (n) => n.containers.length, show: (n) => (n.unused ? <State word="unused" /> : <span title={n.containers.map((c) => `${c.name} ${c.ip}`).join('\n')}>{n.containers.slice(0, 3).map((c) => <><a href={`/containers/${c.name}`}>{c.name}</a> <span class="muted mono">{c.ip?.split('/')[0]}</span>{' '}</>)}{n.containers.length > 3 && <span class="muted">+{n.containers.length - 3}</span>}{n.containers.length === 0 && <span class="muted">–</span>}</span>) },
  { id: 'project', label: 'Project', by: (n) => n.project ?? '~', wide: true, show: (n) => <ProjectName of={n.project} /> },
  { id: 'subnet', label: 'Subnets', by: (n) => n.subnets[0] ?? '', wide: true, show: (n) => <span class="mono">{n.subnets.join(', ') || '–'}</span> },
  { id: 'driver', label: 'Driver', by: (n) => n.driver, wide: true, show: (n) => n.driver },
  { id: 'actions', label: 'Actions', bare: true, right: true, show: (n) => (changes('remove', n.project) && !preset.includes(n.name) ? <div class="actions"><Menu label={`More for ${n.name}`} items={[{ label: 'Remove …', danger: true, run: () => askRemoval(n) }]} /></div> : null) },
];

function NewNetwork({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const [internal, setInternal] = useState(false);
  const deed: Deed = { label: 'Create', path: '/networks', body: { name, internal }, done: `${name} created` };
  return <Dialog title="New network" onClose={onClose}><form onSubmit={async (e) => { e.preventDefault(); if (await carryOut(deed)) onClose(); }}><Field label="Name"><input data-first required pattern="[a-zA-Z0-9][a-zA-Z0-9_.\-]+" value={name} spellcheck={false} onInput={(e) => setName(e.currentTarget.value)} /></Field><label class="row"><input type="checkbox" checked={internal} onChange={(e) => setInternal(e.currentTarget.checked)} /> Internal: no way outward</label><SameAs deed={deed} /><footer><button type="button" onClick={onClose}>Cancel</button><button class="primary">Create</button></footer></form></Dialog>;
}

function Drawn() {
  const found = useResource<{ nodes: Node[]; edges: Edge[] }>('/networks/topology');
  return <Loaded from={found}>{(all) => all.nodes.length === 0 ? <Empty title="Nothing to draw yet"><p class="muted">Routes, services, containers, networks and volumes are drawn as soon as there are some.</p></Empty> : <Topology nodes={all.nodes} edges={all.edges} />}</Loaded>;
}

export default function Networks({ view = 'table' }: Record<string, string>) {
  const list = useList<Network>('/networks');
  return (
    <>
      <Head title="Networks">{changes('engine') && <button type="button" class="primary" onClick={() => setQuery({ new: '1' }, false)}>New network</button>}</Head>
      <Tabs label="View" tabs={[{ id: 'table', label: 'Table' }, ...(offers('/networks/topology') ? [{ id: 'topology', label: 'Topology' }] : [])]} current={view} to={(id) => (id === 'table' ? '/networks' : `/networks/${id}`)} />
      {view === 'topology' ? <Drawn /> : <Loaded from={list}>{(page) => <><StaleNote stale={page.stale} />
        <Table label="Networks" rows={page.items} columns={columns} id={(n) => n.id} sort="name" text={(n) => `${n.name} ${n.project ?? ''} ${n.subnets.join(' ')} ${n.containers.map((c) => `${c.name} ${c.ip}`).join(' ')}`} empty={<Empty title="No network yet" />} /></>}</Loaded>}
      {query.value.get('new') && changes('engine') && <NewNetwork onClose={() => setQuery({ new: null })} />}
    </>
  );
}
