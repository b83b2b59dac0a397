// Numbers and times as people read them.
const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  let at = 0, size = value;
  while (size >= 1024 && at < units.length - 1) {
    size /= 1024;
    ++at;
  }
  return `${at === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[at]}`;
}

export const percent = (value: number): string => `${value >= 100 ? Math.round(value) : value.toFixed(1)} %`;

const steps: [number, string][] = [[31_536_000, 'y'], [2_592_000, 'mo'], [86_400, 'd'], [3_600, 'h'], [60, 'min'], [1, 's']];

/** "3 h" */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  for (const [length, unit] of steps) if (seconds >= length) return `${Math.floor(seconds / length)} ${unit}`;
  return '0 s';
}

export function ago(at: number | null | undefined, now = Date.now()): string {
  if (!at) return '–';
  const past = now - at;
  if (Math.abs(past) < 5000) return 'just now';
  return past >= 0 ? `${span(past)} ago` : `in ${span(-past)}`;
}

const two = (value: number) => String(value).padStart(2, '0');
export function clock(at: number, withMs = false): string {
  const d = new Date(at);
  const text = `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
  return withMs ? `${text}.${String(d.getMilliseconds()).padStart(3, '0')}` : text;
}
export const day = (at: number): string => {
  const d = new Date(at);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
};
export const moment = (at: number | null | undefined): string => (at ? `${day(at)} ${clock(at)}` : '–');
export const shortId = (id: string): string => id.replace(/^sha256:/, '').slice(0, 12);
export const plural = (n: number, one: string, many = `${one}s`): string => `${n.toLocaleString('en')} ${n === 1 ? one : many}`;
