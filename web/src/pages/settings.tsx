// One's own account (password, second factor, passkeys, sessions), what this browser shows, and berth's settings.
import { useState } from 'preact/hooks';
import { base, part, post } from '../base/api';
import { carryOut, messageOf, type Deed } from '../base/deed';
import { addPasskey, hasPasskeys } from '../base/passkey';
import { keysOn, theme, type Theme } from '../base/prefs';
import { offers } from '../base/offers';
import { changedAll, useResource } from '../base/query';
import { can, loadSession, session, user } from '../base/session';
import { confirmRemoval } from '../ui/dialog';
import { Identities } from '../ui/identities';
import { Card, Copy, Empty, Field, Head, Loaded, Problem, Tabs, Time } from '../ui/parts';
import { State } from '../ui/state';
import { NewPassword } from '../ui/new-password';
import { toast } from '../ui/toast';

type Many<T> = T[] | { items: T[] };
const listOf = <T,>(data: Many<T>): T[] => (Array.isArray(data) ? data : data.items);

function Password() {
  const [form, setForm] = useState({ old: '', new: '' });
  const submit = async (event: Event) => {
    event.preventDefault();
    if (await carryOut({ label: 'Change', method: 'PUT', path: '/me/password', body: form, done: 'the password is changed' })) setForm({ old: '', new: '' });
  };
  if (!user()?.password) return <Card title="Password"><p class="muted">This account has none{user()?.providers.length ? `: it signs in by ${user()!.providers.join(', ')}` : ''}.</p></Card>;
  return <Card title="Password"><form onSubmit={submit}><input type="text" autocomplete="username" value={user()?.name} hidden readOnly />
    <Field label="Password of now"><input type="password" required autocomplete="current-password" value={form.old} onInput={(e) => setForm({ ...form, old: e.currentTarget.value })} /></Field>
    <NewPassword label="New password" value={form.new} onInput={(next) => setForm({ ...form, new: next })} /><button>Change it</button></form></Card>;
}

function Totp() {
  const [secret, setSecret] = useState<{ secret: string; uri?: string; url?: string } | null>(null);
  const [code, setCode] = useState('');
  const [codes, setCodes] = useState<string[]>([]);
  const on = user()?.totp;
  const begin = async () => {
    try {
      setSecret(await post('/me/totp'));
    } catch (error) {
      toast(messageOf(error), 'bad');
    }
  };
  const confirm = async (event: Event) => {
    event.preventDefault();
    try {
      setCodes((await post<{ recoveryCodes: string[] }>('/me/totp/confirm', { code: code.replace(/\s/g, '') })).recoveryCodes);
      setSecret(null);
      setCode('');
      await loadSession();
    } catch (error) {
      toast(messageOf(error), 'bad');
    }
  };
  const off = async (event: Event) => {
    event.preventDefault();
    const done = await carryOut({ label: 'Turn off', method: 'DELETE', path: '/me/totp', body: { code: code.trim() }, done: 'the authenticator is off' });
    setCode('');
    if (done) await loadSession();
  };
  return (
    <Card title="Authenticator" action={<State word={on ? 'active' : 'off'} />}>
      {codes.length > 0 && <div class="notice ok"><div><strong>Keep these recovery codes.</strong> Each works once, when the authenticator is lost. <Copy text={codes.join('\n')} what="recovery codes" /><div class="codes">{codes.map((each) => <div key={each}>{each}</div>)}</div></div></div>}
      {secret ? <form onSubmit={confirm}><p>Add this key to your authenticator: <code class="secret" style={{ overflowWrap: 'anywhere' }}>{secret.secret}</code><Copy text={secret.secret} what="key" /> {(secret.uri ?? secret.url) && <a href={secret.uri ?? secret.url}>open it in an app</a>}</p>
        <Field label="The code it shows"><input required inputMode="numeric" autocomplete="one-time-code" value={code} onInput={(e) => setCode(e.currentTarget.value)} /></Field><button class="primary">Confirm</button></form>
        : on ? <form onSubmit={off}><p class="muted">To turn it off, and give up its recovery codes, show that you have it.</p>
          <Field label="Code of your authenticator, or a recovery code"><input required autocomplete="one-time-code" value={code} onInput={(e) => setCode(e.currentTarget.value)} /></Field><button>Turn off</button></form>
          : <><p class="muted">A code of six digits besides the password.</p><button type="button" onClick={begin}>Set up</button></>}
    </Card>
  );
}

interface Passkey { id: string; name: string; createdAt?: number; lastUsedAt?: number | null }
function Passkeys() {
  const list = useResource<Many<Passkey>>('/me/passkeys');
  const [name, setName] = useState('');
  const [error, setError] = useState('');
  const add = async (event: Event) => {
    event.preventDefault();
    try {
      await addPasskey(name || 'passkey');
      setName('');
      setError('');
      toast('the passkey is added');
      await Promise.all([list.load(), loadSession()]);
    } catch (cause) {
      setError((cause as Error).name === 'NotAllowedError' ? 'the passkey was not made' : messageOf(cause));
    }
  };
  return (
    <Card title="Passkeys">
      {error && <Problem text={error} />}
      <Loaded from={list}>{(data) => <ul class="list">{listOf(data).map((each) => <li key={each.id}><span class="grow">{each.name}</span><Time at={each.lastUsedAt ?? each.createdAt} /><button type="button" onClick={() => confirmRemoval({ title: `Remove ${each.name}?`, name: each.name, lost: ['signing in with this passkey'], then: () => void list.load(), deed: { label: 'Remove', method: 'DELETE', path: `/me/passkeys/${part(each.id)}`, done: `${each.name} removed` } })}>Remove …</button></li>)}</ul>}</Loaded>
      {hasPasskeys ? <form class="row" onSubmit={add}><input class="grow" aria-label="Name of the passkey" placeholder="laptop" value={name} onInput={(e) => setName(e.currentTarget.value)} /><button>Add a passkey</button></form> : <p class="muted">This browser has no passkeys.</p>}
    </Card>
  );
}

/** Who is linked comes in by the provider; those that send the browser there and back can be linked here. */
function Linked() {
  const { oidc, oauth2 } = session.value!.methods, mine = user()?.providers ?? [];
  const others = [...oidc, ...oauth2].filter((each) => !mine.includes(each.id));
  return <Card title="Sign in by others">{mine.length > 0 && <Identities of="/me" then={() => void loadSession()} />}
    {others.length > 0 && <ul class="list">{others.map((each) => <li key={each.id}><span class="grow">{each.name}</span><a class="button" aria-label={`Link ${each.name}`} href={`${base}/auth/${part(each.id)}/start?link=1&next=/settings`}>Link</a></li>)}</ul>}
    <p class="muted">Who is linked signs in with that account as well.</p></Card>;
}

interface Signed { id: string; createdAt?: number; seenAt?: number; from?: string; agent?: string; current?: boolean }
function Sessions() {
  const list = useResource<Many<Signed>>('/me/sessions');
  return <Card title="Signed in"><Loaded from={list}>{(data) => <ul class="list">{listOf(data).map((each) => <li key={each.id}><span class="grow"><span class="mono">{each.from || '–'}</span> <small class="muted">{each.agent}</small></span><Time at={each.seenAt ?? each.createdAt} />{each.current ? <State word="active" title="this one" /> : <button type="button" onClick={async () => { await carryOut({ label: 'Sign out', method: 'DELETE', path: `/me/sessions/${part(each.id)}`, done: 'signed out there' }); await list.load(); }}>Sign out</button>}</li>)}</ul>}</Loaded></Card>;
}

const ThisBrowser = () => (
  <Card title="This browser">
    <Field label="Theme"><select value={theme.value} onChange={(e) => { theme.value = e.currentTarget.value as Theme; }}><option value="system">as the system</option><option value="light">light</option><option value="dark">dark</option></select></Field>
    <label class="row"><input type="checkbox" checked={keysOn.value} onChange={(e) => { keysOn.value = e.currentTarget.checked; }} /> Single keys (g p, j, k, /); Ctrl K always works</label>
  </Card>
);

interface Registry { host: string; user: string; checked: boolean; createdAt: number }
function Registries() {
  const list = useResource<Many<Registry>>('/registries');
  const [form, setForm] = useState({ host: '', user: '', password: '' });
  const [untried, setUntried] = useState(false);
  const [error, setError] = useState('');
  const submit = async (event: Event) => {
    event.preventDefault();
    try {
      const kept = await post<Registry>('/registries', { ...form, check: !untried });
      toast(kept.checked ? `${kept.host} accepts it` : `${kept.host} is kept untried`);
      setForm({ host: '', user: '', password: '' });
      setError('');
    } catch (cause) {
      setError(messageOf(cause));
    }
    await list.load();
  };
  const set = (name: keyof typeof form) => (event: Event) => setForm({ ...form, [name]: (event.currentTarget as HTMLInputElement).value });
  const cli = `berth registry login ${form.host || 'HOST'} --username ${form.user || 'USER'}${untried ? ' --no-check' : ''}`;
  return (
    <Card title="Registries">
      <Loaded from={list}>{(data) => listOf(data).length === 0 ? <p class="muted">None: public images need none.</p> : <ul class="list">{listOf(data).map((each) => <li key={each.host}><span class="grow mono cut">{each.host}</span><span class="muted">{each.user}{each.checked ? '' : ', not tried'}</span><button type="button" onClick={() => confirmRemoval({ title: `Forget ${each.host}?`, name: each.host, lost: [`the login of ${each.user}; pulls and pushes there go without one`], then: () => void list.load(), deed: { label: 'Forget', method: 'DELETE', path: `/registries/${part(each.host)}`, done: `${each.host} is forgotten`, cli: `berth registry logout ${each.host}` } })}>Forget …</button></li>)}</ul>}</Loaded>
      {error && <Problem text={error} />}
      <form onSubmit={submit}><div class="fields"><Field label="Host" hint="as images name it; docker.io for Docker Hub"><input required class="mono" placeholder="registry.example.com" value={form.host} onInput={set('host')} /></Field><Field label="User"><input required autocomplete="off" value={form.user} onInput={set('user')} /></Field><Field label="Password or token"><input required type="password" autocomplete="new-password" value={form.password} onInput={set('password')} /></Field></div>
        <label class="row"><input type="checkbox" checked={untried} onChange={(e) => setUntried(e.currentTarget.checked)} /> Keep it without trying it</label><button>Add it</button> <small class="muted">It is tried by the engine, then kept sealed; nothing shows it again.</small>
        <div class="same-as"><code title={cli}>{cli}</code></div></form>
    </Card>
  );
}

function Berth() {
  const found = useResource<Record<string, unknown>>('/settings');
  const [changes, setChanges] = useState<Record<string, unknown>>({});
  return (
    <Loaded from={found}>{(all) => {
      const members = Object.entries(all).filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value));
      if (members.length === 0) return <Empty title="Nothing to set" />;
      const deed: Deed = { label: 'Save', method: 'PATCH', path: '/settings', body: changes, done: 'saved' };
      const set = (name: string, value: unknown) => setChanges({ ...changes, [name]: value });
      return <Card title="berth"><form onSubmit={async (e) => { e.preventDefault(); if (await carryOut(deed)) { setChanges({}); changedAll(); } }}>
        <div class="fields">{members.map(([name, was]) => {
          const value = changes[name] ?? was, label = name.replace(/([A-Z])/g, ' $1').replace(/^./, (c) => c.toUpperCase()).toLowerCase().replace(/^./, (c) => c.toUpperCase());
          if (typeof was === 'boolean') return <label key={name} class="row"><input type="checkbox" checked={!!value} onChange={(e) => set(name, e.currentTarget.checked)} /> {label}</label>;
          return <Field key={name} label={label}><input {...{ type: typeof was === 'number' ? 'number' : 'text', step: 'any' } as object} value={String(value)} onInput={(e) => set(name, typeof was === 'number' ? Number(e.currentTarget.value) : e.currentTarget.value)} /></Field>;
        })}</div><button class="primary" disabled={Object.keys(changes).length === 0}>Save</button></form></Card>;
    }}</Loaded>
  );
}

interface ProviderEntry { id: string; kind: string; name: string; enabled?: boolean; settings?: Record<string, unknown> }
const providerFields: Record<string, [string, string, boolean][]> = {
  oidc: [['issuer', 'Issuer', true], ['clientId', 'Client id', true], ['secret', 'Client secret', false]],
  oauth2: [['preset', 'Preset', false], ['authorizeUrl', 'Authorization URL', false], ['tokenUrl', 'Token URL', false], ['userUrl', 'User URL', false], ['clientId', 'Client id', true], ['secret', 'Client secret', false]],
  ldap: [['url', 'URL, ldaps:// or ldap://', true], ['base', 'Base', false], ['filter', 'Filter with {name}', false], ['userDn', 'DN with {name}, instead of a filter', false], ['bindDn', 'Bind DN', false], ['secret', 'Password of the bind DN', false]],
};
function Providers() {
  const list = useResource<Many<ProviderEntry>>('/providers');
  const [kind, setKind] = useState('oidc');
  const [form, setForm] = useState<Record<string, string>>({});
  const back = `${location.origin}${base}/auth/${form.id || 'ID'}/callback`;
  const submit = async (event: Event) => {
    event.preventDefault();
    const { id, secret, provision, ...rest } = Object.fromEntries(Object.entries(form).filter(([, value]) => value));
    const body = { id, settings: { kind, ...rest, provision: provision ?? 'none' }, ...(secret ? { secret } : {}) };
    if (await carryOut({ label: 'Add', path: '/providers', body, done: `${form.name} is added` })) setForm({});
    await list.load();
  };
  return (
    <Card title="Sign-in with others">
      <Loaded from={list}>{(data) => <ul class="list">{listOf(data).map((each) => <li key={each.id}><span class="tag">{each.kind}</span><span class="grow cut">{each.name} <small class="muted">{String(each.settings?.issuer ?? each.settings?.url ?? each.settings?.preset ?? '')}</small></span><button type="button" onClick={() => confirmRemoval({ title: `Remove ${each.name}?`, name: each.name, lost: ['signing in through it'], then: () => void list.load(), deed: { label: 'Remove', method: 'DELETE', path: `/providers/${part(each.id)}`, done: `${each.name} removed` } })}>Remove …</button></li>)}</ul>}</Loaded>
      <form onSubmit={submit}><div class="fields"><Field label="Kind"><select value={kind} onChange={(e) => { setKind(e.currentTarget.value); setForm({}); }}><option value="oidc">OpenID Connect</option><option value="oauth2">OAuth 2</option><option value="ldap">LDAP</option></select></Field>
        <Field label="Id" hint="in addresses"><input required pattern="[a-z0-9\-]+" value={form.id ?? ''} onInput={(e) => setForm({ ...form, id: e.currentTarget.value })} /></Field><Field label="Name on the button"><input required value={form.name ?? ''} onInput={(e) => setForm({ ...form, name: e.currentTarget.value })} /></Field>
        {providerFields[kind]!.map(([name, label, required]) => (name === 'preset' ? <Field key={name} label={label}><select value={form.preset ?? ''} onChange={(e) => setForm({ ...form, preset: e.currentTarget.value, authorizeUrl: '', tokenUrl: '', userUrl: '' })}><option value="">none: its URLs</option><option value="github">GitHub</option><option value="gitlab">GitLab</option><option value="42">42 intra</option></select></Field>
          : form.preset && name.endsWith('Url') ? null : <Field key={name} label={label}><input required={required} {...{ type: /secret|password/i.test(name) ? 'password' : 'text' } as object} autocomplete="off" value={form[name] ?? ''} onInput={(e) => setForm({ ...form, [name]: e.currentTarget.value })} /></Field>))}
        <Field label="Who may come in"><select value={form.provision ?? 'none'} onChange={(e) => setForm({ ...form, provision: e.currentTarget.value })}><option value="none">only users that are linked</option><option value="create">everybody it lets in, as a viewer</option></select></Field></div>
        {kind !== 'ldap' && <p class="muted">The redirect address to register there: <code class="secret" style={{ overflowWrap: 'anywhere' }}>{back}</code><Copy text={back} what="redirect address" /></p>}
        <button>Add it</button> <small class="muted">Kerberos, and roles by groups: <code>berth provider add</code> with a file.</small></form>
    </Card>
  );
}

interface Engine { id: string; name: string; kind: string; state: string; version?: string; apiVersion?: string; why?: string | null }
function Engines() {
  const list = useResource<Many<Engine>>('/engines');
  return <Card title="Engines"><Loaded from={list}>{(data) => <ul class="list">{listOf(data).map((each) => <li key={each.id}><State word={each.state} title={each.why ?? ''} /><span class="grow cut"><a class="name" href={each.id === 'local' ? '/' : `/?engine=${each.id}`}>{each.name || each.id}</a> <span class="muted">{each.kind}{each.version ? `, ${each.version} (API ${each.apiVersion})` : ''}{each.why ? `: ${each.why}` : ''}</span></span></li>)}</ul>}</Loaded><p class="muted">Add others with <code>berth server add</code>; they are shown, not changed.</p></Card>;
}

const offersOthers = () => session.value!.methods.oidc.length + session.value!.methods.oauth2.length + (user()?.providers.length ?? 0) > 0;

export default function Settings({ tab = 'account' }: Record<string, string>) {
  const tabs = [{ id: 'account', label: 'Account' }, ...(can('engine') && offers('/engines') ? [{ id: 'engines', label: 'Engines and registries' }] : []), ...(can('settings') ? [{ id: 'signin', label: 'Sign-in' }, ...(offers('/settings') ? [{ id: 'berth', label: 'berth' }] : [])] : [])];
  return (
    <>
      <Head title="Settings" />
      <Tabs label="Settings" tabs={tabs} current={tab} to={(id) => (id === 'account' ? '/settings' : `/settings/${id}`)} />
      {tab === 'account' && <div class="grid"><ThisBrowser />{session.value?.methods.password && <Password />}<Totp />{session.value?.methods.passkey && <Passkeys />}{offersOthers() && <Linked />}<Sessions /></div>}
      {tab === 'engines' && can('engine') && <div class="grid"><Engines />{can('settings') && offers('/registries') && <Registries />}</div>}
      {tab === 'signin' && can('settings') && <Providers />}
      {tab === 'berth' && can('settings') && <Berth />}
    </>
  );
}
