// A deed: one call that changes something, with the same thing as a command and as curl.
import { ApiError, base, send } from './api';
import { at } from './engine';
import { changedAll } from './query';
import { followJob } from '../ui/job';
import { toast } from '../ui/toast';

export interface Deed {
  label: string;
  method?: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  body?: unknown;
  /** The same on the command line, where there is one. */
  cli?: string;
  /** Said when it is done: "web-1 restarted". */
  done?: string;
  danger?: boolean;
  primary?: boolean;
  icon?: string;
  disabled?: boolean;
}

const quote = (text: string) => `'${text.replace(/'/g, `'\\''`)}'`;
export function curlOf(deed: Deed): string {
  const words = ['curl', '-X', deed.method ?? 'POST', '-H', '"Authorization: Bearer $BERTH_TOKEN"'];
  if (deed.body !== undefined) words.push('-H', quote('Content-Type: application/json'), '-d', quote(JSON.stringify(deed.body)));
  words.push(quote(location.origin + base + deed.path));
  return words.join(' ');
}

/** Does it and says so; the answer, or null when it failed (which was said too). */
export async function carryOut<T = unknown>(deed: Deed): Promise<T | null> {
  try {
    const answer = await send<T & { job?: string }>(deed.method ?? 'POST', at(deed.path), { body: deed.body });
    const job = answer.data?.job;
    if (answer.status === 202 && job) followJob(job, deed.label);
    else if (deed.done) toast(deed.done);
    changedAll();
    return answer.data ?? ({} as T);
  } catch (error) {
    toast(messageOf(error), 'bad');
    return null;
  }
}

export function messageOf(error: unknown): string {
  if (error instanceof ApiError) {
    if (error.code === 'rate_limited' || error.status === 429)
      return `too many tries; try again in ${error.retryAfter || 60} s`;
    return error.message;
  }
  return error instanceof Error ? error.message : String(error);
}

export async function copyText(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(`${what} copied`);
  } catch {
    toast('the browser did not let it be copied', 'bad');
  }
}
