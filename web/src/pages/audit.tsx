// Who did what: every change and every denied attempt, and whether the chain is whole.
import { useEffect, useState } from 'preact/hooks';
import { get } from '../base/api';
import { messageOf } from '../base/deed';
import { moment } from '../base/format';
import type { Page } from '../base/query';
import { query, setQuery } from '../base/router';
import { Empty, Head, Problem } from '../ui/parts';
import { State } from '../ui/state';
import { toast } from '../ui/toast';

interface Entry { number: number; time?: number; at?: number; actor: string; name: string; from: string; verb: string; subject: string; project: string; decision: string; difference?: unknown }
const atOf = (entry: Entry) => entry.at ?? (entry.time ?? 0) / (entry.time && entry.time > 1e14 ? 1000 : 1);

export default function Audit() {
  const filter = { verb: query.value.get('verb') ?? '', actor: query.value.get('actor') ?? '', project: query.value.get('project') ?? '' };
  const [all, setAll] = useState<Entry[] | null>(null);
  const [next, setNext] = useState<string | null>(null);
  const [error, setError] = useState('');
  const [open, setOpen] = useState<number | null>(null);
  const load = async (cursor: string | null) => {
    const parameters = new URLSearchParams(Object.entries({ ...filter, cursor: cursor ?? '' }).filter(([, value]) => value));
    try {
      const page = await get<Page<Entry>>(`/audit?${parameters}`);
      setAll((now) => (cursor ? [...(now ?? []), ...page.items] : page.items));
      setNext(page.next);
      setError('');
    } catch (cause) {
      setError(messageOf(cause));
    }
  };
  useEffect(() => {
    const timer = setTimeout(() => void load(null), 200);
    return () => clearTimeout(timer);
  }, [filter.verb, filter.actor, filter.project]);
  const verify = async () => {
    try {
      const said = await get<{ entries: number; broken: number; why?: string }>('/audit/verify');
      if (said.broken) toast(`entry ${said.broken} does not fit: ${said.why}`, 'bad');
      else toast(`the chain of ${said.entries} entries is whole`);
    } catch (cause) {
      toast(messageOf(cause), 'bad');
    }
  };
  const field = (name: keyof typeof filter, label: string) => <label class="search"><span class="sr">{label}</span><input type="search" placeholder={label} value={filter[name]} onInput={(e) => setQuery({ [name]: e.currentTarget.value })} /></label>;
  return (
    <>
      <Head title="Audit"><button type="button" onClick={verify}>Verify the chain</button></Head>
      <div class="bar">{field('verb', 'Deed, such as project.apply')}{field('actor', 'Who')}{field('project', 'Project')}</div>
      {error && <Problem text={error} retry={() => load(null)} />}
      {all?.length === 0 && (filter.verb || filter.actor || filter.project ? <Empty title="Nothing fits"><button type="button" onClick={() => setQuery({ verb: null, actor: null, project: null })}>Show all deeds</button></Empty>
        : <Empty title="Nothing was done yet"><p class="muted">Every change and every denied attempt is kept here: who, from where, what, and on what.</p></Empty>)}
      {all && all.length > 0 && <div class="table-box"><table aria-label="Audit"><thead><tr><th scope="col" class="wide right">No.</th><th scope="col">When</th><th scope="col">Who</th><th scope="col">Deed</th><th scope="col">On what</th><th scope="col">Decision</th><th scope="col" class="wide">From</th><th scope="col"><span class="sr">Difference</span></th></tr></thead>
        <tbody>{all.map((each) => <>
          <tr key={each.number}><td class="wide right muted">{each.number}</td><td class="mono">{moment(atOf(each))}</td><td><button type="button" class="link" onClick={() => setQuery({ actor: each.actor })}>{each.name || each.actor || 'nobody'}</button></td><td><button type="button" class="link" onClick={() => setQuery({ verb: each.verb })}>{each.verb}</button></td><td>{each.subject}</td><td><State word={each.decision} /></td><td class="wide muted mono">{each.from}</td>
            <td class="right">{each.difference != null && JSON.stringify(each.difference) !== '{}' && <button type="button" class="quiet" aria-expanded={open === each.number} onClick={() => setOpen(open === each.number ? null : each.number)}>Details</button>}</td></tr>
          {open === each.number && <tr key={`${each.number}d`}><td colSpan={8} style={{ whiteSpace: 'normal', maxWidth: 'none' }}><pre class="code">{JSON.stringify(each.difference, null, 2)}</pre></td></tr>}
        </>)}</tbody></table></div>}
      {next && <p><button type="button" onClick={() => load(next)}>Older</button></p>}
    </>
  );
}
