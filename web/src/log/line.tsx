// One line of a log: its time as a link to that moment, who said it, colours of terminals, JSON folded.
import { useState } from 'preact/hooks';
import { memo } from '../base/memo';
import { withQuery } from '../base/router';
import { pieces, type Piece } from './ansi';
import type { LogLine } from './feed';
import { told, toldWhole } from './span';

function Text({ of, find }: { of: Piece; find: string }) {
  const style = { color: of.color, background: of.back, fontWeight: of.bold ? '700' : undefined, opacity: of.faint ? '.75' : undefined,
    fontStyle: of.italic ? 'italic' : undefined, textDecoration: of.under ? 'underline' : undefined };
  const low = of.text.toLowerCase();
  if (!find || !low.includes(find)) return <span style={style}>{of.text}</span>;
  const out = [];
  let from = 0;
  for (let at = low.indexOf(find); at >= 0; at = low.indexOf(find, from)) {
    out.push(of.text.slice(from, at), <mark key={at}>{of.text.slice(at, at + find.length)}</mark>);
    from = at + find.length;
  }
  return <span style={style}>{out}{of.text.slice(from)}</span>;
}

function Json({ value, find }: { value: Record<string, unknown>; find: string }) {
  const [open, setOpen] = useState(false);
  const message = value.msg ?? value.message ?? value.event ?? '';
  const level = value.level ?? value.severity ?? value.lvl;
  const rest = Object.entries(value).filter(([key]) => !['msg', 'message', 'event', 'level', 'severity', 'lvl', 'time', 'ts', 'timestamp'].includes(key));
  return (
    <>
      <button type="button" aria-expanded={open} aria-label={open ? 'fold' : 'unfold'} onClick={() => setOpen(!open)}>{open ? '▾' : '▸'}</button>
      {open ? <span style={{ whiteSpace: 'pre-wrap' }}><Text of={{ text: JSON.stringify(value, null, 2) }} find={find} /></span> : <>
        {level !== undefined && <b style={{ color: /err|fatal|crit/i.test(String(level)) ? '#ff8a80' : /warn/i.test(String(level)) ? '#e9c25f' : '#7ddc9a' }}>{String(level)} </b>}
        <Text of={{ text: String(message) }} find={find} />
        {rest.map(([key, each]) => <span key={key}> <span style={{ color: '#8fa0b1' }}>{key}=</span><Text of={{ text: typeof each === 'string' ? each : JSON.stringify(each) }} find={find} /></span>)}
      </>}
    </>
  );
}

interface Props {
  line: LogLine;
  find: string;
  hit: boolean;
  now: boolean;
  at: boolean;
  colour?: string;
  /** How times are told; "off": not at all. */
  stamp: string;
  /** Who all lines here are of. */
  own?: string;
}
export const Row = memo(({ line, find, hit, now, at, colour, stamp, own }: Props) => (
  <div class={`log-line ${line.err ? 'err' : ''} ${now ? 'now' : hit ? 'hit' : ''} ${at ? 'at' : ''} ${line.gap ? 'gap' : ''}`}>
    {stamp !== 'off' && <><a class="when" href={withQuery({ at: String(line.at) })} title={`${toldWhole(line.at)}: link to this moment`}>{told(line.at)}</a>{' '}</>}
    {line.service && line.service !== own && <><span class="who-said" style={{ color: colour }}>{line.service}</span>{' '}</>}
    {line.json ? <Json value={line.json} find={find} /> : pieces(line.text).map((piece, i) => <Text key={i} of={piece} find={find} />)}
  </div>
));
