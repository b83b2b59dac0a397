// The pages of the navigation: where, its key after "g", and who sees it.
import { offers } from '../base/offers';
import { can } from '../base/session';

export interface Place {
  label: string;
  href: string;
  icon: string;
  key: string;
  group: string;
  /** Shows the local engine's alone. */
  local?: boolean;
}
const all: (Place & { seen?: () => boolean; needs?: string })[] = [
  { label: 'Overview', href: '/', icon: 'overview', key: 'o', group: '' },
  { label: 'Projects', href: '/projects', icon: 'projects', key: 'p', group: '', local: true },
  { label: 'Containers', href: '/containers', icon: 'containers', key: 'c', group: 'Engine', needs: '/containers' },
  { label: 'Images', href: '/images', icon: 'images', key: 'i', group: 'Engine', seen: () => can('engine'), needs: '/images' },
  { label: 'Volumes', href: '/volumes', icon: 'volumes', key: 'v', group: 'Engine', needs: '/volumes' },
  { label: 'Networks', href: '/networks', icon: 'networks', key: 'n', group: 'Engine', needs: '/networks' },
  { label: 'Events', href: '/events', icon: 'events', key: 'e', group: 'Engine', needs: '/events/log' },
  { label: 'Terminals', href: '/terminals', icon: 'terminal', key: 't', group: 'Engine', local: true, needs: '/terminals' },
  { label: 'Routes', href: '/routes', icon: 'routes', key: 'r', group: 'Edge', local: true, seen: () => can('engine'), needs: '/routes' },
  { label: 'Users', href: '/users', icon: 'users', key: 'u', group: 'berth', seen: () => can('users') },
  { label: 'Tokens', href: '/tokens', icon: 'tokens', key: 'k', group: 'berth' },
  { label: 'Audit', href: '/audit', icon: 'audit', key: 'a', group: 'berth', seen: () => can('audit') },
  { label: 'Settings', href: '/settings', icon: 'settings', key: 's', group: 'berth' },
];
export const places = (): Place[] => all.filter((place) => (!place.seen || place.seen()) && (!place.needs || offers(place.needs)));
