// Registries, images, adoption and pages without anything, on the mock.
import { arrive as visit, assert, launch, move, runAll, startMock, test, violations } from './browser.mjs';

test('a registry is logged in to, a wrong password is told, and its login is forgotten', async (world) => {
  const page = await visit(world, '/settings/engines');
  const card = page.locator('section.card', { has: page.getByRole('heading', { name: 'Registries' }) });
  await card.getByText('ghcr.io').waitFor();
  await card.getByLabel('Host').fill('registry.example.com:5000');
  await card.getByLabel('User').fill('puller');
  await card.getByLabel('Password or token').fill('wrong');
  await card.getByText('berth registry login registry.example.com:5000 --username puller').waitFor();
  await card.getByRole('button', { name: 'Add it' }).click();
  await card.getByRole('alert').getByText('it refuses user puller').waitFor();
  assert.equal(await card.getByText('registry.example.com:5000', { exact: true }).count(), 0);
  assert.equal(await card.getByLabel('Password or token').inputValue(), 'wrong', 'what was typed can be mended');
  assert.deepEqual(await violations(page), []);
  await card.getByLabel('Password or token').fill('right');
  await card.getByRole('button', { name: 'Add it' }).click();
  const row = card.getByRole('listitem').filter({ hasText: 'registry.example.com:5000' });
  await row.getByText('puller').waitFor();
  assert.equal(await card.getByRole('alert').count(), 0);
  assert.equal(await card.getByLabel('Password or token').inputValue(), '');
  await row.getByRole('button', { name: 'Forget …' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('the login of puller; pulls and pushes there go without one').waitFor();
  await dialog.getByText('berth registry logout registry.example.com:5000').waitFor();
  await dialog.getByRole('textbox').fill('registry.example.com:5000');
  await dialog.getByRole('button', { name: 'Forget', exact: true }).click();
  await row.waitFor({ state: 'detached' });
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('an image is pushed, and how far it has come is shown', async (world) => {
  const page = await visit(world, '/images');
  await page.evaluate(() => {
    window.seen = [];
    new MutationObserver(() => { const bar = document.querySelector('progress'); if (bar) window.seen.push(bar.value / bar.max); }).observe(document.body, { subtree: true, childList: true, attributes: true });
  });
  await page.getByRole('button', { name: 'More for ghcr.io/example/shop-api:4.2.1' }).click();
  await page.getByRole('menuitem', { name: 'Push ghcr.io/example/shop-api:4.2.1 …' }).click();
  const dialog = page.getByRole('dialog', { name: 'Push ghcr.io/example/shop-api:4.2.1?' });
  await dialog.waitFor();
  assert.deepEqual(await violations(page), []);
  const [asked] = await Promise.all([page.waitForRequest((each) => each.method() === 'POST' && each.url().endsWith('/images/push')), dialog.getByRole('button', { name: 'Push', exact: true }).click()]);
  assert.deepEqual(asked.postDataJSON(), { reference: 'ghcr.io/example/shop-api:4.2.1' });
  const dock = page.getByRole('region', { name: /^Job: Push/ });
  await dock.getByText('layer 5f70bf18a086').first().waitFor();
  await page.getByText('Push ghcr.io/example/shop-api:4.2.1: done').waitFor();
  const seen = await page.evaluate(() => window.seen);
  assert.ok(seen.includes(0.25) && seen.includes(1), JSON.stringify(seen));
  assert.equal(await page.locator('progress').count(), 0, 'what is over has come nowhere further');
  await page.context().close();
});

test('unused images are listed by a look that changes nothing, and those alone are removed', async ({ browser }) => {
  const mock = await startMock();
  try {
    const page = await visit({ browser, mock }, '/images');
    const { images } = await (await fetch(`${mock.base}/api/v1/images/prune`)).json();
    assert.equal(images.length, 1);
    const short = images[0].id.replace('sha256:', '').slice(0, 12);
    const calls = [];
    page.on('request', (each) => /\/images\/prune/.test(each.url()) && calls.push(each.method()));
    await page.getByRole('button', { name: 'Remove unused …' }).click();
    const dialog = page.getByRole('dialog', { name: 'Remove unused images?' });
    await dialog.waitFor();
    assert.deepEqual(calls, ['GET']);
    const lost = await dialog.locator('.lost li').allInnerTexts();
    assert.equal(lost.length, 1);
    assert.ok(lost[0].includes(short), lost[0]);
    assert.deepEqual(await violations(page), []);
    const remove = dialog.getByRole('button', { name: 'Remove them' });
    assert.ok(await remove.isDisabled());
    await dialog.getByRole('textbox').fill('prune');
    const [asked] = await Promise.all([page.waitForRequest((each) => each.method() === 'POST' && /\/images\/prune$/.test(each.url())), remove.click()]);
    assert.deepEqual(asked.postDataJSON(), { images: [images[0].id] });
    await page.getByText('Remove them: done').waitFor();
    await page.getByRole('row', { name: new RegExp(short) }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Remove unused …' }).click();
    await page.getByText('there is no unused image').waitFor();
    assert.equal(await page.getByRole('dialog').count(), 0);
    await page.context().close();
  } finally {
    mock.stop();
  }
});

test('adopting says what it means before it is done', async ({ browser }) => {
  const mock = await startMock();
  try {
    const page = await visit({ browser, mock }, '/projects/wiki');
    const bodies = [];
    page.on('request', (each) => each.url().endsWith('/adopt') && bodies.push(each.postDataJSON()));
    await page.getByRole('button', { name: 'Adopt …' }).click();
    const dialog = page.getByRole('dialog', { name: 'Adopt wiki?' });
    await dialog.getByText('No container, network or volume is touched').waitFor();
    await dialog.getByText('/srv/wiki/docker-compose.yml').waitFor();
    await dialog.getByText('What runs differs from these files.').waitFor();
    await dialog.getByText('the image differs').first().waitFor();
    await dialog.getByText('berth adopt wiki', { exact: true }).waitFor();
    assert.deepEqual(await violations(page), []);
    await dialog.getByRole('button', { name: 'Leave it as it is' }).click();
    await dialog.waitFor({ state: 'detached' });
    assert.deepEqual(bodies, [null], 'a look alone');
    await page.getByText('Made by another program.').waitFor();
    await page.getByRole('button', { name: 'Adopt …' }).click();
    await dialog.getByRole('button', { name: 'Adopt', exact: true }).click();
    await page.getByText('wiki is adopted').waitFor();
    assert.deepEqual(bodies, [null, null, { confirm: true }]);
    await page.getByText('Made by another program.').waitFor({ state: 'detached' });
    await page.context().close();
  } finally {
    mock.stop();
  }
});

test('where there is nothing yet, each page says what comes there', async ({ browser }) => {
  const mock = await startMock('--empty');
  try {
    for (const [theme, width] of [['light', 1280], ['dark', 360]]) {
      const page = await visit({ browser, mock }, '/', { theme, width });
      for (const [path, text] of [['/', 'No project yet'], ['/projects', 'No project yet'], ['/containers', 'No container yet'], ['/images', 'No image yet'], ['/volumes', 'No volume yet'], ['/networks', 'No network yet'], ['/networks/topology', 'Nothing to draw yet'], ['/events', 'Nothing happened yet'], ['/terminals', 'No terminal is open'], ['/routes', 'No route yet'], ['/routes/certificates', 'No certificate yet'], ['/tokens', 'No token yet'], ['/audit', 'Nothing was done yet'], ['/audit?verb=x', 'Nothing fits']]) {
        await move(page, path);
        await page.getByText(text).first().waitFor();
        if (theme === 'light') assert.deepEqual(await violations(page), [], path);
        assert.ok(await page.evaluate(() => document.scrollingElement.scrollWidth <= innerWidth), `${path} is wider than the window`);
      }
      await page.goto('/containers');
      await page.getByRole('link', { name: 'Paste a compose file' }).click();
      await page.getByRole('heading', { name: 'New project' }).waitFor();
      assert.deepEqual(page.wrong, []);
      await page.context().close();
    }
  } finally {
    mock.stop();
  }
});

test('a filter that fits nothing does not say that there is nothing', async (world) => {
  const page = await visit(world, '/containers?state=stopped&q=no-such');
  await page.getByText('Nothing fits.').waitFor();
  await page.goto('/images?use=used&q=no-such');
  await page.getByText('Nothing fits.').waitFor();
  await page.goto('/jobs/job_2');
  await page.getByText('It said nothing more.').waitFor();
  await page.context().close();
});

await runAll(async () => ({ browser: await launch(), mock: await startMock() }), async ({ browser, mock }) => {
  await browser.close();
  mock.stop();
});
