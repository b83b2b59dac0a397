import { useState } from 'preact/hooks';
import { get, part } from '../base/api';
import { carryOut, messageOf, type Deed } from '../base/deed';
import { bytes, shortId } from '../base/format';
import { offers } from '../base/offers';
import { useList, useResource } from '../base/query';
import { query, setQuery } from '../base/router';
import { changes } from '../base/session';
import type { Image } from '../base/shapes';
import { confirmRemoval, Dialog, SameAs } from '../ui/dialog';
import { Icon } from '../ui/icons';
import { Menu } from '../ui/menu';
import { Copy, Empty, Field, Head, Loaded, Problem, QueryChoice, StaleNote, Time } from '../ui/parts';
import { State } from '../ui/state';
import { toast } from '../ui/toast';
import { Table, type Column } from '../ui/table';

const named = (of: Image) => of.tags[0] ?? shortId(of.id);

function askRemoval(of: Image): void {
  confirmRemoval({ title: `Remove ${named(of)}?`, name: named(of), lost: [`${bytes(of.size)} of layers that no other image shares`, ...of.tags.map((tag) => `the tag ${tag}`)], keeps: of.usedBy.length ? `Containers use it (${of.usedBy.join(', ')}): the engine will refuse.` : undefined,
    deed: { label: 'Remove', method: 'DELETE', path: `/images/${part(of.id)}`, danger: true, done: `${named(of)} removed` } });
}
const untag = (of: Image, tag: string): Deed => ({ label: `Remove the tag ${tag}`, method: 'DELETE', path: `/images/${part(of.id)}/tags/${part(tag)}`, done: `the tag ${tag} is gone` });

function Tags({ of }: { of: Image }) {
  if (of.tags.length === 0) return <><span class="mono">{shortId(of.id)}</span> <span class="tag">no tag</span></>;
  return <span class="row"><a class="name mono" href={`?show=${encodeURIComponent(of.id)}`} title={of.tags.join('\n')}>{of.tags[0]}</a>{of.tags.length > 1 && <span class="tag" title={of.tags.slice(1).join('\n')}>+{of.tags.length - 1}</span>}</span>;
}

const columns: Column<Image>[] = [
  { id: 'name', label: 'Image', by: named, show: (i) => <Tags of={i} /> },
  { id: 'used', label: 'Used by', by: (i) => i.usedBy.length, wide: true, show: (i) => (i.usedBy.length ? <span title={i.usedBy.join('\n')}>{i.usedBy.slice(0, 2).map((name) => <><a href={`/containers/${name}`}>{name}</a> </>)}{i.usedBy.length > 2 && <span class="muted">+{i.usedBy.length - 2}</span>}</span> : <State word="unused" />) },
  { id: 'size', label: 'Size', by: (i) => i.size, right: true, show: (i) => bytes(i.size) },
  { id: 'created', label: 'Made', by: (i) => i.createdAt, wide: true, show: (i) => <Time at={i.createdAt} /> },
  { id: 'id', label: 'Id', wide: true, show: (i) => <span class="mono muted">{shortId(i.id)}<Copy text={i.id} what="id" /></span> },
  { id: 'actions', label: 'Actions', bare: true, right: true, show: (i) => <div class="actions"><Menu label={`More for ${named(i)}`} items={[
    { label: 'Layers', href: `?show=${encodeURIComponent(i.id)}` },
    ...(changes('engine') ? [{ label: 'New container of it', href: `/containers?new=1&image=${encodeURIComponent(named(i))}` }, { label: 'Tag …', run: () => setQuery({ tag: i.id }) }, ...(offers('/images/push') ? i.tags.map((tag) => ({ label: `Push ${tag} …`, run: () => setQuery({ push: tag }) })) : []), ...i.tags.map((tag) => ({ label: `Remove the tag ${tag}`, run: () => void carryOut(untag(i, tag)) })), { label: 'Remove …', danger: true, run: () => askRemoval(i) }] : [])]} /></div> },
];

function Pull({ onClose }: { onClose: () => void }) {
  const [reference, setReference] = useState('');
  const deed: Deed = { label: `Pull ${reference}`, path: '/images/pull', body: { reference } };
  const submit = async (event: Event) => {
    event.preventDefault();
    if (await carryOut(deed)) onClose();
  };
  return <Dialog title="Pull an image" onClose={onClose}><form onSubmit={submit}><Field label="Image" hint="repository:tag, with its registry where it is not Docker Hub"><input data-first required class="mono" value={reference} placeholder="nginx:1.27-alpine" onInput={(e) => setReference(e.currentTarget.value)} /></Field><SameAs deed={deed} />
    <footer><button type="button" onClick={onClose}>Cancel</button><button class="primary">Pull</button></footer></form></Dialog>;
}
function TagDialog({ of, onClose }: { of: Image; onClose: () => void }) {
  const [tag, setTag] = useState('');
  const deed: Deed = { label: 'Tag', path: `/images/${part(of.id)}/tags`, body: { tag }, done: `${tag} set` };
  return <Dialog title={`Tag ${named(of)}`} onClose={onClose}><form onSubmit={async (e) => { e.preventDefault(); if (await carryOut(deed)) onClose(); }}><Field label="Another name"><input data-first required class="mono" value={tag} placeholder="registry.example.com/shop:2" onInput={(e) => setTag(e.currentTarget.value)} /></Field><SameAs deed={deed} /><footer><button type="button" onClick={onClose}>Cancel</button><button class="primary">Tag</button></footer></form></Dialog>;
}
interface Layer { id?: string; createdAt: number; createdBy: string; size: number; comment?: string }
function Layers({ id, name, onClose }: { id: string; name: string; onClose: () => void }) {
  const list = useResource<Layer[] | { items: Layer[] }>(`/images/${part(id)}/layers`);
  return <Dialog title={name} onClose={onClose} wide><Loaded from={list}>{(data) => <div class="table-box" tabIndex={0} role="region" aria-label="Layers"><table class="plain" aria-label="Layers"><thead><tr><th scope="col" class="right">Size</th><th scope="col">Made by</th></tr></thead><tbody>{(Array.isArray(data) ? data : data.items).map((each, i) => <tr key={i}><td class="right">{each.size ? bytes(each.size) : '–'}</td><td><code>{each.createdBy?.replace(/^\/bin\/sh -c (#\(nop\) )?/, '')}</code></td></tr>)}</tbody></table></div>}</Loaded></Dialog>;
}
interface Pruned { images: { id: string; tags: string[]; owner: string | null; size: number }[]; bytes: number }
async function askPrune(tell: (text: string) => void): Promise<void> {
  try {
    const { images } = await get<Pruned>('/images/prune');
    tell('');
    if (images.length === 0) return toast('there is no unused image that a project built or that has no name');
    confirmRemoval({ title: 'Remove unused images?', name: 'prune', lost: images.map((each) => `${each.tags[0] ?? shortId(each.id)} of ${each.owner ?? 'nobody known'} (${bytes(each.size)})`), keeps: 'Named images of others stay, and so do those that a rollback needs.',
      deed: { label: 'Remove them', path: '/images/prune', body: { images: images.map((each) => each.id) }, danger: true } });
  } catch (error) {
    tell(messageOf(error));
  }
}
function PushDialog({ tag, onClose }: { tag: string; onClose: () => void }) {
  const deed: Deed = { label: `Push ${tag}`, path: '/images/push', body: { reference: tag } };
  return <Dialog title={`Push ${tag}?`} onClose={onClose}><form onSubmit={async (e) => { e.preventDefault(); if (await carryOut(deed)) onClose(); }}><p class="muted">To the registry that its name begins with, by the login that Settings keeps for it.</p><SameAs deed={deed} /><footer><button type="button" onClick={onClose}>Cancel</button><button class="primary">Push</button></footer></form></Dialog>;
}

export default function Images() {
  const list = useList<Image>('/images');
  const [error, setError] = useState('');
  const wanted = query.value.get('use') ?? '';
  return (
    <>
      <Head title="Images">{changes('engine') && <>{offers('/images/prune') && <button type="button" onClick={() => askPrune(setError)}>Remove unused …</button>}<button type="button" class="primary" onClick={() => setQuery({ pull: '1' }, false)}><Icon name="download" /> Pull</button></>}</Head>
      {error && <Problem text={error} />}
      <Loaded from={list}>{(page) => {
        const all = page.items, of = (id: string | null) => all.find((each) => each.id === id);
        const show = query.value.get('show'), tag = of(query.value.get('tag'));
        return <><StaleNote stale={page.stale} />
          <Table label="Images" rows={all.filter((i) => !wanted || (wanted === 'unused') === (i.usedBy.length === 0))} columns={columns} id={(i) => i.id} sort="name" text={(i) => `${i.tags.join(' ')} ${i.id} ${i.usedBy.join(' ')}`}
            filters={<QueryChoice name="use" label="Use" options={[['', 'All'], ['used', 'Used'], ['unused', 'Unused']]} />} empty={all.length ? undefined : <Empty title="No image yet"><p class="muted">Applying a project pulls or builds what it needs; one can also be pulled by hand.</p>{changes('engine') && <button type="button" class="primary" onClick={() => setQuery({ pull: '1' }, false)}>Pull an image</button>}</Empty>} />
          {show && <Layers id={show} name={of(show) ? named(of(show)!) : shortId(show)} onClose={() => setQuery({ show: null })} />}
          {tag && <TagDialog of={tag} onClose={() => setQuery({ tag: null })} />}</>;
      }}</Loaded>
      {query.value.get('push') && changes('engine') && <PushDialog tag={query.value.get('push')!} onClose={() => setQuery({ push: null })} />}
      {query.value.get('pull') && changes('engine') && <Pull onClose={() => setQuery({ pull: null })} />}
    </>
  );
}
