// The log viewer on the mock: what it shows, how it is moved through, and that it stays quick.
import fs from 'node:fs';
import { arrive as visit, assert, best, launch, open, runAll, startMock, test, violations, workOf } from './browser.mjs';

test('the log follows, pauses, finds, folds and shows markup as text', async (world) => {
  const page = await visit(world, '/projects/shop/logs?tail=200');
  const log = page.getByRole('log');
  await log.getByText('<script>alert(1)</script> is text').first().waitFor();
  await page.getByText('following').waitFor();
  const before = await log.locator('.log-line').count();
  await page.waitForFunction((n) => document.querySelectorAll('.log-line').length > n, before);
  await log.evaluate((box) => { box.scrollTop = 0; });
  await page.getByText('paused').waitFor();
  await page.getByRole('searchbox', { name: 'Search the log' }).fill('payment');
  await page.getByRole('button', { name: 'Next' }).click();
  await log.locator('.log-line.now mark').first().waitFor();
  await page.getByRole('button', { name: 'Only hits' }).click();
  await page.waitForFunction(() => [...document.querySelectorAll('.log-line')].every((line) => line.textContent.includes('payment')));
  await page.getByRole('searchbox', { name: 'Search the log' }).fill('');
  await log.getByRole('button', { name: 'unfold' }).last().click();
  await log.getByText('"total": "49.90"').first().waitFor();
  assert.equal(await page.evaluate(() => document.querySelectorAll('.log script').length), 0);
  await page.getByRole('button', { name: 'Wrap' }).click();
  await log.evaluate((box) => { box.scrollTop = 0; });
  await page.getByRole('button', { name: 'Follow' }).click();
  await page.getByText('following').waitFor();
  await log.locator('a.when').last().click();
  await page.waitForURL(/at=\d{13}/);
  await page.context().close();
});

const wheel = (page, times, by) => page.evaluate(async ([n, step]) => {
  const box = document.querySelector('.log-lines');
  for (let i = 0; i < n; ++i) {
    box.scrollTop += step;
    await new Promise(requestAnimationFrame);
  }
}, [times, by]);

test('a hundred thousand lines: only what is seen is drawn, and scrolling is quick', async (world) => {
  const page = await visit(world, '/projects/shop/logs?tail=100000', { tasks: true });
  await page.getByText(/^100,000 lines ·/).waitFor({ timeout: 60_000 });
  const rows = () => page.locator('.log-line').count();
  assert.ok(await rows() <= 2000, 'wrapped');
  const wrapped = await workOf(page, 20, () => wheel(page, 20, -900));
  assert.ok(await rows() <= 2000, 'wrapped, further up');
  await page.locator('.log-tools button', { hasText: 'Wrap' }).click(); // by role all lines would be looked through
  await page.waitForFunction(() => document.querySelectorAll('.log-line').length < 200);
  const plain = await best(3, 50, () => workOf(page, 40, () => wheel(page, 40, -4000)));
  assert.ok(await rows() < 200);
  await page.getByRole('searchbox', { name: 'Search the log' }).fill('#99990');
  await page.getByRole('button', { name: 'Previous' }).click();
  await page.locator('.log-line.now mark').waitFor();
  const told = ({ step, most, count }) => `${step} ms of processor a step, longest task ${most} ms of ${count} over 50 ms`;
  console.error(`100,000 lines: ${told(plain)}; wrapped ${told(wrapped)}`);
  assert.ok(plain.step < 50 && wrapped.step < 400, `${told(plain)}; wrapped ${told(wrapped)}`);
  await page.context().close();
});

test('a log is narrowed to a level and jumps to a time', async (world) => {
  const page = await visit(world, '/projects/shop/logs?tail=300');
  await page.getByRole('log').getByText('GET /healthz').first().waitFor();
  await page.getByLabel('Level').selectOption('error');
  await page.waitForFunction(() => [...document.querySelectorAll('.log-line')].every((line) => line.textContent.includes('ERROR')));
  await page.getByLabel('Level').selectOption('warning');
  await page.waitForFunction(() => document.querySelector('.log-lines').textContent.includes('WARN'));
  await page.getByLabel('Level').selectOption('');
  const then = new Date(Date.now() - 60_000);
  await page.getByLabel('Jump to').fill(new Date(then - then.getTimezoneOffset() * 60_000).toISOString().slice(0, 19));
  await page.waitForURL(/at=\d{13}/);
  await page.locator('.log-line.at').waitFor();
  assert.deepEqual(await violations(page), []);
  await page.context().close();
});


test('a log of a time ends there, and is left for the newest', async (world) => {
  const page = await visit(world, '/containers/shop-web-1/logs');
  await page.getByText('following').waitFor();
  await page.getByLabel('Time', { exact: true }).selectOption('span');
  const until = new Date(Math.floor(Date.now() / 1000) * 1000 - 1_800_000), from = new Date(until - 120_000);
  const field = (at) => new Date(at - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
  await page.getByLabel('From').fill(field(from));
  await page.getByLabel('Until').fill(field(until));
  await page.getByText(/^12\d lines · the time asked for/).waitFor();
  const asked = new URL(page.url()).searchParams;
  assert.deepEqual([asked.get('since'), asked.get('until')], [from, until].map((at) => at.toISOString().replace('.000', '')));
  assert.deepEqual(await violations(page), []);
  await page.reload(); // the address has it all
  await page.getByText(/^12\d lines · the time asked for/).waitFor();
  assert.equal(await page.getByLabel('From').inputValue(), field(from));
  await page.getByRole('button', { name: 'To the newest' }).click();
  await page.getByText('following').waitFor();
  assert.equal(new URL(page.url()).search, '');
  await page.context().close();
});

test('a link to a moment long past shows what was about it', async (world) => {
  const at = Date.now() - 7_200_000;
  const page = await visit(world, `/containers/shop-web-1/logs?at=${at}`);
  await page.locator('.log-line.at').waitFor();
  await page.getByText('the time asked for').waitFor();
  const seen = await page.locator('.log-line.at a.when').getAttribute('href');
  assert.ok(Math.abs(Number(/at=(\d+)/.exec(seen)[1]) - at) < 5000);
  await page.waitForFunction(() => { const line = document.querySelector('.log-line.at').getBoundingClientRect(), box = document.querySelector('.log-lines').getBoundingClientRect(); return line.top >= box.top && line.bottom <= box.bottom; });
  await page.context().close();
});

test('one stream of a log is shown, and its times in the zone that is chosen', async ({ browser, mock }) => {
  const page = await visit({ browser, mock }, '/containers/shop-web-1/logs?tail=100', { timezoneId: 'Asia/Kolkata' });
  const first = () => page.evaluate(() => { const link = document.querySelector('.log-line a.when'); return { shown: link.textContent, at: Number(new URL(link.href).searchParams.get('at')) }; });
  const stream = page.getByLabel('Stream');
  await stream.selectOption('err');
  await page.waitForFunction(() => document.querySelectorAll('.log-line').length > 5 && [...document.querySelectorAll('.log-line')].every((each) => each.classList.contains('err')));
  await stream.selectOption('out');
  await page.waitForFunction(() => document.querySelectorAll('.log-line').length > 5 && !document.querySelector('.log-line.err'));
  assert.match(page.url(), /stream=out/);
  const clock = (zone) => (at) => new Date(at + zone * 60_000).toISOString().slice(11, 23);
  const times = page.getByLabel('Times');
  for (const [zone, minutes] of [['local', 330], ['utc', 0]]) {
    await times.selectOption(zone);
    const { shown, at } = await first();
    assert.ok(shown.endsWith(clock(minutes)(at)), `${zone}: ${shown}`);
  }
  await page.getByLabel('Jump to').fill('2026-11-23T05:00:01');
  await page.waitForURL(new RegExp(`at=${Date.UTC(2026, 10, 23, 5, 0, 1)}`)); // as it was shown: in UTC
  await times.selectOption('off');
  assert.equal(await page.locator('a.when').count(), 0);
  await page.context().close();
});

test('services stand side by side, each followed and searched by itself', async (world) => {
  const page = await visit(world, '/projects/shop/logs?tail=40');
  await page.getByRole('button', { name: 'Side by side' }).click();
  await page.waitForURL(/split=1/);
  const of = (name) => page.getByRole('region', { name, exact: true });
  for (const name of ['web', 'api', 'db']) await of(name).getByText('following').waitFor();
  await of('api').getByText('payment').first().waitFor();
  await of('api').getByRole('log').evaluate((box) => { box.scrollTop = 0; });
  await of('api').getByText('paused').waitFor();
  await of('web').getByText('following').waitFor();
  await page.getByRole('searchbox', { name: 'Search the log' }).fill('payment');
  await of('db').getByRole('button', { name: 'Next' }).click();
  await of('db').locator('.log-line.now').waitFor();
  assert.equal(await of('web').locator('.log-line.now').count(), 0);
  await page.getByRole('searchbox', { name: 'Search the log' }).press('Enter'); // goes on where it was searched last
  await of('db').getByText(/^2\//).waitFor();
  assert.deepEqual(await violations(page), []);
  await page.getByRole('button', { name: 'web', exact: true }).click();
  await of('api').waitFor({ state: 'detached' });
  await of('web').waitFor();
  await page.context().close();
});

test('other containers stand beside one', async (world) => {
  const page = await visit(world, '/containers/shop-web-1/logs?tail=40');
  await page.getByLabel('Show beside').selectOption('shop-db-1');
  await page.getByLabel('Show beside').selectOption('old-redis');
  await page.waitForURL(/beside=shop-db-1%2Cold-redis/);
  await page.reload();
  for (const name of ['shop-web-1', 'shop-db-1', 'old-redis']) await page.getByRole('log', { name: `Log of ${name}` }).getByText('GET /healthz').first().waitFor();
  assert.deepEqual(await violations(page), []);
  await page.getByRole('button', { name: 'close shop-db-1' }).click();
  await page.getByRole('log', { name: 'Log of shop-db-1' }).waitFor({ state: 'detached' });
  assert.equal(await page.getByRole('log').count(), 2);
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('a log is saved as it is shown, and lines that were left out are told', async (world) => {
  const page = await open(world.browser, { base: world.mock.base });
  await page.route(/\/v1\/containers\/[^/]+\/logs\?/, (route) => route.fulfill({ contentType: 'text/event-stream', body: [
    'id: 1\ndata: {"stream":"out","at":1790000000000,"text":"\\u001b[31mfirst\\u001b[0m"}\n\n', 'id: 2\nevent: gap\ndata: {"lost":37,"at":1790000001000}\n\n', 'id: 3\ndata: {"stream":"err","at":1790000002000,"text":"last"}\n\n', 'event: end\ndata: {}\n\n'].join('') }));
  await page.goto('/containers/shop-web-1/logs?level=error&stream=err');
  await page.locator('.log-line.gap').getByText('37 lines were left out').waitFor();
  assert.equal(await page.locator('.log-line').count(), 1, 'a gap is shown whatever is chosen');
  await page.getByLabel('Level').selectOption('');
  await page.getByLabel('Stream').selectOption('');
  assert.equal(await page.getByText('first', { exact: true }).evaluate((span) => getComputedStyle(span).color), 'rgb(255, 138, 128)');
  const saved = page.waitForEvent('download');
  await page.getByRole('link', { name: 'save what is shown' }).click();
  const file = await saved;
  assert.equal(file.suggestedFilename(), 'shop-web-1.log');
  const text = fs.readFileSync(await file.path(), 'utf8');
  assert.match(text, /^2026-09-21T\S+Z first\n\S+ 37 lines were left out.*\n\S+ last$/);
  await page.context().close();
});

await runAll(async () => ({ browser: await launch(), mock: await startMock() }), async ({ browser, mock }) => {
  await browser.close();
  mock.stop();
});
