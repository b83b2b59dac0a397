// The project's files: edited as they are, checked while typing, saved apart from applying.
import { useEffect, useState } from 'preact/hooks';
import { ApiError, part, parts, send } from '../base/api';
import { messageOf } from '../base/deed';
import { bytes } from '../base/format';
import { changed, useResource } from '../base/query';
import { go, holdPage, query, setQuery } from '../base/router';
import { can } from '../base/session';
import type { Project } from '../base/shapes';
import { Problems, type Found } from '../editor/problem';
import { useVerdict } from '../editor/validate';
import { Icon } from '../ui/icons';
import { lazy } from '../ui/lazy';
import { Empty, Loaded, Problem } from '../ui/parts';
import { State } from '../ui/state';
import { toast } from '../ui/toast';

const Editor = lazy(() => import('../editor/view'));

interface FileEntry {
  path: string;
  size: number;
  etag: string;
}

function Edit({ project, file, to }: { project: string; file: string; to: Found | null }) {
  const path = `/projects/${part(project)}/files/${parts(file)}`;
  const [saved, setSaved] = useState<{ text: string; etag: string | null } | null>(null);
  const [text, setText] = useState('');
  const [revision, setRevision] = useState(0);
  const [error, setError] = useState('');
  const [clash, setClash] = useState(false);
  const dirty = saved !== null && text !== saved.text;
  const writable = can('deploy', project);
  const load = async () => {
    try {
      const answer = await send<string>('GET', path, { headers: { Accept: 'text/plain' } });
      const body = typeof answer.data === 'string' ? answer.data : JSON.stringify(answer.data, null, 2);
      setSaved({ text: body, etag: answer.etag });
      setText(body);
      setRevision((n) => n + 1);
      setClash(false);
      setError('');
    } catch (cause) {
      setError(messageOf(cause));
    }
  };
  useEffect(() => void load(), [path]);
  useEffect(() => {
    holdPage(dirty ? () => !confirm(`${file} is not saved. Leave it?`) : null);
    return () => holdPage(null);
  }, [dirty]);
  const { verdict } = useVerdict(`/projects/${part(project)}/validate`, saved === null ? {} : { files: { [file]: text } });
  const problems = verdict?.problems ?? [];
  const [jump, setJump] = useState<{ line: number; column: number } | null>(to);
  const save = async () => {
    if (!saved || !writable) return false;
    try {
      const answer = await send('PUT', path, { text, headers: saved.etag ? { 'If-Match': saved.etag } : {} });
      setSaved({ text, etag: answer.etag });
      setError('');
      toast(`${file} saved; nothing is applied yet`);
      changed('/projects');
      return true;
    } catch (cause) {
      if (cause instanceof ApiError && (cause.status === 412 || cause.status === 409)) setClash(true);
      else setError(messageOf(cause));
      return false;
    }
  };
  const plan = async () => {
    if (dirty && !(await save())) return;
    holdPage(null);
    go(`/projects/${project}/plan`);
  };
  if (error && saved === null) return <Problem text={error} retry={load} />;
  if (saved === null) return <div class="loading" role="status"><span class="spinner" /> Loading</div>;
  return (
    <div>
      <div class="bar"><strong class="mono">{file}</strong>{dirty && <State word="draft" title="not saved" />}<span class="grow" />
        {verdict && (verdict.ok ? <State word="valid" /> : <State word={`${problems.length} to mend`} tone="bad" />)}
        {writable && <><button type="button" disabled={!dirty} onClick={() => { setText(saved.text); setRevision(revision + 1); }}>Revert</button><button type="button" disabled={!dirty} onClick={save}>Save</button><button type="button" class="primary" onClick={plan}>{dirty ? 'Save and plan' : 'Plan'}</button></>}</div>
      {error && <Problem text={error} />}
      {clash && <div class="notice warn" role="alert"><strong>Somebody else changed {file}.</strong> <span class="grow">Saving would undo that.</span><button type="button" onClick={load}>Take theirs</button><button type="button" onClick={() => { setSaved({ text: '', etag: '*' }); setClash(false); }}>Keep mine</button></div>}
      <Editor key={file} label={file} revision={revision} text={text} yaml={/\.ya?ml$/.test(file)} readOnly={!writable} problems={problems.filter((each) => each.file === file || each.file.endsWith(`/${file}`))} to={jump} onChange={setText} onSave={() => void save()} />
      <Problems of={problems} onGo={(each) => setJump({ line: each.line, column: each.column })} />
    </div>
  );
}

export default function Files({ of }: { of: Project }) {
  const list = useResource<FileEntry[] | { items: FileEntry[] }>(`/projects/${part(of.name)}/files`);
  return (
    <Loaded from={list}>{(data) => {
      const files = Array.isArray(data) ? data : data.items;
      const now = query.value.get('file') ?? files.find((each) => /^(docker-)?compose\.ya?ml$/.test(each.path))?.path ?? files[0]?.path;
      if (!now) return <Empty title="No files here"><p class="muted">This project was not made by berth; adopt it to edit its files.</p></Empty>;
      return (
        <div class="files">
          <nav aria-label="Files"><ul class="file-list">{files.map((each) => <li key={each.path}><a href={`?file=${encodeURIComponent(each.path)}`} aria-current={each.path === now ? 'true' : undefined}><Icon name="file" size={14} /><span class="grow cut">{each.path}</span><small class="muted">{bytes(each.size)}</small></a></li>)}</ul>
            {can('deploy', of.name) && <NewFile project={of.name} known={files.map((each) => each.path)} />}</nav>
          <Edit key={now} project={of.name} file={now} to={null} />
        </div>
      );
    }}</Loaded>
  );
}

function NewFile({ project, known }: { project: string; known: string[] }) {
  const [name, setName] = useState<string | null>(null);
  if (name === null) return <button type="button" class="quiet" onClick={() => setName('')}><Icon name="plus" size={14} /> New file</button>;
  const make = async (event: Event) => {
    event.preventDefault();
    if (!name || known.includes(name)) return;
    try {
      await send('PUT', `/projects/${part(project)}/files/${parts(name)}`, { text: '' });
      changed('/projects');
      setQuery({ file: name });
      setName(null);
    } catch (error) {
      toast(messageOf(error), 'bad');
    }
  };
  return <form class="row" onSubmit={make}><input autofocus aria-label="Name of the file" placeholder=".env" value={name} onInput={(e) => setName(e.currentTarget.value)} /><button>Add</button></form>;
}
