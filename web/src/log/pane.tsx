// One log: followed, paused by scrolling up, searched, saved. Several stand side by side where that was asked for.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { base } from '../base/api';
import { copyText } from '../base/deed';
import { at as onEngine } from '../base/engine';
import { setQuery } from '../base/router';
import { Icon } from '../ui/icons';
import { Feed, lowOf, type LogLine } from './feed';
import { Row } from './line';
import type { Part } from './span';

const kLine = 20; // px, as the style sheet says
const kDrawn = 2000; // lines at once where they wrap

/** What is shown of all that came. */
export interface Filter {
  /** Lower case. */
  find: string;
  only: boolean;
  /** These levels alone; empty: any. */
  levels: string[];
  /** "out", "err", or "" for both. */
  stream: string;
}
/** The `count`th step to the next (1) or the last (-1) hit. */
export interface Step { by: number; count: number }

export interface PaneProps {
  path: string;
  /** Of the file that it is saved as. */
  name: string;
  part: Part;
  /** The moment that was linked to; 0: none. */
  at: number;
  filter: Filter;
  wrap: boolean;
  stamp: string;
  /** Taken by the pane that is `active`. */
  step: Step;
  active: boolean;
  colour: (service?: string) => string | undefined;
  /** Of several: its heading, and how it goes away. */
  title?: string;
  onClose?: () => void;
  onActive?: () => void;
}

export function Pane(props: PaneProps) {
  const { path, part } = props;
  const asked = JSON.stringify(part.ask);
  const [feed, setFeed] = useState<Feed | null>(null);
  useEffect(() => {
    const next = new Feed(path, part.ask, part.fromStart);
    setFeed(next);
    return () => next.close();
  }, [path, asked]);
  return feed && <View key={`${path} ${asked}`} {...props} feed={feed} />;
}

function chosen(all: LogLine[], { find, only, levels, stream }: Filter): LogLine[] {
  if (!levels.length && !stream && !(only && find)) return all;
  return all.filter((line) => line.gap || ((!levels.length || levels.includes(line.level)) && (!stream || line.err === (stream === 'err')) && (!only || !find || lowOf(line).includes(find))));
}

function View({ feed, path, name, part, at, filter, wrap, stamp, step, active, colour, title, onClose, onActive }: PaneProps & { feed: Feed }) {
  const [follow, setFollow] = useState(!at);
  const [hit, setHit] = useState(-1);
  const box = useRef<HTMLDivElement>(null);
  const frame = useRef<HTMLElement>(null);
  const [anchor, setAnchor] = useState<number | null>(null); // first line that is drawn, where they wrap
  const [view, setView] = useState({ top: 0, height: 800 });
  const all = feed.lines.value, state = feed.state.value, { find } = filter;
  const lines = useMemo(() => chosen(all, filter), [all, filter]);
  const hits = useMemo(() => (find ? lines.flatMap((line, i) => (lowOf(line).includes(find) ? [i] : [])) : []), [lines, find]);
  const marked = useMemo(() => (at ? lines.findIndex((line) => line.at >= at) : -1), [lines, at]);
  useEffect(() => setHit(-1), [find]);

  useLayoutEffect(() => {
    const now = box.current;
    if (now && follow) now.scrollTop = now.scrollHeight;
  }, [lines, follow, wrap]);
  const jumped = useRef(false);
  useEffect(() => {
    if (marked < 0 || jumped.current) return;
    jumped.current = true;
    jump(marked);
  }, [marked]);

  const scrolled = () => {
    const now = box.current;
    if (!now) return; // the event came after the page went
    const end = now.scrollHeight - now.scrollTop - now.clientHeight < 30;
    const whole = !wrap || skipped + kDrawn >= lines.length;
    if ((end && whole) !== follow) setFollow(end && whole);
    if (wrap && now.scrollTop < 400 && skipped > 0) shift(-kDrawn / 2);
    else if (wrap && end && !whole) shift(kDrawn / 2);
    setView({ top: now.scrollTop, height: now.clientHeight });
  };
  // What is in view stays where it is while other lines are drawn about it.
  const shift = (by: number) => {
    const now = box.current!, rows = [...now.querySelectorAll<HTMLElement>('.log-line')];
    const seen = rows.find((row) => row.offsetTop + row.offsetHeight > now.scrollTop + now.offsetTop) ?? rows[0];
    if (!seen) return;
    const to = Math.max(0, Math.min(newest, skipped + by)), index = skipped + rows.indexOf(seen) - to, before = seen.offsetTop - now.scrollTop;
    setAnchor(to);
    requestAnimationFrame(() => {
      const row = now.querySelectorAll<HTMLElement>('.log-line')[index];
      if (row) now.scrollTop = row.offsetTop - before;
    });
  };
  const jump = (index: number) => {
    setFollow(false);
    const begin = index >= skipped && index < skipped + kDrawn ? skipped : Math.max(0, Math.min(newest, index - kDrawn / 2));
    setAnchor(begin);
    requestAnimationFrame(() => {
      const now = box.current;
      if (!now) return;
      // Not by scrollIntoView: that would move the page too.
      const row = wrap ? now.querySelectorAll<HTMLElement>('.log-line')[index - begin] : null;
      const top = row ? row.offsetTop - now.offsetTop : index * kLine;
      now.scrollTop = top - now.clientHeight / 2;
    });
  };
  const next = (by: number) => {
    if (!hits.length) return;
    const to = hit < 0 ? (by > 0 ? 0 : hits.length - 1) : (hit + by + hits.length) % hits.length;
    setHit(to);
    jump(hits[to]!);
  };
  const stepped = useRef(step.count);
  useEffect(() => {
    if (active && step.count !== stepped.current) next(step.by);
    stepped.current = step.count;
  }, [step]);
  const text = () => lines.map((line) => `${new Date(line.at).toISOString()} ${line.service ? `${line.service} ` : ''}${line.bare}`).join('\n');
  // Without wrapping every line has one height, so only what is seen is drawn. With it some thousand are: the newest, or
  // those about the line that was jumped to; reaching an end of them brings those beyond.
  const newest = Math.max(0, lines.length - kDrawn);
  const skipped = wrap ? (follow ? newest : Math.min(anchor ?? newest, newest)) : 0;
  const first = wrap ? skipped : Math.max(0, Math.floor(view.top / kLine) - 20);
  const last = wrap ? Math.min(lines.length, skipped + kDrawn) : Math.min(lines.length, first + Math.ceil(view.height / kLine) + 40);
  const count = lines.length.toLocaleString('en') + (lines.length === all.length ? '' : ` of ${all.length.toLocaleString('en')}`);
  const words = { live: follow ? 'following' : 'paused', lost: 'connection lost, trying again', full: 'more follows: ask for a shorter time', ended: part.ask.until ? 'the time asked for' : 'ended', connecting: 'connecting' }[state];
  const none = all.length ? 'No line fits what is chosen above.' : { connecting: 'Connecting …', lost: 'The connection is lost; it is tried again …', ended: 'Nothing was written in this time.', full: '', live: 'Nothing was written yet.' }[state];
  const saved = `${name}.log`;
  return (
    <section class="log" ref={frame} aria-label={title} onFocusIn={onActive} onPointerDown={onActive}>
      <header class="log-head">
        {title && <strong class="cut" style={{ color: colour(title) }}>{title}</strong>}
        <span role="status">{count} lines · {words}</span><span class="grow" />
        {find && <span class="row"><span role="status">{hits.length ? `${hit + 1 || '–'}/${hits.length}` : 'no hit'}</span>
          <button type="button" class="square" title="previous hit (Shift Enter)" aria-label="Previous hit" onClick={() => next(-1)} disabled={!hits.length}>↑</button>
          <button type="button" class="square" title="next hit (Enter)" aria-label="Next hit" onClick={() => next(1)} disabled={!hits.length}>↓</button></span>}
        <span class="row"><button type="button" class="square" title="copy what is shown" aria-label="copy what is shown" onClick={() => copyText(text(), `${lines.length} lines`)}><Icon name="copy" /></button>
          <a class="button square" title="save what is shown" aria-label="save what is shown" download={saved} href={base + onEngine(`${path}${path.includes('?') ? '&' : '?'}${new URLSearchParams({ ...part.ask, follow: 'false' })}`)}
            onClick={(e) => { e.preventDefault(); save(saved, text()); }}><Icon name="download" /></a>
          <button type="button" class="square" title="full screen" aria-label="full screen" onClick={() => (document.fullscreenElement ? document.exitFullscreen() : frame.current?.requestFullscreen())}><Icon name="full" /></button>
          {onClose && <button type="button" class="square" title={`close ${title}`} aria-label={`close ${title}`} onClick={onClose}><Icon name="close" /></button>}</span>
      </header>
      <div class={`log-lines ${wrap ? 'wrap' : ''}`} ref={box} onScroll={scrolled} tabIndex={0} role="log" aria-live="off" aria-label={`Log of ${title ?? name}`}>
        {!wrap && <div style={{ height: `${first * kLine}px` }} />}
        {lines.slice(first, last).map((line, i) => <Row key={line.key} line={line} find={find} hit={!!find && !filter.only && lowOf(line).includes(find)} now={hits[hit] === first + i} at={marked === first + i} colour={colour(line.service)} stamp={stamp} own={title} />)}
        {!wrap && <div style={{ height: `${(lines.length - last) * kLine}px` }} />}
        {lines.length === 0 && <div class="log-line">{none}</div>}
      </div>
      {state === 'ended' || state === 'full' ? (part.ask.until || state === 'full') && <button type="button" class="primary log-more" onClick={() => setQuery({ at: null, until: null, since: null, span: null })}>To the newest</button>
        : !follow && lines.length > 0 && <button type="button" class="primary log-more" onClick={() => setFollow(true)}>Follow</button>}
    </section>
  );
}

function save(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
