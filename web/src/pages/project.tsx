import { useEffect, useState } from 'preact/hooks';
import { ApiError, part, post } from '../base/api';
import { messageOf } from '../base/deed';
import { bytes, shortId } from '../base/format';
import { useList, useResource } from '../base/query';
import { go, query, setQuery } from '../base/router';
import { can } from '../base/session';
import type { Container, Plan, Project, Volume } from '../base/shapes';
import { Actions, copies, DeedButton } from '../ui/actions';
import { Dialog, SameAs } from '../ui/dialog';
import { Icon } from '../ui/icons';
import { followJob } from '../ui/job';
import { lazy } from '../ui/lazy';
import { Menu } from '../ui/menu';
import { Card, Copy, Empty, Head, Loaded, Ports, Problem, StaleNote, Tabs, Time } from '../ui/parts';
import { ContainerState, State } from '../ui/state';
import { Adopt } from './adopt';
import { DriftNote, drifts } from './drift';
import { askProjectRemoval, lifeOf, projectDeed } from './project-deeds';
import { lifeDeeds } from './container-deeds';
import { PlanView, changes } from './plan-view';

const LogView = lazy(() => import('../log/view'));
const Files = lazy<{ of: Project }>(() => import('./project-files'));

function Services({ of }: { of: Project }) {
  const containers = useList<Container>(`/containers?project=${part(of.name)}`);
  const acts = can('act', of.name);
  return (
    <>
      {of.services.length === 0 && <Empty title="Nothing runs yet"><p class="muted">The files are saved; the plan says what applying them would do.</p><a class="button primary" href={`/projects/${of.name}/plan`}>See the plan</a></Empty>}
      {of.services.map((service) => {
        const own = (containers.data.value?.items ?? []).filter((each) => each.service === service.name);
        const verbs = acts ? [projectDeed('restart', of.name, [service.name]), service.running ? projectDeed('stop', of.name, [service.name]) : projectDeed('start', of.name, [service.name])] : [];
        return (
          <Card key={service.name} title={service.name} action={<div class="actions">
            {service.health && service.health !== 'none' && <State word={service.health} />}<State word={`${service.running}/${service.replicas} running`} tone={service.running === service.replicas && service.running > 0 ? 'ok' : service.running ? 'warn' : 'idle'} />
            <a class="button quiet" href={`/projects/${of.name}/logs?services=${service.name}`}><Icon name="logs" /> Logs</a>
            {verbs.map((each) => <DeedButton key={each.label} deed={each} compact />)}{verbs.length > 0 && <Menu label={`More for ${service.name}`} items={copies(verbs)} />}</div>}>
            <div class="muted mono cut">{service.image.startsWith('sha256:') ? shortId(service.image) : service.image}</div>
            <ul class="list">{own.map((each) => <li key={each.id}><ContainerState of={each} /><a class="name grow cut" href={`/containers/${each.name}`}>{each.name}</a><Ports ports={each.ports} />
              {acts && <div class="actions">{lifeDeeds(each).map((deed) => <DeedButton key={deed.label} deed={deed} compact />)}</div>}
              {can('exec', of.name) && each.state === 'running' && <a class="button quiet square" href={`/containers/${each.name}/terminal`} title={`terminal in ${each.name}`} aria-label={`terminal in ${each.name}`}><Icon name="terminal" /></a>}</li>)}</ul>
          </Card>
        );
      })}
    </>
  );
}

const Logs = ({ of }: { of: Project }) =>
  <LogView path={`/projects/${part(of.name)}/logs`} name={of.name} services={of.services.map((each) => each.name)} />;

function PlanTab({ of }: { of: Project }) {
  const [plan, setPlan] = useState<Plan | null>(null);
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  const make = async () => {
    setBusy(true);
    setError('');
    try {
      setPlan(await post<Plan>(`/projects/${part(of.name)}/plan`));
    } catch (cause) {
      setPlan(null);
      setError(messageOf(cause));
    }
    setBusy(false);
  };
  useEffect(() => void make(), [of.name]);
  const apply = async () => {
    setBusy(true);
    try {
      const { job } = await post<{ job: string }>(`/projects/${part(of.name)}/apply`, { plan: plan!.plan });
      followJob(job, `Apply ${of.name}`, () => void make());
    } catch (cause) {
      setError(cause instanceof ApiError && cause.code === 'moved' ? `${cause.message}; this is the plan of now` : messageOf(cause));
      if (cause instanceof ApiError && cause.code === 'moved') void make();
    }
    setBusy(false);
  };
  const deed = { label: 'Apply', path: `/projects/${part(of.name)}/apply`, body: { plan: plan?.plan }, cli: `berth -p ${of.name} up -d` };
  if (!plan && busy) return <div class="loading" role="status"><span class="spinner" /> Looking at files and engine</div>;
  return (
    <>
      {error && <Problem text={error} retry={make} />}
      {plan && <><PlanView plan={plan} />
        <div class="actions">{can('deploy', of.name) && <button type="button" class="primary" disabled={busy || !changes(plan)} onClick={apply}>Apply</button>}<button type="button" disabled={busy} onClick={make}>Plan again</button></div><SameAs deed={deed} /></>}
    </>
  );
}

interface Variable { service: string; name: string; value: string | null; origin: string }
function Environment({ of }: { of: Project }) {
  const [shown, setShown] = useState(false);
  const list = useResource<Variable[] | { items: Variable[] }>(`/projects/${part(of.name)}/environment${shown ? '?reveal=true' : ''}`);
  return (
    <Loaded from={list}>{(data) => {
      const all = Array.isArray(data) ? data : data.items;
      if (all.length === 0) return <Empty title="No environment" />;
      return <>
        <div class="bar">{can('reveal', of.name) ? <button type="button" aria-pressed={shown} onClick={() => setShown(!shown)}><Icon name="eye" /> {shown ? 'Hide values' : 'Show values'}</button> : <span class="muted">Values are shown to those who may see them.</span>}</div>
        <div class="table-box"><table class="plain" aria-label="Environment"><thead><tr><th scope="col">Service</th><th scope="col">Name</th><th scope="col">Value</th><th scope="col" class="wide">From</th></tr></thead>
          <tbody>{all.map((each, i) => <tr key={i}><td>{each.service}</td><td class="mono">{each.name}</td><td class="mono">{shown && each.value !== null ? each.value : '••••••'}{each.value !== null && <Copy text={each.value} what={each.name} />}</td><td class="wide muted mono">{each.origin}</td></tr>)}</tbody></table></div></>;
    }}</Loaded>
  );
}

function Volumes({ of }: { of: Project }) {
  const list = useResource<Volume[] | { items: Volume[] }>(`/projects/${part(of.name)}/volumes`);
  return (
    <Loaded from={list}>{(data) => {
      const all = Array.isArray(data) ? data : data.items;
      return all.length === 0 ? <Empty title="No volumes"><p class="muted">What its containers write goes with them.</p></Empty> : (
        <div class="table-box"><table aria-label="Volumes"><thead><tr><th scope="col">Volume</th><th scope="col" class="right">Size</th><th scope="col">Used by</th></tr></thead>
          <tbody>{all.map((each) => <tr key={each.name}><td><a class="name" href={`/volumes/${each.name}`}>{each.name}</a></td><td class="right">{bytes(each.size)}</td><td>{each.usedBy?.join(', ') || <State word="unused" />}</td></tr>)}</tbody></table></div>);
    }}</Loaded>
  );
}

interface Generation { generation: number; at: number; who?: string; command?: string; note?: string; summary?: string }

/** What going back would change comes first; it is carried out as it was shown, or not at all. */
function RollBack({ of, to, onClose }: { of: Project; to: Generation; onClose: () => void }) {
  const [plan, setPlan] = useState<Plan | null>(null);
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  const path = `/projects/${part(of.name)}/rollback`;
  const look = async () => {
    setError('');
    try {
      setPlan(await post<Plan>(`${path}/plan`, { generation: to.generation }));
    } catch (cause) {
      setPlan(null);
      setError(messageOf(cause));
    }
  };
  useEffect(() => void look(), []);
  const deed = { label: `Roll ${of.name} back`, path, body: { plan: plan?.plan }, cli: `berth -p ${of.name} rollback ${to.generation}` };
  const back = async () => {
    setBusy(true);
    try {
      const { job } = await post<{ job: string }>(path, { plan: plan!.plan });
      followJob(job, deed.label);
      onClose();
    } catch (cause) {
      await look();
      setError(messageOf(cause));
    }
    setBusy(false);
  };
  return (
    <Dialog title={`Roll ${of.name} back to #${to.generation}`} onClose={onClose} wide>
      <p class="muted">Services get the files and images of <Time at={to.at} />{to.who && `, by ${to.who}`}. Data in volumes stays as it is now, and so do the files on disk.</p>
      {error && <Problem text={error} retry={look} />}
      {plan ? <PlanView plan={plan} /> : !error && <div class="loading" role="status"><span class="spinner" aria-hidden="true" /> Looking at what would change</div>}
      {plan && <SameAs deed={deed} />}
      <footer><button type="button" onClick={onClose}>Leave it as it is</button><button type="button" class={plan?.dataAtRisk?.length ? 'danger' : 'primary'} disabled={!plan || busy || !changes(plan)} onClick={back}>{plan?.dataAtRisk?.length ? 'Roll back and risk the data' : 'Roll back'}</button></footer>
    </Dialog>
  );
}

function HistoryTab({ of }: { of: Project }) {
  const list = useResource<Generation[] | { items: Generation[] }>(`/projects/${part(of.name)}/history`);
  const wanted = Number(query.value.get('back') ?? 0);
  return (
    <Loaded from={list}>{(data) => {
      const all = [...(Array.isArray(data) ? data : data.items)].sort((a, b) => b.generation - a.generation);
      const to = all.slice(1).find((each) => each.generation === wanted);
      return all.length === 0 ? <Empty title="Nothing was applied yet"><p class="muted">Each change that succeeds is kept here, and can be gone back to.</p></Empty> : (
        <div class="card"><ul class="list generations">{all.map((each, i) => <li key={each.generation}><strong>#{each.generation}</strong>{i === 0 ? <State word="current" tone="ok" /> : null}<span class="grow" title={each.command}>{[each.summary, each.note].filter(Boolean).join(': ')}</span>
          <span class="muted">{each.who}</span><Time at={each.at} />{i > 0 && can('deploy', of.name) && <button type="button" onClick={() => setQuery({ back: String(each.generation) }, false)}>Roll back …</button>}</li>)}</ul>
          {to && can('deploy', of.name) && <RollBack of={of} to={to} onClose={() => setQuery({ back: null })} />}</div>);
    }}</Loaded>
  );
}

export default function ProjectPage({ name, tab = 'services' }: Record<string, string>) {
  const found = useResource<Project>(`/projects/${part(name!)}`);
  return <Loaded from={found} title={name}>{(of) => <Detail key={of.name} of={of} tab={tab} />}</Loaded>;
}

function Detail({ of, tab }: { of: Project; tab: string }) {
  const urls = of.urls ?? [];
  const life = can('act', of.name) && of.state !== 'draft' ? lifeOf(of) : [];
  const tabs = [{ id: 'services', label: 'Services', count: of.services.length }, ...(can('deploy', of.name) && of.source === 'managed' ? [{ id: 'plan', label: 'Plan', count: of.drift?.count || null }, { id: 'files', label: 'Files' }] : []), { id: 'logs', label: 'Logs' }, { id: 'environment', label: 'Environment' }, { id: 'volumes', label: 'Volumes' }, { id: 'history', label: 'History' }];
  const gone = () => go('/projects');
  return (
    <>
      <Head title={of.name} above={<a href="/projects">Projects</a>} note={<><State word={of.state} />{drifts(of) && <State word="drift" />}
        {urls.map((url) => <a key={url} href={url} target="_blank" rel="noreferrer noopener"><Icon name="out" size={13} /> {url.replace(/^https?:\/\//, '').replace(/\/$/, '')}</a>)}</>}>
        <Actions deeds={life} more={can('remove', of.name) ? [{ label: 'Remove, keep the data …', danger: true, run: () => void askProjectRemoval(of, false, gone) }, { label: 'Remove with its data …', danger: true, run: () => void askProjectRemoval(of, true, gone) }] : []} />
      </Head>
      <StaleNote stale={of.stale} />
      {of.problem && <div class="notice bad" role="alert"><strong>Its files cannot be read.</strong> <a class="grow" href={`/projects/${of.name}/files?file=${encodeURIComponent(of.problem.file)}`}>{of.problem.file}:{of.problem.line}:{of.problem.column}</a> {of.problem.message}</div>}
      {of.source === 'foreign' && <Adopt of={of} />}
      <Tabs label="Project" tabs={tabs} current={tab} to={(id) => `/projects/${of.name}${id === 'services' ? '' : `/${id}`}`} />
      {tab === 'services' && <><DriftNote of={of} /><Services of={of} /></>}
      {tab === 'plan' && can('deploy', of.name) && <PlanTab of={of} />}
      {tab === 'files' && can('deploy', of.name) && <Files of={of} />}
      {tab === 'logs' && <Logs of={of} />}
      {tab === 'environment' && <Environment of={of} />}
      {tab === 'volumes' && <Volumes of={of} />}
      {tab === 'history' && <HistoryTab of={of} />}
    </>
  );
}
