// Short messages at the corner; readers hear them politely, failures at once.
import { signal } from '@preact/signals';
import { Icon } from './icons';

interface Toast {
  id: number;
  text: string;
  tone: 'ok' | 'bad';
  action?: { label: string; run: () => void };
}
const toasts = signal<Toast[]>([]);
let last = 0;

const drop = (id: number) => {
  toasts.value = toasts.value.filter((each) => each.id !== id);
};

export function toast(text: string, tone: Toast['tone'] = 'ok', action?: Toast['action']): void {
  const id = ++last;
  toasts.value = [...toasts.value.slice(-3), { id, text, tone, action }];
  setTimeout(() => drop(id), tone === 'bad' || action ? 12_000 : 5_000);
}

export function Toasts() {
  return (
    <div class="toasts">
      <div role="status" aria-live="polite">{toasts.value.filter((t) => t.tone === 'ok').map(Card)}</div>
      <div role="alert">{toasts.value.filter((t) => t.tone === 'bad').map(Card)}</div>
    </div>
  );
}

function Card({ id, text, tone, action }: Toast) {
  return (
    <div key={id} class={`toast ${tone}`}>
      <Icon name={tone === 'ok' ? 'check' : 'close'} />
      <span class="grow">{text}</span>
      {action && <button class="link" onClick={() => { action.run(); drop(id); }}>{action.label}</button>}
      <button class="quiet square" aria-label="dismiss" onClick={() => drop(id)}><Icon name="close" size={12} /></button>
    </div>
  );
}
