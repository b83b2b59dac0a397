// Dialogs over <dialog>: the browser keeps the focus inside and gives it back; Esc closes.
import type { ComponentChildren } from 'preact';
import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { carryOut, copyText, curlOf, type Deed } from '../base/deed';
import { Icon } from './icons';

interface Props {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  wide?: boolean;
}

export function Dialog({ title, onClose, children, wide }: Props) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    box.current!.showModal();
    box.current!.querySelector<HTMLElement>('[data-first]')?.focus();
    return () => before?.isConnected && before.focus();
  }, []);
  return (
    <dialog ref={box} class={wide ? 'wide' : ''} aria-label={title} onCancel={(e) => { e.preventDefault(); onClose(); }}
      onClick={(e) => e.target === box.current && onClose()}>
      <div class="dialog">
        <header><h2>{title}</h2><button class="quiet square" aria-label="close" onClick={onClose}><Icon name="close" /></button></header>
        {children}
      </div>
    </dialog>
  );
}

/** The same deed as a command and as curl, each to copy. */
export function SameAs({ deed }: { deed: Deed }) {
  return (
    <div class="same-as">
      {deed.cli && <code title={deed.cli}>{deed.cli}</code>}
      {deed.cli && <button class="link" type="button" onClick={() => copyText(deed.cli!, 'command')}>copy as CLI</button>}
      <button class="link" type="button" onClick={() => copyText(curlOf(deed), 'curl command')}>copy as curl</button>
    </div>
  );
}

interface Removal {
  deed: Deed;
  title: string;
  /** What exactly is lost, line by line; empty: nothing. */
  lost: ComponentChildren[];
  keeps?: string;
  /** Must be typed. */
  name: string;
  then?: () => void;
}
const asked = signal<Removal | null>(null);
/** Asks before something is lost for good. */
export const confirmRemoval = (removal: Removal): void => {
  asked.value = removal;
};

export function RemovalDialog() {
  const removal = asked.value;
  return removal && <Removing key={removal.name} {...removal} />;
}

function Removing({ deed, title, lost, keeps, name, then }: Removal) {
  const [typed, setTyped] = useState('');
  const [busy, setBusy] = useState(false);
  const close = () => {
    asked.value = null;
  };
  const act = async (event: Event) => {
    event.preventDefault();
    if (typed !== name || busy) return;
    setBusy(true);
    const done = await carryOut(deed);
    close();
    if (done) then?.();
  };
  return (
    <Dialog title={title} onClose={close}>
      <form onSubmit={act}>
        {lost.length > 0 ? <><p>This is lost for good:</p><ul class="lost">{lost.map((each, i) => <li key={i}>{each}</li>)}</ul></>
          : <p>No data is lost.</p>}
        {keeps && <p class="muted">{keeps}</p>}
        <label class="field"><span>Type <code>{name}</code> to go on</span>
          <input data-first value={typed} onInput={(e) => setTyped(e.currentTarget.value)} autocomplete="off" spellcheck={false} /></label>
        <SameAs deed={deed} />
        <footer>
          <button type="button" onClick={close}>Keep it</button>
          <button class="danger" disabled={typed !== name || busy}>{deed.label}</button>
        </footer>
      </form>
    </Dialog>
  );
}
