// The page's keys: "g" and a letter, "/" and Ctrl-K for the palette, "?" for help. All but Ctrl-K can be turned off.
import { signal } from '@preact/signals';
import { keysOn } from '../base/prefs';
import { go } from '../base/router';
import { Dialog } from './dialog';
import { paletteOpen } from './palette';
import { places } from './places';
import { typing } from './table';

const helpOpen = signal(false);
let prefix = 0;

export function startKeys(): void {
  addEventListener('keydown', (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      paletteOpen.value = !paletteOpen.value;
      return;
    }
    if (!keysOn.value || event.ctrlKey || event.metaKey || event.altKey || typing(event) || document.querySelector('dialog[open]')) return;
    if (Date.now() - prefix < 1200) {
      prefix = 0;
      const place = places().find((each) => each.key === event.key);
      if (place) {
        event.preventDefault();
        go(place.href);
      }
    } else if (event.key === 'g') prefix = Date.now();
    else if (event.key === '/') {
      event.preventDefault();
      paletteOpen.value = true;
    } else if (event.key === '?') helpOpen.value = true;
  });
}

export function KeyHelp() {
  if (!helpOpen.value) return null;
  const rows: [string, string][] = [
    ['Ctrl K  or  /', 'go to anything'], ['?', 'this help'], ['j  k', 'next and previous row'], ['Enter', 'open the row'], ['x', 'select the row'], ['Esc', 'close'],
    ...places().map((place): [string, string] => [`g ${place.key}`, place.label])];
  return (
    <Dialog title="Keys" onClose={() => { helpOpen.value = false; }}>
      <div class="keys">{rows.map(([key, what]) => <div key={key}><kbd>{key}</kbd><span>{what}</span></div>)}</div>
      <label class="row"><input type="checkbox" checked={keysOn.value} onChange={(e) => { keysOn.value = e.currentTarget.checked; }} /> Single keys are on</label>
    </Dialog>
  );
}
