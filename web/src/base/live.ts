// One stream of events for the whole page. It resumes by itself with Last-Event-ID; what is shown is asked anew.
import { effect, signal } from '@preact/signals';
import { base } from './api';
import { at, engine } from './engine';
import { changed, changedAll } from './query';

export interface LiveEvent {
  type: string;
  action: string;
  id?: string;
  name?: string;
  project?: string;
  at: number;
}

/** When the stream was lost; null while it is there. */
export const lostSince = signal<number | null>(null);
export const recent = signal<LiveEvent[]>([]);
const kMostRecent = 500;

const touches: Record<string, string[]> = {
  container: ['/containers', '/projects', '/overview', '/networks', '/volumes'],
  image: ['/images', '/overview'],
  volume: ['/volumes', '/overview'],
  network: ['/networks'],
  project: ['/projects', '/overview'],
  job: ['/jobs', '/projects', '/overview'],
  route: ['/routes', '/certificates', '/overview'],
  engine: ['/'],
  audit: ['/audit'],
};

let source: EventSource | null = null;
let wait = 500;
let retry = 0;

function take(type: string, data: string): void {
  let event: LiveEvent;
  try {
    event = { ...JSON.parse(data), type };
  } catch {
    return;
  }
  recent.value = [event, ...recent.value].slice(0, kMostRecent);
  if (/^(exec_|top|attach|archive)/.test(event.action ?? '')) return;
  changed(...(touches[type] ?? []));
}

function opened(): void {
  wait = 500;
  if (lostSince.value !== null) changedAll();
  lostSince.value = null;
}

function lost(): void {
  lostSince.value ??= Date.now();
  if (source?.readyState !== EventSource.CLOSED) return; // it tries again itself
  source = null;
  retry = window.setTimeout(startLive, wait);
  wait = Math.min(wait * 2, 15_000);
}

export function startLive(): void {
  if (source) return;
  retry = 0;
  const stream = new EventSource(base + at('/events'));
  source = stream;
  stream.onopen = opened;
  stream.onerror = lost;
  for (const type of Object.keys(touches))
    stream.addEventListener(type, (event) => take(type, (event as MessageEvent<string>).data));
  stream.addEventListener('reset', changedAll);
}

export function stopLive(): void {
  clearTimeout(retry);
  retry = 0;
  source?.close();
  source = null;
  lostSince.value = null;
}

let followed = engine.peek();
// Another engine has other events.
effect(() => {
  if (engine.value === followed) return;
  followed = engine.value;
  recent.value = [];
  const following = source !== null || retry !== 0;
  stopLive();
  if (following) startLive();
});
