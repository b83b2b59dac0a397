// What the browser tests share: Chromium, pages that note what goes wrong, axe, and a small runner.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const require = createRequire(import.meta.url);
export const here = path.dirname(fileURLToPath(import.meta.url));
const axeText = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const kWait = 20_000; // a loaded machine is slow

const how = { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--no-proxy-server', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking'] };
export const launch = () => chromium.launch(how);

/** A browser of its own with one profile in `folder`, as people have it: private windows, which other tests use, never show
 *  a Kerberos ticket. With more flags and another environment; the context, to be closed at the end. */
export async function launchOwn(folder, flags, env, options) {
  const context = await chromium.launchPersistentContext(folder, { ...how, args: [...how.args, ...flags], env: { ...process.env, ...env }, ignoreHTTPSErrors: true, ...options });
  context.setDefaultTimeout(kWait);
  return context;
}

/** What was not loaded during the test: shown with its failure. */
let dropped = [];

/** A page of its own; `page.wrong` collects script errors and refusals of the page's policy. */
export async function open(browser, { base, width = 1280, height = 800, theme = 'light', ...more } = {}) {
  const context = await browser.newContext({ baseURL: base, viewport: { width, height }, colorScheme: theme, reducedMotion: 'reduce', ignoreHTTPSErrors: true, permissions: ['clipboard-read', 'clipboard-write'], ...more });
  const page = await context.newPage();
  page.setDefaultTimeout(kWait);
  page.wrong = [];
  page.on('pageerror', (error) => page.wrong.push(`${error}`));
  page.on('requestfailed', (request) => dropped.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource|net::ERR|WebSocket connection/.test(message.text())) page.wrong.push(message.text());
  });
  return page;
}

/** Violations of WCAG 2.2 AA and axe's best practices, each as one line. Script goes in past the page's policy. */
export async function violations(page) {
  if (!(await page.evaluate(() => !!window.axe))) await page.evaluate(`(() => { ${axeText} })(); undefined`);
  return page.evaluate(async () => {
    const found = await window.axe.run(document, { resultTypes: ['violations'], preload: false }); // its preloading adds styles, which the page refuses
    return found.violations.flatMap((each) => each.nodes.map((node) => `${each.id}: ${node.target.join(' ')} ${node.html.slice(0, 120)} ${(node.any[0] ?? node.all[0] ?? node.none[0])?.message ?? ''}`));
  });
}

/** Pastes as people do it. */
export async function paste(page, text) {
  await page.evaluate((all) => navigator.clipboard.writeText(all), text);
  await page.keyboard.press('Control+v');
}

/** The page's data is there: nothing spins any more. */
export async function settled(page, options = {}) {
  await page.waitForFunction(() => document.querySelector('h1') && !document.querySelector('.loading'), undefined, options);
}

/** A page of the mock, with what it shows loaded. */
export async function arrive(world, path, how = {}) {
  const page = await open(world.browser, { base: how.base ?? world.mock.base, ...how });
  if (how.tasks) await watchTasks(page);
  await page.goto(path);
  await settled(page);
  return page;
}

/** As the page's own links do it: loading it all again for each would take most of the time. */
export async function move(page, path) {
  await page.evaluate((to) => { history.pushState(null, '', to); dispatchEvent(new PopStateEvent('popstate')); }, path);
  await page.waitForFunction(() => new Promise((then) => setTimeout(() => then(true), 30)));
  await settled(page);
}
/** From the first script of each page on, `longTasks` has the milliseconds of what held its thread for more than 50. */
export const watchTasks = (page) => page.addInitScript(() => {
  window.longTasks = [];
  new PerformanceObserver((list) => window.longTasks.push(...list.getEntries().map((each) => Math.round(each.duration)))).observe({ type: 'longtask', buffered: true });
});

/** What the page's thread does while `run` goes on, `steps` of it: its long tasks, by the clock; and, whoever else uses
 * the machine, the milliseconds of processor that a step takes. */
export async function workOf(page, steps, run) {
  const inspector = await page.context().newCDPSession(page);
  await inspector.send('Performance.enable', { timeDomain: 'threadTicks' });
  const busy = async () => (await inspector.send('Performance.getMetrics')).metrics.find((each) => each.name === 'TaskDuration').value * 1000;
  await page.evaluate(() => { window.longTasks.length = 0; });
  const before = await busy();
  await run();
  const step = (await busy() - before) / steps;
  const tasks = await page.evaluate(() => new Promise((then) => setTimeout(() => then(window.longTasks), 200)));
  await inspector.detach();
  return { step: Math.round(step * 10) / 10, count: tasks.length, most: Math.max(0, ...tasks) };
}
/** The best of some tries: others use this machine too. */
export async function best(tries, good, measure) {
  let least = null;
  for (let i = 0; i < tries; ++i) {
    const now = await measure();
    if (!least || now.step < least.step) least = now;
    if (least.step < good) break;
  }
  return least;
}

/** Chromium drops what it loads whenever a network interface comes or goes, as the engine's do with each container. */
export async function visit(page, path) {
  for (let tries = 8; ; --tries) {
    try {
      return await page.goto(path);
    } catch (error) {
      if (!tries || !/ERR_NETWORK_CHANGED|chrome-error|interrupted/.test(String(error))) throw error;
      await page.waitForTimeout(500);
    }
  }
}

export async function startMock(...flags) {
  const child = spawn(process.execPath, [path.join(here, '../mock/server.mjs'), '--port', '0', ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
  const base = await new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the mock ended with ${code}`)));
    child.stdout.once('data', (text) => resolve(/http:\S+?(?=\/\n)/.exec(String(text))[0]));
  });
  return { base, stop: () => child.kill() };
}

const tests = [];
export const test = (name, run) => tests.push({ name, run });

/** Runs the tests of a file that were named on the command line, or all; a line for each, as JSON for the suite. */
export async function runAll(setUp, tearDown) {
  const wanted = process.argv.slice(2);
  const world = await setUp();
  let failed = 0;
  for (const { name, run } of tests) {
    if (wanted.length && !wanted.some((word) => name.includes(word))) continue;
    const start = Date.now();
    let error = null;
    dropped = [];
    try {
      await run(world);
    } catch (cause) {
      error = [cause.stack ?? cause, ...dropped.slice(-10)].join('\n');
      failed += 1;
    }
    console.log(JSON.stringify({ name, ms: Date.now() - start, error }));
  }
  await tearDown(world);
  process.exit(failed ? 1 : 0);
}
export { assert };
