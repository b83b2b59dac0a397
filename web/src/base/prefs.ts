// What this browser remembers: theme, keys. Nothing of the server's is kept here.
import { effect, signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';

function read(name: string): string | null {
  try {
    return localStorage.getItem(`berth.${name}`);
  } catch {
    return null; // storage is switched off: the default then
  }
}
function write(name: string, value: string): void {
  try {
    localStorage.setItem(`berth.${name}`, value);
  } catch {
    // as above
  }
}

export const theme = signal<Theme>((read('theme') as Theme | null) ?? 'system');
export const keysOn = signal(read('keys') !== 'off');
export const dark = signal(false);

const wantsDark = matchMedia('(prefers-color-scheme: dark)');
const systemDark = signal(wantsDark.matches);
wantsDark.addEventListener('change', () => {
  systemDark.value = wantsDark.matches;
});

effect(() => {
  dark.value = theme.value === 'system' ? systemDark.value : theme.value === 'dark';
  document.documentElement.dataset.theme = dark.value ? 'dark' : 'light';
  write('theme', theme.value);
});
effect(() => write('keys', keysOn.value ? 'on' : 'off'));

/** A setting of a page, kept in this browser. */
export function kept(name: string, fallback: string) {
  const value = signal(read(name) ?? fallback);
  effect(() => write(name, value.value));
  return value;
}
