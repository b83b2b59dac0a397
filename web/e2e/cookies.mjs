// A stranger's pages against somebody who is signed in: cookies planted, read and fixed, requests forged, pages framed.
// BASE, PASSWORD (of root) and EVE (the cookie of a session of another account) come from cookie_browser_test.py.
import { assert, launch, open, runAll, test, visit } from './browser.mjs';

const base = process.env.BASE, eve = process.env.EVE, host = new URL(base).host;
// A page of a sibling is same-site: SameSite alone does not keep the cookie from its requests.
const sibling = `https://evil.${host}`, stranger = 'https://evil.example';

const session = (page) => page.evaluate(async () => (await (await fetch('/api/v1/session', { cache: 'no-store' })).json()).user?.name ?? null);

/** root's page, and in the same browser one of `origin` with this answer and what it then runs. */
async function attack(world, origin, { headers = {}, html = '', run = () => null, given = [] } = {}) {
  const page = await open(world.browser, { base });
  await visit(page, '/');
  await page.getByLabel('Name').fill('root');
  await page.getByLabel('Password').fill(process.env.PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  assert.equal(await session(page), 'root');
  await page.context().route(`${origin}/**`, (route) => route.fulfill({ contentType: 'text/html', headers, body: `<!doctype html><body>${html}` }));
  const evil = await page.context().newPage();
  await evil.goto(`${origin}/`);
  const told = await evil.evaluate(run, { base, eve, given });
  return { page, evil, told };
}
/** Whoever the browser is afterwards, it is not eve; nothing was made. */
async function unharmed({ page }, people = ['root']) {
  assert.ok(people.includes(await session(page)), 'the session is of somebody else');
  if (await session(page) === 'root') {
    const users = await page.evaluate(async () => (await (await fetch('/api/v1/users')).json()).items.map((each) => each.name));
    assert.deepEqual(users.sort(), ['eve', 'root']);
  }
  await page.context().close();
}
const planted = (name, more) => ({ run: ({ given }) => { for (const each of given) document.cookie = each; }, given: [`${name}=${eve}; path=/; secure; domain=berth.localhost${more ?? ''}`] });

test('what a sibling plants under a plain name does arrive: the attacks below are real ones', async (world) => {
  const all = await attack(world, sibling, { headers: { 'Set-Cookie': 'byheader=1; Path=/; Secure; Domain=berth.localhost' }, run: () => { document.cookie = 'byscript=1; path=/; secure; domain=berth.localhost'; } });
  assert.match(await all.page.evaluate(() => document.cookie), /byheader=1.*byscript=1|byscript=1.*byheader=1/);
  await unharmed(all);
});
test('a sibling plants the session cookie by script', async (world) => unharmed(await attack(world, sibling, planted('__Host-berth'))));
test('a sibling plants the session cookie for a deeper path', async (world) => unharmed(await attack(world, sibling, planted('__Host-berth', '; path=/api/v1'))));
test('a sibling plants the session cookie by a header', async (world) => unharmed(await attack(world, sibling, { headers: { 'Set-Cookie': `__Host-berth=${eve}; Path=/; Secure; Domain=berth.localhost` } })));
test('a sibling plants a cookie whose name differs in case', async (world) => unharmed(await attack(world, sibling, planted('__host-Berth')), ['root', null]));
test('a sibling plants a cookie without a name', async (world) => unharmed(await attack(world, sibling, planted(`=__Host-berth`)), ['root', null]));
test('a sibling plants the cookie of a sign-in under way', async (world) => unharmed(await attack(world, sibling, planted('__Host-berth-login'))));
test('a sibling plants more cookies than are kept', async (world) => unharmed(await attack(world, sibling, {
  run: () => { for (let i = 0; i < 400; ++i) document.cookie = `flood${i}=x; path=/; secure; domain=berth.localhost`; },
}), ['root', null]));

test('a script of the page itself neither reads nor replaces the cookie', async (world) => {
  const all = await attack(world, stranger);
  const seen = await all.page.evaluate((value) => {
    document.cookie = `__Host-berth=${value}; path=/; secure`;
    return document.cookie;
  }, eve);
  assert.ok(!seen.includes('__Host-berth'), seen);
  await unharmed(all);
});

test('a session that was there before the sign-in is not the one after it', async (world) => {
  const page = await open(world.browser, { base });
  await page.context().addCookies([{ name: '__Host-berth', value: eve, url: base, secure: true, httpOnly: true }]);
  await visit(page, '/');
  assert.equal(await session(page), 'eve');
  const signed = await page.evaluate(async (password) => (await fetch('/api/v1/session', {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ name: 'root', password }),
  })).status, process.env.PASSWORD);
  assert.equal(signed, 200);
  const [now] = (await page.context().cookies(base)).filter((each) => each.name === '__Host-berth');
  assert.notEqual(now.value, eve);
  await page.context().addCookies([{ name: '__Host-berth', value: eve, url: base, secure: true, httpOnly: true }]);
  assert.equal(await session(page), null, 'it ended with the sign-in');
  await page.context().close();
});

const user = JSON.stringify({ name: 'mallory', role: 'admin', password: 'correct horse battery' });
/** A request with root's cookie, where the browser sends it; its answer must not be readable. */
async function forged(world, origin, given) {
  const all = await attack(world, origin, {
    given,
    run: ({ base: to, given: [method, path, type, body] }) => fetch(`${to}/api/v1${path}`, {
      method, body, credentials: 'include', mode: type === 'application/json' ? 'cors' : 'no-cors', headers: type ? { 'Content-Type': type } : {},
    }).then(async (answer) => `${answer.type} ${await answer.text()}`, () => 'refused'),
  });
  assert.ok(['refused', 'opaque '].includes(all.told), all.told);
  await unharmed(all);
}
test('a sibling sends a change as JSON', (world) => forged(world, sibling, ['POST', '/users', 'application/json', user]));
test('a sibling sends a change as text', (world) => forged(world, sibling, ['POST', '/users', 'text/plain', user]));
test('a sibling reads', (world) => forged(world, sibling, ['GET', '/users', '', undefined]));
test('a stranger sends a change as text', (world) => forged(world, stranger, ['POST', '/users', 'text/plain', user]));

test('a sibling signs the browser in as somebody else, by a form', async (world) => {
  const all = await attack(world, sibling, {
    html: `<form method="post" enctype="text/plain" action="${base}/api/v1/session"><input name='{"name":"eve","password":"${process.env.PASSWORD}","x":"' value='"}'></form>`,
    run: () => document.forms[0].submit(),
  });
  await all.evil.waitForURL(`${base}/api/v1/session`);
  await unharmed(all);
});

test('a sibling frames the page', async (world) => {
  const all = await attack(world, sibling, { html: `<iframe src="${base}/users"></iframe>` });
  await all.evil.waitForFunction(() => document.querySelector('iframe').contentWindow.length === 0);
  const frame = all.evil.frames().find((each) => each !== all.evil.mainFrame());
  await all.evil.waitForTimeout(500);
  assert.equal(await frame.getByRole('heading').count().catch(() => 0), 0);
  assert.ok(!(await frame.content().catch(() => '')).includes('assets/'), 'the page is in the frame');
  await unharmed(all);
});

await runAll(async () => ({ browser: await launch() }), ({ browser }) => browser.close());
