import { render } from 'preact';
import { App } from './app';
import { whenSignedOut } from './base/api';
import './base/prefs';
import { startRouter } from './base/router';
import { loadSession } from './base/session';
import { startKeys } from './ui/keys';
import './style/base.css';
import './style/parts.css';
import './style/pages.css';

const place = document.getElementById('app')!;

/** Until berth answers; it may be starting. */
async function begin(wait = 500): Promise<void> {
  try {
    await loadSession();
  } catch {
    place.dataset.waiting = 'berth does not answer yet; trying again';
    setTimeout(() => begin(Math.min(wait * 2, 8000)), wait);
  }
  delete place.dataset.waiting;
}

let asking = false;
whenSignedOut(() => {
  if (asking) return;
  asking = true;
  void loadSession().catch(() => {}).finally(() => {
    asking = false;
  });
});
startRouter();
startKeys();
render(<App />, place);
void begin();
