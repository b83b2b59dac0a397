// Folders and files inside a container or a volume, read only. Names are whatever a program there wrote.
import { base, part } from '../base/api';
import { bytes } from '../base/format';
import { at as onEngine } from '../base/engine';
import { useList, useResource } from '../base/query';
import { query, setQuery } from '../base/router';
import { Icon } from '../ui/icons';
import { Empty, Loaded, Time } from '../ui/parts';
import { State } from '../ui/state';
import { Table, type Column } from '../ui/table';

interface Entry { name: string; path: string; type: 'file' | 'folder' | 'link' | 'other'; size: number | null; mode: string; modifiedAt: number | null; link: string | null }
interface Folder { path: string; items: Entry[]; partial: string | null }

/** A name on one line, in its own direction: what cannot be seen is written out. */
export const visible = (name: string): string =>
  name.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, (c) => (c === '\n' ? '\\n' : `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`));

function decoded(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step; // bytes that are no UTF-8
  }
}

/** Paths are percent-encoded as the API gives them, in the query too: so every name can be reached. */
export function Files({ root }: { root: string }) {
  const at = (query.value.get('path') ?? '/').replace(/[&#?+\s]/g, encodeURIComponent); // whoever wrote the address
  const list = useResource<Folder>(`${root}?path=${at}`, false, true);
  const steps = at.split('/').filter(Boolean);
  const content = (path: string) => base + onEngine(`${root}/content?path=${path}`);
  return (
    <>
      <div class="bar"><nav class="crumbs grow" aria-label="Folder"><button type="button" class="link" aria-label="the top folder" onClick={() => setQuery({ path: null })}>/</button>{steps.map((step, i) => <span key={i}><button type="button" class="link" onClick={() => setQuery({ path: `/${steps.slice(0, i + 1).join('/')}` }, false)}>{visible(decoded(step))}</button>/</span>)}</nav>
        <button type="button" onClick={() => void list.load()}><Icon name="restart" /> Look again</button>
        <a class="button" href={content(at)} download><Icon name="folder" /> Download as tar</a></div>
      <Loaded from={list}>{(folder) => <>
        {folder.partial && <div class="notice warn" role="status"><strong>Not all is shown.</strong> <span>{folder.partial}</span></div>}
        {folder.items.length === 0 ? <Empty title="The folder is empty" /> : (
          <div class="table-box"><table class="plain" aria-label={`Files of ${visible(folder.path)}`}><thead><tr><th scope="col">Name</th><th scope="col" class="right">Size</th><th scope="col" class="wide">Mode</th><th scope="col" class="wide">Changed</th></tr></thead>
            <tbody>{folder.items.map((each) => <tr key={each.path}><td><Icon name={each.type === 'folder' ? 'folder' : 'file'} />{' '}<Name of={each} href={content(each.path)} /></td>
              <td class="right">{bytes(each.size)}</td><td class="wide mono">{each.mode}</td><td class="wide"><Time at={each.modifiedAt} /></td></tr>)}</tbody></table></div>
        )}</>}</Loaded>
    </>
  );
}

function Name({ of, href }: { of: Entry; href: string }) {
  const name = visible(of.name);
  if (of.type === 'folder') return <button type="button" class="link" onClick={() => setQuery({ path: of.path }, false)}>{name}</button>;
  if (of.type === 'file') return <a href={href} download={of.name}>{name}</a>;
  return <>{name} <span class="muted">{of.type === 'link' ? `→ ${visible(of.link ?? '')}` : '(no file)'}</span></>;
}

interface Change { path: string; kind: 'changed' | 'added' | 'removed' }
const columns: Column<Change>[] = [
  { id: 'path', label: 'Path', by: (c) => c.path, show: (c) => <code>{visible(c.path)}</code> },
  { id: 'kind', label: 'What', by: (c) => c.kind, show: (c) => <State word={c.kind} tone={c.kind === 'removed' ? 'bad' : c.kind === 'added' ? 'ok' : 'info'} /> },
];
/** What differs from the image. */
export function Changes({ id }: { id: string }) {
  const list = useList<Change>(`/containers/${part(id)}/changes`);
  return <Loaded from={list}>{(page) => <Table label="Changes" rows={page.items} columns={columns} id={(c) => c.path} sort="path" text={(c) => `${c.path} ${c.kind}`} empty={<Empty title="Nothing differs from the image" />} />}</Loaded>;
}
