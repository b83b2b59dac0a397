// The identities at providers that an account signs in by as well, each with a way to take it away.
import { part } from '../base/api';
import { useResource, type Page } from '../base/query';
import { confirmRemoval } from './dialog';
import { Loaded, Time } from './parts';
import { State } from './state';

interface Identity { id: string; provider: string; providerName: string; enabled: boolean; name: string | null; createdAt: number }

const called = (of: Identity) => (of.name ? `${of.providerName} (${of.name})` : of.providerName);

/** `of` is the path of the account: "/me", or that of another user. */
export function Identities({ of, then }: { of: string; then: () => void }) {
  const list = useResource<Page<Identity>>(`${of}/identities`);
  const done = () => {
    void list.load();
    then();
  };
  const ask = (each: Identity) => confirmRemoval({
    title: `Unlink ${called(each)}?`, name: each.providerName, lost: [`signing in to this account by ${called(each)}`],
    keeps: 'Sessions that are open go on; the account there stays as it is.', then: done,
    deed: { label: 'Unlink', method: 'DELETE', path: `${of}/identities/${part(each.id)}`, done: `${called(each)} is unlinked` },
  });
  return (
    <Loaded from={list}>{(data) => data.items.length === 0 ? null : <ul class="list">{data.items.map((each) => (
      <li key={each.id}><span class="grow" style={{ overflowWrap: 'anywhere' }}>{each.providerName} {each.name && <small class="muted">{each.name}</small>}</span>
        {!each.enabled && <State word="disabled" title="the provider is off or was removed" />}<Time at={each.createdAt} />
        <button type="button" aria-label={`Unlink … ${called(each)}`} onClick={() => ask(each)}>Unlink …</button></li>))}</ul>}</Loaded>
  );
}
