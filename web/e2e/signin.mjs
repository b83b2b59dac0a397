// Signing in with what a team has: OpenID Connect through the provider's own pages, LDAP by the form,
// Kerberos by a button. What one does then
// is the main flow. BASE, IMAGE and PROVIDER (the origin of its pages) come from signin_browser_test.py.
import { assert, launch, launchOwn, open, paste, runAll, settled, test, violations, visit } from './browser.mjs';

const base = process.env.BASE, slow = { timeout: 60_000 };
const compose = (name) => `services:
  web:
    image: ${process.env.IMAGE}
    stop_grace_period: 0s
    labels:
      traefik.enable: "true"
      traefik.http.routers.${name}.rule: Host(\`${name}.localhost\`)
      traefik.http.routers.${name}.tls: "true"
      traefik.http.services.${name}.loadbalancer.server.port: "8080"
`;

const asked = (page, path) => page.evaluate(async (to) => {
  const answer = await fetch(`/api/v1${to}`, { cache: 'no-store' });
  return { status: answer.status, body: await answer.json() };
}, path);
const who = async (page) => (await asked(page, '/session')).body.user;

/** To a provider by its button, from the page that one wanted to see. */
async function atProvider(world, button, wanted = '/') {
  const page = await open(world.browser, { base });
  await visit(page, wanted);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.getByRole('link', { name: button }).click();
  return page;
}
async function throughPages(page, name) {
  await page.locator('input[name=login]').fill(name);
  assert.equal(new URL(page.url()).origin, process.env.PROVIDER);
  await page.locator('input[name=password]').fill('whatever');
  await page.getByRole('button', { name: 'Sign-in' }).click();
  await page.getByRole('button', { name: 'Continue' }).click();
}
/** Through the pages of the company's provider, from berth's page that was wanted. */
async function throughCompany(world, name, wanted) {
  const page = await atProvider(world, 'Continue with The company', wanted);
  await throughPages(page, name);
  return page;
}
/** By the form, with an account of the directory. */
async function byDirectory(world, name, password, wanted = '/') {
  const page = await open(world.browser, { base });
  await visit(page, wanted);
  await page.getByLabel('Account of').selectOption({ label: 'The directory' });
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  return page;
}
/** Pastes a compose file, sees its plan, applies it and opens its address. */
async function mainFlow(world, page, name) {
  await page.getByRole('link', { name: 'New project' }).first().click();
  await page.getByRole('heading', { name: 'New project' }).waitFor();
  await page.getByLabel('Name').fill(name);
  await page.getByRole('textbox', { name: 'compose.yaml' }).click();
  await paste(page, compose(name));
  await page.getByText('valid: web').waitFor();
  await page.getByRole('button', { name: 'See the plan' }).click();
  await page.getByText(`${name}-web-1`).first().waitFor();
  await page.getByRole('button', { name: 'Apply', exact: true }).click();
  await page.getByText(`${name} runs`).waitFor(slow);
  const link = page.getByRole('link', { name: new RegExp(`Open ${name}\\.localhost`) });
  await link.waitFor(slow);
  const shown = await open(world.browser, {});
  const answer = await visit(shown, await link.getAttribute('href'));
  assert.equal(answer.status(), 200);
  assert.match(await shown.textContent('body'), /hello/i);
  await shown.context().close();
}
async function signOut(page, name) {
  await page.getByRole('button', { name: new RegExp(name) }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  assert.equal(await who(page), null);
  assert.deepEqual((await page.context().cookies(base)).filter((each) => each.name.startsWith('__Host-')), []);
}
/** Pages that an operator has and a developer not, and the reverse of what only an admin has. */
async function mayAs(page, role) {
  assert.equal((await who(page)).role, role);
  assert.equal((await asked(page, '/images')).status, role === 'operator' ? 200 : 403);
  assert.equal((await asked(page, '/users')).status, 403);
  const pages = page.getByRole('navigation', { name: 'Pages' });
  assert.equal(await pages.getByRole('link', { name: 'Images' }).count(), role === 'operator' ? 1 : 0);
  assert.equal(await pages.getByRole('link', { name: 'Users' }).count(), 0);
}

test('the sign-in page offers what is configured', async (world) => {
  const page = await open(world.browser, { base });
  await visit(page, '/');
  for (const name of ['The company', 'Gone', 'Half']) await page.getByRole('link', { name: `Continue with ${name}` }).waitFor();
  await page.getByRole('button', { name: 'Use a passkey' }).waitFor();
  assert.deepEqual(await page.getByLabel('Account of').locator('option').allInnerTexts(), ['berth', 'The directory']);
  assert.deepEqual(await violations(page), []);
  await page.context().close();
});

test('OpenID Connect: through the provider to the page that was wanted, with the role of the groups', async (world) => {
  const page = await throughCompany(world, 'alice', '/containers?state=running');
  await page.getByRole('heading', { name: 'Containers' }).waitFor();
  assert.equal(page.url(), `${base}/containers?state=running`);
  await page.getByRole('button', { name: /alice.*operator/s }).waitFor();
  await mayAs(page, 'operator');
  const cookies = await page.context().cookies(base);
  assert.deepEqual(cookies.map((each) => [each.name, each.secure, each.httpOnly]), [['__Host-berth', true, true]]);
  world.alice = page;
});

test('OpenID Connect: a pasted compose file becomes a page; signing out ends it', async (world) => {
  const page = world.alice;
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Projects' }).click();
  await mainFlow(world, page, 'oidcpage');
  await signOut(page, 'alice');
  await visit(page, '/projects/oidcpage');
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  assert.equal((await asked(page, '/projects')).status, 401);
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('OpenID Connect: other groups, another role', async (world) => {
  const page = await throughCompany(world, 'bob');
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  assert.deepEqual((await who(page)).projects, { shop: 'developer' });
  await mayAs(page, 'developer');
  await page.context().close();
});

test('who turns back at the provider is told so, and can go on', async (world) => {
  const page = await atProvider(world, 'Continue with The company', '/volumes');
  await page.getByRole('link', { name: 'Cancel' }).click();
  await page.getByText('The provider did not let you in').waitFor();
  assert.equal(page.url(), `${base}/volumes?error=declined`);
  assert.equal(await who(page), null);
  assert.deepEqual(await violations(page), []);
  await page.getByLabel('Name').fill('root');
  await page.getByLabel('Password').fill(process.env.PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('heading', { name: 'Volumes' }).waitFor();
  assert.equal(page.url(), `${base}/volumes`);
  await page.context().close();
});

test('a provider that is not there is told so, before the sign-in and after it', async (world) => {
  let page = await atProvider(world, 'Continue with Gone');
  await page.getByText('The provider does not answer.').waitFor();
  assert.equal(page.url(), `${base}/?error=unavailable`);
  await page.context().close();
  page = await atProvider(world, 'Continue with Half');
  await page.locator('input[name=login]').fill('alice');
  await page.locator('input[name=password]').fill('whatever');
  await page.getByRole('button', { name: 'Sign-in' }).click();
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByText('The provider does not answer.').waitFor();
  assert.equal(page.url(), `${base}/?error=unavailable`);
  assert.equal(await who(page), null);
  await page.context().close();
});

test('linking: what went wrong is shown to who is signed in, and what went well', async (world) => {
  const page = await open(world.browser, { base });
  await visit(page, '/settings');
  await page.getByLabel('Name').fill('root');
  await page.getByLabel('Password').fill(process.env.PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  const line = (name) => page.getByRole('listitem').filter({ hasText: name });
  const refused = async (why, url) => {
    await page.getByRole('alert').getByText(why).waitFor();
    assert.equal(page.url(), `${base}${url}`);
    assert.equal((await who(page)).name, 'root');
    assert.deepEqual(await violations(page), []);
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await page.getByText(why).waitFor({ state: 'detached' });
    assert.equal(page.url(), `${base}/settings`);
  };
  await line('Gone').getByRole('link', { name: 'Link' }).click();
  await refused('The provider does not answer', '/settings?error=unavailable');
  await line('The company').getByRole('link', { name: 'Link' }).click();
  await page.getByRole('link', { name: 'Cancel' }).click();
  await refused('The provider did not let you in', '/settings?error=declined');
  // alice has an account of her own since she signed in.
  await line('The company').getByRole('link', { name: 'Link' }).click();
  await throughPages(page, 'alice');
  await refused('This identity belongs to another account', '/settings?error=taken');
  const linkCarol = async () => {
    await page.context().clearCookies({ domain: new URL(process.env.PROVIDER).hostname });
    await line('The company').getByRole('link', { name: 'Link' }).click();
    await throughPages(page, 'carol');
    await line('The company').getByText('carol').waitFor();
    assert.deepEqual((await who(page)).providers, ['company']);
  };
  await linkCarol();
  await line('The company').getByRole('button', { name: 'Unlink … The company (carol)' }).press('Enter');
  await page.getByRole('dialog').getByRole('textbox').fill('The company');
  await page.keyboard.press('Enter');
  await line('The company').getByRole('link', { name: 'Link' }).waitFor();
  assert.deepEqual((await who(page)).providers, []);
  assert.deepEqual(await violations(page), []);
  await linkCarol(); // again: it is nobody's, and the page of users below shows it
  await page.context().close();
});

test('words in the address are not words on the page', async (world) => {
  const page = await open(world.browser, { base });
  await visit(page, '/?error=Call%20555-1234%20to%20unlock');
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  assert.equal(await page.getByRole('alert').count(), 0);
  assert.equal(await page.getByText('555-1234').count(), 0);
  await page.context().close();
});

test('LDAP: a wrong password is refused, the right one signs in with the role of the groups', async (world) => {
  const page = await byDirectory(world, 'lena', 'olga-password', '/projects');
  await page.getByText('the name or the password is wrong').waitFor();
  assert.equal(await who(page), null);
  assert.deepEqual(await violations(page), []);
  await page.getByLabel('Password').fill('lena-password');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('heading', { name: 'Projects' }).waitFor();
  await mayAs(page, 'developer');
  await signOut(page, 'lena');
  await page.context().close();
});

test('LDAP: an account of the directory is none of berth', async (world) => {
  const page = await open(world.browser, { base });
  await visit(page, '/');
  await page.getByLabel('Name').fill('lena');
  await page.getByLabel('Password').fill('lena-password');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByText('the name or the password is wrong').waitFor();
  await page.context().close();
});

test('LDAP: a pasted compose file becomes a page; signing out ends it', async (world) => {
  const page = await byDirectory(world, 'olga', 'olga-password', '/projects');
  await page.getByRole('heading', { name: 'Projects' }).waitFor();
  await mayAs(page, 'operator');
  await mainFlow(world, page, 'ldappage');
  await signOut(page, 'olga');
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('the page of users says by what each one signs in', async (world) => {
  const page = await open(world.browser, { base });
  await visit(page, '/users');
  await page.getByLabel('Name').fill('root');
  await page.getByLabel('Password').fill(process.env.PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('heading', { name: 'Users and roles' }).waitFor();
  for (const [name, means] of [['root', 'password, company'], ['alice', 'company'], ['lena', 'directory']])
    await page.getByRole('row', { name }).getByText(means, { exact: true }).waitFor();
  await page.context().close();
});

const noTicket = `FILE:${process.env.OWN}/none`, needed = 'a Kerberos ticket is needed, and none was sent';
/** The sign-in page in a browser that shows its tickets to `trusted`, pressed at Kerberos' button. */
async function pressed(name, cache, trusted) {
  const context = await launchOwn(`${process.env.OWN}/${name}`, [`--auth-server-allowlist=${trusted}`], { KRB5CCNAME: cache }, { baseURL: base });
  const page = context.pages()[0] ?? await context.newPage();
  await visit(page, '/containers');
  await page.getByRole('button', { name: 'Sign in with Kerberos' }).click();
  return page;
}
/** The same in one that was asked for a ticket before: Chromium on Linux loads its library of Kerberos from its next start on. */
async function byTicket(name, cache, trusted) {
  const page = await pressed(name, noTicket, trusted);
  await page.getByRole('alert').getByText(needed).waitFor();
  await page.context().close();
  return pressed(name, cache, trusted);
}
const ours = new URL(base).hostname;

test('Kerberos: a ticket signs in by a click, to the page that was wanted', async () => {
  const page = await byTicket('trusting', process.env.TICKET, ours);
  await page.getByRole('heading', { name: 'Containers' }).waitFor();
  assert.deepEqual([(await who(page)).name, (await who(page)).role], ['kira', 'operator']);
  await page.reload();
  await page.getByRole('button', { name: /kira.*operator/s }).waitFor();
  await signOut(page, 'kira');
  await page.context().close();
});

test('Kerberos: without a ticket, and where the browser shows none to this host, the page says so and offers the rest', async (world) => {
  for (const [name, cache, trusted] of [['empty', noTicket, ours], ['wary', process.env.TICKET, 'elsewhere.example']]) {
    const page = await byTicket(name, cache, trusted);
    await page.getByRole('alert').getByText(needed).waitFor();
    assert.equal(await who(page), null);
    assert.deepEqual(await violations(page), []);
    await page.getByRole('button', { name: 'Use a passkey' }).waitFor();
    await page.getByRole('link', { name: 'Continue with The company' }).waitFor();
    await page.getByLabel('Name').fill('root');
    await page.getByLabel('Password').fill(process.env.PASSWORD);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('heading', { name: 'Containers' }).waitFor();
    await page.context().close();
  }
});

await runAll(async () => {
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'; // the page's certificate is of this run's own CA
  return { browser: await launch() };
}, ({ browser }) => browser.close());
