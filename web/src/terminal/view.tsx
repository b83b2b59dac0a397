// A terminal in a container: xterm.js on the API's WebSocket. A lost socket is opened anew with a fresh ticket, and the
// server replays what was missed.
import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';
import { useEffect, useRef, useState } from 'preact/hooks';
import { base, post } from '../base/api';
import { messageOf } from '../base/deed';
import { Icon } from '../ui/icons';
import { State } from '../ui/state';
import { keepStylesOutOfLine } from './styles';

export interface Opened {
  terminal: string;
  ticket: string;
}

const colours = { background: '#0f151b', foreground: '#dfe6ee', cursor: '#58c9bf', selectionBackground: '#2c4a5a', black: '#2a3541', red: '#ff8a80', green: '#7ddc9a', yellow: '#e9c25f', blue: '#86b8f5', magenta: '#d5a6f2', cyan: '#6fd0d6', white: '#dfe6ee' };

/** Connects `screen` to one terminal of the server until it is closed or ends. */
class Line {
  private socket: WebSocket | null = null;
  private closed = false;
  private tries = 0;
  constructor(private readonly id: string, private readonly screen: Terminal, private readonly tell: (state: string, why?: string) => void) {}

  open(ticket: string): void {
    if (this.closed) return;
    const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}${base}/terminals/${this.id}/socket?ticket=${encodeURIComponent(ticket)}`);
    this.socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      this.tell('running');
      this.resize();
      this.screen.focus();
    };
    socket.onmessage = (event) => {
      this.tries = 0;
      if (typeof event.data === 'string') this.control(event.data);
      else this.screen.write(new Uint8Array(event.data as ArrayBuffer));
    };
    socket.onclose = (event) => this.lost(event.code, event.reason);
  }

  private control(text: string): void {
    try {
      const said = JSON.parse(text) as { exit?: number; exitCode?: number };
      const code = said.exit ?? said.exitCode;
      if (code !== undefined) this.finish(`ended with ${code}`);
    } catch {
      // not for us
    }
  }

  private finish(why: string): void {
    this.closed = true;
    this.tell('exited', why);
  }

  private lost(code: number, reason: string): void {
    if (this.closed) return;
    if (code === 1000) return this.finish(reason || 'the program ended');
    this.tell('restarting', 'connection lost; it is opened again');
    setTimeout(() => void this.again(), Math.min(500 * 2 ** this.tries++, 8000));
  }

  private async again(): Promise<void> {
    if (this.closed) return;
    try {
      const { ticket } = await post<{ ticket: string }>(`/terminals/${this.id}/tickets`);
      this.screen.reset(); // the server replays what was on it
      this.open(ticket);
    } catch (error) {
      if (this.tries > 6 || (error as { status?: number }).status === 404) this.finish(messageOf(error));
      else this.lost(0, '');
    }
  }

  send(text: string): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(new TextEncoder().encode(text));
  }
  resize(): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ resize: { cols: this.screen.cols, rows: this.screen.rows } }));
  }
  close(): void {
    this.closed = true;
    this.socket?.close();
  }
}

export default function TerminalView({ opened, name, onEnd }: { opened: Opened; name: string; onEnd?: () => void }) {
  const box = useRef<HTMLDivElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const [state, setState] = useState(['starting', '']);
  const [reader, setReader] = useState(false);
  const screenRef = useRef<Terminal | null>(null);
  useEffect(() => {
    const restore = keepStylesOutOfLine();
    const screen = new Terminal({ fontFamily: 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace', fontSize: 13, cursorBlink: true, scrollback: 5000, theme: colours, allowProposedApi: false });
    const fit = new FitAddon();
    screen.loadAddon(fit);
    screen.open(box.current!);
    restore();
    fit.fit();
    screenRef.current = screen;
    const line = new Line(opened.terminal, screen, (word, why = '') => {
      setState([word, why]);
      if (word === 'exited') onEnd?.();
    });
    screen.onData((text) => line.send(text));
    screen.onResize(() => line.resize());
    const watch = new ResizeObserver(() => fit.fit());
    watch.observe(box.current!);
    line.open(opened.ticket);
    return () => {
      watch.disconnect();
      line.close();
      screen.dispose();
    };
  }, [opened.terminal]);
  useEffect(() => {
    if (screenRef.current) screenRef.current.options.screenReaderMode = reader;
  }, [reader]);
  return (
    <div>
      <div class="log-tools">
        <State word={state[0]!} /> <span class="muted" role="status">{state[1]}</span><span class="grow" />
        <label class="row"><input type="checkbox" checked={reader} onChange={(e) => setReader(e.currentTarget.checked)} /> Screen reader</label>
        <button type="button" class="square" title="full screen" aria-label="full screen" onClick={() => frame.current?.requestFullscreen()}><Icon name="full" /></button>
      </div>
      <div class="term" ref={frame} role="group" aria-label={`Terminal in ${name}`}><div class="term-fill" ref={box} /></div>
    </div>
  );
}
