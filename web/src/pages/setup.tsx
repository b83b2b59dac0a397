// The first admin. The token comes in the fragment, which no server and no log sees, and leaves the address at once.
import { useState } from 'preact/hooks';
import { post } from '../base/api';
import { messageOf } from '../base/deed';
import { go, place } from '../base/router';
import { enter, type Session } from '../base/session';
import { Logo } from '../ui/icons';
import { NewPassword } from '../ui/new-password';
import { Field } from '../ui/parts';

/** Taken out of the address when this file is loaded. */
function takeToken(): string {
  const token = place.value.hash.slice(1);
  if (token) go('/setup', { replace: true });
  return token;
}

export default function Setup() {
  const [token, setToken] = useState(takeToken);
  const [given] = useState(token !== '');
  const [name, setName] = useState('admin');
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  const differ = again !== '' && again !== password;
  const create = async (event: Event) => {
    event.preventDefault();
    if (differ || busy) return;
    setBusy(true);
    setError('');
    try {
      const session = await post<Session>('/setup', { token: token.trim(), name, password });
      await enter({ ...session, setup: false });
      go('/', { replace: true });
    } catch (cause) {
      setError(messageOf(cause));
    }
    setBusy(false);
  };
  return (
    <div class="door"><main id="main">
      <div class="brand"><Logo size={34} />berth</div>
      <form class="card" onSubmit={create}>
        <h1 tabIndex={-1}>Create the first account</h1>
        <p class="muted">It administers berth: it adds others, and nobody can register on their own.</p>
        {error && <div class="notice bad" role="alert">{error}</div>}
        {!given && <Field label="Setup token" hint={<><code>berth setup-token</code>, run as root, prints a link that holds it</>}>
          <input class="mono" required autocomplete="off" spellcheck={false} value={token} onInput={(e) => setToken(e.currentTarget.value)} /></Field>}
        <Field label="Name"><input required autocomplete="username" autocapitalize="none" spellcheck={false} maxLength={64} value={name} onInput={(e) => setName(e.currentTarget.value)} /></Field>
        <NewPassword label="Password" value={password} onInput={setPassword} />
        <Field label="Password again" error={differ ? 'the two differ' : ''}><input type="password" required autocomplete="new-password" value={again} onInput={(e) => setAgain(e.currentTarget.value)} /></Field>
        <button class="primary" disabled={busy}>Create account</button>
      </form>
    </main></div>
  );
}
