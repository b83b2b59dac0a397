// Tokens for programs: shown once, narrowed to scopes, with an end.
import { useState } from 'preact/hooks';
import { part } from '../base/api';
import { carryOut } from '../base/deed';
import { useResource } from '../base/query';
import { query, setQuery } from '../base/router';
import { confirmRemoval, Dialog } from '../ui/dialog';
import { Copy, Empty, Field, Head, Loaded, Time } from '../ui/parts';

interface Token { id: string; name: string; scopes: string[] | null; createdAt?: number; expiresAt: number | null; usedAt?: number | null }
const scopes: [string, string][] = [['view', 'see'], ['logs', 'read logs'], ['act', 'start, stop, restart'], ['deploy', 'files, plan, apply'], ['reveal', 'values'], ['exec', 'terminals'], ['remove', 'remove'], ['engine', 'images, volumes, networks'], ['audit', 'the audit log'], ['users', 'users'], ['settings', 'settings']];
const ends: [string, number][] = [['7 days', 7], ['30 days', 30], ['90 days', 90], ['a year', 365]];

function NewToken({ onClose, onMade }: { onClose: () => void; onMade: (token: string) => void }) {
  const [name, setName] = useState('');
  const [chosen, setChosen] = useState(new Set(['view']));
  const [days, setDays] = useState(30);
  const submit = async (event: Event) => {
    event.preventDefault();
    const made = await carryOut<{ token: string }>({ label: 'Create', path: '/me/tokens', body: { name, scopes: [...chosen], expiresAt: Date.now() + days * 86_400_000 } });
    if (made) onMade(made.token);
  };
  const toggle = (scope: string) => {
    const next = new Set(chosen);
    if (!next.delete(scope)) next.add(scope);
    setChosen(next);
  };
  return (
    <Dialog title="New token" onClose={onClose}><form onSubmit={submit}>
      <Field label="Name" hint="Where it is used"><input data-first required value={name} onInput={(e) => setName(e.currentTarget.value)} /></Field>
      <fieldset class="field"><legend>It may</legend><div class="fields">{scopes.map(([scope, what]) => <label key={scope} class="row"><input type="checkbox" checked={chosen.has(scope)} onChange={() => toggle(scope)} /> {scope}: {what}</label>)}</div></fieldset>
      <Field label="It ends after"><select value={days} onChange={(e) => setDays(Number(e.currentTarget.value))}>{ends.map(([label, n]) => <option key={n} value={n}>{label}</option>)}</select></Field>
      <footer><button type="button" onClick={onClose}>Cancel</button><button class="primary" disabled={chosen.size === 0}>Create</button></footer></form></Dialog>
  );
}

export default function Tokens() {
  const list = useResource<{ items: Token[] } | Token[]>('/me/tokens');
  const [made, setMade] = useState('');
  return (
    <>
      <Head title="Tokens" note="For programs: they send it as a bearer token. One never may more than you."><button type="button" class="primary" onClick={() => setQuery({ new: '1' }, false)}>New token</button></Head>
      {made && <div class="notice ok" role="status"><strong>Copy it now: it is not shown again.</strong> <code class="grow" style={{ overflowWrap: 'anywhere' }}>{made}</code><Copy text={made} what="token" /><button type="button" onClick={() => setMade('')}>Done</button></div>}
      <Loaded from={list}>{(data) => {
        const all = Array.isArray(data) ? data : data.items;
        return all.length === 0 ? <Empty title="No token yet"><p class="muted">A program, such as a pipeline that deploys, signs in by a token of its own: with less rights, and an end.</p></Empty> : <div class="table-box"><table aria-label="Tokens"><thead><tr><th scope="col">Name</th><th scope="col" class="wide">May</th><th scope="col">Ends</th><th scope="col" class="wide">Last used</th><th scope="col"><span class="sr">Actions</span></th></tr></thead>
          <tbody>{all.map((each) => <tr key={each.id}><td class="name">{each.name}</td><td class="wide">{(each.scopes ?? ['everything you may']).map((scope) => <><span class="tag">{scope}</span> </>)}</td><td><Time at={each.expiresAt} /></td><td class="wide"><Time at={each.usedAt} /></td>
            <td class="right"><button type="button" onClick={() => confirmRemoval({ title: `Revoke ${each.name}?`, name: each.name, lost: ['whatever uses it is refused from now on'], then: () => void list.load(), deed: { label: 'Revoke', method: 'DELETE', path: `/me/tokens/${part(each.id)}`, done: `${each.name} is revoked` } })}>Revoke …</button></td></tr>)}</tbody></table></div>;
      }}</Loaded>
      {query.value.get('new') && <NewToken onClose={() => setQuery({ new: null })} onMade={(token) => { setMade(token); setQuery({ new: null }); void list.load(); }} />}
    </>
  );
}
