// Which part of a log is asked for, as the address says it, and how its times are told.
import { kept } from '../base/prefs';

export const kAround = 60_000; // before a moment that is linked to
export const kAfter = 600_000; // after it, where it lies further back than that

/** "local", "utc" or "off". */
export const times = kept('log.times', 'local');
const utc = () => times.value === 'utc';

/** 2026-11-23T05:20:02.123 in the chosen zone. */
const text = (at: number): string => new Date(utc() ? at : at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 23);

/** The time of a line; with its day, when that is another one than today's. */
export function told(at: number, now = Date.now()): string {
  const [day, clock] = text(at).split('T') as [string, string];
  return day === text(now).split('T')[0] ? clock : `${day.slice(5)} ${clock}`;
}
export const toldWhole = (at: number): string => `${text(at).replace('T', ' ')} ${utc() ? 'UTC' : 'local time'}`;
/** As a field for date and time has it, and back. */
export const fieldOf = (at: number | null): string => (at ? text(at).slice(0, 19) : '');
export function ofField(value: string): number | null {
  const at = value ? Date.parse(utc() ? `${value}Z` : value) : NaN;
  return Number.isNaN(at) ? null : at;
}
/** In an address: the same for whoever opens it. */
export const stampOf = (at: number | null): string | null => (at ? new Date(at).toISOString().replace('.000', '') : null);
export function timeOf(stamp: string | null): number | null {
  const at = stamp && /^\d{4}-/.test(stamp) ? Date.parse(stamp) : NaN;
  return Number.isNaN(at) ? null : at;
}

const units: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
/** "15m" before now, or a time. */
export function sinceOf(wanted: string | null, now: number): number | null {
  const found = /^(\d+)([mhd])$/.exec(wanted ?? '');
  return found ? now - Number(found[1]) * units[found[2]!]! : timeOf(wanted);
}

export interface Part {
  ask: Record<string, string>;
  /** The beginning counts: what is more than can be kept is left out at the end. */
  fromStart: boolean;
}
const seconds = (at: number) => String(Math.floor(at / 1000));

export function partOf(wanted: URLSearchParams, now = Date.now()): Part {
  const at = Number(wanted.get('at') ?? 0), since = sinceOf(wanted.get('since'), now), until = timeOf(wanted.get('until'));
  if (at) {
    const past = now - at > kAfter;
    return { ask: { since: seconds(at - kAround), tail: 'all', follow: String(!past), ...(past && { until: seconds(at + kAfter) }) }, fromStart: true };
  }
  return { ask: { follow: String(until === null), tail: wanted.get('tail') ?? '1000', ...(since && { since: seconds(since) }), ...(until && { until: seconds(until + 999) }) }, fromStart: false };
}
