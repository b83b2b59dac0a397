import type { ComponentChildren } from 'preact';
import { part } from '../base/api';
import { elsewhere } from '../base/engine';
import { ago, bytes } from '../base/format';
import { offers } from '../base/offers';
import { useResource } from '../base/query';
import { go, query, setQuery } from '../base/router';
import { changes } from '../base/session';
import type { Volume } from '../base/shapes';
import { Facts, Head, Loaded, ProjectName, Time } from '../ui/parts';
import { State } from '../ui/state';
import { BackupDialog, Copies } from './backups';
import { Files } from './files';
import { askVolumeRemoval } from './volumes';

const sizeOf = (of: Volume) => (of.size === null ? 'not measured yet' : <>{bytes(of.size)}{of.sizeAt && <span class="muted"> measured {ago(of.sizeAt)}</span>}</>);

export default function VolumePage({ name }: Record<string, string>) {
  const found = useResource<Volume>(`/volumes/${part(name!)}`);
  const there = elsewhere(); // berth keeps copies and opens files of the local engine alone
  const copies = changes('engine') && offers('/volumes/{}/backups');
  return (
    <Loaded from={found} title={name}>{(of) => <>
      <Head title={of.name} above={<a href="/volumes">Volumes</a>} note={of.unused ? <State word="unused" /> : null}>
        {copies && <button type="button" onClick={() => setQuery({ backup: of.name })}>Back up …</button>}
        {changes('remove', of.project) && <button type="button" onClick={() => void askVolumeRemoval(of, () => go('/volumes'))}>Remove …</button>}
      </Head>
      <div class="card"><Facts of={[['Size', sizeOf(of)], ...(there ? [] : [['Last copy', of.lastBackupAt ? <Time at={of.lastBackupAt} /> : 'none'] as [string, ComponentChildren]]), ['Driver', of.driver], ['Project', <ProjectName of={of.project} />],
        ['Created', <Time at={of.createdAt} />], ['Used by', of.usedBy?.length ? of.usedBy.map((each) => <><a href={`/containers/${each}`}>{each}</a> </>) : 'nothing'],
        ['Projects that use it', of.projects?.length ? of.projects.map((each) => <><ProjectName of={each} /> </>) : 'none']]} /></div>
      {copies && <><h2>Copies</h2><Copies of={of.name} /></>}
      {changes('exec', of.project) && offers('/volumes/{}/files') && <><h2>Files</h2><Files root={`/volumes/${part(of.name)}/files`} /></>}
      {query.value.get('backup') && copies && <BackupDialog of={of.name} onClose={() => setQuery({ backup: null })} />}
    </>}</Loaded>
  );
}
