// Ctrl/Cmd-K or "/": go anywhere, find any project, container, image, volume or network by a few letters.
import { signal } from '@preact/signals';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { get } from '../base/api';
import { signOut, canAnywhere, changes } from '../base/session';
import { dark, theme } from '../base/prefs';
import { addressOn, elsewhere, engine } from '../base/engine';
import { go, move } from '../base/router';
import { engines } from './engines';
import { places } from './places';
import { Icon } from './icons';

export const paletteOpen = signal(false);

interface Entry {
  label: string;
  kind: string;
  icon: string;
  run: () => void;
}

/** How well `text` fits the letters of `wanted` in their order: smaller is better, null when it does not. */
export function fit(text: string, wanted: string): number | null {
  const low = text.toLowerCase();
  const whole = low.indexOf(wanted);
  if (whole >= 0) return whole + (low.length - wanted.length) / 100;
  let at = -1, spread = 0;
  for (const letter of wanted) {
    const next = low.indexOf(letter, at + 1);
    if (next < 0) return null;
    if (at >= 0) spread += next - at - 1;
    at = next;
  }
  return 50 + spread;
}

const fixed = (): Entry[] => [
  ...places().map((place) => ({ label: place.label, kind: place.local && elsewhere() ? 'Go to (local)' : 'Go to', icon: place.icon, run: () => go(place.href) })),
  ...(canAnywhere('deploy') ? [{ label: 'New project', kind: 'Create', icon: 'plus', run: () => go('/projects/new') }] : []),
  ...(changes('engine') ? [
    { label: 'New container', kind: 'Create', icon: 'plus', run: () => go('/containers?new=1') },
    { label: 'Pull an image', kind: 'Create', icon: 'download', run: () => go('/images?pull=1') }] : []),
  ...engines().filter((each) => each.id !== (engine.value || 'local')).map((each) => ({ label: `Look at ${each.id}`, kind: 'Engine', icon: 'eye', run: () => move(addressOn(each.id)) })),
  { label: dark.value ? 'Light theme' : 'Dark theme', kind: 'Do', icon: dark.value ? 'sun' : 'moon', run: () => { theme.value = dark.value ? 'light' : 'dark'; } },
  { label: 'Sign out', kind: 'Do', icon: 'lock', run: () => void signOut() },
];

const sources: [string, string, (item: any) => Entry][] = [
  ['/projects', 'Project', (p) => ({ label: p.name, kind: elsewhere() ? 'Project (local)' : 'Project', icon: 'projects', run: () => go(`/projects/${p.name}`) })],
  ['/containers', 'Container', (c) => ({ label: c.name, kind: 'Container', icon: 'containers', run: () => go(`/containers/${c.name}`) })],
  ['/images', 'Image', (i) => ({ label: i.tags?.[0] ?? i.id, kind: 'Image', icon: 'images', run: () => go(`/images?q=${encodeURIComponent(i.tags?.[0] ?? i.id)}`) })],
  ['/volumes', 'Volume', (v) => ({ label: v.name, kind: 'Volume', icon: 'volumes', run: () => go(`/volumes/${v.name}`) })],
  ['/networks', 'Network', (n) => ({ label: n.name, kind: 'Network', icon: 'networks', run: () => go(`/networks?q=${n.name}`) })],
];

export const Palette = () => (paletteOpen.value ? <Open /> : null);

function Open() {
  const [wanted, setWanted] = useState('');
  const [found, setFound] = useState<Entry[]>([]);
  const [at, setAt] = useState(0);
  const box = useRef<HTMLDialogElement>(null);
  const close = () => {
    paletteOpen.value = false;
  };
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    box.current!.showModal();
    for (const [path, , entry] of sources)
      get<{ items: unknown[] }>(path).then((page) => setFound((now) => [...now, ...page.items.map(entry)]), () => {});
    return () => before?.isConnected && before.focus();
  }, []);
  const shown = useMemo(() => {
    const low = wanted.trim().toLowerCase();
    const all = [...fixed(), ...found];
    if (!low) return all.slice(0, 60);
    return all.map((entry) => ({ entry, rank: fit(entry.label, low) ?? fit(`${entry.kind} ${entry.label}`, low) })).filter((each) => each.rank !== null)
      .sort((a, b) => a.rank! - b.rank!).slice(0, 60).map((each) => each.entry);
  }, [wanted, found]);
  const now = Math.min(at, shown.length - 1);
  const choose = (entry: Entry | undefined) => {
    if (!entry) return;
    close();
    entry.run();
  };
  const keys = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step) {
      event.preventDefault();
      const next = (now + step + shown.length) % shown.length;
      setAt(next);
      box.current?.querySelectorAll('[role=option]')[next]?.scrollIntoView({ block: 'nearest' });
    } else if (event.key === 'Enter') {
      event.preventDefault();
      choose(shown[now]);
    }
  };
  return (
    <dialog ref={box} class="palette" aria-label="Go to" onCancel={(e) => { e.preventDefault(); close(); }} onClick={(e) => e.target === box.current && close()}>
      <div class="dialog">
        <label class="search"><Icon name="search" /><span class="sr">Go to</span>
          <input autofocus role="combobox" aria-expanded="true" aria-controls="palette-list" aria-activedescendant={shown.length ? `palette-${now}` : undefined}
            placeholder="Go to a page, project, container …" value={wanted} onKeyDown={keys} onInput={(e) => { setWanted(e.currentTarget.value); setAt(0); }} /></label>
        <ul id="palette-list" role="listbox" aria-label="Matches" tabIndex={-1}>
          {shown.map((entry, i) => <li key={`${entry.kind}${entry.label}${i}`} id={`palette-${i}`} role="option" aria-selected={i === now} class={i === now ? 'on' : ''}
            onMouseMove={() => setAt(i)} onClick={() => choose(entry)}><Icon name={entry.icon} /><span class="grow cut">{entry.label}</span><span class="muted">{entry.kind}</span></li>)}
        </ul>
        {shown.length === 0 && <p class="muted pad">Nothing fits.</p>}
      </div>
    </dialog>
  );
}
