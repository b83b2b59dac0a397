// Which engine is looked at: the choice beside the search, and the mark on every page of an engine that is not the local.
import { useEffect } from 'preact/hooks';
import { addressOn, engine, type Engine } from '../base/engine';
import { offers } from '../base/offers';
import { resource, useResource, type Page } from '../base/query';
import { move } from '../base/router';
import { can } from '../base/session';
import { Icon } from './icons';
import { Menu } from './menu';
import { Copy } from './parts';
import { State } from './state';

const kPath = '/engines';
/** Those that are known; the local one first. */
export const engines = (): Engine[] => resource<Page<Engine>>(kPath).data.value?.items ?? [];

export function EngineChoice() {
  const now = engine.value;
  const list = useResource<Page<Engine>>(can('engine') && offers(kPath) ? kPath : null);
  useEffect(() => {
    if (list.path) void list.load(); // whether they answer
  }, [now]);
  const all = list.data.value?.items ?? [];
  if (all.length < 2) return null;
  return (
    <Menu label="Engine" items={all.map((each) => ({ label: each.state === 'down' ? `${each.id} (down)` : each.id, current: each.id === (now || 'local'), run: () => move(addressOn(each.id)) }))}>
      <Icon name="engine" /><span class="sr">Engine </span><span class="engine-name cut">{now || 'local'}</span></Menu>
  );
}

/** Says that the engine is only looked at, how it is changed, and why it does not answer. */
export function Elsewhere() {
  const name = engine.value;
  if (!name) return null;
  const all = engines(), found = all.find((each) => each.id === name);
  const command = `berth --host ${found?.address ?? 'ADDRESS'}`;
  return (
    <div class="notice info elsewhere" role="status">
      <Icon name="eye" />
      <span class="grow"><strong>{name} is read-only here.</strong> {all.length > 0 && !found ? 'berth knows no engine of this name.' : <>To change something there: <code>{command} …</code><Copy text={command} what="command" /></>}
        {found?.state === 'down' && <span class="why"><State word="down" /> {found.why}</span>}</span>
      <button type="button" onClick={() => move(addressOn('local'))}>Local engine</button>
    </div>
  );
}
