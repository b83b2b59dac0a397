// Paths, and every state a link: filters, sort and time live in the query.
import { computed, signal } from '@preact/signals';

const here = () => ({ path: decodeURI(location.pathname), query: location.search, hash: location.hash });
export const place = signal(here());
export const path = computed(() => place.value.path);
export const query = computed(() => new URLSearchParams(place.value.query));

/** Asked before a page with unsaved work is left; true: stay. */
let holding: (() => boolean) | null = null;
export function holdPage(ask: (() => boolean) | null): void {
  holding = ask;
}

let going = (to: string): string => to;
/** What becomes of an address that is gone to. */
export function whenGoing(then: (to: string) => string): void {
  going = then;
}

export const go = (to: string, how: { replace?: boolean } = {}): void => move(going(to), how);

/** To exactly this address. */
export function move(to: string, how: { replace?: boolean } = {}): void {
  const pathOf = (text: string) => text.split(/[?#]/)[0];
  if (holding && pathOf(to) !== location.pathname && holding()) return;
  if (how.replace) history.replaceState(null, '', to);
  else history.pushState(null, '', to);
  const moved = place.value.path !== here().path;
  place.value = here();
  if (moved) {
    scrollTo(0, 0);
    // A reader hears the new page: its heading takes the focus, as after a real load.
    requestAnimationFrame(() => document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true }));
  }
}

/** The same place with these members of the query changed; null takes one out. */
export function withQuery(changes: Record<string, string | null>): string {
  const next = new URLSearchParams(place.value.query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === '') next.delete(name);
    else next.set(name, value);
  }
  const text = next.toString();
  return location.pathname + (text ? `?${text}` : '');
}
export const setQuery = (changes: Record<string, string | null>, replace = true): void =>
  move(withQuery(changes), { replace });

/** The values of ":name" in the pattern; null when the path is another. "*" at the end takes the rest. */
export function match(pattern: string, given: string): Record<string, string> | null {
  const wanted = pattern.split('/'), parts = given.split('/');
  const values: Record<string, string> = {};
  for (let i = 0; i < wanted.length; ++i) {
    const want = wanted[i]!;
    if (want === '*') {
      values['*'] = parts.slice(i).join('/');
      return values;
    }
    const part = parts[i];
    if (part === undefined) return null;
    if (want.startsWith(':')) {
      if (!part) return null;
      values[want.slice(1)] = part;
    } else if (want !== part) return null;
  }
  return parts.length === wanted.length ? values : null;
}

const isPlain = (event: MouseEvent) =>
  event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;

export function startRouter(): void {
  addEventListener('popstate', () => {
    place.value = here();
  });
  addEventListener('beforeunload', (event) => {
    if (holding) event.preventDefault();
  });
  addEventListener('click', (event) => {
    const link = (event.target as Element | null)?.closest?.('a');
    if (!link || event.defaultPrevented || !isPlain(event)) return;
    if (link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
    if (link.pathname.startsWith('/api/')) return;
    event.preventDefault();
    go(link.pathname + link.search + link.hash);
  });
}
