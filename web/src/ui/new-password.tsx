import { session } from '../base/session';
import { Field } from './parts';

/** A password that is chosen; how long it must be is the server's to say. */
export function NewPassword({ label, value, onInput }: { label: string; value: string; onInput: (value: string) => void }) {
  const least = session.value!.leastPassword;
  return (
    <Field label={label} hint={`At least ${least} characters; a sentence is easy to keep in mind`}>
      <input type="password" required minLength={least} maxLength={256} autocomplete="new-password" value={value} onInput={(e) => onInput(e.currentTarget.value)} /></Field>
  );
}
