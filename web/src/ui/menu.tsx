// A button that opens a list of deeds and links; arrows move, Esc closes and gives the focus back.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon } from './icons';

export interface MenuItem {
  label: string;
  run?: () => void;
  href?: string;
  danger?: boolean;
  disabled?: boolean;
  separator?: boolean;
  /** It is so now. */
  current?: boolean;
}

export function Menu({ label, items, children, quiet = true }: {
  label: string; items: MenuItem[]; children?: ComponentChildren; quiet?: boolean;
}) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const [at, setAt] = useState({ top: 0, right: 0 });
  const close = (focus = true) => {
    setOpen(false);
    if (focus) button.current?.focus();
  };
  useEffect(() => {
    if (!open) return undefined;
    box.current?.querySelector<HTMLElement>('[role=menuitem]')?.focus();
    const outside = (event: Event) => !box.current?.contains(event.target as Node) &&
      !button.current?.contains(event.target as Node) && close(false);
    addEventListener('pointerdown', outside);
    addEventListener('scroll', outside, true);
    return () => {
      removeEventListener('pointerdown', outside);
      removeEventListener('scroll', outside, true);
    };
  }, [open]);
  const keys = (event: KeyboardEvent) => {
    const all = [...box.current!.querySelectorAll<HTMLElement>('[role=menuitem]')];
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step) {
      event.preventDefault();
      all[(all.indexOf(document.activeElement as HTMLElement) + step + all.length) % all.length]?.focus();
    } else if (event.key === 'Escape' || event.key === 'Tab') {
      event.stopPropagation();
      if (event.key === 'Escape') event.preventDefault();
      close();
    }
  };
  const toggle = (event: Event) => {
    event.stopPropagation();
    const rect = button.current!.getBoundingClientRect();
    const below = rect.bottom + 4 + items.length * 32 < innerHeight;
    setAt({ top: below ? rect.bottom + 4 : Math.max(8, rect.top - items.length * 32 - 16), right: Math.max(8, innerWidth - rect.right) });
    setOpen(!open);
  };
  return (
    <>
      <button ref={button} type="button" class={children ? (quiet ? 'quiet' : '') : 'quiet square'} aria-label={children ? undefined : label}
        title={label} aria-haspopup="menu" aria-expanded={open} onClick={toggle}>
        {children ?? <Icon name="more" />}
      </button>
      {open && (
        <div ref={box} class="menu" role="menu" aria-label={label} onKeyDown={keys} style={{ top: `${at.top}px`, right: `${at.right}px` }}
          onClick={(e) => e.stopPropagation()}>
          {items.map((item) => item.separator ? <div class="rule" role="separator" key={item.label} /> : item.href
            ? <a key={item.label} role="menuitem" href={item.href} onClick={() => close(false)}>{item.label}</a>
            : <button key={item.label} type="button" role="menuitem" class={item.danger ? 'bad' : ''} disabled={item.disabled} aria-current={item.current || undefined}
                onClick={() => { close(); item.run?.(); }}>{item.label}</button>)}
        </div>
      )}
    </>
  );
}
