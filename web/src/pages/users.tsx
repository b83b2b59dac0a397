import { useState } from 'preact/hooks';
import { carryOut, type Deed } from '../base/deed';
import { useResource } from '../base/query';
import { query, setQuery } from '../base/router';
import type { Role } from '../base/session';
import { Dialog, SameAs } from '../ui/dialog';
import { NewPassword } from '../ui/new-password';
import { Field, Head, Loaded, Time } from '../ui/parts';
import { State } from '../ui/state';
import { Table, type Column } from '../ui/table';

export interface Account { id: string; name: string; role: Role; disabled?: boolean; projects?: Record<string, Role>; password?: boolean; totp?: boolean; passkeys?: number; createdAt?: number; providers?: string[] }
export const roles: [Role, string][] = [['viewer', 'sees its projects, no values'], ['developer', 'changes its projects'], ['operator', 'all projects and the engine'], ['admin', 'everything, also users and settings']];

/** By what somebody can sign in, in words. */
export const meansOf = (u: Account) => [u.password && 'password', u.totp && 'authenticator', u.passkeys && `${u.passkeys} ${u.passkeys === 1 ? 'passkey' : 'passkeys'}`, ...(u.providers ?? [])].filter(Boolean).join(', ');

const columns: Column<Account>[] = [
  { id: 'name', label: 'Name', by: (u) => u.name, show: (u) => <a class="name" href={`/users/${encodeURIComponent(u.id)}`}>{u.name}</a> },
  { id: 'role', label: 'Role', by: (u) => u.role, show: (u) => u.role },
  { id: 'state', label: 'State', by: (u) => String(!!u.disabled), show: (u) => <State word={u.disabled ? 'disabled' : 'active'} /> },
  { id: 'projects', label: 'Projects', wide: true, show: (u) => Object.entries(u.projects ?? {}).map(([name, role]) => <span key={name} class="tag" title={role}>{name}</span>) },
  { id: 'factors', label: 'Signs in by', wide: true, show: (u) => meansOf(u) || <span class="muted">nothing yet</span> },
  { id: 'made', label: 'Made', by: (u) => u.createdAt ?? 0, wide: true, show: (u) => <Time at={u.createdAt} /> },
];

function NewUser({ onClose }: { onClose: () => void }) {
  const [form, setForm] = useState({ name: '', password: '', role: 'developer' as Role });
  const deed: Deed = { label: 'Create', path: '/users', body: form, done: `${form.name} created` };
  const shown: Deed = { ...deed, body: { ...form, password: '…' } };
  return (
    <Dialog title="New user" onClose={onClose}><form onSubmit={async (e) => { e.preventDefault(); if (await carryOut(deed)) onClose(); }}>
      <Field label="Name"><input data-first required autocomplete="off" spellcheck={false} value={form.name} onInput={(e) => setForm({ ...form, name: e.currentTarget.value })} /></Field>
      <NewPassword label="First password" value={form.password} onInput={(password) => setForm({ ...form, password })} />
      <Field label="Role"><select value={form.role} onChange={(e) => setForm({ ...form, role: e.currentTarget.value as Role })}>{roles.map(([role, what]) => <option key={role} value={role}>{role}: {what}</option>)}</select></Field>
      <SameAs deed={shown} /><footer><button type="button" onClick={onClose}>Cancel</button><button class="primary">Create</button></footer></form></Dialog>
  );
}

export default function Users() {
  const list = useResource<{ items: Account[] } | Account[]>('/users');
  return (
    <>
      <Head title="Users and roles"><button type="button" class="primary" onClick={() => setQuery({ new: '1' }, false)}>New user</button></Head>
      <Loaded from={list}>{(data) => <Table label="Users" rows={Array.isArray(data) ? data : data.items} columns={columns} id={(u) => u.id} href={(u) => `/users/${encodeURIComponent(u.id)}`} sort="name" text={(u) => `${u.name} ${u.role} ${Object.keys(u.projects ?? {}).join(' ')}`} />}</Loaded>
      <div class="card" style={{ marginTop: '1rem' }}><h2>What a role may</h2><dl class="facts">{roles.map(([role, what]) => <div key={role}><dt>{role}</dt><dd>{what}</dd></div>)}</dl></div>
      {query.value.get('new') && <NewUser onClose={() => setQuery({ new: null })} />}
    </>
  );
}
