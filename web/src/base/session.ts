// Who is signed in, and what the pages offer to that one. The server decides; this only hides what it would refuse.
import { signal } from '@preact/signals';
import { get, send } from './api';
import { elsewhere } from './engine';
import { startLive, stopLive } from './live';
import { learnOffers, offers } from './offers';
import { forgetAll } from './query';

export type Role = 'viewer' | 'developer' | 'operator' | 'admin';
export interface User {
  id: string;
  name: string;
  role: Role;
  projects: Record<string, Role>;
  totp: boolean;
  passkeys: number;
  password: boolean;
  providers: string[]; // ids of those who vouch for it
}
export interface Provider {
  id: string;
  name: string;
}
export interface Session {
  user: User | null;
  setup: boolean;
  leastPassword: number; // characters
  methods: {
    password: boolean;
    passkey: boolean;
    oidc: Provider[];
    oauth2: Provider[];
    ldap: Provider[];
    kerberos: Provider[];
  };
  expiresAt?: number;
}

export const session = signal<Session | null>(null);
export const user = () => session.value?.user ?? null;

export async function enter(next: Session): Promise<void> {
  if (next.user) await learnOffers();
  const before = session.value?.user?.id;
  session.value = next;
  if (before !== next.user?.id) forgetAll();
  if (next.user && offers('/events')) startLive();
  else stopLive();
}

export const loadSession = async (): Promise<void> => enter(await get<Session>('/session'));

export async function signOut(): Promise<void> {
  await send('DELETE', '/session');
  await loadSession();
}

export type Permission = 'view' | 'act' | 'deploy' | 'reveal' | 'exec' | 'remove' | 'engine' | 'audit' | 'users' | 'settings';
const ofProject: Permission[] = ['act', 'deploy', 'reveal', 'exec', 'remove'];

export function can(permission: Permission, project?: string | null): boolean {
  const who = user();
  if (!who) return false;
  if (permission === 'view' || who.role === 'admin') return true;
  if (who.role === 'operator') return permission === 'engine' || ofProject.includes(permission);
  return ofProject.includes(permission) && !!project && who.projects?.[project] === 'developer';
}
/** The same for what changes something: other engines are only looked at. */
export const changes = (permission: Permission, project?: string | null): boolean => !elsewhere() && can(permission, project);
/** May anything be changed anywhere? */
export const canAnywhere = (permission: Permission): boolean =>
  !elsewhere() && (can(permission) || Object.keys(user()?.projects ?? {}).some((project) => can(permission, project)));
