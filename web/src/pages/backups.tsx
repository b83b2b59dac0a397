// Copies of volumes: made, checked, and made into new volumes. For those who have the whole engine.
import { useState } from 'preact/hooks';
import { part } from '../base/api';
import { carryOut, type Deed } from '../base/deed';
import { bytes, moment } from '../base/format';
import { useList, type Page } from '../base/query';
import { query, setQuery } from '../base/router';
import { confirmRemoval, Dialog, SameAs } from '../ui/dialog';
import { Menu } from '../ui/menu';
import { Empty, Field, Head, Loaded, Time } from '../ui/parts';
import { Table, type Column } from '../ui/table';

interface Backup { name: string; volume: string; at: number | null; size: number; stored: number; meanwhile: string; running: string[]; sha256: string }
type Backups = Page<Backup> & { folder: string; broken: string[] };

const volumeName = '[a-zA-Z0-9][a-zA-Z0-9_.\\-]+';

export function BackupDialog({ of, onClose }: { of: string; onClose: () => void }) {
  const [meanwhile, setMeanwhile] = useState('run');
  const [keep, setKeep] = useState('');
  const deed: Deed = { label: `Back up ${of}`, path: `/volumes/${part(of)}/backups`, body: { meanwhile, ...(keep ? { keep: Number(keep) } : {}) }, cli: `berth backup run ${of} --to FOLDER${meanwhile === 'run' ? '' : ` --${meanwhile}`}${keep ? ` --keep ${keep}` : ''}` };
  return (
    <Dialog title={`Back up ${of}`} onClose={onClose}><form onSubmit={async (e) => { e.preventDefault(); if (await carryOut(deed)) onClose(); }}>
      <Field label="Containers that use it" hint={meanwhile === 'run' ? 'Files of a database may not fit together then.' : meanwhile === 'pause' ? 'As a power cut would leave it.' : 'The sure way for databases.'}>
        <select data-first value={meanwhile} onChange={(e) => setMeanwhile(e.currentTarget.value)}><option value="run">run on</option><option value="pause">stand still meanwhile</option><option value="stop">are stopped, and started again</option></select></Field>
      <Field label="Copies to keep" hint={keep ? `Once this one is whole, older copies of ${of} go.` : 'Empty: all of them.'}>
        <input type="number" min="1" max="10000" value={keep} onInput={(e) => setKeep(e.currentTarget.value)} /></Field>
      <SameAs deed={deed} /><footer><button type="button" onClick={onClose}>Cancel</button><button class="primary">Back up</button></footer></form></Dialog>
  );
}

function RestoreDialog({ of, volume, folder, onClose }: { of: string; volume: string; folder: string; onClose: () => void }) {
  const [name, setName] = useState(`${volume}_restored`);
  const deed: Deed = { label: `Restore ${name}`, path: `/backups/${part(of)}/restore`, body: { volume: name }, cli: `berth restore ${folder}/${of}.tar.zst --to ${name}` };
  return (
    <Dialog title="Restore to a new volume" onClose={onClose}><form onSubmit={async (e) => { e.preventDefault(); if (await carryOut(deed)) onClose(); }}>
      <p>The whole copy is read first. No volume that exists is written to.</p>
      <Field label="Name of the new volume" hint={name === volume ? 'Under its old name it gets its labels back: its project takes it up again.' : undefined}><input data-first required class="mono" pattern={volumeName} value={name} spellcheck={false} onInput={(e) => setName(e.currentTarget.value)} /></Field>
      <SameAs deed={deed} /><footer><button type="button" onClick={onClose}>Cancel</button><button class="primary">Restore</button></footer></form></Dialog>
  );
}

const check = (of: Backup, folder: string): Deed => ({ label: `Check ${of.name}`, path: `/backups/${part(of.name)}/verify`, cli: `berth backup verify ${folder}/${of.name}.tar.zst` });
function askRemoval(of: Backup, folder: string): void {
  confirmRemoval({ title: 'Remove this copy?', name: of.volume, lost: [`what the volume ${of.volume} held on ${of.at ? moment(of.at) : 'an unknown time'} (${bytes(of.size)})`, `${folder}/${of.name}.tar.zst`], keeps: 'The volume itself and its other copies stay.',
    deed: { label: 'Remove', method: 'DELETE', path: `/backups/${part(of.name)}`, cli: `berth backup remove ${folder}/${of.name}.tar.zst`, danger: true, done: `${of.name} removed` } });
}
const columnsOf = (folder: string, whole: boolean): Column<Backup>[] => [
  { id: 'at', label: 'Copy', by: (b) => b.at ?? 0, show: (b) => <span title={b.name}><Time at={b.at} /></span> },
  ...(whole ? [{ id: 'volume', label: 'Volume', by: (b: Backup) => b.volume, show: (b: Backup) => <a class="name" href={`/volumes/${part(b.volume)}`}>{b.volume}</a> }] : []),
  { id: 'size', label: 'Size', by: (b) => b.size, right: true, show: (b) => bytes(b.size) },
  { id: 'stored', label: 'On the disk', by: (b) => b.stored, right: true, wide: true, show: (b) => bytes(b.stored) },
  { id: 'running', label: 'Written to meanwhile', wide: true, show: (b) => (b.meanwhile === 'run' && b.running.length ? b.running.join(' ') : <span class="muted">no</span>) },
  { id: 'actions', label: 'Actions', bare: true, right: true, show: (b) => <div class="actions"><Menu label={`More for ${b.name}`} items={[
    { label: 'Restore to a new volume …', run: () => setQuery({ restore: b.name }) }, { label: 'Check that it is whole', run: () => void carryOut(check(b, folder)) }, { label: 'Remove …', danger: true, run: () => askRemoval(b, folder) }]} /></div> },
];

/** Those of one volume, or of all. */
export function Copies({ of }: { of?: string }) {
  const list = useList<Backup>(of ? `/volumes/${part(of)}/backups` : '/backups');
  const wanted = query.value.get('restore');
  return <Loaded from={list}>{(page) => {
    const { folder, broken, items } = page as Backups;
    const chosen = items.find((each) => each.name === wanted);
    return <>
      {broken.length > 0 && <div class="notice warn" role="status"><strong>Some files are no copies.</strong> <span>{broken.join('; ')}</span></div>}
      <Table label="Copies" rows={items} columns={columnsOf(folder, !of)} id={(b) => b.name} sort="-at" text={(b) => b.name} empty={<Empty title="No copy yet"><p class="muted">Copies are kept in <code>{folder}</code>.</p></Empty>} />
      {chosen && <RestoreDialog of={chosen.name} volume={chosen.volume} folder={folder} onClose={() => setQuery({ restore: null })} />}
    </>;
  }}</Loaded>;
}

export default function BackupsPage() {
  return <><Head title="Copies of volumes" above={<a href="/volumes">Volumes</a>} /><Copies /></>;
}
