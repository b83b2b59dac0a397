// The lines of one log, as they come: batched per frame, bounded, resumed by the browser with Last-Event-ID.
import { signal } from '@preact/signals';
import { base } from '../base/api';
import { at } from '../base/engine';
import { plain } from './ansi';

export interface LogLine {
  key: number;
  at: number;
  text: string;
  bare: string;
  err: boolean;
  service?: string;
  gap?: number;
  level: Level;
  low?: string; // of bare, once it was searched
  json?: Record<string, unknown> | null;
}
export const kMostLines = 100_000;
export type Level = 'error' | 'warning' | 'info' | 'debug' | '';

interface Sent {
  stream?: string;
  at?: number;
  text?: string;
  lost?: number;
  service?: string;
  container?: string;
}

/** A line that is one JSON object; null for any other. */
function object(text: string): Record<string, unknown> | null {
  if (!text.startsWith('{') || !text.trimEnd().endsWith('}')) return null;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return null;
  }
}

const words: [RegExp, Level][] = [[/^(err(or)?|fatal|crit(ical)?|panic|emerg(ency)?|alert|severe)$/i, 'error'], [/^(warn(ing)?)$/i, 'warning'], [/^(info(rmation)?|notice)$/i, 'info'], [/^(debug|trace|verbose|fine)$/i, 'debug']];
const levelOfWord = (word: string): Level => words.find(([form]) => form.test(word))?.[1] ?? '';

/** What a line says of itself near its beginning: a field of JSON, level=warn, [ERROR], "WARN". */
export function levelOf(bare: string, json?: Record<string, unknown> | null): Level {
  if (json) return levelOfWord(String(json.level ?? json.severity ?? json.lvl ?? ''));
  const head = bare.slice(0, 120);
  const named = /\b(?:level|lvl|severity)=["']?(\w+)/i.exec(head)?.[1];
  if (named) return levelOfWord(named);
  const shouted = /\b(EMERG|ALERT|CRIT(?:ICAL)?|FATAL|PANIC|ERR(?:OR)?|WARN(?:ING)?|NOTICE|INFO|DEBUG|TRACE)\b/.exec(head)?.[1] ?? /[[<(](\w{3,9})[\])>:]/.exec(head)?.[1];
  return shouted ? levelOfWord(shouted) : '';
}

export const lowOf = (line: LogLine): string => (line.low ??= line.bare.toLowerCase());

export class Feed {
  readonly lines = signal<LogLine[]>([]);
  /** `full`: there is more than is kept, after what is. */
  readonly state = signal<'connecting' | 'live' | 'lost' | 'ended' | 'full'>('connecting');
  private waiting: LogLine[] = [];
  private frame = 0;
  private key = 0;
  private readonly stream: EventSource;

  constructor(path: string, parameters: Record<string, string>, private readonly fromStart = false) {
    this.stream = new EventSource(base + at(`${path}${path.includes('?') ? '&' : '?'}${new URLSearchParams(parameters)}`));
    const take = (event: Event) => this.take((event as MessageEvent<string>).data);
    this.stream.onopen = () => {
      this.state.value = 'live';
    };
    this.stream.onerror = () => {
      if (this.stream.readyState === EventSource.CLOSED) this.over();
      else this.state.value = 'lost';
    };
    this.stream.onmessage = take;
    this.stream.addEventListener('gap', take);
    this.stream.addEventListener('end', () => this.over());
  }

  private over(): void {
    this.stream.close();
    this.state.value = 'ended';
  }

  private take(data: string): void {
    let sent: Sent;
    try {
      sent = JSON.parse(data) as Sent;
    } catch {
      return;
    }
    const text = sent.lost ? `${sent.lost} lines were left out: this reader was too slow` : (sent.text ?? '').replace(/\r?\n$/, '');
    const bare = plain(text);
    const json = object(bare);
    this.waiting.push({ key: ++this.key, at: sent.at ?? Date.now(), text, bare, err: sent.stream === 'err' || sent.stream === 'stderr',
      service: sent.service ?? sent.container, gap: sent.lost, json, level: levelOf(bare, json) });
    this.frame ||= window.setTimeout(() => this.flush(), 60);
  }

  private flush(): void {
    this.frame = 0;
    const all = this.lines.value.concat(this.waiting);
    this.waiting = [];
    if (all.length > kMostLines && this.fromStart) {
      this.stream.close();
      this.state.value = 'full';
      this.lines.value = all.slice(0, kMostLines);
      return;
    }
    this.lines.value = all.length > kMostLines ? all.slice(all.length - kMostLines) : all;
  }

  close(): void {
    clearTimeout(this.frame);
    if (this.waiting.length) this.flush();
    this.stream.close();
  }
}
