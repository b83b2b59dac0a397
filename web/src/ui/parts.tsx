// Small parts that every page is made of.
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { elsewhere, engine } from '../base/engine';
import { ago, moment } from '../base/format';
import type { Resource, Stale } from '../base/query';
import { query, withQuery } from '../base/router';
import { copyText } from '../base/deed';
import { Icon } from './icons';

export function Head({ title, children, above, note }: {
  title: ComponentChildren; children?: ComponentChildren; above?: ComponentChildren; note?: ComponentChildren;
}) {
  useEffect(() => {
    const text = typeof title === 'string' ? title : document.querySelector('main h1')?.textContent;
    document.title = [text, engine.value, 'berth'].filter(Boolean).join(' · ');
  });
  return (
    <div class="head">
      <div class="grow">
        {above && <nav class="crumbs" aria-label="Breadcrumb">{above}</nav>}
        <h1 tabIndex={-1}>{title}</h1>
        {note && <div class="note">{note}</div>}
      </div>
      {children && <div class="head-actions">{children}</div>}
    </div>
  );
}

export const Time = ({ at }: { at: number | null | undefined }) =>
  at ? <time dateTime={new Date(at).toISOString()} title={moment(at)}>{ago(at)}</time> : <span class="muted">–</span>;

export function Problem({ text, retry, again = 'Try again' }: { text: string; retry?: () => void; again?: string }) {
  return (
    <div class="notice bad" role="alert"><strong>That did not work.</strong> <span class="grow">{text}</span>
      {retry && <button type="button" onClick={retry}>{again}</button>}
    </div>
  );
}

export const StaleNote = ({ stale }: { stale: Stale | null | undefined }) => stale ? (
  <div class="notice warn" role="status"><strong>Stale since {moment(stale.since)}.</strong> <span>{stale.why || 'the engine does not answer'}. The last known state is shown.</span></div>
) : null;

/** A project by its name; elsewhere without a link: berth's projects are those of the local engine. */
export const ProjectName = ({ of }: { of: string | null | undefined }) =>
  !of ? <span class="muted">–</span> : elsewhere() ? <>{of}</> : <a href={`/projects/${of}`}>{of}</a>;

export const Empty = ({ title, children }: { title: string; children?: ComponentChildren }) =>
  <div class="empty"><p class="big">{title}</p>{children}</div>;

/** Shows what a resource holds: its data, else its error (under `title`, where the data would have brought the page's
 * heading), else that it is under way. */
export function Loaded<T>({ from, title, children }: { from: Resource<T>; title?: string; children: (data: T) => ComponentChildren }) {
  const data = from.data.value, error = from.error.value;
  if (from.path === '') return null; // nothing was asked
  if (data !== undefined) return <>{error && <Problem text={error.message} retry={() => from.load()} />}{children(data)}</>;
  if (error) return <>{title && <Head title={title} />}{error.status === 404
    ? <Empty title="It is not there"><p class="muted">{error.message}</p></Empty>
    : <Problem text={error.message} retry={() => from.load()} />}</>;
  return <div class="loading" role="status"><span class="spinner" aria-hidden="true" /> Loading</div>;
}

/** A part of the page is not to be had: after an upgrade its file has another name. */
export const Outdated = () => <Problem text="This part of the page could not be loaded. If berth was upgraded, loading the page again brings the new one." retry={() => location.reload()} again="Reload" />;

export interface Tab {
  id: string;
  label: string;
  count?: number | null;
}
/** Links, one of them current: each tab has an address. */
export function Tabs({ tabs, current, to, label }: { tabs: Tab[]; current: string; to: (id: string) => string; label: string }) {
  return (
    <nav class="tabs" aria-label={label}>
      {tabs.map((tab) => <a key={tab.id} href={to(tab.id)} aria-current={tab.id === current ? 'page' : undefined}>{tab.label}
        {tab.count !== undefined && tab.count !== null && <span class="count">{tab.count}</span>}</a>)}
    </nav>
  );
}

export function Field({ label, hint, error, children }: { label: string; hint?: ComponentChildren; error?: string; children: ComponentChildren }) {
  return (
    <div class="field"><label><span>{label}</span>{children}</label>
      {hint && <small class="muted">{hint}</small>}{error && <small class="bad" role="alert">{error}</small>}</div>
  );
}

export const Copy = ({ text, what }: { text: string; what: string }) =>
  <button type="button" class="quiet square" title={`copy ${what}`} aria-label={`copy ${what}`} onClick={() => copyText(text, what)}><Icon name="copy" size={14} /></button>;

/** Name and value pairs. */
export const Facts = ({ of }: { of: [string, ComponentChildren][] }) => (
  <dl class="facts">{of.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value ?? '–'}</dd></div>)}</dl>
);

export const Card = ({ title, children, action }: { title: string; children: ComponentChildren; action?: ComponentChildren }) => (
  <section class="card"><header><h2>{title}</h2>{action}</header>{children}</section>
);

/** A choice whose value lives in the query. */
export function QueryChoice({ name, label, options }: { name: string; label: string; options: [string, string][] }) {
  const now = query.value.get(name) ?? '';
  return (
    <div class="choice" role="group" aria-label={label}>
      {options.map(([value, text]) => <a key={value} href={withQuery({ [name]: value || null })} class={now === value ? 'on' : ''}
        aria-current={now === value ? 'true' : undefined}>{text}</a>)}
    </div>
  );
}
/** Published ports as links, where a browser could open them; of another engine as they are: its host has another name. */
export function Ports({ ports }: { ports: string[] | undefined }) {
  if (!ports?.length) return <span class="muted">–</span>;
  return (
    <span class="ports">{ports.map((port) => {
      const found = /^(?:(.*):)?(\d+):(\d+)(?:\/(\w+))?$/.exec(port);
      if (!found || elsewhere() || (found[4] ?? 'tcp') !== 'tcp') return <code key={port}>{port}</code>;
      const host = !found[1] || found[1] === '0.0.0.0' || found[1] === '[::]' ? location.hostname : found[1];
      return <a key={port} class="mono" href={`http://${host}:${found[2]}`} target="_blank" rel="noreferrer noopener" title={`open ${port}`}>{found[2]}→{found[3]}</a>;
    })}</span>
  );
}
