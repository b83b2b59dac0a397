// A plan as a tree: what is made, replaced, kept and removed, why, and what it risks.
import type { Change, Plan, PlanLeaf } from '../base/shapes';
import { State, type Tone } from '../ui/state';

const tones: Record<string, Tone> = { create: 'ok', start: 'ok', pull: 'info', build: 'info', change: 'info', wait: 'info', recreate: 'warn', restart: 'warn', stop: 'warn', remove: 'bad', keep: 'idle' };
const text = (value: unknown) => (value === null || value === undefined || value === '' ? '–' : typeof value === 'string' ? value : JSON.stringify(value));

const Row = ({ change }: { change: Change }) => change.secret
  ? <tr><td><code>{change.field}</code></td><td colSpan={2}>{change.text?.replace(`${change.field}: `, '') ?? 'changed'}</td></tr>
  : <tr><td><code>{change.field}</code></td><td class="old">{text(change.old)}</td><td class="new">{text(change.new)}</td></tr>;

function Leaf({ leaf }: { leaf: PlanLeaf }) {
  return (
    <div class="plan-op">
      <div><State word={leaf.deed} tone={tones[leaf.deed]} /></div>
      <div><strong>{leaf.object}</strong>{leaf.risk === 'data' && <> <State word="data at risk" tone="bad" /></>}</div>
      {leaf.cause && <div class="cause">{leaf.cause}</div>}
      {leaf.risks?.map((risk) => <div key={risk} class={`cause ${leaf.risk === 'data' ? 'bad' : ''}`}>{risk}</div>)}
      {leaf.details?.length > 0 && <table class="plain"><thead class="sr"><tr><th scope="col">Field</th><th scope="col">Now</th><th scope="col">Then</th></tr></thead>
        <tbody>{leaf.details.map((each) => <Row key={each.field} change={each} />)}</tbody></table>}
    </div>
  );
}

const verbs: Record<string, string> = { create: 'create', start: 'start', stop: 'stop', remove: 'remove', recreate: 'recreate', pull: 'pull', build: 'build', restart: 'restart' };
/** The tree that the server made; of a plan without one, its ops as they stand. */
function branches(plan: Plan) {
  if (plan.tree) return plan.tree;
  return [{ service: '', leaves: plan.ops.map((op): PlanLeaf => ({ deed: verbs[op.verb.replace(/([a-z])[A-Z].*/, '$1').toLowerCase()] ?? 'change', object: op.subject, cause: op.cause, risk: op.risk ?? 'none', risks: [], details: op.details })) }];
}
const named = (each: string | { subject: string; reason?: string }) => (typeof each === 'string' ? each : each.subject);

export const changes = (plan: Plan): boolean => plan.changes ?? plan.ops.length > 0;

const counts: [keyof Plan['summary'], string, Tone][] = [['create', 'to create', 'ok'], ['recreate', 'to recreate', 'warn'], ['change', 'to change', 'info'], ['remove', 'to remove', 'bad'], ['images', 'images', 'info'], ['keep', 'kept', 'idle']];

export function Grants({ plan, of }: { plan: Plan; of?: string }) {
  return (
    <>
      {plan.grantsNeeded?.filter((each) => typeof each === 'string' || !each.granted).map((each) => (typeof each === 'string' ? <div key={each} class="notice warn">{each}</div>
        : <div key={`${each.service} ${each.field}`} class="notice warn" role="alert"><strong>Needs a grant:</strong> <span class="grow">{each.service} <code>{each.field}</code> {each.value} <span class="muted">{each.at}</span></span><code>{of ? `berth broker grant ${of} ${each.field}` : 'berth broker grant'}</code></div>))}
      {plan.grantsNeeded?.filter((each) => typeof each !== 'string' && each.granted).map((each) => (typeof each === 'string' ? null
        : <div key={`granted ${each.service} ${each.field}`} class="notice info"><strong>Granted exception:</strong> <span class="grow">{each.service} <code>{each.field}</code> <span class="muted">{each.at}</span></span></div>))}
    </>
  );
}

export function PlanView({ plan }: { plan: Plan }) {
  return (
    <div class="card">
      <div class="row wrap" role="status">
        {!changes(plan) && <strong>Nothing to do: it is as the files say.</strong>}
        {counts.map(([name, word, tone]) => (plan.summary[name] ? <State key={name} word={`${plan.summary[name]} ${word}`} tone={tone} /> : null))}
      </div>
      {plan.dataAtRisk?.map((each) => <div key={each} class="notice bad" role="alert"><strong>Data at risk:</strong> <span class="grow">{each}</span></div>)}
      <Grants plan={plan} />
      {plan.warnings?.map((each) => <div key={each} class="notice warn">{each}</div>)}
      {plan.downtime?.filter((each) => each.seconds > 0).map((each) => <div key={each.service} class="notice info"><strong>{each.service}</strong> is away for about {each.seconds} s: {each.why}</div>)}
      {plan.foreign?.length > 0 && <div class="notice info">Not of this project, left alone: {plan.foreign.map(named).join(', ')}</div>}
      {branches(plan).map((branch) => <section key={branch.service} aria-label={branch.service || 'project'}>{branch.service && <h2 class="branch">{branch.service}</h2>}{branch.leaves.map((leaf, i) => <Leaf key={i} leaf={leaf} />)}</section>)}
    </div>
  );
}
