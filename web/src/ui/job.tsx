// Follows a job while it runs: its lines, its end, and the way to stop it.
import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { base, get, send } from '../base/api';
import { clock } from '../base/format';
import { changedAll } from '../base/query';
import { Icon } from './icons';
import { State } from './state';
import { toast } from './toast';

export interface Job {
  id: string;
  kind: string;
  subject: string;
  project?: string;
  state: 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'interrupted';
  startedAt: number | null;
  endedAt: number | null;
  by?: string;
  error?: string | null;
}
interface Line {
  at: number;
  text: string;
  level?: string;
  progress?: { what: string; done: number; of: number | null } | null;
}
interface Followed {
  id: string;
  label: string;
  then?: (job: Job) => void;
}
const followed = signal<Followed | null>(null);

export function followJob(id: string, label: string, then?: (job: Job) => void): void {
  followed.value = { id, label, then };
}

export const ended = (state: string): boolean => !['queued', 'running'].includes(state);

/** Lines and state of a job, live. */
export function useJob(id: string, whenDone?: (job: Job) => void) {
  const [lines, setLines] = useState<Line[]>([]);
  const [job, setJob] = useState<Job | null>(null);
  useEffect(() => {
    let over = false;
    let timer = 0;
    const stream = new EventSource(`${base}/jobs/${id}/events`);
    const take = (event: MessageEvent<string>) => {
      try {
        const line = JSON.parse(event.data) as Line;
        if (line.text !== undefined) setLines((now) => [...now.slice(-999), line]);
      } catch {
        // not a line
      }
    };
    const became = (now: Job) => {
      if (over) return;
      setJob(now);
      if (!ended(now.state)) return;
      over = true;
      clearInterval(timer);
      // What it said last may still be on its way.
      setTimeout(() => stream.close(), 300);
      changedAll();
      whenDone?.(now);
    };
    const look = async () => {
      if (over) return;
      try {
        became(await get<Job>(`/jobs/${id}`));
      } catch {
        // the server is away: the stream tries again, and so does the timer
      }
    };
    stream.onmessage = take;
    stream.addEventListener('end', (event) => {
      became(JSON.parse((event as MessageEvent<string>).data) as Job);
      stream.close();
    });
    timer = window.setInterval(look, 1500);
    void look();
    return () => {
      over = true;
      clearInterval(timer);
      stream.close();
    };
  }, [id]);
  return { lines, job };
}

export function JobLines({ lines }: { lines: Line[] }) {
  const box = useRef<HTMLOListElement>(null);
  useEffect(() => {
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines.length]);
  return (
    <ol class="job-lines" ref={box} tabIndex={0} aria-label="What it says">
      {lines.map((line, i) => <li key={i} class={line.level === 'error' ? 'bad' : line.level === 'warning' ? 'warn' : ''}>
        <span class="muted">{clock(line.at)}</span> {line.text}</li>)}
    </ol>
  );
}

/** How far what it told of last has come, where that is known. */
function Progress({ lines }: { lines: Line[] }) {
  const last = lines.at(-1)?.progress;
  return last?.of ? <progress aria-label={last.what} max={last.of} value={last.done} /> : null;
}

export function JobDock() {
  const now = followed.value;
  return now && <Dock key={now.id} {...now} />;
}

function Dock({ id, label, then }: Followed) {
  const [open, setOpen] = useState(true);
  const { lines, job } = useJob(id, (done) => {
    if (done.state === 'succeeded') toast(`${label}: done`);
    else toast(`${label}: ${done.error || done.state}`, 'bad');
    then?.(done);
    if (done.state === 'succeeded') setTimeout(() => followed.value?.id === id && close(), 4000);
  });
  const close = () => {
    followed.value = null;
  };
  const word = job?.state ?? 'queued';
  return (
    <section class="dock" aria-label={`Job: ${label}`}>
      <header>
        <State word={word} /> <strong class="grow cut">{label}</strong>
        {!ended(word) && <button type="button" class="quiet" onClick={() => send('DELETE', `/jobs/${id}`).catch(() => toast('it could not be cancelled', 'bad'))}>Cancel</button>}
        <button type="button" class="quiet square" aria-expanded={open} aria-label={open ? 'fold' : 'unfold'} onClick={() => setOpen(!open)}><Icon name={open ? 'down' : 'right'} size={12} /></button>
        <button type="button" class="quiet square" aria-label="close" onClick={close}><Icon name="close" size={12} /></button>
      </header>
      {!ended(word) && <Progress lines={lines} />}
      {open && <JobLines lines={lines} />}
      {open && job?.error && <p class="bad">{job.error}</p>}
    </section>
  );
}
