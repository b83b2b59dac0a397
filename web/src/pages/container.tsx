import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { get, part, post } from '../base/api';
import { elsewhere } from '../base/engine';
import { offers } from '../base/offers';
import { carryOut, copyText, messageOf } from '../base/deed';
import { bytes, shortId } from '../base/format';
import { useResource } from '../base/query';
import { go, query, setQuery } from '../base/router';
import { can, changes } from '../base/session';
import type { ContainerDetail } from '../base/shapes';
import type { Opened } from '../terminal/view';
import { Actions } from '../ui/actions';
import { Icon } from '../ui/icons';
import { lazy } from '../ui/lazy';
import { Card, Copy, Empty, Facts, Field, Head, Loaded, Ports, Problem, ProjectName, Tabs, Time } from '../ui/parts';
import { ContainerState } from '../ui/state';
import { askRemoval, deed, lifeDeeds, removal } from './container-deeds';
import { Changes, Files } from './files';
import { Stats } from './stats';

const LogView = lazy(() => import('../log/view'));
const TerminalView = lazy(() => import('../terminal/view'));

const commandText = (command: string[] | string | null) => (Array.isArray(command) ? command.join(' ') : (command ?? ''));
const word = (text: string) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replace(/'/g, `'\\''`)}'`);

/** The same container as a `docker run` line; values that were not shown are named. */
function asRun(of: ContainerDetail): string {
  const words = ['docker', 'run', '-d', '--name', of.name];
  if (of.restartPolicy && of.restartPolicy !== 'no') words.push('--restart', of.restartPolicy);
  of.ports?.forEach((port) => words.push('-p', port.replace(/\/tcp$/, '')));
  of.mounts?.forEach((mount) => words.push('-v', `${mount.name ?? mount.source}:${mount.target}${mount.readOnly ? ':ro' : ''}`));
  of.env?.forEach((each) => words.push('-e', each.value === null ? each.name : `${each.name}=${each.value}`));
  if (of.limits?.memory) words.push('--memory', String(of.limits.memory));
  return [...words.map(word), of.image, commandText(of.command)].join(' ').trim();
}
function asCompose(of: ContainerDetail): string {
  const q = (text: string) => JSON.stringify(text);
  const list = (name: string, items: string[]) => (items.length ? `    ${name}:\n${items.map((each) => `      - ${q(each)}\n`).join('')}` : '');
  return `services:\n  ${of.service ?? of.name}:\n    image: ${q(of.image)}\n${of.restartPolicy && of.restartPolicy !== 'no' ? `    restart: ${of.restartPolicy}\n` : ''}` +
    list('ports', of.ports ?? []) + list('volumes', (of.mounts ?? []).map((m) => `${m.name ?? m.source}:${m.target}${m.readOnly ? ':ro' : ''}`)) + list('environment', (of.env ?? []).map((e) => (e.value === null ? e.name : `${e.name}=${e.value}`)));
}

function Summary({ of }: { of: ContainerDetail }) {
  return (
    <div class="grid">
      <Card title="State"><Facts of={[
        ['Status', <ContainerState of={of} />], ['Started', <Time at={of.startedAt} />], ...(of.state !== 'running' && of.finishedAt ? [['Ended', <Time at={of.finishedAt} />] as [string, ComponentChildren]] : []), ['Created', <Time at={of.createdAt} />], ['Restarts', of.restarts], ['Restart policy', of.restartPolicy || 'no'],
        ['Last exit code', of.exitCode === null || of.state === 'running' ? '–' : <span class={of.exitCode ? 'bad' : ''}>{of.exitCode}{of.oomKilled ? ', out of memory' : ''}</span>],
        ['Memory at most', of.limits?.memory ? bytes(of.limits.memory) : 'no limit'], ['Processors at most', of.limits?.cpus || 'no limit']]} /></Card>
      <Card title="What it is"><Facts of={[
        ['Id', <span class="mono">{shortId(of.id)}<Copy text={of.id} what="id" /></span>], ['Image', <span class="mono">{of.image}</span>], ['Project', <ProjectName of={of.project} />], ['Service', of.service],
        ['Ports', <Ports ports={of.ports} />], ['Command', <code>{commandText(of.command) || '–'}</code>]]} /></Card>
      <Card title="Networks">{of.networks?.length ? <ul class="list">{of.networks.map((each) => <li key={each.name}><a class="grow cut" href={`/networks?q=${encodeURIComponent(each.name)}`}>{each.name}</a><span class="mono">{each.ip || '–'}</span></li>)}</ul> : <p class="muted">None.</p>}</Card>
      <Card title="Mounts">{of.mounts?.length ? <ul class="list">{of.mounts.map((each) => <li key={each.target}><span class="grow"><code>{each.target}</code><br /><small class="muted">{each.name ? <a href={`/volumes/${each.name}`}>{each.name}</a> : each.source || each.type}</small></span><span class="tag">{each.readOnly ? 'read only' : each.type}</span></li>)}</ul> : <p class="muted">None: what it writes goes with it.</p>}</Card>
      {of.healthLog && of.healthLog.length > 0 && <Card title="Health checks"><ul class="list">{of.healthLog.slice(-5).reverse().map((each) => <li key={each.at}><Icon name={each.exitCode ? 'close' : 'check'} /><span class={`grow ${each.exitCode ? 'bad' : ''}`}>{each.output?.trim() || `exit code ${each.exitCode}`}</span><Time at={each.at} /></li>)}</ul></Card>}
    </div>
  );
}

function Environment({ of }: { of: ContainerDetail }) {
  const [shown, setShown] = useState(false);
  const { env } = of;
  if (!env?.length) return <Empty title="No environment" />;
  const hidden = env.every((each) => each.value === null);
  return (
    <>
      <div class="bar">{hidden ? <span class="muted">Values are shown to those who may see them.</span> : <button type="button" aria-pressed={shown} onClick={() => setShown(!shown)}><Icon name="eye" /> {shown ? 'Hide values' : 'Show values'}</button>}</div>
      <div class="table-box"><table class="plain" aria-label="Environment"><thead><tr><th scope="col">Name</th><th scope="col">Value</th></tr></thead>
        <tbody>{env.map((each) => <tr key={each.name}><td class="mono">{each.name}</td><td class="mono">{each.value === null || !shown ? '••••••' : each.value}{each.value !== null && <Copy text={each.value} what={each.name} />}</td></tr>)}</tbody></table></div>
    </>
  );
}

function Terminal({ of }: { of: ContainerDetail }) {
  const [opened, setOpened] = useState<Opened | null>(null);
  const [error, setError] = useState('');
  const shell = query.value.get('shell') ?? 'auto', who = query.value.get('user') ?? '';
  const open = async (event: Event) => {
    event.preventDefault();
    setError('');
    try {
      setOpened(await post<Opened>(`/containers/${part(of.id)}/terminals`, { command: shell === 'auto' ? null : shell.split(' '), user: who, cols: 100, rows: 30 }));
    } catch (cause) {
      setError(messageOf(cause));
    }
  };
  if (of.state !== 'running') return <Empty title="It does not run"><p class="muted">A terminal needs a running container.</p></Empty>;
  return (
    <>
      {error && <Problem text={error} />}
      {opened ? <><TerminalView opened={opened} name={of.name} /><p><button type="button" onClick={() => setOpened(null)}>Open another</button></p></> : (
        <form class="card" onSubmit={open}>
          <div class="fields">
            <Field label="Shell"><select value={shell} onChange={(e) => setQuery({ shell: e.currentTarget.value === 'auto' ? null : e.currentTarget.value })}><option value="auto">the best there is</option><option>bash</option><option>sh</option><option>ash</option><option value="python3">python3</option></select></Field>
            <Field label="User" hint="Empty: the container's own"><input value={who} placeholder="root" onInput={(e) => setQuery({ user: e.currentTarget.value })} /></Field>
          </div>
          <button class="primary"><Icon name="terminal" /> Open the terminal</button>
        </form>
      )}
    </>
  );
}

function Raw({ id }: { id: string }) {
  const [text, setText] = useState('');
  const [error, setError] = useState('');
  useEffect(() => {
    get<unknown>(`/containers/${part(id)}/inspect`).then((value) => setText(JSON.stringify(value, null, 2)), (cause) => setError(messageOf(cause)));
  }, [id]);
  if (error) return <Problem text={error} />;
  return <><div class="bar"><button type="button" onClick={() => copyText(text, 'inspect')}><Icon name="copy" /> Copy</button></div><pre class="code" tabIndex={0} role="region" aria-label="Inspect">{text}</pre></>;
}

export default function ContainerPage({ id, tab = 'summary' }: Record<string, string>) {
  const found = useResource<ContainerDetail>(`/containers/${part(id!)}`);
  return <Loaded from={found} title={id}>{(of) => <Detail of={of} tab={tab} />}</Loaded>;
}

function Detail({ of, tab }: { of: ContainerDetail; tab: string }) {
  const acts = changes('act', of.project), runs = of.state === 'running';
  const tabs = [{ id: 'summary', label: 'Summary' }, { id: 'logs', label: 'Logs' }, ...(offers('/containers/{}/history') ? [{ id: 'stats', label: 'Figures' }] : []),
    ...(changes('exec', of.project) && offers('/containers/{}/terminals') ? [{ id: 'terminal', label: 'Terminal' }] : []), ...(can('exec', of.project) && offers('/containers/{}/files') ? [{ id: 'files', label: 'Files' }, { id: 'changes', label: 'Changes' }] : []),
    { id: 'environment', label: 'Environment', count: of.env?.length }, ...(can('reveal', of.project) ? [{ id: 'inspect', label: 'Inspect' }] : [])];
  const to = (name: string) => `/containers/${of.name}${name === 'summary' ? '' : `/${name}`}`;
  const life = acts ? lifeDeeds(of) : [], further = acts && runs ? [deed('pause', of), deed('kill', of)] : [];
  return (
    <>
      <Head title={of.name} above={of.project && !elsewhere() ? <><a href="/projects">Projects</a> / <a href={`/projects/${of.project}`}>{of.project}</a></> : <a href="/containers">Containers</a>}
        note={<><ContainerState of={of} /><span class="mono">{of.image}</span><Ports ports={of.ports} /></>}>
        <Actions deeds={life} also={[...further, ...(changes('remove', of.project) ? [removal(of)] : [])]} more={[
          ...further.map((each) => ({ label: each.label, run: () => void carryOut(each) })),
          { label: 'Copy as docker run', run: () => void copyText(asRun(of), 'docker run') }, { label: 'Copy as compose', run: () => void copyText(asCompose(of), 'compose file') },
          ...(changes('remove', of.project) ? [{ label: 'Remove …', danger: true, run: () => askRemoval(of, () => go('/containers')) }] : [])]} />
      </Head>
      <Tabs label="Container" tabs={tabs} current={tab} to={to} />
      {tab === 'summary' && <Summary of={of} />}
      {tab === 'logs' && <LogView path={`/containers/${part(of.id)}/logs`} name={of.name} container />}
      {tab === 'stats' && <Stats id={part(of.id)} running={runs} />}
      {tab === 'terminal' && changes('exec', of.project) && <Terminal of={of} />}
      {tab === 'files' && can('exec', of.project) && <Files root={`/containers/${part(of.id)}/files`} />}
      {tab === 'changes' && can('exec', of.project) && <Changes id={of.id} />}
      {tab === 'environment' && <Environment of={of} />}
      {tab === 'inspect' && can('reveal', of.project) && <Raw id={of.id} />}
    </>
  );
}
