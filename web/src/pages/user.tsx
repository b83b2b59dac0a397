import { useState } from 'preact/hooks';
import { part } from '../base/api';
import { carryOut, type Deed } from '../base/deed';
import { useList, useResource } from '../base/query';
import { go } from '../base/router';
import { user as me, type Role } from '../base/session';
import type { Project } from '../base/shapes';
import { confirmRemoval } from '../ui/dialog';
import { Identities } from '../ui/identities';
import { NewPassword } from '../ui/new-password';
import { Card, Field, Head, Loaded } from '../ui/parts';
import { State } from '../ui/state';
import { roles, type Account } from './users';

export default function UserPage({ id }: Record<string, string>) {
  const found = useResource<Account>(`/users/${part(id!)}`);
  return <Loaded from={found} title={id}>{(of) => <Detail of={of} reload={() => void found.load()} />}</Loaded>;
}

function Detail({ of, reload }: { of: Account; reload: () => void }) {
  const projects = useList<Project>('/projects');
  const [project, setProject] = useState('');
  const [role, setRole] = useState<Role>('developer');
  const [password, setPassword] = useState('');
  const path = `/users/${part(of.id)}`, self = me()?.id === of.id;
  const change = async (body: Record<string, unknown>, done: string) => {
    await carryOut({ label: 'Change', method: 'PATCH', path, body, done });
    reload();
  };
  const member = async (deed: Deed) => {
    await carryOut(deed);
    reload();
  };
  const mine = Object.entries(of.projects ?? {});
  return (
    <>
      <Head title={of.name} above={<a href="/users">Users and roles</a>} note={<><State word={of.disabled ? 'disabled' : 'active'} />{of.role}</>}>
        {!self && <button type="button" onClick={() => change({ disabled: !of.disabled }, `${of.name} is ${of.disabled ? 'enabled' : 'disabled'}`)}>{of.disabled ? 'Enable' : 'Disable'}</button>}
        {!self && <button type="button" onClick={() => confirmRemoval({ title: `Remove ${of.name}?`, name: of.name, lost: ['its sessions, tokens and passkeys'], keeps: 'What it did stays in the audit log.', then: () => go('/users'), deed: { label: 'Remove', method: 'DELETE', path, done: `${of.name} removed` } })}>Remove …</button>}
      </Head>
      <div class="grid">
        <Card title="Role"><Field label="In all of berth" hint={self ? 'Nobody changes the own role' : undefined}><select disabled={self} value={of.role} onChange={(e) => change({ role: e.currentTarget.value }, `${of.name} is ${e.currentTarget.value}`)}>{roles.map(([each, what]) => <option key={each} value={each}>{each}: {what}</option>)}</select></Field></Card>
        <Card title="Projects">
          <ul class="list">{mine.map(([name, each]) => <li key={name}><a class="grow cut" href={`/projects/${name}`}>{name}</a><span class="muted">{each}</span><button type="button" onClick={() => member({ label: 'Take away', method: 'DELETE', path: `${path}/projects/${part(name)}`, done: `${of.name} has no part in ${name} any more` })}>Take away</button></li>)}</ul>
          <form class="row wrap" onSubmit={(e) => { e.preventDefault(); void member({ label: 'Give', method: 'PUT', path: `${path}/projects/${part(project)}`, body: { role }, done: `${of.name} is ${role} of ${project}` }); }}>
            <select class="grow" aria-label="Project" required value={project} onChange={(e) => setProject(e.currentTarget.value)}><option value="">a project</option>{projects.data.value?.items.map((each) => <option key={each.name}>{each.name}</option>)}</select>
            <select aria-label="Role in it" value={role} onChange={(e) => setRole(e.currentTarget.value as Role)} style={{ width: 'auto' }}><option>viewer</option><option>developer</option></select><button>Give</button></form>
        </Card>
        {!!of.providers?.length && <Card title="Sign in by others"><Identities of={path} then={reload} /></Card>}
        {!self && !of.providers?.length && <Card title="Password"><form onSubmit={(e) => { e.preventDefault(); void change({ password }, 'a new password is set'); setPassword(''); }}><NewPassword label="New password" value={password} onInput={setPassword} /><button>Set it</button></form></Card>}
      </div>
    </>
  );
}
