// What was asked of the API, kept by path: shown at once again, asked anew when an event says that it changed.
import { signal, type Signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ApiError, send } from './api';
import { at } from './engine';

export interface Stale {
  since: number;
  why: string;
}
export interface Page<T> {
  items: T[];
  next: string | null;
  stale: Stale | null;
}

export class Resource<T> {
  readonly data: Signal<T | undefined> = signal(undefined);
  readonly error: Signal<ApiError | null> = signal(null);
  users = 0;
  /** Asked when it is first shown, and never for an event: answering takes the engine long. */
  still = false;
  private etag: string | null = null;
  private running: Promise<void> | null = null;
  private again = false;
  fresh = false;

  constructor(readonly path: string, private readonly whole: boolean) {}

  /** Asks now; while an answer is under way, once more after it. */
  load(): Promise<void> {
    if (this.running) {
      this.again = true;
      return this.running;
    }
    this.running = this.ask().finally(() => {
      this.running = null;
      if (this.again) {
        this.again = false;
        void this.load();
      }
    });
    return this.running;
  }

  private async ask(): Promise<void> {
    try {
      const headers: Record<string, string> = this.etag ? { 'If-None-Match': this.etag } : {};
      const answer = await send<T>('GET', this.path, { headers });
      if (answer.status !== 304) {
        const more = this.whole && (answer.data as unknown as Page<unknown>).next;
        this.data.value = more ? await this.rest(answer.data) : answer.data;
        this.etag = more ? null : answer.etag;
      }
      this.error.value = null;
      this.fresh = true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.error.value = error;
      if (error.status === 404 || error.status === 403) this.data.value = undefined;
    }
  }

  private async rest(first: T): Promise<T> {
    const page = first as unknown as Page<unknown>;
    const items = [...page.items];
    let next = page.next;
    while (next && items.length < 20_000) {
      const joint = this.path.includes('?') ? '&' : '?';
      const answer = await send<Page<unknown>>('GET', `${this.path}${joint}cursor=${encodeURIComponent(next)}`);
      items.push(...answer.data.items);
      next = answer.data.next;
    }
    return { ...page, items, next } as unknown as T;
  }
}

const kept = new Map<string, Resource<unknown>>();
const kMostKept = 200;

export function resource<T>(path: string, whole = false): Resource<T> {
  let found = kept.get(path);
  if (!found) {
    found = new Resource<unknown>(path, whole);
    kept.set(path, found);
    if (kept.size > kMostKept) for (const [key, each] of kept) if (each.users === 0 && key !== path) {
      kept.delete(key);
      break;
    }
  }
  return found as Resource<T>;
}

/** What `of` answers on the engine that is looked at, for as long as the component is shown; null asks nothing. */
export function useResource<T>(of: string | null, whole = false, still = false): Resource<T> {
  const path = of && at(of);
  const found = path === null ? nothing as Resource<T> : resource<T>(path, whole);
  if (still) found.still = true;
  useEffect(() => {
    if (path === null) return undefined;
    found.users += 1;
    void found.load();
    return () => {
      found.users -= 1;
      found.fresh = false;
    };
  }, [path]);
  return found;
}
const nothing = new Resource<never>('', false);

/** All pages of a list. */
export const useList = <T>(path: string | null): Resource<Page<T>> => useResource<Page<T>>(path, true);

const due = new Set<string>();
let timer = 0;
/** Asks again for what is shown and whose path begins with one of these; several calls in a moment are one. */
export function changed(...prefixes: string[]): void {
  prefixes.forEach((prefix) => due.add(prefix));
  if (timer) return;
  timer = window.setTimeout(() => {
    timer = 0;
    const now = [...due];
    due.clear();
    for (const each of kept.values())
      if (each.users > 0 && !each.still && now.some((prefix) => each.path.startsWith(prefix))) void each.load();
  }, 120);
}
export const changedAll = (): void => changed('/');
/** After another user signed in nothing of the one before may be shown. */
export const forgetAll = (): void => kept.clear();
