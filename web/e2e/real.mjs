// The UI on berth itself, with a private engine: BASE, TOKEN (of the setup link) and IMAGE come from browser_test.py.
// The tests are one story: each goes on where the one before ended.
import { assert, launch, open, paste, runAll, settled, test, violations, visit } from './browser.mjs';

const base = process.env.BASE, password = 'correct horse battery staple';
const compose = `services:
  web:
    image: ${process.env.IMAGE}
    stop_grace_period: 0s
    environment:
      MODE: first
      API_PASSWORD: pw-of-the-page
    labels:
      traefik.enable: "true"
      traefik.http.routers.page.rule: Host(\`page.localhost\`)
      traefik.http.routers.page.tls: "true"
      traefik.http.services.page.loadbalancer.server.port: "8080"
    volumes: [data:/data]
volumes:
  data: {}
`;

async function to(world, path, heading) {
  // A script that was dropped on its way is loaded anew with the page, as a person would.
  for (let tries = 3; ; --tries) {
    await visit(world.page, path);
    if (!tries) await settled(world.page);
    if (await settled(world.page, { timeout: 10_000 }).then(() => true, () => false)) break;
  }
  await world.page.getByRole('heading', { name: heading, exact: true, level: 1 }).waitFor();
  return world.page;
}
async function signIn(world, name, secret = password) {
  const page = await open(world.browser, { base });
  await visit(page, '/');
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(secret);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  return page;
}

test('the setup link makes the first admin once', async (world) => {
  const { page } = world;
  await page.goto(`/setup#${process.env.TOKEN}`);
  await page.getByLabel('Name').fill('ada');
  assert.equal(new URL(page.url()).hash, '');
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByLabel('Password again').fill(password);
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  const other = await open(world.browser, { base });
  await other.goto(`/setup#${process.env.TOKEN}`);
  await other.getByRole('heading', { name: 'Sign in' }).waitFor();
  await other.context().close();
});

/** Asks from inside the page, so that names are resolved as the browser does. */
const ask = (page, path, headers = {}) => page.evaluate(async ([to, more]) => {
  const answer = await fetch(to, { headers: more, cache: 'no-store' });
  return { status: answer.status, headers: Object.fromEntries(answer.headers), text: await answer.text() };
}, [path, headers]);

test('what is served is strict, compressed and kept', async ({ page }) => {
  const first = await ask(page, '/projects/any');
  assert.match(first.headers['content-security-policy'], /default-src 'none'; script-src 'self'; style-src 'self'/);
  assert.equal(first.headers['cache-control'], 'no-cache');
  const script = /src="(\/assets\/[^"]+\.js)"/.exec(first.text)[1];
  const code = await ask(page, script);
  assert.equal(code.headers['content-encoding'], 'br');
  assert.match(code.headers['cache-control'], /immutable/);
  assert.equal((await ask(page, script, { 'If-None-Match': code.headers.etag })).status, 304);
  assert.equal((await ask(page, '/assets/none.js')).status, 404);
});

test('a wrong password is refused, the right one signs in', async (world) => {
  const page = await open(world.browser, { base });
  await page.goto('/');
  await page.getByLabel('Name').fill('ada');
  await page.getByLabel('Password').fill('wrong horse battery');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByText('the name or the password is wrong').waitFor();
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await page.context().close();
});

test('a pasted compose file becomes a page', async (world) => {
  const page = await to(world, '/projects/new', 'New project');
  await page.getByLabel('Name').fill('page');
  await page.getByRole('textbox', { name: 'compose.yaml' }).click();
  await paste(page, 'services:\n  web:\n    imag: x\n');
  await page.getByRole('button', { name: /compose\.yaml:3:5/ }).waitFor();
  await page.keyboard.press('Control+a');
  await paste(page, compose);
  await page.getByText('valid: web').waitFor();
  await page.getByRole('button', { name: 'See the plan' }).click();
  await page.getByText('page-web-1').first().waitFor();
  assert.deepEqual(await violations(page), []);
  assert.equal(await page.getByText('pw-of-the-page').count(), 0);
  await page.getByRole('button', { name: 'Apply', exact: true }).click();
  await page.getByText('page runs').waitFor({ timeout: 60_000 });
  const link = page.getByRole('link', { name: /Open page\.localhost/ });
  await link.waitFor({ timeout: 60_000 });
  const shown = await open(world.browser, {});
  await visit(shown, await link.getAttribute('href'));
  assert.ok((await shown.textContent('body')).length > 0);
  await shown.context().close();
});

test('a file is edited, saved, planned and applied', async (world) => {
  const page = await to(world, '/projects/page/files', 'page');
  await page.getByRole('textbox', { name: 'compose.yaml' }).click();
  await page.keyboard.press('Control+a');
  await paste(page, compose.replace('MODE: first', 'MODE: second'));
  await page.getByText('valid', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Save and plan' }).click();
  await page.getByText('recreate', { exact: true }).first().waitFor();
  assert.deepEqual(await violations(page), []);
  await page.getByRole('button', { name: 'Apply', exact: true }).click();
  await page.getByText('Apply page: done').waitFor({ timeout: 60_000 });
  await page.getByText('Nothing to do').waitFor();
  await to(world, '/projects/page/environment', 'page');
  await page.getByRole('button', { name: 'Show values' }).click();
  await page.getByText('pw-of-the-page').waitFor();
  await page.getByText('second').waitFor();
  await to(world, '/projects/page/history', 'page');
  await page.getByText('#2').waitFor();
});

test('a container is stopped and started; its state is live', async (world) => {
  const page = await to(world, '/containers', 'Containers');
  const row = page.getByRole('row', { name: /page-web-1/ });
  await row.getByRole('button', { name: 'Stop' }).click();
  await row.getByRole('button', { name: 'Start' }).click({ timeout: 40_000 });
  await row.getByText('running').waitFor({ timeout: 40_000 });
  await to(world, '/containers/page-web-1/logs', 'page-web-1');
  await page.getByRole('log').waitFor();
  for (const [path, heading] of [['/', 'Overview'], ['/images', 'Images'], ['/volumes', 'Volumes'], ['/networks', 'Networks'], ['/events', 'Events'], ['/routes', 'Routes and certificates']]) {
    await to(world, path, heading);
    assert.deepEqual(await violations(page), [], path);
    assert.equal(await page.getByText('That did not work').count(), 0, path);
  }
});

test('another engine is looked at, live, and nothing there can be changed', async (world) => {
  // The same engine by its socket: what is done to it here is seen there.
  const call = async (method, path, body, tries = 8) => {
    const status = await world.page.evaluate(async ([how, to, sent]) => (await fetch(`/api/v1${to}`, {
      method: how,
      headers: { 'Content-Type': 'application/json' },
      body: sent && JSON.stringify(sent),
    }).catch(() => ({ status: 0 }))).status, [method, path, body]);
    if (status || !tries) return status;
    await world.page.waitForTimeout(500); // the networks of containers change: see visit
    return call(method, path, body, tries - 1);
  };
  let page = await to(world, '/containers', 'Containers');
  assert.equal(await page.getByRole('button', { name: /^Engine/ }).count(), 0);
  assert.equal(await call('POST', '/engines', { name: 'twin', address: process.env.DOCKER_HOST }), 201);
  page = await to(world, '/containers', 'Containers');
  await page.getByRole('button', { name: 'Engine local' }).click();
  await page.getByRole('menuitem', { name: 'twin' }).click();
  await page.waitForURL('**/containers?engine=twin');
  await page.getByText(`berth --host ${process.env.DOCKER_HOST} …`).waitFor();
  for (const [path, heading] of [['/', 'Overview'], ['/containers/page-web-1', 'page-web-1'], ['/containers/page-web-1/stats', 'page-web-1'], ['/containers/page-web-1/files', 'page-web-1'], ['/images', 'Images'], ['/volumes/page_data', 'page_data'], ['/networks', 'Networks'], ['/networks/topology', 'Networks'], ['/events', 'Events'], ['/containers', 'Containers']]) {
    await to(world, `${path}?engine=twin`, heading);
    await page.getByText('twin is read-only here.').waitFor();
    assert.deepEqual(await violations(page), [], path);
    assert.equal(await page.getByText('That did not work').count(), 0, path);
    assert.equal(await page.locator('main').getByRole('button', { name: /^(Start|Stop|Restart|New .*|Pull|Remove .*|Back up .*|Measure sizes)$/ }).count(), 0, path);
  }
  const row = page.getByRole('row', { name: /page-web-1/ });
  await row.getByText('running').waitFor({ timeout: 40_000 });
  assert.equal(await call('POST', '/containers/page-web-1/stop?engine=twin'), 409);
  assert.match(String(await call('POST', '/containers/page-web-1/stop')), /^[23]/);
  await row.getByText(/exited|failed/).waitFor({ timeout: 40_000 });
  assert.match(String(await call('POST', '/containers/page-web-1/start')), /^[23]/);
  await row.getByText('running').waitFor({ timeout: 40_000 });
  assert.ok([204, 404].includes(await call('DELETE', '/engines/twin')), 'its answer may have been dropped');
});

test('a terminal answers, and a log shows lines as they come', async (world) => {
  let page = await to(world, '/containers', 'Containers');
  const asked = await page.evaluate(async (image) => (await fetch('/api/v1/containers', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ image, name: 'browser-shell', command: ['sleep', '100000'], pull: false }),
  })).status, process.env.SHELL_IMAGE);
  assert.equal(asked, 202);
  await page.getByRole('row', { name: /browser-shell/ }).getByText('running').waitFor({ timeout: 40_000 });
  page = await to(world, '/containers/browser-shell/logs', 'browser-shell');
  await page.getByRole('log').waitFor();
  const other = await page.context().newPage();
  await visit(other, '/containers/browser-shell/terminal');
  await other.getByRole('button', { name: 'Open the terminal' }).click();
  const rows = other.locator('.xterm-rows');
  await rows.getByText(/[#$]/).first().waitFor({ timeout: 40_000 });
  await other.locator('.xterm-helper-textarea').focus();
  await other.keyboard.type('echo sum-$((20+3)); echo told-$((40+2)) > /proc/1/fd/1\n');
  await rows.getByText('sum-23').waitFor({ timeout: 40_000 });
  await page.getByRole('log').getByText('told-42').waitFor({ timeout: 40_000 });
  await other.close();
  assert.equal(await page.getByText('That did not work').count(), 0);
});

test('files are shown and saved, and a volume is copied', async (world) => {
  let page = await to(world, '/containers/browser-shell/files', 'browser-shell');
  await page.getByRole('button', { name: 'etc', exact: true }).click();
  const saved = page.waitForEvent('download');
  await page.getByRole('link', { name: 'passwd', exact: true }).click();
  assert.equal((await saved).suggestedFilename(), 'passwd');
  page = await to(world, '/volumes/page_data', 'page_data');
  await page.getByText('No copy yet').waitFor();
  await page.getByRole('button', { name: 'Back up …' }).click();
  await page.getByRole('button', { name: 'Back up', exact: true }).click();
  await page.getByRole('button', { name: /More for page_data-/ }).click({ timeout: 60_000 });
  await page.getByRole('menuitem', { name: 'Check that it is whole' }).click();
  await page.getByRole('button', { name: /More for page_data-/ }).click();
  await page.getByRole('menuitem', { name: 'Restore to a new volume …' }).click();
  await page.getByLabel('Name of the new volume').fill('page_then');
  await page.getByRole('button', { name: 'Restore', exact: true }).click();
  await page.getByText('Restore page_then: done').waitFor({ timeout: 60_000 });
});

test('a passkey is added and signs in', async (world) => {
  const page = await to(world, '/settings', 'Settings');
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  await devtools.send('WebAuthn.addVirtualAuthenticator', { options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } });
  await page.getByLabel('Name of the passkey').fill('laptop');
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await page.getByText('the passkey is added').waitFor();
  await page.getByRole('button', { name: /ada/ }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'Use a passkey' }).click();
  await page.getByRole('heading', { name: 'Settings' }).waitFor();
});

test('a user is made, and given a project', async (world) => {
  const page = await to(world, '/users?new=1', 'Users and roles');
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('vera');
  await dialog.getByLabel('First password').fill(password);
  await dialog.getByLabel('Role').selectOption('viewer');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await page.getByRole('link', { name: 'vera' }).click();
  await page.getByRole('combobox', { name: 'Project' }).selectOption('page');
  await page.getByRole('combobox', { name: 'Role in it' }).selectOption('viewer');
  await page.getByRole('button', { name: 'Give' }).click();
  await page.getByRole('button', { name: 'Take away' }).waitFor();
});

test('a viewer sees the project without buttons and values', async (world) => {
  const page = await signIn(world, 'vera');
  await visit(page, '/projects/page');
  await settled(page);
  await page.getByRole('heading', { name: 'page', exact: true }).waitFor();
  for (const name of ['Restart', 'Stop', 'Pull']) assert.equal(await page.getByRole('button', { name }).count(), 0, name);
  await visit(page, '/projects/page/environment');
  await page.getByText('API_PASSWORD').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Show values' }).count(), 0);
  assert.equal((await ask(page, '/api/v1/projects/page/environment?reveal=true')).status, 403);
  assert.deepEqual(await violations(page), []);
  await page.context().close();
});

test('a token is shown once and works', async (world) => {
  const page = await to(world, '/tokens?new=1', 'Tokens');
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('ci');
  await dialog.getByRole('button', { name: 'Create' }).click();
  const token = await page.locator('.notice code').innerText();
  const stranger = await open(world.browser, { base });
  await visit(stranger, '/');
  await stranger.getByRole('heading', { name: 'Sign in' }).waitFor();
  assert.equal((await ask(stranger, '/api/v1/projects')).status, 401);
  assert.equal((await ask(stranger, '/api/v1/projects', { Authorization: `Bearer ${token}` })).status, 200);
  await stranger.context().close();
  await page.reload();
  await settled(page);
  assert.equal(await page.getByText(token).count(), 0);
});

test('the audit has it all and its chain is whole', async (world) => {
  const page = await to(world, '/audit', 'Audit');
  for (const verb of ['project.apply', 'user.create', 'token.create']) await page.getByRole('button', { name: verb }).first().waitFor();
  await page.getByRole('button', { name: 'Verify the chain' }).click();
  await page.getByText(/the chain of \d+ entries is whole/).waitFor();
  assert.deepEqual(await violations(page), []);
});

test('what is removed is named, and gone', async (world) => {
  const page = await to(world, '/projects/page', 'page');
  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Remove with its data' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('volume page_data with all its data').waitFor();
  await dialog.getByRole('textbox').fill('page');
  await dialog.getByRole('button', { name: 'Remove with its data' }).click();
  await page.getByText('Remove with its data: done').waitFor({ timeout: 60_000 });
  await page.getByText('No project yet').waitFor();
  assert.deepEqual(world.page.wrong, []);
});

await runAll(async () => {
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'; // the page's certificate is of this run's own CA
  const browser = await launch();
  return { browser, page: await open(browser, { base }) };
}, ({ browser }) => browser.close());
