// The routes: a pattern, and the page that is loaded when it is first needed.
import type { ComponentType, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { engine } from './base/engine';
import { match, path } from './base/router';
import { session } from './base/session';
import { Outdated } from './ui/parts';
import { Shell } from './ui/shell';

type Values = Record<string, string>;
type PageOf = ComponentType<Values>;
type Load = () => Promise<{ default: PageOf }>;

const routes: [string, Load][] = [
  ['/', () => import('./pages/overview')],
  ['/projects', () => import('./pages/projects')],
  ['/projects/new', () => import('./pages/project-new')],
  ['/projects/:name', () => import('./pages/project')],
  ['/projects/:name/:tab', () => import('./pages/project')],
  ['/containers', () => import('./pages/containers')],
  ['/containers/:id', () => import('./pages/container')],
  ['/containers/:id/:tab', () => import('./pages/container')],
  ['/images', () => import('./pages/images')],
  ['/volumes', () => import('./pages/volumes')],
  ['/volumes/:name', () => import('./pages/volume')],
  ['/backups', () => import('./pages/backups')],
  ['/networks', () => import('./pages/networks')],
  ['/networks/:view', () => import('./pages/networks')],
  ['/events', () => import('./pages/events')],
  ['/terminals', () => import('./pages/terminals')],
  ['/terminals/:id', () => import('./pages/terminals')],
  ['/routes', () => import('./pages/routes')],
  ['/routes/:tab', () => import('./pages/routes')],
  ['/jobs/:id', () => import('./pages/job')],
  ['/users', () => import('./pages/users')],
  ['/users/:id', () => import('./pages/user')],
  ['/tokens', () => import('./pages/tokens')],
  ['/audit', () => import('./pages/audit')],
  ['/settings', () => import('./pages/settings')],
  ['/settings/:tab', () => import('./pages/settings')],
];

const loaded = new Map<Load, PageOf>();

function Lazy({ load, values }: { load: Load; values: Values }) {
  const [, again] = useState(0);
  const [failed, setFailed] = useState(false);
  const Page = loaded.get(load);
  useEffect(() => {
    if (loaded.has(load)) return;
    load().then((module) => {
      loaded.set(load, module.default);
      setFailed(false);
      again((n) => n + 1);
    }, () => setFailed(true));
  }, [load]);
  if (failed) return <><h1 tabIndex={-1}>This page is not there</h1><Outdated /></>;
  return Page ? <Page {...values} /> : <div class="loading" role="status"><span class="spinner" aria-hidden="true" /> Loading</div>;
}

export function pageAt(at: string): { load: Load; values: Values } | null {
  for (const [pattern, load] of routes) {
    const values = match(pattern, at);
    if (values) return { load, values };
  }
  return null;
}

const setup: Load = () => import('./pages/setup');
const signIn: Load = () => import('./pages/signin');

export function App(): JSX.Element {
  const now = session.value;
  if (!now) return <div class="loading whole" role="status"><span class="spinner" aria-hidden="true" /> Loading</div>;
  if (now.setup && !now.user) return <Lazy load={setup} values={{}} />;
  if (!now.user) return <Lazy load={signIn} values={{}} />;
  const page = pageAt(path.value);
  return (
    <Shell>
      {page ? <Lazy key={`${page.load} ${engine.value}`} load={page.load} values={page.values} />
        : <div class="empty"><h1 tabIndex={-1}>There is no such page</h1><p><a href="/">To the overview</a></p></div>}
    </Shell>
  );
}
