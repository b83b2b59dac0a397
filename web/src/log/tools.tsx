// What of a log is shown and how: all of it stands in the address but for what this browser prefers.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { kept } from '../base/prefs';
import { query, setQuery } from '../base/router';
import { Icon } from '../ui/icons';
import { fieldOf, ofField, sinceOf, stampOf, timeOf, times } from './span';

export const wraps = kept('log.wrap', 'on');

const levels: [string, string][] = [['', 'all levels'], ['error', 'errors'], ['warning', 'warnings and up'], ['info', 'info and up'], ['debug', 'debug and up']];
/** A level, and those that count with it. Lines without one are shown where nothing is chosen. */
const least: Record<string, string[]> = { error: ['error'], warning: ['error', 'warning'], info: ['error', 'warning', 'info'], debug: ['error', 'warning', 'info', 'debug'] };
export const levelsOf = (level: string | null): string[] => least[level ?? ''] ?? [];
const streams: [string, string][] = [['', 'both streams'], ['out', 'stdout'], ['err', 'stderr']];
const ranges: [string, string][] = [['', 'all times'], ['5m', 'last 5 min'], ['15m', 'last 15 min'], ['1h', 'last hour'], ['24h', 'last day'], ['7d', 'last 7 days']];
const tails = ['100', '1000', '5000', '20000', '100000'].map((n): [string, string] => [n, `${Number(n).toLocaleString('en')} lines`]);
const zones: [string, string][] = [['local', 'local times'], ['utc', 'UTC times'], ['off', 'no times']];

interface Choice { label: string; value: string; of: [string, string][]; onChange: (value: string) => void }
const Select = ({ label, value, of, onChange }: Choice) =>
  <select aria-label={label} value={value} onChange={(e) => onChange(e.currentTarget.value)}>{of.map(([each, text]) => <option key={each} value={each}>{text}</option>)}</select>;

/** A date and time of the chosen zone. */
const When = ({ label, at, onChange }: { label: string; at: number | null; onChange: (at: number | null) => void }) => (
  <label class="when-field"><span>{label}</span><input type="datetime-local" step="1" value={fieldOf(at)} onChange={(e) => onChange(ofField(e.currentTarget.value))} /></label>
);

export function Tools({ found, onFind, onStep, beside }: { found: string; onFind: (text: string) => void; onStep: (by: number) => void; beside?: ComponentChildren }) {
  const wanted = query.value;
  const since = wanted.get('since') ?? '', until = wanted.get('until'), only = wanted.get('only') === '1';
  const spans = wanted.get('span') === '1' || until !== null || timeOf(since) !== null;
  const now = Date.now();
  const [open, setOpen] = useState(false); // where there is little room
  const range = (value: string) => setQuery(value === 'span' ? { span: '1', at: null, since: stampOf(Math.floor((sinceOf(since, now) ?? now - 3_600_000) / 1000) * 1000), until } : { since: value, until: null, span: null, at: null });
  return (
      <div class="log-tools">
        <label class="search"><Icon name="search" size={14} /><span class="sr">Search the log</span>
          <input type="search" placeholder="Search" value={found} onKeyDown={(e) => e.key === 'Enter' && (e.preventDefault(), onStep(e.shiftKey ? -1 : 1))} onInput={(e) => onFind(e.currentTarget.value)} /></label>
        <button type="button" class="narrow" aria-expanded={open} onClick={() => setOpen(!open)}>Filters</button>
        {found.trim() && <button type="button" class={only ? 'on' : ''} aria-pressed={only} onClick={() => setQuery({ only: only ? null : '1' })}>Only hits</button>}
        <div class="log-options" data-open={open}>
          <Select label="Time" value={spans ? 'span' : since} of={[...ranges, ['span', 'from … until …']]} onChange={range} />
          <Select label="Lines" value={wanted.get('tail') ?? '1000'} of={tails} onChange={(value) => setQuery({ tail: value === '1000' ? null : value })} />
          <Select label="Level" value={wanted.get('level') ?? ''} of={levels} onChange={(level) => setQuery({ level })} />
          <Select label="Stream" value={wanted.get('stream') ?? ''} of={streams} onChange={(stream) => setQuery({ stream })} />
          <Select label="Times" value={times.value} of={zones} onChange={(value) => { times.value = value; }} />
          <button type="button" class={wraps.value === 'on' ? 'on' : ''} aria-pressed={wraps.value === 'on'} onClick={() => { wraps.value = wraps.value === 'on' ? 'off' : 'on'; }}>Wrap</button>
          {beside}
          {spans && <><When label="From" at={sinceOf(since, now)} onChange={(at) => setQuery({ since: stampOf(at), span: '1', at: null })} /><When label="Until" at={timeOf(until)} onChange={(at) => setQuery({ until: stampOf(at), span: '1', at: null })} /></>}
          {!spans && <When label="Jump to" at={Number(wanted.get('at') ?? 0)} onChange={(at) => setQuery({ at: at ? String(at) : null, since: null })} />}
        </div>
      </div>
  );
}
