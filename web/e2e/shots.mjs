// Pictures of the main pages for doc/screenshots, on the mock. Usage: node web/e2e/shots.mjs
import fs from 'node:fs';
import path from 'node:path';
import { here, launch, open, settled, startMock } from './browser.mjs';

const folder = path.join(here, '../../doc/screenshots');
const shots = [['overview', '/', 'light'], ['overview-dark', '/', 'dark'], ['projects', '/projects', 'light'], ['project', '/projects/shop', 'light'], ['plan', '/projects/shop/plan', 'light'], ['files', '/projects/shop/files', 'dark'],
  ['logs', '/projects/shop/logs', 'dark', 1180, 540], ['containers', '/containers', 'light'], ['figures', '/containers/shop-web-1/stats', 'dark'], ['topology', '/networks/topology', 'light'], ['phone', '/projects/shop', 'dark', 360, 740]];
fs.mkdirSync(folder, { recursive: true });
const mock = await startMock();
const browser = await launch();
for (const [name, at, theme, width = 1280, height = 800] of shots) {
  const page = await open(browser, { base: mock.base, theme, width, height });
  await page.goto(at);
  await settled(page);
  await page.waitForTimeout(600); // charts and fonts
  await page.screenshot({ path: path.join(folder, `${name}.png`) });
  await page.context().close();
}
await browser.close();
mock.stop();
