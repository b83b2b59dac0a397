// A dense table: sorted and filtered by the query, moved through by j, k and Enter, and only the visible rows are drawn.
import type { ComponentChildren } from 'preact';
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { memo } from '../base/memo';
import { keysOn } from '../base/prefs';
import { go, query, setQuery, withQuery } from '../base/router';
import { Icon } from './icons';

export interface Column<T> {
  id: string;
  label: string;
  show: (row: T) => ComponentChildren;
  /** What it is sorted by; without it the column is not. */
  by?: (row: T) => string | number;
  /** Left out on small screens. */
  wide?: boolean;
  right?: boolean;
  /** Its heading is for readers only. */
  bare?: boolean;
}
interface Props<T> {
  label: string;
  rows: T[];
  columns: Column<T>[];
  id: (row: T) => string;
  href?: (row: T) => string;
  /** What the filter looks through. */
  text?: (row: T) => string;
  empty?: ComponentChildren;
  filters?: ComponentChildren;
  selected?: Set<string>;
  onSelect?: (next: Set<string>) => void;
  bulk?: ComponentChildren;
  sort?: string;
}

const kRow = 38; // px, as the style sheet says
const kMore = 6; // rows beyond what is seen
const kStep = 8; // rows

function useWindow(count: number, box: { current: HTMLElement | null }): [number, number] {
  const [range, setRange] = useState<[number, number]>([0, 60]);
  useEffect(() => {
    const measure = () => {
      const top = box.current?.getBoundingClientRect().top ?? 0;
      // In steps: most turns of a wheel change nothing.
      const first = Math.max(0, Math.floor((-top / kRow - kMore) / kStep) * kStep);
      const last = Math.min(count, Math.ceil(((innerHeight - top) / kRow + kMore) / kStep) * kStep);
      setRange((now) => (now[0] === first && now[1] === last ? now : [first, last]));
    };
    measure();
    addEventListener('scroll', measure, { passive: true });
    addEventListener('resize', measure);
    return () => {
      removeEventListener('scroll', measure);
      removeEventListener('resize', measure);
    };
  }, [count]);
  return range;
}

const compare = (a: string | number, b: string | number): number =>
  typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b), 'en', { numeric: true });

interface RowProps {
  row: unknown;
  columns: Column<unknown>[];
  name: string;
  at: number;
  current: boolean;
  chosen: boolean;
  select?: (key: string) => void;
}
/** Drawn again only when it is another one: scrolling draws the rows that come. */
const Row = memo(({ row, columns, name, at, current, chosen, select }: RowProps) => (
  <tr aria-rowindex={at} class={`${current ? 'current' : ''} ${chosen ? 'chosen' : ''}`}>
    {select && <td class="tick"><input type="checkbox" aria-label={`Select ${name}`} checked={chosen} onChange={() => select(name)} /></td>}
    {columns.map((each) => <td key={each.id} class={cls(each)}>{each.show(row)}</td>)}
  </tr>
));

export function Table<T>(props: Props<T>) {
  const { rows, columns, id, href, text, selected, onSelect } = props;
  const wanted = (query.value.get('q') ?? '').toLowerCase();
  const sort = query.value.get('sort') ?? props.sort ?? '';
  const column = columns.find((each) => each.id === sort.replace(/^-/, ''));
  const shown = useMemo(() => {
    const words = wanted.split(/\s+/).filter(Boolean);
    const kept = text && words.length ? rows.filter((row) => words.every((word) => text(row).toLowerCase().includes(word))) : [...rows];
    if (column?.by) kept.sort((a, b) => compare(column.by!(a), column.by!(b)) * (sort.startsWith('-') ? -1 : 1));
    return kept;
  }, [rows, wanted, sort]);
  const body = useRef<HTMLTableSectionElement>(null);
  const [first, last] = useWindow(shown.length, body);
  const [current, setCurrent] = useState<string | null>(null);
  const latest = useRef<string | null>(null); // keys may come faster than rows are drawn

  useEffect(() => {
    const keys = (event: KeyboardEvent) => {
      if (!keysOn.value || event.ctrlKey || event.metaKey || event.altKey || typing(event) || document.querySelector('dialog[open]')) return;
      const at = shown.findIndex((row) => id(row) === latest.current);
      if (event.key === 'j' || event.key === 'k') {
        const next = shown[Math.max(0, Math.min(shown.length - 1, at + (event.key === 'j' ? 1 : -1)))];
        if (!next) return;
        event.preventDefault();
        latest.current = id(next);
        setCurrent(latest.current);
        const top = (body.current?.getBoundingClientRect().top ?? 0) + shown.indexOf(next) * kRow;
        if (top < 120 || top > innerHeight - 80) scrollBy(0, top - innerHeight / 2);
      } else if (event.key === 'Enter' && at >= 0 && href && document.activeElement === document.body) go(href(shown[at]!));
      else if (event.key === 'x' && at >= 0 && onSelect) toggle(latest.current!);
    };
    addEventListener('keydown', keys);
    return () => removeEventListener('keydown', keys);
  });

  const toggle = (key: string) => {
    const next = new Set(selected);
    if (!next.delete(key)) next.add(key);
    onSelect!(next);
  };
  const toggling = useRef(toggle);
  toggling.current = toggle;
  const select = useCallback((key: string) => toggling.current(key), []);
  const all = shown.length > 0 && shown.every((row) => selected?.has(id(row)));
  const rest = (count: number, key: string) => count > 0 && <tr key={key} class="spacer" aria-hidden="true"><td colSpan={columns.length + 1} style={{ height: `${count * kRow}px` }} /></tr>;
  return (
    <>
      <div class="bar">
        {text && <label class="search"><Icon name="search" size={14} /><span class="sr">Filter {props.label}</span>
          <input type="search" placeholder="Filter" value={query.value.get('q') ?? ''} onInput={(e) => setQuery({ q: e.currentTarget.value })} /></label>}
        {props.filters}
        {selected && selected.size > 0 && <div class="bulk" role="group" aria-label="Selected"><strong>{selected.size} selected</strong>{props.bulk}
          <button type="button" class="quiet" onClick={() => onSelect!(new Set())}>Clear</button></div>}
        <span class="grow" /><span class="muted" role="status">{shown.length === rows.length ? rows.length : `${shown.length} of ${rows.length}`}</span>
      </div>
      {shown.length === 0 ? (props.empty && rows.length === 0 ? props.empty : <div class="empty"><p>Nothing fits.</p></div>) : (
        <div class="table-box">
          <table aria-label={props.label} aria-rowcount={shown.length + 1}>
            <thead><tr>
              {onSelect && <th class="tick"><input type="checkbox" aria-label="Select all" checked={all} onChange={() => onSelect(all ? new Set() : new Set(shown.map(id)))} /></th>}
              {columns.map((each) => <th key={each.id} scope="col" class={cls(each)} aria-sort={each === column ? (sort.startsWith('-') ? 'descending' : 'ascending') : undefined}>
                {each.bare ? <span class="sr">{each.label}</span> : each.by ? <a href={withQuery({ sort: sort === each.id ? `-${each.id}` : each.id })}>{each.label}{each === column && <span aria-hidden="true">{sort.startsWith('-') ? ' ↓' : ' ↑'}</span>}</a> : each.label}
              </th>)}
            </tr></thead>
            <tbody ref={body}>
              {rest(Math.min(first, shown.length), 'above')}
              {shown.slice(first, last).map((row, i) => {
                const key = id(row);
                return <Row key={key} row={row} columns={columns as Column<unknown>[]} name={key} at={first + i + 2} current={key === current} chosen={!!selected?.has(key)} select={onSelect && select} />;
              })}
              {rest(Math.max(0, shown.length - last), 'below')}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

const cls = <T,>(column: Column<T>) => `${column.wide ? 'wide' : ''} ${column.right ? 'right' : ''}`.trim() || undefined;

export const typing = (event: Event): boolean => {
  const at = event.composedPath()[0] as HTMLElement | undefined;
  return !!at?.closest?.('input, textarea, select, [contenteditable=true], [role=menu], .xterm');
};
