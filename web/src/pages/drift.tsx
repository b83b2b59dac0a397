// Whether what runs differs from what the files say: a badge, and the list behind it.
import { plural } from '../base/format';
import { can } from '../base/session';
import type { Differing, Drift, Project } from '../base/shapes';
import { Time } from '../ui/parts';
import { State } from '../ui/state';

export const drifts = (of: Project): boolean => !!of.drift && of.drift.count !== 0;
const words = ({ count }: Drift): string => (count === null ? 'cannot be told' : `${plural(count, 'object')} ${count === 1 ? 'differs' : 'differ'}`);

/** In a row of a list. */
export function DriftBadge({ of }: { of: Project }) {
  if (!of.drift) return <span class="muted">–</span>;
  if (of.drift.count === 0) return <span class="muted">as they say</span>;
  return <a href={`/projects/${of.name}`} title={of.drift.why}><State word="drift" /> <span class="muted">{words(of.drift)}</span></a>;
}

const lists: [keyof Drift, string, 'warn' | 'bad'][] = [['changed', 'differs', 'warn'], ['missing', 'missing', 'bad'], ['extra', 'too much', 'warn']];

export function DriftNote({ of }: { of: Project }) {
  const { drift } = of;
  if (!drift || !drifts(of)) return null;
  return (
    <section class="card drift" aria-label="Drift">
      <header><h2>{drift.count === null ? 'Whether it is as its files say cannot be told' : 'What runs is not what the files say'}</h2>
        <span class="muted">looked at <Time at={drift.at} /></span>
        {can('deploy', of.name) && of.source === 'managed' && <a class="button" href={`/projects/${of.name}/plan`}>See the plan</a>}</header>
      {drift.why && <p>{drift.why}</p>}
      <ul class="list">{lists.flatMap(([name, word, tone]) => ((drift[name] as Differing[] | undefined) ?? []).map((each) => (
        <li key={`${word} ${each.object}`}><State word={word} tone={tone} /><strong class="cut">{each.object}</strong><span class="grow muted">{each.cause}</span></li>)))}</ul>
    </section>
  );
}
