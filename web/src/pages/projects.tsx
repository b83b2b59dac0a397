import { plural } from '../base/format';
import { useList } from '../base/query';
import { can, canAnywhere } from '../base/session';
import type { Project } from '../base/shapes';
import { copies, DeedButton } from '../ui/actions';
import { Menu } from '../ui/menu';
import { Empty, Head, Loaded, StaleNote, Time } from '../ui/parts';
import { State } from '../ui/state';
import { Table, type Column } from '../ui/table';
import { DriftBadge } from './drift';
import { lifeOf } from './project-deeds';

const Urls = ({ urls }: { urls: string[] | undefined }) => urls?.length
  ? <span class="row">{urls.slice(0, 2).map((url) => <a key={url} href={url} target="_blank" rel="noreferrer noopener">{url.replace(/^https?:\/\//, '').replace(/\/$/, '')}</a>)}{urls.length > 2 && <span class="muted">+{urls.length - 2}</span>}</span>
  : <span class="muted">–</span>;

const columns: Column<Project>[] = [
  { id: 'name', label: 'Project', by: (p) => p.name, show: (p) => <><a class="name" href={`/projects/${p.name}`}>{p.name}</a>{p.source === 'foreign' && <> <span class="tag" title="made by another program; it can be adopted">foreign</span></>}</> },
  { id: 'state', label: 'State', by: (p) => p.state, show: (p) => <State word={p.state} /> },
  { id: 'drift', label: 'Against its files', by: (p) => p.drift?.count ?? -1, wide: true, show: (p) => <DriftBadge of={p} /> },
  { id: 'services', label: 'Services', by: (p) => p.services.length, wide: true, show: (p) => <span title={p.services.map((s) => s.name).join(', ')}>{p.services.reduce((n, s) => n + s.running, 0)}/{p.services.reduce((n, s) => n + s.replicas, 0)} <span class="muted">in {plural(p.services.length, 'service')}</span></span> },
  { id: 'url', label: 'Address', wide: true, show: (p) => <Urls urls={p.urls} /> },
  { id: 'updated', label: 'Changed', by: (p) => p.updatedAt ?? 0, wide: true, show: (p) => <Time at={p.updatedAt} /> },
  { id: 'actions', label: 'Actions', bare: true, right: true, show: (p) => {
    const life = can('act', p.name) && p.state !== 'draft' ? lifeOf(p) : [];
    return <div class="actions">{life.slice(0, 2).map((each) => <DeedButton key={each.label} deed={each} compact />)}<Menu label={`More for ${p.name}`} items={[{ label: 'Logs', href: `/projects/${p.name}/logs` }, ...(can('deploy', p.name) && p.source === 'managed' ? [{ label: 'Plan', href: `/projects/${p.name}/plan` }, { label: 'Files', href: `/projects/${p.name}/files` }] : []), ...(life.length ? [{ label: 'rule', separator: true }, ...copies(life)] : [])]} /></div>;
  } },
];

export default function Projects() {
  const list = useList<Project>('/projects');
  return (
    <>
      <Head title="Projects">{canAnywhere('deploy') && <a class="button primary" href="/projects/new">New project</a>}</Head>
      <Loaded from={list}>{(page) => <><StaleNote stale={page.stale} />
        <Table label="Projects" rows={page.items} columns={columns} id={(p) => p.name} href={(p) => `/projects/${p.name}`} sort="name" text={(p) => `${p.name} ${p.state} ${p.source} ${p.urls?.join(' ') ?? ''} ${p.services.map((s) => `${s.name} ${s.image}`).join(' ')}`}
          empty={<Empty title="No project yet"><p class="muted">A project is a Compose file, or several. Paste one, see the plan, apply it.</p>{canAnywhere('deploy') && <a class="button primary" href="/projects/new">New project</a>}</Empty>} /></>}</Loaded>
    </>
  );
}
