// Calls of /api/v1: JSON both ways, errors as the server words them.
import { at } from './engine';

export class ApiError extends Error {
  constructor(readonly status: number, readonly code: string, message: string, readonly retryAfter = 0) {
    super(message);
  }
}

export const base = '/api/v1';

export interface CallOptions {
  body?: unknown;
  /** Sent as text/plain instead of JSON. */
  text?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}
export interface Answer<T> {
  status: number;
  etag: string | null;
  data: T;
}

let onSignedOut: () => void = () => {};
/** What happens when the server no longer knows the session. */
export function whenSignedOut(then: () => void): void {
  onSignedOut = then;
}

async function failure(response: Response): Promise<ApiError> {
  let code = 'internal', message = response.statusText || `status ${response.status}`;
  try {
    const body = await response.json();
    code = body.code ?? code;
    message = body.message ?? body.error ?? message;
  } catch {
    if (response.status >= 502) message = 'berth does not answer; it may be starting again';
  }
  return new ApiError(response.status, code, message, Number(response.headers.get('Retry-After') ?? 0));
}

/** Asks; a GET that was cut off once more: a browser on the engine's own host drops what is under way whenever a
 * container gets or loses its network. */
async function reach(url: string, how: RequestInit, again = how.method === 'GET'): Promise<Response> {
  try {
    return await fetch(url, how);
  } catch (cause) {
    if ((cause as Error).name === 'AbortError') throw cause;
    if (!again) throw new ApiError(0, 'unavailable', 'berth does not answer; it may be starting again');
    await new Promise((then) => setTimeout(then, 300));
    return reach(url, how, false);
  }
}

export async function send<T>(method: string, path: string, options: CallOptions = {}): Promise<Answer<T>> {
  const headers: Record<string, string> = { Accept: 'application/json, text/plain', ...options.headers };
  let body: string | undefined;
  if (options.text !== undefined) {
    body = options.text;
    headers['Content-Type'] = 'text/plain; charset=utf-8';
  } else if (options.body !== undefined) {
    body = JSON.stringify(options.body);
    headers['Content-Type'] = 'application/json';
  }
  const response = await reach(base + path, { method, headers, body, signal: options.signal, credentials: 'same-origin' });
  if (response.status === 401 && !path.startsWith('/session') && !path.startsWith('/setup')) onSignedOut();
  const etag = response.headers.get('ETag');
  if (response.status === 304) return { status: 304, etag, data: undefined as T };
  if (!response.ok) throw await failure(response);
  const json = response.headers.get('Content-Type')?.includes('json');
  const data = response.status === 204 ? undefined : json ? await response.json() : await response.text();
  return { status: response.status, etag, data: data as T };
}

export const get = async <T>(path: string, signal?: AbortSignal): Promise<T> =>
  (await send<T>('GET', at(path), { signal })).data;
export const post = async <T>(path: string, body?: unknown): Promise<T> => (await send<T>('POST', at(path), { body })).data;
export const part = encodeURIComponent;
/** A path of several parts: each is encoded, the slashes stay. */
export const parts = (path: string): string => path.split('/').map(encodeURIComponent).join('/');
