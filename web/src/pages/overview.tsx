// How it is: what runs, what needs somebody, what happened last.
import { useEffect, useState } from 'preact/hooks';
import { elsewhere } from '../base/engine';
import { bytes, plural } from '../base/format';
import { offers } from '../base/offers';
import { useList, useResource, type Page } from '../base/query';
import { can, canAnywhere } from '../base/session';
import type { History, Overview, Project } from '../base/shapes';
import { LiveCharts } from './stats';
import type { Job } from '../ui/job';
import { Card, Empty, Facts, Head, Loaded, StaleNote, Time } from '../ui/parts';
import { State } from '../ui/state';
import { drifts } from './drift';

const Figure = ({ href, n, label, note, bad }: { href: string; n: number | null; label: string; note?: string; bad?: boolean }) =>
  <a class={`figure ${bad ? 'bad' : ''}`} href={href}><b>{n === null ? '–' : n.toLocaleString('en')}</b><span>{label}</span>{note && <small>{note}</small>}</a>;

const names: Record<string, string> = { images: 'Images', containers: 'Containers', volumes: 'Volumes', buildCache: 'Build cache', used: 'In use', total: 'Total', free: 'Free' };

function Disk({ of }: { of: Record<string, number> }) {
  const parts = Object.entries(of).filter(([name, value]) => typeof value === 'number' && !['total', 'free', 'used'].includes(name));
  const most = Math.max(1, ...parts.map(([, value]) => value));
  const { total, free } = of;
  const used = total && free !== undefined ? ((total - free) / total) * 100 : null;
  return (
    <Card title="Disk">
      {used !== null && <><div class="row"><span class="grow">Data folder of the engine</span><span>{bytes(free)} of {bytes(total)} free</span></div>
        <div class={`meter ${used > 90 ? 'bad' : used > 75 ? 'warn' : ''}`}><i style={{ width: `${used}%` }} /></div></>}
      {parts.map(([name, value]) => <div key={name}><div class="row"><span class="grow">{names[name] ?? name}</span><span class="muted">{bytes(value)}</span></div>
        <div class="meter"><i style={{ width: `${(value / most) * 100}%` }} /></div></div>)}
    </Card>
  );
}

export default function OverviewPage() {
  const overview = useResource<Overview>(offers('/overview') ? '/overview' : null);
  const there = elsewhere(); // projects, deeds and figures of the host are those of the local engine
  const projects = useList<Project>(there ? null : '/projects');
  const jobs = useResource<Page<Job>>(there ? null : '/jobs?limit=8');
  const [history, setHistory] = useState<string | null>(null);
  useEffect(() => setHistory(!there && can('engine') && offers('/history') ? '/history?range=1h' : null), [there]);
  const recent = useResource<History>(history);
  const troubled = (projects.data.value?.items ?? []).filter((each) => each.state === 'partial' || drifts(each));
  const lists = !there && (
    <>
          <Card title="Projects" action={<a href="/projects">All</a>}>
            <Loaded from={projects}>{(page) => page.items.length === 0 ? <Empty title="No project yet">{canAnywhere('deploy') && <a class="button primary" href="/projects/new">Paste a compose file</a>}</Empty>
              : <ul class="list">{[...page.items].sort((a, b) => Number(b.state === 'partial') - Number(a.state === 'partial')).slice(0, 8).map((each) => <li key={each.name}><a class="name grow cut" href={`/projects/${each.name}`}>{each.name}</a>
                {drifts(each) && <State word="drift" title="what runs is not what the files say" />}<State word={each.state} /></li>)}</ul>}</Loaded>
          </Card>
          <Card title="Latest deeds">
            <Loaded from={jobs}>{(page) => page.items.length === 0 ? <p class="muted">Nothing was done yet.</p>
              : <ul class="list">{page.items.slice(0, 8).map((job) => <li key={job.id}><State word={job.state} /><a class="grow cut" href={`/jobs/${job.id}`}>{job.kind} {job.subject}</a><span class="muted"><Time at={job.startedAt} /></span></li>)}</ul>}</Loaded>
          </Card>
    </>
  );
  return (
    <>
      <Head title="Overview">{canAnywhere('deploy') && <a class="button primary" href="/projects/new">New project</a>}</Head>
      <Loaded from={overview}>{(now) => <>
        <StaleNote stale={now.stale} />
        {(now.alerts ?? []).map((alert, i) => <div key={i} class={`notice ${alert.level === 'error' ? 'bad' : 'warn'}`} role="status"><strong>{alert.subject}</strong><span>{alert.text}</span></div>)}
        <div class="figures">
          <Figure href="/containers?state=running" n={now.containers.running} label="running" note={plural(now.containers.stopped, 'container stopped', 'containers stopped')} />
          <Figure href="/containers?state=unhealthy" n={now.containers.unhealthy} label="unhealthy" bad={now.containers.unhealthy > 0} note={now.containers.unhealthy ? 'look at these first' : 'all is well'} />
          <Figure href={there ? '/containers?sort=project' : '/projects'} n={now.projects} label="projects" note={there ? 'by the labels of containers' : troubled.length ? plural(troubled.length, 'needs a look', 'need a look') : 'as their files say'} />
          <Figure href="/images" n={now.images} label="images" note={now.disk?.images ? bytes(now.disk.images) : undefined} />
          <Figure href="/volumes" n={now.volumes} label="volumes" note={now.disk?.volumes ? bytes(now.disk.volumes) : undefined} />
        </div>
        {recent.data.value && recent.data.value.at.length > 1 && <LiveCharts history={recent.data.value} host />}
        <div class="grid">
          {lists}
          {!there && now.certificates && now.certificates.length > 0 && <Card title="Certificates that end soon" action={<a href="/routes/certificates">All</a>}>
            <ul class="list">{now.certificates.map((each) => <li key={each.host}><span class="grow cut">{each.host}</span><Time at={each.notAfterAt ?? each.notAfter} /></li>)}</ul></Card>}
          {now.disk && <Disk of={now.disk} />}
          {now.engine?.version && <Card title="Engine"><Facts of={[['Name', now.engine.name], ['Version', `${now.engine.version} (API ${now.engine.apiVersion})`], ['System', now.engine.os], ['Processors', now.engine.cpus], ['Memory', bytes(now.engine.memory)], ['Storage driver', now.engine.storage]]} /></Card>}
        </div>
      </>}</Loaded>
      {!offers('/overview') && <div class="grid">{lists}</div>}
    </>
  );
}
