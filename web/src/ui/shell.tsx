// What surrounds every page: navigation, who is signed in, the stream's state, the open job, messages.
import type { ComponentChildren } from 'preact';
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { elsewhere, engine } from '../base/engine';
import { moment } from '../base/format';
import { lostSince } from '../base/live';
import { dark, theme } from '../base/prefs';
import { reasonShown } from '../base/reasons';
import { path, setQuery } from '../base/router';
import { signOut, user } from '../base/session';
import { RemovalDialog } from './dialog';
import { Elsewhere, EngineChoice } from './engines';
import { Icon, Logo } from './icons';
import { JobDock } from './job';
import { KeyHelp } from './keys';
import { Menu } from './menu';
import { Palette, paletteOpen } from './palette';
import { places } from './places';
import { Toasts } from './toast';

const navOpen = signal(false);

function Nav() {
  const now = path.value;
  const current = (href: string) => (href === '/' ? now === '/' : now === href || now.startsWith(`${href}/`));
  let group = '';
  return (
    <nav class="nav" id="nav" aria-label="Pages" data-open={navOpen.value}>
      {places().map((place) => {
        const heading = place.group !== group && place.group;
        group = place.group;
        return (
          <div key={place.href}>
            {heading && <div class="group">{heading}</div>}
            <a href={place.href} aria-current={current(place.href) ? 'page' : undefined} title={`g ${place.key}`}><Icon name={place.icon} />{place.label}{place.local && elsewhere() && <span class="tag">local</span>}</a>
          </div>
        );
      })}
    </nav>
  );
}

const ThemeButton = () => (
  <button type="button" class="quiet square" aria-label={dark.value ? 'light theme' : 'dark theme'} title={dark.value ? 'light theme' : 'dark theme'}
    onClick={() => { theme.value = dark.value ? 'light' : 'dark'; }}><Icon name={dark.value ? 'sun' : 'moon'} /></button>
);

const mac = /Mac|iPhone|iPad/.test(navigator.userAgent);

export function Shell({ children }: { children: ComponentChildren }) {
  const who = user();
  useEffect(() => {
    navOpen.value = false;
  }, [path.value]);
  const since = lostSince.value, reason = reasonShown();
  return (
    <>
      <a class="skip" href="#main" onClick={(e) => { e.preventDefault(); document.querySelector<HTMLElement>('main')?.focus(); }}>Skip to the page</a>
      <header class="top">
        <button type="button" class="quiet square burger" aria-label="pages" aria-expanded={navOpen.value} aria-controls="nav" onClick={() => { navOpen.value = !navOpen.value; }}><Icon name="menu" /></button>
        <a class="brand" href="/"><Logo /><span>berth</span></a>
        <button type="button" class="find" onClick={() => { paletteOpen.value = true; }}><Icon name="search" size={14} /><span class="grow">Go to …</span><kbd>{mac ? '⌘' : 'Ctrl'} K</kbd></button>
        <span class="grow" />
        <EngineChoice />
        <ThemeButton />
        {who && <Menu label="account" items={[{ label: 'Account and passkeys', href: '/settings' }, { label: 'Tokens', href: '/tokens' }, { label: 'Sign out', run: () => void signOut() }]}>
          <span class="who"><span class="avatar" aria-hidden="true">{who.name.slice(0, 1).toUpperCase()}</span><span class="who-name">{who.name}<small>{who.role}</small></span></span></Menu>}
      </header>
      <Nav />
      <main id="main" tabIndex={-1}>
        {since !== null && <div class="notice warn" role="status"><span class="spinner" aria-hidden="true" /><span><strong>Stale since {moment(since)}.</strong> {elsewhere() ? `berth does not tell what happens on ${engine.value}` : 'The connection to berth is lost'}; it is tried again.</span></div>}
        {reason && <div class="notice bad" role="alert"><span class="grow">{reason}</span><button type="button" onClick={() => setQuery({ error: null })}>Dismiss</button></div>}
        <Elsewhere />
        {children}
      </main>
      <JobDock />
      <Toasts />
      <Palette />
      <KeyHelp />
      <RemovalDialog />
    </>
  );
}
