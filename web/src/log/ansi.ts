// Colours of terminals in text: SGR sequences become spans, every other escape sequence is dropped. Text stays text.
export interface Piece {
  text: string;
  color?: string;
  back?: string;
  bold?: boolean;
  faint?: boolean;
  italic?: boolean;
  under?: boolean;
}

const basic = ['#7d8a97', '#ff8a80', '#7ddc9a', '#e9c25f', '#86b8f5', '#d5a6f2', '#6fd0d6', '#dfe6ee'];
const bright = ['#98a5b3', '#ffada6', '#a2eab8', '#f5d98a', '#aed0fa', '#e5c6f9', '#9ce3e7', '#ffffff'];

function cube(n: number): string {
  if (n < 8) return basic[n]!;
  if (n < 16) return bright[n - 8]!;
  if (n >= 232) return `rgb(${[0, 0, 0].map(() => 8 + (n - 232) * 10).join(' ')})`;
  const level = (v: number) => (v === 0 ? 0 : 55 + v * 40);
  return `rgb(${level(Math.floor((n - 16) / 36))} ${level(Math.floor((n - 16) / 6) % 6)} ${level((n - 16) % 6)})`;
}

/** "38;5;n" and "38;2;r;g;b": the colour and how many codes it took. */
function extended(codes: number[], at: number): [string | undefined, number] {
  if (codes[at + 1] === 5) return [cube(codes[at + 2] ?? 0), 2];
  if (codes[at + 1] === 2) return [`rgb(${codes.slice(at + 2, at + 5).map((n) => Math.min(255, n || 0)).join(' ')})`, 4];
  return [undefined, 0];
}

function apply(style: Omit<Piece, 'text'>, codes: number[]): Omit<Piece, 'text'> {
  let next = { ...style };
  for (let i = 0; i < codes.length; ++i) {
    const code = codes[i]!;
    if (code === 0) next = {};
    else if (code === 1) next.bold = true;
    else if (code === 2) next.faint = true;
    else if (code === 3) next.italic = true;
    else if (code === 4) next.under = true;
    else if (code === 22) next.bold = next.faint = undefined;
    else if (code === 23) next.italic = undefined;
    else if (code === 24) next.under = undefined;
    else if (code >= 30 && code <= 37) next.color = basic[code - 30];
    else if (code >= 90 && code <= 97) next.color = bright[code - 90];
    else if (code >= 40 && code <= 47) next.back = basic[code - 40];
    else if (code >= 100 && code <= 107) next.back = bright[code - 100];
    else if (code === 39) next.color = undefined;
    else if (code === 49) next.back = undefined;
    else if (code === 38 || code === 48) {
      const [colour, took] = extended(codes, i);
      if (code === 38) next.color = colour;
      else next.back = colour;
      i += took;
    }
  }
  return next;
}

// CSI, OSC (ended by BEL or ST) and two-byte sequences; then control characters but tab.
const escape = /\u001b(?:\[([0-9;:]*)([@-~])|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
// eslint-disable-next-line no-control-regex
const control = /[\u0000-\u0008\u000b-\u001f\u007f]/g;

export function pieces(line: string): Piece[] {
  if (!line.includes('\u001b')) return [{ text: line.replace(control, '') }];
  const out: Piece[] = [];
  let style: Omit<Piece, 'text'> = {}, from = 0;
  const add = (text: string) => text && out.push({ ...style, text: text.replace(control, '') });
  for (const found of line.matchAll(escape)) {
    add(line.slice(from, found.index));
    from = found.index + found[0].length;
    if (found[2] === 'm') style = apply(style, (found[1] || '0').split(/[;:]/).map(Number));
  }
  add(line.slice(from));
  return out;
}

export const plain = (line: string): string => line.replace(escape, '').replace(control, '');
