import { useState } from 'preact/hooks';
import { get, part } from '../base/api';
import { carryOut, type Deed } from '../base/deed';
import { ago, bytes } from '../base/format';
import { offers } from '../base/offers';
import { useList } from '../base/query';
import { query, setQuery } from '../base/router';
import { changes } from '../base/session';
import type { Volume } from '../base/shapes';
import { confirmRemoval, Dialog, SameAs } from '../ui/dialog';
import { Menu } from '../ui/menu';
import { Empty, Field, Head, Loaded, ProjectName, QueryChoice, StaleNote, Time } from '../ui/parts';
import { State } from '../ui/state';
import { Table, type Column } from '../ui/table';
import { BackupDialog } from './backups';

/** What is lost, and whether there is a copy of it, which is asked for now. */
export async function askVolumeRemoval(of: Volume, then?: () => void): Promise<void> {
  const now = await get<Volume>(`/volumes/${part(of.name)}`).catch(() => of);
  const copy = now.lastBackupAt === undefined ? '' : now.lastBackupAt ? `its newest copy is of ${ago(now.lastBackupAt)}: what was written since is lost` : 'there is no copy of it';
  confirmRemoval({ title: `Remove ${of.name}?`, name: of.name, then, lost: [`all data in ${of.name} (${now.size === null ? 'size not known' : bytes(now.size)})`, ...(copy ? [copy] : [])], keeps: now.usedBy.length ? `Containers use it (${now.usedBy.join(', ')}): the engine will refuse.` : undefined,
    deed: { label: 'Remove with its data', method: 'DELETE', path: `/volumes/${part(of.name)}`, danger: true, done: `${of.name} removed` } });
}

const measure: Deed = { label: 'Measure sizes', path: '/volumes/sizes' };

const columns: Column<Volume>[] = [
  { id: 'name', label: 'Volume', by: (v) => v.name, show: (v) => <a class="name" href={`/volumes/${part(v.name)}`}>{v.name}</a> },
  { id: 'project', label: 'Project', by: (v) => v.project ?? '~', wide: true, show: (v) => <ProjectName of={v.project} /> },
  { id: 'used', label: 'Used by', by: (v) => v.usedBy.length, wide: true, show: (v) => (v.unused ? <State word="unused" /> : v.usedBy.map((name) => <><a href={`/containers/${name}`}>{name}</a> </>)) },
  { id: 'size', label: 'Size', by: (v) => v.size ?? -1, right: true, show: (v) => <span title={v.sizeAt ? `measured ${ago(v.sizeAt)}` : 'not measured yet'}>{bytes(v.size)}</span> },
  { id: 'driver', label: 'Driver', by: (v) => v.driver, wide: true, show: (v) => v.driver },
  { id: 'created', label: 'Created', by: (v) => v.createdAt ?? 0, wide: true, show: (v) => <Time at={v.createdAt} /> },
  { id: 'actions', label: 'Actions', bare: true, right: true, show: (v) => <div class="actions"><Menu label={`More for ${v.name}`} items={[{ label: 'Details', href: `/volumes/${part(v.name)}` },
    ...(changes('engine') && offers('/volumes/{}/backups') ? [{ label: 'Back up …', run: () => setQuery({ backup: v.name }) }] : []), ...(changes('remove', v.project) ? [{ label: 'Remove …', danger: true, run: () => void askVolumeRemoval(v) }] : [])]} /></div> },
];

function NewVolume({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const deed: Deed = { label: 'Create', path: '/volumes', body: { name, labels: {} }, done: `${name} created` };
  return <Dialog title="New volume" onClose={onClose}><form onSubmit={async (e) => { e.preventDefault(); if (await carryOut(deed)) onClose(); }}><Field label="Name"><input data-first required pattern="[a-zA-Z0-9][a-zA-Z0-9_.\-]+" value={name} spellcheck={false} onInput={(e) => setName(e.currentTarget.value)} /></Field><SameAs deed={deed} /><footer><button type="button" onClick={onClose}>Cancel</button><button class="primary">Create</button></footer></form></Dialog>;
}

export default function Volumes() {
  const list = useList<Volume>('/volumes');
  const use = query.value.get('use') ?? '', backup = query.value.get('backup');
  return (
    <>
      <Head title="Volumes">{changes('engine') && offers('/backups') && <a class="button" href="/backups">Copies</a>}{changes('engine') && offers('/volumes/sizes') && <button type="button" onClick={() => void carryOut(measure)}>Measure sizes</button>}{changes('engine') && <button type="button" class="primary" onClick={() => setQuery({ new: '1' }, false)}>New volume</button>}</Head>
      <Loaded from={list}>{(page) => <><StaleNote stale={page.stale} />
        <Table label="Volumes" rows={page.items.filter((v) => !use || (use === 'unused') === v.unused)} columns={columns} id={(v) => v.name} href={(v) => `/volumes/${part(v.name)}`} sort="name" text={(v) => `${v.name} ${v.project ?? ''} ${v.usedBy.join(' ')}`}
          filters={<QueryChoice name="use" label="Use" options={[['', 'All'], ['used', 'Used'], ['unused', 'Unused']]} />} empty={page.items.length ? undefined : <Empty title="No volume yet"><p class="muted">What a project keeps beyond its containers lies in volumes that its file names.</p></Empty>} /></>}</Loaded>
      {query.value.get('new') && changes('engine') && <NewVolume onClose={() => setQuery({ new: null })} />}
      {backup && changes('engine') && <BackupDialog of={backup} onClose={() => setQuery({ backup: null })} />}
    </>
  );
}
