// A state is a shape, a word and a colour: never colour alone.
import { span } from '../base/format';

export type Tone = 'ok' | 'warn' | 'bad' | 'info' | 'idle';

const shapes: Record<string, string> = {
  disc: 'M6 2a4 4 0 1 0 0 8 4 4 0 0 0 0-8z',
  ring: 'M6 1.500a4.500 4.500 0 1 0 0 9 4.500 4.500 0 0 0 0-9zm0 2a2.500 2.500 0 1 1 0 5 2.500 2.500 0 0 1 0-5z',
  square: 'M2.500 2.500h7v7h-7z',
  triangle: 'M6 1l5.200 9.500H.8z',
  bars: 'M2.500 2h2.500v8H2.500zM7 2h2.500v8H7z',
  cross: 'M3 1.500 6 4.500l3-3L10.500 3l-3 3 3 3L9 10.500l-3-3-3 3L1.500 9l3-3-3-3z',
  tick: 'M1 6.300 2.600 4.700l2 2L9.400 2 11 3.600 4.600 10z',
  turn: 'M6 1.500a4.500 4.500 0 1 0 4.500 4.500h-2A2.500 2.500 0 1 1 6 3.500V5.500l3.500-3L6 0z',
  plus: 'M4.750 1h2.500v3.750H11v2.500H7.250V11h-2.500V7.250H1v-2.500h3.750z',
  half: 'M5.500 1.500a4.500 4.500 0 0 0 0 9zM6.700 1.550v1.600a3 3 0 0 1 0 5.700v1.600a4.500 4.500 0 0 0 0-8.900z',
};

const looks: Record<string, [Tone, keyof typeof shapes]> = {
  running: ['ok', 'disc'], healthy: ['ok', 'tick'], succeeded: ['ok', 'tick'], up: ['ok', 'disc'], valid: ['ok', 'tick'],
  allowed: ['ok', 'tick'], active: ['ok', 'disc'],
  unhealthy: ['bad', 'triangle'], dead: ['bad', 'cross'], failed: ['bad', 'cross'], down: ['bad', 'cross'],
  denied: ['bad', 'cross'], expired: ['bad', 'triangle'], crashed: ['bad', 'cross'], error: ['bad', 'triangle'],
  restarting: ['warn', 'turn'], starting: ['info', 'turn'], partial: ['warn', 'half'], paused: ['warn', 'bars'],
  removing: ['warn', 'turn'], cancelled: ['idle', 'square'], interrupted: ['warn', 'triangle'], warning: ['warn', 'triangle'],
  stopped: ['idle', 'square'], exited: ['idle', 'square'], created: ['idle', 'ring'], draft: ['idle', 'ring'],
  create: ['ok', 'plus'], recreate: ['warn', 'turn'], remove: ['bad', 'cross'], restart: ['warn', 'turn'], pull: ['info', 'disc'], stop: ['warn', 'square'], start: ['ok', 'disc'],
  queued: ['idle', 'ring'], unused: ['idle', 'ring'], disabled: ['idle', 'square'], drift: ['warn', 'half'],
};

const ofTone: Record<Tone, keyof typeof shapes> = { ok: 'disc', warn: 'half', bad: 'triangle', info: 'ring', idle: 'ring' };

export function State({ word, tone, title }: { word: string; tone?: Tone; title?: string }) {
  const [usual, shape] = looks[word.split(' ')[0]!] ?? ['idle', tone ? ofTone[tone] : 'ring'];
  return (
    <span class={`state ${tone ?? usual}`} title={title}>
      <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true" focusable="false"><path d={shapes[shape]} /></svg>
      {word}
    </span>
  );
}

export interface Stateful {
  state: string;
  health?: string | null;
  exitCode?: number | null;
  oomKilled?: boolean;
}

/** The word for a container: health counts more than "running", an exit code more than "exited". */
export function ContainerState({ of }: { of: Stateful & { startedAt?: number | null } }) {
  if (of.state === 'running') {
    const health = of.health && of.health !== 'none' ? of.health : '';
    return <State word={health || 'running'} title={of.startedAt ? `running for ${span(Date.now() - of.startedAt)}` : ''} />;
  }
  if (of.state === 'exited' && of.oomKilled) return <State word="failed (out of memory)" />;
  if (of.state === 'exited' && of.exitCode) return <State word={`failed (${of.exitCode})`} title={`exit code ${of.exitCode}`} />;
  return <State word={of.state} />;
}
