// The engine that is looked at: ?engine=NAME on the pages of what an engine holds, the local one elsewhere. berth only
// looks at others. Links and calls carry the name, so that nothing of one engine is taken for another's.
import { computed } from '@preact/signals';
import { options, type VNode } from 'preact';
import { path, query, whenGoing } from './router';

export interface Engine { id: string; name: string; kind: string; address?: string; state: string; version?: string | null; apiVersion?: string | null; why?: string | null }

/** Whether the page at `at` shows an engine's things; all others are of berth, and so of the local engine. */
export const ofEngine = (at: string): boolean => at === '/' || /^\/(containers|images|volumes|networks|events)(\/|$)/.test(at);

/** Its name; "" is the local one. */
export const engine = computed(() => {
  const named = query.value.get('engine') ?? '';
  return named !== 'local' && ofEngine(path.value) ? named : '';
});
export const elsewhere = (): boolean => engine.value !== '';

function withEngine(to: string, name: string): string {
  const [, before, hash] = /^([^#]*)(.*)$/.exec(to)!;
  return `${before}${before!.includes('?') ? '&' : '?'}engine=${encodeURIComponent(name)}${hash}`;
}
const names = (to: string) => /[?&]engine=/.test(to);

/** A path of the API on the engine that is looked at, where its route has one: a change is refused there, not done here. */
export const at = (call: string): string =>
  engine.value && !names(call) && /^\/(containers|images|volumes|networks|overview|events)\b/.test(call) ? withEngine(call, engine.value) : call;

/** A link that stays on the engine, if it leads to such a page. */
export function stay(to: string): string {
  if (!engine.value || names(to) || !/^[/?]/.test(to)) return to;
  return ofEngine(to.startsWith('?') ? path.value : to.replace(/[?#].*/, '')) ? withEngine(to, engine.value) : to;
}

/** The address of the same kind of things on another engine. */
export function addressOn(name: string): string {
  const page = ofEngine(path.value) ? `/${path.value.split('/')[1]}` : '/';
  return name === 'local' ? page : `${page}?engine=${encodeURIComponent(name)}`;
}

whenGoing(stay);
// Each link as it is drawn: also one that is copied or opened in another tab stays on the engine.
const before = options.vnode;
options.vnode = (vnode: VNode) => {
  const props = vnode.props as { href?: unknown } | null;
  if (vnode.type === 'a' && typeof props?.href === 'string') props.href = stay(props.href);
  before?.(vnode);
};
