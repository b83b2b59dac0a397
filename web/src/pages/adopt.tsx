// A project of another program: what adopting it means is shown first, and nothing is adopted before it was.
import { useEffect, useState } from 'preact/hooks';
import { part, post } from '../base/api';
import { carryOut, messageOf, type Deed } from '../base/deed';
import { query, setQuery } from '../base/router';
import { can } from '../base/session';
import type { Plan, Project } from '../base/shapes';
import { Dialog, SameAs } from '../ui/dialog';
import { Problem } from '../ui/parts';
import { changes, Grants, PlanView } from './plan-view';

type Adoption = Plan & { folder?: string; files?: string[] };

function AdoptDialog({ of, onClose }: { of: Project; onClose: () => void }) {
  const [plan, setPlan] = useState<Adoption | null>(null);
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  const path = `/projects/${part(of.name)}/adopt`;
  const look = () => post<Adoption>(path).then((found) => { setPlan(found); setError(''); }, (cause) => setError(messageOf(cause)));
  useEffect(() => void look(), []);
  const deed: Deed = { label: 'Adopt', path, body: { confirm: true }, cli: `berth adopt ${of.name}`, done: `${of.name} is adopted; nothing of it was touched` };
  const adopt = async () => {
    setBusy(true);
    if (await carryOut(deed)) onClose();
    setBusy(false);
  };
  return (
    <Dialog title={`Adopt ${of.name}?`} onClose={onClose} wide>
      {error && <Problem text={error} retry={look} />}
      {!plan && !error && <div class="loading" role="status"><span class="spinner" aria-hidden="true" /> Looking at its files and containers</div>}
      {plan && <>
        <p>berth manages it from then on. No container, network or volume is touched by adopting.</p>
        {plan.files && plan.files.length > 0 && <p>berth then reads and edits {plan.files.map((file, i) => <>{i > 0 && ', '}<code key={file}>{file}</code></>)}{plan.folder && <> in <code>{plan.folder}</code></>}.</p>}
        <p>{changes(plan) ? <><strong>What runs differs from these files.</strong> Applying them later would do this:</> : 'What runs is what these files say.'}</p>
        {changes(plan) ? <PlanView plan={plan} /> : <Grants plan={plan} of={of.name} />}
        <SameAs deed={deed} /></>}
      <footer><button type="button" onClick={onClose}>Leave it as it is</button><button type="button" class="primary" disabled={!plan || busy} onClick={adopt}>Adopt</button></footer>
    </Dialog>
  );
}

export function Adopt({ of }: { of: Project }) {
  const may = can('engine');
  return (
    <><div class="notice info"><strong>Made by another program.</strong><span class="grow">berth shows it; adopting it lets berth manage it{may ? '' : ', which operators may do'}.</span>
      {may && <button type="button" onClick={() => setQuery({ adopt: '1' }, false)}>Adopt …</button>}</div>
      {may && query.value.get('adopt') && <AdoptDialog of={of} onClose={() => setQuery({ adopt: null })} />}</>
  );
}
