// What can be done with a container, with its command where berth has one.
import type { Deed } from '../base/deed';
import { part } from '../base/api';
import { confirmRemoval } from '../ui/dialog';
import type { Container } from '../base/shapes';

const cli = (verb: string, of: Container) => (of.project && of.service ? `berth -p ${of.project} ${verb} ${of.service}` : undefined);
const pastOf: Record<string, string> = { start: 'started', stop: 'stopped', restart: 'restarted', pause: 'paused', unpause: 'goes on', kill: 'killed' };

export function deed(verb: 'start' | 'stop' | 'restart' | 'pause' | 'unpause' | 'kill', of: Container): Deed {
  return { label: verb[0]!.toUpperCase() + verb.slice(1), path: `/containers/${part(of.id)}/${verb}`, cli: cli(verb, of), done: `${of.name} ${pastOf[verb]}`,
    icon: { start: 'play', stop: 'stop', restart: 'restart', pause: 'pause', unpause: 'play', kill: 'close' }[verb] };
}
export const removal = (of: Container): Deed => ({ label: 'Remove', method: 'DELETE', path: `/containers/${part(of.id)}?force=true`, danger: true, cli: cli('rm -sf', of), done: `${of.name} removed` });

export function askRemoval(of: Container, then?: () => void): void {
  confirmRemoval({ deed: removal(of), title: `Remove ${of.name}?`, name: of.name, then,
    lost: ['everything written inside the container that is not in a volume', ...(of.state === 'running' ? ['it runs: it is stopped first'] : [])],
    keeps: 'Its image and its named volumes stay.' });
}

export const lifeDeeds = (of: Container): Deed[] =>
  of.state === 'paused' ? [deed('unpause', of)] : ['running', 'restarting'].includes(of.state) ? [deed('stop', of), deed('restart', of)] : [deed('start', of)];
