// What this berth's API offers, by its own description: a page without its route is not shown.
import { get } from './api';

let known: Set<string> | null = null;
const plainPath = (path: string) => path.replace(/^\/api\/v1/, '').replace(/\{[^}]*\}/g, '{}');

export async function learnOffers(): Promise<void> {
  try {
    const { paths } = await get<{ paths: Record<string, unknown> }>('/openapi.json');
    known = new Set(Object.keys(paths).map(plainPath));
  } catch {
    known = null; // not told: then everything is tried
  }
}

/** Whether there is such a route: `/containers/{}/logs`. */
export const offers = (path: string): boolean => known === null || known.has(path);
