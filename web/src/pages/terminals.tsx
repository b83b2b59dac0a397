// Terminals that are open on the server: come back to one, or end it.
import { useState } from 'preact/hooks';
import { part, post } from '../base/api';
import { carryOut, messageOf } from '../base/deed';
import { useResource } from '../base/query';
import type { Opened } from '../terminal/view';
import { lazy } from '../ui/lazy';
import { Empty, Head, Loaded, Problem, Time } from '../ui/parts';
import { State } from '../ui/state';

const TerminalView = lazy(() => import('../terminal/view'));
interface Open { id: string; container: string; name?: string; command: string[] | string; user?: string; openedAt?: number; startedAt?: number; by?: string; attached?: boolean }

export default function Terminals() {
  const list = useResource<{ items: Open[] } | Open[]>('/terminals');
  const [opened, setOpened] = useState<(Opened & { name: string }) | null>(null);
  const [error, setError] = useState('');
  const join = async (of: Open) => {
    try {
      const { ticket } = await post<{ ticket: string }>(`/terminals/${part(of.id)}/tickets`);
      setOpened({ terminal: of.id, ticket, name: of.name ?? of.container });
    } catch (cause) {
      setError(messageOf(cause));
    }
  };
  return (
    <>
      <Head title="Terminals" note="A terminal stays open for a minute after its page is closed." />
      {error && <Problem text={error} />}
      {opened && <TerminalView key={opened.terminal} opened={opened} name={opened.name} onEnd={() => void list.load()} />}
      <Loaded from={list}>{(data) => {
        const all = Array.isArray(data) ? data : data.items;
        return all.length === 0 ? <Empty title="No terminal is open"><p class="muted">Open one on the page of a running container.</p><a class="button" href="/containers?state=running">To the containers</a></Empty> : (
          <div class="table-box"><table aria-label="Terminals"><thead><tr><th scope="col">Container</th><th scope="col">State</th><th scope="col" class="wide">Command</th><th scope="col" class="wide">Opened</th><th scope="col"><span class="sr">Actions</span></th></tr></thead>
            <tbody>{all.map((each) => <tr key={each.id}><td><a class="name" href={`/containers/${each.name ?? each.container}`}>{each.name ?? each.container}</a></td><td><State word={each.attached ? 'active' : 'detached'} /></td><td class="wide mono">{Array.isArray(each.command) ? each.command.join(' ') : each.command}</td><td class="wide"><Time at={each.openedAt ?? each.startedAt} /></td>
              <td class="right"><div class="actions"><button type="button" onClick={() => join(each)}>Come back</button><button type="button" onClick={async () => { await carryOut({ label: 'End', method: 'DELETE', path: `/terminals/${part(each.id)}`, done: 'the terminal ended' }); await list.load(); }}>End</button></div></td></tr>)}</tbody></table></div>);
      }}</Loaded>
    </>
  );
}
