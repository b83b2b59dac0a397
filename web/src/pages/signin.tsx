// Sign-in by what this berth offers: password with a second factor, passkey, other providers.
import { useState } from 'preact/hooks';
import { ApiError, base, post } from '../base/api';
import { messageOf } from '../base/deed';
import { hasPasskeys, signInByPasskey } from '../base/passkey';
import { reasonShown } from '../base/reasons';
import { setQuery, withQuery } from '../base/router';
import { enter, session, type Session } from '../base/session';
import { Icon, Logo } from '../ui/icons';
import { Field } from '../ui/parts';

export default function SignIn() {
  const methods = session.value!.methods;
  const ldap = methods.ldap ?? [];
  const [provider, setProvider] = useState(methods.password ? '' : (ldap[0]?.id ?? ''));
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [step, setStep] = useState<'password' | 'totp' | 'recovery'>('password');
  const [realm, setRealm] = useState(''); // the Kerberos provider, while a second factor is asked for
  const [error, setError] = useState(reasonShown);
  const [busy, setBusy] = useState(false);

  const attempt = async (how: () => Promise<Session>) => {
    setBusy(true);
    setError('');
    try {
      const next = await how();
      setQuery({ error: null });
      await enter(next);
    } catch (cause) {
      if (!(cause instanceof ApiError && cause.code === 'totp_required')) setError((cause as Error).name === 'NotAllowedError' ? 'the passkey was not used' : messageOf(cause));
      else if (step === 'password') setStep('totp');
      else setError('this code does not count');
    }
    setBusy(false);
  };
  const submit = (event: Event) => {
    event.preventDefault();
    const factor = step === 'totp' ? { totp: code.replace(/\s/g, '') } : step === 'recovery' ? { recoveryCode: code.trim() } : {};
    void attempt(() => (realm && step !== 'password' ? post<Session>('/session/negotiate', { provider: realm, ...factor })
      : post<Session>('/session', { name, password, ...(provider ? { provider } : {}), ...factor })));
  };
  /** The browser shows its ticket by itself where it was told to trust this host. */
  const byTicket = (id: string) => {
    setRealm(id);
    void attempt(() => post<Session>('/session/negotiate', { provider: id }));
  };
  const next = encodeURIComponent(withQuery({ error: null }));
  const others = [...(methods.oidc ?? []), ...(methods.oauth2 ?? [])];
  const realms = methods.kerberos ?? [];
  const passkey = methods.passkey && hasPasskeys;
  return (
    <div class="door"><main id="main">
      <div class="brand"><Logo size={34} />berth</div>
      <div class="card">
        <h1 tabIndex={-1}>{step === 'password' ? 'Sign in' : 'Second factor'}</h1>
        {error && <div class="notice bad" role="alert">{error}</div>}
        {(methods.password || ldap.length > 0) && (
          <form onSubmit={submit}>
            {step === 'password' ? <>
              {ldap.length > 0 && (methods.password || ldap.length > 1) && <Field label="Account of"><select value={provider} onChange={(e) => setProvider(e.currentTarget.value)}>
                {methods.password && <option value="">berth</option>}{ldap.map((each) => <option key={each.id} value={each.id}>{each.name}</option>)}</select></Field>}
              <Field label="Name"><input required autofocus autocomplete="username" autocapitalize="none" spellcheck={false} value={name} onInput={(e) => setName(e.currentTarget.value)} /></Field>
              <Field label="Password"><input type="password" required autocomplete="current-password" value={password} onInput={(e) => setPassword(e.currentTarget.value)} /></Field>
            </> : <Field key={step} label={step === 'totp' ? 'Code of your authenticator' : 'Recovery code'}>
              <input required autofocus autocomplete="one-time-code" inputMode={step === 'totp' ? 'numeric' : 'text'} value={code} onInput={(e) => setCode(e.currentTarget.value)} /></Field>}
            <button class="primary" disabled={busy}>{step === 'password' ? 'Sign in' : 'Go on'}</button>
            {step !== 'password' && <p><button type="button" class="link" onClick={() => { setCode(''); setStep(step === 'totp' ? 'recovery' : 'totp'); }}>{step === 'totp' ? 'Use a recovery code' : 'Use the authenticator'}</button></p>}
          </form>
        )}
        {step === 'password' && (passkey || others.length > 0 || realms.length > 0) && <>
          {(methods.password || ldap.length > 0) && <div class="or">or</div>}
          <div class="stack">
            {passkey && <button type="button" disabled={busy} onClick={() => attempt(signInByPasskey)}><Icon name="key" /> Use a passkey</button>}
            {others.map((each) => <a key={each.id} class="button" href={`${base}/auth/${encodeURIComponent(each.id)}/start?next=${next}`}>Continue with {each.name}</a>)}
            {realms.map((each) => <button key={each.id} type="button" disabled={busy} onClick={() => byTicket(each.id)}>{realms.length > 1 ? `Sign in with Kerberos: ${each.name}` : 'Sign in with Kerberos'}</button>)}
          </div>
        </>}
      </div>
    </main></div>
  );
}
