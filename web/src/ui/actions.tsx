// The deeds of a page or a row: buttons, and beside them the same things as commands.
import { useState } from 'preact/hooks';
import { carryOut, copyText, curlOf, type Deed } from '../base/deed';
import { Icon } from './icons';
import { Menu, type MenuItem } from './menu';

export function DeedButton({ deed, compact, run }: { deed: Deed; compact?: boolean; run?: () => void }) {
  const [busy, setBusy] = useState(false);
  const act = async (event: Event) => {
    event.stopPropagation();
    if (run) return run();
    setBusy(true);
    await carryOut(deed);
    setBusy(false);
  };
  const look = deed.primary ? 'primary' : compact ? 'quiet square' : '';
  return (
    <button type="button" class={look} disabled={busy || deed.disabled} aria-busy={busy} title={deed.label}
      aria-label={compact ? deed.label : undefined} onClick={act}>
      {deed.icon && <Icon name={deed.icon} />}{!compact && deed.label}
    </button>
  );
}

export const copies = (deeds: Deed[]): MenuItem[] => deeds.flatMap((deed) => [
  ...(deed.cli ? [{ label: `${deed.label}: copy as CLI`, run: () => void copyText(deed.cli!, 'command') }] : []),
  { label: `${deed.label}: copy as curl`, run: () => void copyText(curlOf(deed), 'curl command') },
]);

/** Buttons for `deeds`, then further entries in a menu together with their commands. */
export function Actions({ deeds, more = [], also = [] }: { deeds: Deed[]; more?: MenuItem[]; also?: Deed[] }) {
  const commands = copies([...deeds, ...also]);
  return (
    <div class="actions">
      {deeds.map((deed) => <DeedButton key={deed.label} deed={deed} />)}
      {more.length + commands.length > 0 &&
        <Menu label="More actions" items={[...more, ...(more.length && commands.length ? [{ label: '-', separator: true }] : []), ...commands]} />}
    </div>
  );
}
