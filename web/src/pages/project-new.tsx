// Paste a Compose file, see the plan, apply it, open the address.
import { useEffect, useRef, useState } from 'preact/hooks';
import { get, part, post, send } from '../base/api';
import { messageOf } from '../base/deed';
import { changed } from '../base/query';
import type { Plan, Project } from '../base/shapes';
import { Problems, type Found } from '../editor/problem';
import { useVerdict } from '../editor/validate';
import { Icon } from '../ui/icons';
import { ended, JobLines, useJob } from '../ui/job';
import { lazy } from '../ui/lazy';
import { Field, Head, Problem } from '../ui/parts';
import { SameAs } from '../ui/dialog';
import { State } from '../ui/state';
import { changes, PlanView } from './plan-view';

const Editor = lazy(() => import('../editor/view'));

const sample = `services:
  web:
    image: nginx:1.27-alpine
    labels:
      traefik.enable: "true"
      traefik.http.routers.web.rule: Host(\`hello.localhost\`)
    healthcheck:
      test: ["CMD", "wget", "-qO-", "http://127.0.0.1/"]
      interval: 10s
`;
const named = (text: string) => /^name:\s*["']?([a-z0-9][a-z0-9_-]*)/m.exec(text)?.[1] ?? '';

const Steps = ({ at }: { at: number }) => (
  <ol class="steps" style={{ listStyle: 'none', padding: 0 }}>{['Files', 'Plan', 'Apply'].map((label, i) => <li key={label} class={`step ${i === at ? 'on' : i < at ? 'past' : ''}`} aria-current={i === at ? 'step' : undefined}><b>{i + 1}</b>{label}</li>)}</ol>
);

export default function NewProject() {
  const [name, setName] = useState('');
  const [compose, setCompose] = useState('');
  const [revision, setRevision] = useState(0);
  const [env, setEnv] = useState('');
  const [withEnv, setWithEnv] = useState(false);
  const [to, setTo] = useState<{ line: number; column: number } | null>(null);
  const [plan, setPlan] = useState<Plan | null>(null);
  const [job, setJob] = useState('');
  const [made, setMade] = useState(false);
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  const wanted = name || named(compose);
  const files: Record<string, string> = { 'compose.yaml': compose, ...(withEnv ? { '.env': env } : {}) };
  const { verdict } = useVerdict('/projects/validate', { files, name: wanted || 'project' });
  const problems = verdict?.problems ?? [];

  const guard = async (what: () => Promise<void>) => {
    setBusy(true);
    setError('');
    try {
      await what();
    } catch (cause) {
      setError(messageOf(cause));
    }
    setBusy(false);
  };
  const save = async () => {
    if (!made) {
      await post<unknown>('/projects', { name: wanted, files });
      setMade(true);
      return;
    }
    for (const [path, text] of Object.entries(files)) await send('PUT', `/projects/${part(wanted)}/files/${part(path)}`, { text });
  };
  const makePlan = () => guard(async () => {
    await save();
    setPlan(await post<Plan>(`/projects/${part(wanted)}/plan`));
    changed('/projects');
  });
  const apply = () => guard(async () => {
    const answer = await post<{ job: string }>(`/projects/${part(wanted)}/apply`, { plan: plan!.plan });
    setJob(answer.job);
  });
  const step = job ? 2 : plan ? 1 : 0;
  const deed = { label: 'Apply', path: `/projects/${wanted}/apply`, body: { plan: plan?.plan }, cli: `berth -p ${wanted} up -d` };
  return (
    <>
      <Head title="New project" above={<a href="/projects">Projects</a>} />
      <Steps at={step} />
      {error && <Problem text={error} />}
      {step === 0 && (
        <form onSubmit={(e) => { e.preventDefault(); void makePlan(); }}>
          <div class="fields"><Field label="Name" hint={!name && named(compose) ? 'as the file says' : 'lower-case letters, digits, - and _'}><input required={!named(compose)} pattern="[a-z0-9][a-z0-9_\-]*" disabled={made} value={name} placeholder={named(compose)} spellcheck={false} onInput={(e) => setName(e.currentTarget.value)} /></Field></div>
          <div class="bar"><strong>compose.yaml</strong><span class="grow" />
            {verdict && (verdict.ok ? <State word={`valid: ${verdict.services.map((s) => (typeof s === 'string' ? s : s.name)).join(', ') || 'no service'}`} tone="ok" /> : <State word={`${problems.length} to mend`} tone="bad" />)}
            {!compose && <button type="button" onClick={() => { setCompose(sample); setRevision(revision + 1); }}>Start from an example</button>}</div>
          <Editor label="compose.yaml" revision={revision} text={compose} problems={problems.filter((each) => each.file.endsWith('compose.yaml') || each.file === '')} to={to} onChange={setCompose} onSave={() => void makePlan()} />
          <Problems of={problems} onGo={(each: Found) => setTo({ line: each.line, column: each.column })} />
          {withEnv ? <Field label=".env" hint="NAME=value, one a line"><textarea rows={5} value={env} onInput={(e) => setEnv(e.currentTarget.value)} /></Field> : <p><button type="button" class="link" onClick={() => setWithEnv(true)}>Add an .env file</button></p>}
          <div class="actions"><button class="primary" disabled={busy || !compose.trim() || !wanted || verdict?.ok === false}>See the plan</button><span class="muted">Nothing is changed yet.</span></div>
        </form>
      )}
      {step === 1 && plan && <>
        <PlanView plan={plan} />
        <div class="actions"><button type="button" class="primary" disabled={busy || !changes(plan)} onClick={apply}>Apply</button><button type="button" onClick={() => setPlan(null)}>Back to the files</button><a class="button quiet" href={`/projects/${wanted}`}>Keep as a draft</a></div>
        <SameAs deed={deed} />
      </>}
      {job && <Applied job={job} name={wanted} onBack={() => { setJob(''); setPlan(null); }} />}
    </>
  );
}

function Applied({ job: id, name, onBack }: { job: string; name: string; onBack: () => void }) {
  const [urls, setUrls] = useState<string[]>([]);
  const alive = useRef(true);
  useEffect(() => () => { alive.current = false; }, []);
  const { lines, job } = useJob(id, async (done) => {
    if (done.state !== 'succeeded') return;
    // The edge learns the routes from the engine's events, a moment after the containers start.
    for (let i = 0; i < 20 && alive.current; ++i) {
      const found = await get<Project>(`/projects/${part(name)}`).then((of) => of.urls ?? []).catch(() => []);
      if (found.length) return setUrls(found);
      await new Promise((then) => setTimeout(then, 500));
    }
  });
  const word = job?.state ?? 'queued';
  return (
    <div class="card">
      <div class="row wrap"><State word={word} /><strong class="grow">{word === 'succeeded' ? `${name} runs` : ended(word) ? `${name} was not applied` : `Applying ${name}`}</strong></div>
      <JobLines lines={lines} />
      {job?.error && <Problem text={job.error} />}
      <div class="actions">
        {urls.map((url) => <a key={url} class="button primary" href={url} target="_blank" rel="noreferrer noopener"><Icon name="out" /> Open {url.replace(/^https?:\/\//, '').replace(/\/$/, '')}</a>)}
        {word === 'succeeded' && <a class="button" href={`/projects/${name}`}>To the project</a>}
        {ended(word) && word !== 'succeeded' && <button type="button" onClick={onBack}>Back to the files</button>}
      </div>
    </div>
  );
}
