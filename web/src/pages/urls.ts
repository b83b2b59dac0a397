// Routes as the API lists them.
export interface Route {
  name: string;
  rule: string;
  entryPoints?: string[];
  service: string;
  targets?: { container: string; host: string; port: number; tls?: boolean }[];
  warnings?: string[];
  priority?: number;
  down?: string | null;
  held?: unknown;
}
export type Many<T> = T[] | { items: T[] };
export const listOf = <T,>(data: Many<T>): T[] => (Array.isArray(data) ? data : data.items);
export const targetsOf = (of: Route): string[] => (of.targets ?? []).map((each) => `${each.container} ${each.host}:${each.port}`);

/** The address that a rule names, on the port by which this page is reached. */
export function addressOf(rule: string): string | null {
  const host = /Host\(`([^`*]+)`\)/.exec(rule)?.[1], prefix = /Path(?:Prefix)?\(`([^`]+)`\)/.exec(rule)?.[1];
  return host ? `https://${host}${location.port ? `:${location.port}` : ''}${prefix ?? '/'}` : null;
}
