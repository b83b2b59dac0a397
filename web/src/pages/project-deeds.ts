import { get, part } from '../base/api';
import { messageOf, type Deed } from '../base/deed';
import { bytes, plural, shortId } from '../base/format';
import type { Project } from '../base/shapes';
import { confirmRemoval } from '../ui/dialog';
import { toast } from '../ui/toast';

type Verb = 'start' | 'stop' | 'restart' | 'down' | 'pull';
const icons: Record<Verb, string> = { start: 'play', stop: 'stop', restart: 'restart', down: 'close', pull: 'download' };

export const projectDeed = (verb: Verb, name: string, services?: string[]): Deed => ({
  label: `${verb[0]!.toUpperCase()}${verb.slice(1)}${services ? ` ${services.join(', ')}` : ''}`, path: `/projects/${part(name)}/${verb}`, body: services && { services }, icon: icons[verb],
  cli: `berth -p ${name} ${verb}${services ? ` ${services.join(' ')}` : ''}` });

export const lifeOf = (of: Project): Deed[] => of.state === 'stopped' ? [projectDeed('start', of.name), projectDeed('pull', of.name)]
  : of.state === 'partial' ? [projectDeed('start', of.name), projectDeed('restart', of.name), projectDeed('stop', of.name), projectDeed('pull', of.name)]
    : [projectDeed('restart', of.name), projectDeed('stop', of.name), projectDeed('pull', of.name)];

interface Removal {
  volumes?: { name: string; size: number | null; of?: string | null }[];
  containers?: (string | { name: string })[];
  networks?: (string | { name: string })[];
  files?: string[];
  generations?: number;
}
const nameOf = (each: string | { name: string }) => (typeof each === 'string' ? each : each.name);

/** Down, with or without the volumes: what goes comes from the server, name by name. */
export async function askProjectRemoval(of: Project, volumes: boolean, then: () => void): Promise<void> {
  try {
    const goes = await get<Removal>(`/projects/${part(of.name)}/removal`);
    const lost = [
      ...(goes.containers?.length ? [`containers ${goes.containers.map(nameOf).join(', ')}, with what was written in them outside of volumes`] : []),
      ...(goes.networks?.length ? [`networks ${goes.networks.map(nameOf).join(', ')}`] : []),
      ...(volumes ? (goes.volumes ?? []).map((each) => `${each.of ? `anonymous volume ${shortId(each.name)} of ${each.of}` : `volume ${each.name}`} with all its data (${each.size === null ? 'size not known' : bytes(each.size)})`) : [])];
    if (goes.files?.length) lost.push(`its files ${goes.files.join(', ')}`);
    if (goes.generations) lost.push(`its history: ${plural(goes.generations, 'generation')}, to which it could be rolled back`);
    const kept = (goes.volumes ?? []).map((each) => (each.of ? shortId(each.name) : each.name));
    confirmRemoval({ title: volumes ? `Remove ${of.name} and its data?` : `Remove ${of.name}?`, name: of.name, lost, then,
      keeps: volumes ? 'Images stay.' : kept.length ? `The volumes ${kept.join(', ')} stay, with their data.` : 'Images stay; it has no volumes.',
      deed: { label: volumes ? 'Remove with its data' : 'Remove', method: 'DELETE', path: `/projects/${part(of.name)}`, body: { volumes, confirm: of.name }, danger: true, cli: `berth -p ${of.name} down${volumes ? ' -v' : ''}` } });
  } catch (error) {
    toast(messageOf(error), 'bad');
  }
}
