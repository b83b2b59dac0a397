#!/usr/bin/env node
// A MOCK of berth's API, for developing the UI and for its fast browser tests. Nothing here is berth: an invented world
// in memory. Serves the built UI too. Usage: mock/server.mjs [--port N] [--setup] [--big N] [--alone] [--empty] [--user NAME] [--signed-out]
// --setup starts without an admin (the token is "mock-token"); --user signs somebody in at once.
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { emptyWorld, farWorld, world } from './data.mjs';

const flag = (name, fallback) => (process.argv.includes(`--${name}`) ? process.argv[process.argv.indexOf(`--${name}`) + 1] ?? true : fallback);
const dist = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../../build/web/dist');
const local = process.argv.includes('--empty') ? emptyWorld() : world(Number(flag('big', 0)));
let w = local; // of the engine that is asked
const engines = process.argv.includes('--alone') ? {} : { rack: { world: farWorld(), address: 'tcp://10.0.0.7:2376', listeners: new Set() }, 'edge-2': { world: farWorld(), address: 'ssh://deploy@edge-2.example.org', why: 'no route to host', listeners: new Set() } };
let setup = process.argv.includes('--setup');
let who = setup || process.argv.includes('--signed-out') ? null : w.users.find((each) => each.name === flag('user', 'ada'));
const passwords = { ada: 'correct horse battery', vera: 'correct horse battery', dev: 'correct horse battery' };
let jobs = 10, dropped = false;
const listeners = new Set();
const drop = new Set(); // open event streams, to cut them

class Refusal extends Error {
  constructor(status, code, message) {
    super(message);
    Object.assign(this, { status, code });
  }
}
const missing = (what) => new Refusal(404, 'not_found', `${what}: it is not there`);
const find = (list, key, what) => list.find((each) => [each.id, each.name].includes(key) || each.id?.startsWith(key)) ?? (() => { throw missing(`${what} ${key}`); })();
const role = (project) => (who.role === 'admin' || who.role === 'operator' ? who.role : who.projects[project]);
const sees = (project) => !!role(project);
const needs = (project, ...roles) => {
  if (!['admin', 'operator', ...roles].includes(role(project))) throw new Refusal(403, 'denied', `${who.name} may not do that`);
};
let stale = null;
const page = (items) => ({ items, next: null, stale });
const tell = (type, action, more = {}) => {
  const event = { action, at: Date.now(), ...more };
  for (const send of listeners) send(type, event);
};
const session = () => ({ user: who && { ...who }, setup, leastPassword: 10, methods: { password: true, passkey: true, oidc: [{ id: 'company', name: 'Company' }], oauth2: [{ id: 'github', name: 'GitHub' }], ldap: [{ id: 'directory', name: 'Directory' }], kerberos: [] }, expiresAt: Date.now() + 8 * 3_600_000 });

function startJob(kind, subject, lines, then, project) {
  const job = { id: `job_${++jobs}`, kind, subject, project, state: 'running', startedAt: Date.now(), endedAt: null, by: who.name, error: null, lines: [] };
  w.jobs.unshift(job);
  lines.forEach((text, i) => setTimeout(() => {
    job.lines.push({ at: Date.now(), level: 'info', ...(typeof text === 'string' ? { text } : text) });
    if (i < lines.length - 1) return;
    then?.();
    Object.assign(job, { state: 'succeeded', endedAt: Date.now() });
    tell('job', 'end', { id: job.id, project });
  }, 150 * (i + 1)));
  return { job: job.id };
}

/** Enough of a check to show problems: tabs, services without an image, lines without a colon. */
function validate(files, name) {
  const problems = [], services = [];
  for (const [file, text] of Object.entries(files)) {
    if (!/\.ya?ml$/.test(file)) continue;
    let inServices = false;
    text.split('\n').forEach((line, i) => {
      if (/^services:/.test(line)) inServices = true;
      else if (/^\S/.test(line)) inServices = false;
      if (inServices && /^ {2}[\w-]+:\s*$/.test(line)) services.push(line.trim().slice(0, -1));
      const key = /^ {4}(imag|port|volume|enviroment):/.exec(line);
      if (key) problems.push({ file, line: i + 1, column: 5, level: 'error', message: `services.${services.at(-1)}: unknown key "${key[1]}"; did you mean "${{ imag: 'image', port: 'ports', volume: 'volumes', enviroment: 'environment' }[key[1]]}"?`, caret: `${line}\n    ^` });
      if (/^\t/.test(line)) problems.push({ file, line: i + 1, column: 1, level: 'error', message: 'a tab indents this line; YAML takes spaces only', caret: `${line}\n^` });
    });
    if (!services.length) problems.push({ file, line: 1, column: 1, level: 'error', message: `project ${name}: no service selected`, caret: '' });
  }
  return { ok: problems.length === 0, problems, services };
}
const planOf = (name) => {
  const of = find(w.projects, name, 'project'), fresh = of.state === 'draft';
  const services = validate(w.files[name], name).services;
  const ops = fresh ? [{ id: '1', subject: `network ${name}_default`, verb: 'create', cause: 'it does not exist', risk: null, details: [] }, ...services.map((each, i) => ({ id: String(i + 2), subject: `container ${name}-${each}-1`, verb: 'create', cause: 'the service has no container', risk: null, details: [] }))]
    : of.drift?.count ? [{ id: '1', subject: `container ${name}-web-1`, verb: 'recreate', cause: 'the image differs', risk: null, details: [{ field: 'Image', old: 'ghcr.io/example/shop-web:4.2.1', new: 'ghcr.io/example/shop-web:4.3.0' }, { field: 'Env.LOG_LEVEL', old: null, new: 'info' }] }, { id: '2', subject: `container ${name}-web-2`, verb: 'recreate', cause: 'the image differs', risk: null, details: [] }] : [];
  return { plan: 'plan_1', text: '', ops, summary: { create: fresh ? ops.length : 0, recreate: fresh ? 0 : ops.length, remove: 0, keep: fresh ? 0 : 2 }, foreign: [], grantsNeeded: [] };
};

function applied(name) {
  const of = find(w.projects, name, 'project');
  if (of.state === 'draft') for (const each of validate(w.files[name], name).services) {
    w.containers.push({ ...w.containers[0], id: randomBytes(32).toString('hex'), name: `${name}-${each}-1`, project: name, service: each, health: null, ports: [], image: 'nginx:1.27-alpine' });
    of.services.push({ name: each, replicas: 1, running: 1, health: null, image: 'nginx:1.27-alpine' });
  }
  Object.assign(of, { state: 'running', drift: { count: 0, at: Date.now() }, updatedAt: Date.now(), urls: of.urls.length ? of.urls : [`https://${name}.localhost/`] });
  tell('project', 'applied', { name, project: name });
}
function change(id, verb) {
  const of = find(w.containers, id, 'container');
  needs(of.project, 'developer');
  Object.assign(of, { start: { state: 'running', exitCode: null, startedAt: Date.now() }, restart: { state: 'running', restarts: of.restarts, startedAt: Date.now(), health: null }, stop: { state: 'exited', exitCode: 0, health: null }, kill: { state: 'exited', exitCode: 137, health: null }, pause: { state: 'paused' }, unpause: { state: 'running' } }[verb]);
  tell('container', verb, { id: of.id, name: of.name, project: of.project });
  return of;
}
const graph = () => {
  const routed = w === local && w.containers.length > 0, nodes = routed ? [{ id: 'r1', kind: 'route', name: 'shop@docker', state: 'up' }] : [], edges = routed ? [{ from: 'r1', to: 's:shop/web' }] : [];
  for (const p of w.projects) for (const s of p.services) nodes.push({ id: `s:${p.name}/${s.name}`, kind: 'service', name: `${p.name}/${s.name}`, state: s.running ? 'running' : 'stopped' });
  for (const c of w.containers.slice(0, 12)) {
    nodes.push({ id: c.id, kind: 'container', name: c.name, state: c.health ?? c.state });
    if (c.project) edges.push({ from: `s:${c.project}/${c.service}`, to: c.id });
    for (const n of c.networks) edges.push({ from: c.id, to: `n:${n.name}` });
  }
  for (const n of w.networks) nodes.push({ id: `n:${n.name}`, kind: 'network', name: n.name });
  for (const v of w.volumes) {
    nodes.push({ id: `v:${v.name}`, kind: 'volume', name: v.name });
    for (const user of v.usedBy) edges.push({ from: w.containers.find((c) => c.name === user)?.id, to: `v:${v.name}` });
  }
  return { nodes, edges };
};
function history(range) {
  const step = range === '24h' ? 600_000 : 30_000, n = range === '24h' ? 144 : 120, at = Array.from({ length: n }, (_, i) => Date.now() - (n - i) * step);
  const wave = (base, swing, fast) => at.map((_, i) => base + swing * (1 + Math.sin(i / fast)) + ((i * 7919) % 13) * swing * 0.05);
  return { step, at, cpu: wave(6, 14, 9), memory: wave(180e6, 20e6, 30), rx: wave(20e3, 60e3, 11), tx: wave(9e3, 26e3, 7) };
}
const logTexts = ['\u001b[32mINFO\u001b[0m  GET /cart 200 in 12 ms', '{"level":"info","msg":"order placed","order":4711,"total":"49.90","user":"ada"}', '\u001b[33mWARN\u001b[0m  cache miss for product 12', 'GET /healthz 200', '\u001b[31mERROR\u001b[0m payment gateway: timeout after 3 s, trying again', '<script>alert(1)</script> is text'];

function sse(response) {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  response.flushHeaders();
  drop.add(response);
  response.on('close', () => drop.delete(response));
  return (data, { event, id } = {}) => response.write(`${id ? `id: ${id}\n` : ''}${event ? `event: ${event}\n` : ''}data: ${JSON.stringify(data)}\n\n`);
}
const every = (response, ms, what) => {
  const timer = setInterval(what, ms);
  response.on('close', () => clearInterval(timer));
};
/** A line each second: the newest of them, or those of the time that is asked for; then four a second as they come. */
function streamLogs(request, response, services) {
  const send = sse(response), wanted = new URL(request.url, 'http://x').searchParams, asked = wanted.get('tail') === 'all' ? Infinity : Number(wanted.get('tail') ?? 100);
  const since = Number(wanted.get('since') ?? 0) * 1000, until = Math.min(Date.now(), wanted.has('until') ? Number(wanted.get('until')) * 1000 : Infinity);
  const tail = Math.min(asked > 20_000 && !since ? asked : Math.min(asked, 400), since ? Math.max(0, Math.ceil((until - since) / 1000)) : Infinity);
  const from = Number(String(request.headers['last-event-id'] ?? 0)) || 0;
  let n = from || 0;
  const line = (at) => send({ stream: n % 6 === 4 ? 'err' : 'out', at, text: logTexts[n % logTexts.length].startsWith('{') ? logTexts[n % logTexts.length] : `${logTexts[n % logTexts.length]} #${n}`, ...(services && { service: services[n % services.length] }) }, { id: ++n });
  const begin = asked === Infinity && since ? since : until - tail * 1000; // "all" of a time begins where it begins
  if (!from) for (let i = 0; i < tail; ++i) line(begin + i * 1000);
  if (wanted.get('follow') !== 'false') every(response, 250, () => line(Date.now()));
  else { send({}, { event: 'end' }); response.end(); }
}

const routes = [];
const on = (method, pattern, run) => routes.push({ method, pattern, test: new RegExp(`^/api/v1${pattern.replace(/\{(\w+)\*\}/g, '(?<$1>.+)').replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`), run });

on('GET', '/openapi.json', () => ({ openapi: '3.1.0', paths: Object.fromEntries([...routes.map((each) => each.pattern), '/events', '/jobs/{id}/events', '/containers/{id}/logs', '/containers/{id}/stats', '/projects/{name}/logs'].map((each) => [`/api/v1${each}`, {}])) }));
on('GET', '/session', () => session());
on('POST', '/session', ({ body }) => {
  const found = w.users.find((each) => each.name === body.name);
  if (!found || passwords[body.name] !== body.password) throw new Refusal(401, 'unauthorized', 'name or password is wrong');
  if (found.totp && !body.totp && !body.recoveryCode) throw new Refusal(401, 'totp_required', 'the code of the authenticator is needed');
  if (found.totp && body.totp !== '123456') throw new Refusal(401, 'unauthorized', 'the code is wrong');
  who = found;
  return session();
});
on('DELETE', '/session', () => { who = null; });
on('POST', '/setup', ({ body }) => {
  if (body.token !== 'mock-token') throw new Refusal(403, 'denied', 'the setup token is wrong or spent; berth setup-token makes a new one');
  setup = false;
  who = { id: 'user_9', name: body.name, role: 'admin', projects: {}, totp: false, passkeys: 0, password: true, providers: [] };
  return session();
});
on('GET', '/overview', () => ({ engine: stale ? {} : { name: 'harbour', version: '20.10.24', apiVersion: '1.41', os: 'Debian GNU/Linux 12 (bookworm)', cpus: 2, memory: 8.2e9, storage: 'overlay2' },
  containers: { running: w.containers.filter((c) => c.state === 'running').length, stopped: w.containers.filter((c) => c.state === 'exited').length, unhealthy: w.containers.filter((c) => c.health === 'unhealthy').length },
  projects: w.projects.length, images: stale ? null : w.images.length, volumes: stale ? null : w.volumes.length, disk: stale ? null : { images: 1.64e9, containers: 1.2e8, volumes: 2.16e9, buildCache: 3.1e8, total: 8e10, free: 2.1e10 }, certificates: [{ host: 'shop.localhost', notAfter: Date.now() + 9 * 86_400_000 }], alerts: w === local && w.containers.length ? [{ level: 'warning', text: 'is unhealthy for 12 min', subject: 'shop-api-1' }] : [], stale }));
on('GET', '/engines', () => page([{ id: 'local', name: 'local', kind: 'local', address: 'unix:///var/run/docker.sock', state: 'up', version: '20.10.24', apiVersion: '1.41', why: null },
  ...Object.entries(engines).map(([name, { address, why }]) => ({ id: name, name, kind: address.split(':')[0], address, state: why ? 'down' : 'up', version: why ? null : '26.1.5', apiVersion: why ? null : '1.45', why: why ?? null }))]));
on('GET', '/history', ({ query }) => history(query.get('range')));
on('GET', '/containers', ({ query }) => page(w.containers.filter((c) => sees(c.project) && (!query.get('project') || c.project === query.get('project')))));
on('POST', '/containers', ({ body }) => { needs(null); return startJob('container.create', body.name, [`pulling ${body.image}`, `creating ${body.name}`, `${body.name} runs`], () => { w.containers.push({ ...w.containers[0], id: randomBytes(32).toString('hex'), name: body.name, image: body.image, project: null, service: null, ports: body.ports, health: null }); tell('container', 'create', { name: body.name }); }); });
on('GET', '/containers/{id}', ({ id }) => {
  const of = find(w.containers, id, 'container');
  if (!sees(of.project)) throw missing(`container ${id}`);
  const reveal = ['admin', 'operator', 'developer'].includes(role(of.project));
  return { ...of, command: ['nginx', '-g', 'daemon off;'], env: [{ name: 'PATH', value: reveal ? '/usr/bin' : null }, { name: 'DATABASE_URL', value: reveal ? 'postgres://shop:secret@db/shop' : null }], mounts: of.service === 'db' ? [{ type: 'volume', name: 'shop_data', source: '/var/lib/docker/volumes/shop_data/_data', target: '/var/lib/postgresql/data' }] : [],
    limits: { memory: 512 * 1024 * 1024, cpus: 1.5 }, healthLog: of.health ? [{ at: Date.now() - 9000, exitCode: of.health === 'unhealthy' ? 1 : 0, output: of.health === 'unhealthy' ? 'wget: server returned error: HTTP/1.1 503' : 'ok' }] : [], restartPolicy: 'unless-stopped', oomKilled: false };
});
on('GET', '/containers/{id}/inspect', ({ id }) => ({ Id: find(w.containers, id, 'container').id, HostConfig: { Privileged: false } }));
on('GET', '/containers/{id}/history', ({ query }) => history(query.get('range')));
const entry = (folder, name, type = 'file', size = 640, link = null) => ({ name, path: `${folder === '/' ? '' : folder}/${encodeURIComponent(name)}`, type, size, mode: type === 'folder' ? '0755' : '0644', modifiedAt: w.now, link });
const hostile = ['<img src=x onerror=alert(1)>', 'new\nline', '..%2f..%2fetc', '\u202egnp.exe', '-rf', 'ünïcode'];
const files = {
  '/': [entry('/', 'etc', 'folder', 900), entry('/', 'odd', 'folder', 60), entry('/', 'hello.txt', 'file', 1234), entry('/', 'shadow', 'link', 0, '/etc/shadow')],
  '/etc': [entry('/etc', 'nginx.conf')], '/odd': hostile.map((name) => entry('/odd', name)),
};
const folder = ({ query }) => { const at = query.get('path') || '/'; if (!files[at]) throw missing(at); return { path: at, items: files[at], partial: at === '/etc' ? 'the engine took longer than 20 seconds for all that lies beneath' : null }; };
for (const of of ['containers', 'volumes']) on('GET', `/${of}/{id}/files`, folder);
on('GET', '/containers/{id}/changes', () => page([{ path: '/etc/nginx.conf', kind: 'changed' }, { path: '/run/<b>pid</b>', kind: 'added' }, { path: '/tmp/old', kind: 'removed' }]));
for (const verb of ['start', 'stop', 'restart', 'pause', 'unpause', 'kill']) on('POST', `/containers/{id}/${verb}`, ({ id }) => change(id, verb));
on('DELETE', '/containers/{id}', ({ id }) => { const of = find(w.containers, id, 'container'); needs(of.project, 'developer'); w.containers.splice(w.containers.indexOf(of), 1); tell('container', 'destroy', { id: of.id, name: of.name }); });
on('POST', '/containers/{id}/terminals', ({ id }) => { const of = find(w.containers, id, 'container'); needs(of.project, 'developer'); const term = { id: `term_${w.terminals.length + 1}`, container: of.id, name: of.name, command: ['sh'], openedAt: Date.now(), attached: false, screen: '' }; w.terminals.push(term); return { terminal: term.id, ticket: 'once' }; });
on('GET', '/terminals', () => page(w.terminals));
on('POST', '/terminals/{id}/tickets', ({ id }) => { find(w.terminals, id, 'terminal'); return { ticket: 'again' }; });
on('DELETE', '/terminals/{id}', ({ id }) => { w.terminals = w.terminals.filter((each) => each.id !== id); });
on('GET', '/projects', () => page(w.projects.filter((p) => sees(p.name))));
on('POST', '/projects/validate', ({ body }) => validate(body.files, body.name));
on('POST', '/projects', ({ body }) => { if (w.projects.some((p) => p.name === body.name)) throw new Refusal(409, 'conflict', `project ${body.name}: it exists already`); w.files[body.name] = { ...body.files }; w.projects.push({ name: body.name, state: 'draft', services: [], drift: null, urls: [], source: 'managed', files: Object.keys(body.files), updatedAt: Date.now() }); tell('project', 'create', { name: body.name, project: body.name }); return w.projects.at(-1); });
on('GET', '/projects/{name}', ({ name }) => { const of = find(w.projects, name, 'project'); if (!sees(name)) throw missing(`project ${name}`); return of; });
on('DELETE', '/projects/{name}', ({ name, body }) => { needs(name, 'developer'); if (body.confirm !== name) throw new Refusal(400, 'invalid', 'the name does not match'); return startJob('project.remove', name, ['stopping', 'removing'], () => { w.projects = w.projects.filter((p) => p.name !== name); w.containers = w.containers.filter((c) => c.project !== name); tell('project', 'remove', { name }); }, name); });
on('GET', '/projects/{name}/removal', ({ name }) => ({ containers: w.containers.filter((c) => c.project === name).map((c) => c.name), networks: [`${name}_default`], volumes: w.volumes.filter((v) => v.project === name), files: Object.keys(w.files[name] ?? {}), generations: 2 }));
on('GET', '/projects/{name}/files', ({ name }) => Object.entries(w.files[name] ?? {}).map(([file, text]) => ({ path: file, size: text.length, etag: `"${text.length}"` })));
on('GET', '/projects/{name}/files/{file*}', ({ name, file }) => { const text = w.files[name]?.[file]; if (text === undefined) throw missing(file); return { text, etag: `"${createHash('sha1').update(text).digest('hex')}"` }; });
on('PUT', '/projects/{name}/files/{file*}', ({ name, file, text, request }) => { needs(name, 'developer'); const old = w.files[name][file], wanted = request.headers['if-match']; if (wanted && wanted !== `"${createHash('sha1').update(old ?? '').digest('hex')}"`) throw new Refusal(412, 'moved', 'somebody else changed it'); w.files[name][file] = text; const of = find(w.projects, name, 'project'); if (of.state !== 'draft') of.drift = { count: 1, at: Date.now(), changed: [{ service: 'web', object: `container ${name}-web-1`, cause: 'the image differs' }] }; tell('project', 'edit', { name, project: name }); return { etag: `"${createHash('sha1').update(text).digest('hex')}"` }; });
on('POST', '/projects/{name}/validate', ({ name, body }) => validate({ ...w.files[name], ...body.files }, name));
on('POST', '/projects/{name}/plan', ({ name }) => planOf(name));
on('POST', '/projects/{name}/apply', ({ name }) => { needs(name, 'developer'); return startJob('project.apply', name, ['creating network', 'pulling nginx:1.27-alpine', 'starting containers', 'done'], () => applied(name), name); });
for (const verb of ['start', 'stop', 'restart', 'down', 'pull', 'rollback']) on('POST', `/projects/{name}/${verb}`, ({ name }) => { needs(name, 'developer'); return startJob(`project.${verb}`, name, [`${verb} ${name}`, 'done'], () => tell('project', verb, { name, project: name }), name); });
on('POST', '/projects/{name}/rollback/plan', ({ name, body }) => { needs(name, 'developer'); return { ...planOf('shop'), plan: 'plan_back', generation: body.generation, summary: { create: 0, recreate: 1, remove: 0, keep: 3 }, ops: [{ id: '1', subject: `container ${name}-web-1`, verb: 'recreate', cause: 'Image differs', risk: null, details: [{ field: 'Image', old: 'ghcr.io/example/shop-web:4.2.1', new: 'ghcr.io/example/shop-web:4.1.0' }] }] }; });
on('POST', '/projects/{name}/adopt', ({ name, body }) => { if (body.confirm) find(w.projects, name, 'project').source = 'managed'; return { ...planOf('shop'), plan: 'plan_2', folder: '/srv/wiki', files: ['/srv/wiki/docker-compose.yml'], adopted: !!body.confirm }; });
on('GET', '/projects/{name}/environment', ({ name }) => { const reveal = role(name) !== 'viewer'; return [{ service: 'api', name: 'DATABASE_URL', value: reveal ? 'postgres://shop:correct-horse@db/shop' : null, origin: 'compose.yaml:16' }, { service: 'db', name: 'POSTGRES_PASSWORD', value: reveal ? 'correct-horse' : null, origin: '.env:1' }]; });
on('GET', '/projects/{name}/volumes', ({ name }) => w.volumes.filter((v) => v.project === name));
on('GET', '/projects/{name}/history', () => [{ generation: 1, at: w.now - 80 * 3_600_000, who: 'ada', command: 'up', note: '', summary: '4 created' }, { generation: 2, at: w.now - 2 * 3_600_000, who: 'ada', command: 'up', note: '', summary: '2 recreated' }]);
on('GET', '/images', () => page(w.images));
on('GET', '/images/{id}/layers', () => [{ size: 7_800_000, createdBy: 'ADD rootfs.tar.gz /', createdAt: w.now }, { size: 0, createdBy: 'CMD ["nginx"]', createdAt: w.now }]);
on('POST', '/images/pull', ({ body }) => { needs(null); return startJob('image.pull', body.reference, ['pulling layers', 'done'], () => { w.images.push({ id: `sha256:${randomBytes(32).toString('hex')}`, tags: [body.reference], size: 5e7, createdAt: Date.now(), usedBy: [], dangling: false }); tell('image', 'pull', { name: body.reference }); }); });
on('GET', '/images/prune', () => { const goes = w.images.filter((i) => i.dangling); return { images: goes, bytes: goes.reduce((n, i) => n + i.size, 0) }; });
on('POST', '/images/prune', ({ body }) => startJob('image.prune', `images:${body.images.length}`, body.images.map((each) => `removed ${each}`), () => { w.images = w.images.filter((i) => !body.images.includes(i.id)); tell('image', 'delete', {}); }));
on('POST', '/images/push', ({ body }) => startJob('image.push', body.reference, [`pushing ${body.reference}`, { text: 'layer 5f70bf18a086', progress: { what: 'layer 5f70bf18a086', done: 3_000_000, of: 12_000_000 } }, { text: 'layer 5f70bf18a086', progress: { what: 'layer 5f70bf18a086', done: 12_000_000, of: 12_000_000 } }, 'pushed']));
on('POST', '/images/{id}/tags', ({ id, body }) => { find(w.images, id, 'image').tags.push(body.tag); });
on('DELETE', '/images/{id}/tags/{tag}', ({ id, tag }) => { const of = find(w.images, id, 'image'); of.tags = of.tags.filter((each) => each !== tag); });
on('DELETE', '/images/{id}', ({ id }) => { const of = find(w.images, id, 'image'); w.images.splice(w.images.indexOf(of), 1); tell('image', 'delete', {}); });
on('GET', '/volumes', () => page(w.volumes.filter((v) => sees(v.project))));
on('GET', '/volumes/{name}', ({ name }) => ({ ...find(w.volumes, name, 'volume'), sizeAt: w.now, projects: [find(w.volumes, name, 'volume').project].filter(Boolean), lastBackupAt: copies.find((each) => each.volume === name)?.at ?? null }));
const copies = [{ name: 'shop_data-20261122T220100Z', volume: 'shop_data', at: w.now - 26 * 3_600_000, size: 1.8e9, stored: 6.1e8, meanwhile: 'run', running: ['shop-db-1'], sha256: 'ab'.repeat(32) }];
const copiesOf = (volume) => ({ ...page(copies.filter((each) => !volume || each.volume === volume)), folder: '/var/lib/berth/backups', broken: [] });
on('GET', '/backups', () => copiesOf());
on('GET', '/volumes/{name}/backups', ({ name }) => copiesOf(name));
on('POST', '/volumes/sizes', () => startJob('volume.measure', '*', ['measured'], null));
on('POST', '/backups/{backup}/verify', ({ backup }) => startJob('backup.verify', backup, ['reading', 'it is whole'], null));
on('POST', '/backups/{backup}/restore', ({ body }) => startJob('backup.restore', body.volume, ['reading', 'restored'], () => { w.volumes.push({ ...w.volumes[2], name: body.volume }); tell('volume', 'create', {}); }));
on('POST', '/volumes', ({ body }) => { w.volumes.push({ name: body.name, driver: 'local', project: null, createdAt: Date.now(), size: 0, usedBy: [], unused: true }); return w.volumes.at(-1); });
on('DELETE', '/volumes/{name}', ({ name }) => { w.volumes = w.volumes.filter((v) => v.name !== name); });
on('POST', '/volumes/{name}/backups', ({ name, body }) => startJob('volume.backup', name, ['reading', 'done'], () => copies.push({ ...copies[0], name: `${name}-20261123T010000Z`, volume: name, at: Date.now(), meanwhile: body.meanwhile, running: [] })));
on('GET', '/networks', () => page(w.networks.filter((n) => sees(n.project))));
on('GET', '/networks/topology', () => graph());
on('POST', '/networks', ({ body }) => { w.networks.push({ ...w.networks[4], id: randomBytes(32).toString('hex'), name: body.name, internal: body.internal }); });
on('DELETE', '/networks/{id}', ({ id }) => { w.networks = w.networks.filter((n) => n.id !== id); });
on('GET', '/registries', () => page(w.registries));
on('POST', '/registries', ({ body }) => { if (body.check && body.password === 'wrong') throw new Refusal(422, 'registry_refused', `registry ${body.host}: it refuses user ${body.user} with this password; check both, or keep it untried`); w.registries = [...w.registries.filter((each) => each.host !== body.host), { host: body.host, user: body.user, checked: body.check, createdAt: Date.now() }]; return w.registries.at(-1); });
on('DELETE', '/registries/{host}', ({ host }) => { w.registries = w.registries.filter((each) => each.host !== host); });
on('GET', '/events/log', () => page(!w.containers.length ? [] : Array.from({ length: 40 }, (_, i) => ({ type: ['container', 'project', 'image'][i % 3], action: ['start', 'applied', 'pull', 'die'][i % 4], name: ['shop-web-1', 'shop', 'nginx:1.27-alpine'][i % 3], project: i % 3 === 2 ? null : 'shop', at: w.now - i * 400_000 }))));
on('GET', '/jobs', () => page(w.jobs.map(({ lines, ...job }) => job)));
on('GET', '/jobs/{id}', ({ id }) => { const { lines, ...job } = find(w.jobs, id, 'job'); return job; });
on('DELETE', '/jobs/{id}', ({ id }) => { find(w.jobs, id, 'job').state = 'cancelled'; });
on('GET', '/routes', () => page(!w.containers.length ? [] : [{ name: 'shop@docker', rule: 'Host(`shop.localhost`)', entryPoints: ['websecure'], service: 'shop-web', targets: [{ container: 'shop-web-1', host: '172.18.0.2', port: 80 }, { container: 'shop-web-2', host: '172.18.0.3', port: 80 }], warnings: [] }, { name: 'blog@docker', rule: 'Host(`blog.localhost`)', entryPoints: ['websecure'], service: 'blog-ghost', targets: [{ container: 'blog-ghost-1', host: '172.18.0.6', port: 2368 }], warnings: ['the certresolver "letsencrypt" is not configured; the local CA takes its place'] }]));
on('GET', '/routes/explain', ({ query }) => ({ text: `GET ${query.get('url')} on websecure\n24 shop@docker Host(\`shop.localhost\`): matches, to service shop-web` }));
on('GET', '/certificates', () => page(!w.containers.length ? [] : [{ id: 'shop', hosts: ['shop.localhost'], issuer: 'berth local CA', notAfterAt: Date.now() + 9 * 86_400_000 }, { id: 'blog', hosts: ['blog.localhost'], issuer: 'berth local CA', notAfterAt: Date.now() + 60 * 86_400_000 }]));
on('POST', '/certificates/{host}/renew', () => undefined);
on('GET', '/users', () => { needs(null); return page(w.users); });
on('POST', '/users', ({ body }) => { w.users.push({ id: `user_${w.users.length + 1}`, name: body.name, role: body.role, projects: {}, disabled: false, password: true, totp: false, passkeys: 0, providers: [] }); passwords[body.name] = body.password; return w.users.at(-1); });
on('GET', '/users/{id}', ({ id }) => find(w.users, id, 'user'));
on('PATCH', '/users/{id}', ({ id, body }) => Object.assign(find(w.users, id, 'user'), body));
on('DELETE', '/users/{id}', ({ id }) => { w.users = w.users.filter((u) => u.id !== id); });
on('PUT', '/users/{id}/projects/{project}', ({ id, project, body }) => { find(w.users, id, 'user').projects[project] = body.role; });
on('DELETE', '/users/{id}/projects/{project}', ({ id, project }) => { delete find(w.users, id, 'user').projects[project]; });
on('GET', '/audit', ({ query }) => page(w.audit.filter((e) => (!query.get('verb') || e.verb.startsWith(query.get('verb'))) && (!query.get('actor') || e.actor === query.get('actor')))));
on('GET', '/audit/verify', () => ({ entries: 30, broken: 0 }));
on('GET', '/me/tokens', () => page(w.tokens));
on('POST', '/me/tokens', ({ body }) => { w.tokens.push({ id: `tok_${w.tokens.length + 1}`, ...body }); return { token: 'berth_mock_0123456789abcdef' }; });
on('DELETE', '/me/tokens/{id}', ({ id }) => { w.tokens = w.tokens.filter((t) => t.id !== id); });
on('GET', '/me/sessions', () => page([{ id: 's1', from: '192.0.2.7', agent: 'Firefox on Debian', seenAt: Date.now(), current: true }, { id: 's2', from: '192.0.2.9', agent: 'Safari on iPhone', seenAt: w.now - 9e6 }]));
on('GET', '/me/passkeys', () => page([{ id: 'p1', name: 'laptop', createdAt: w.now - 9e8 }]));
const providerNames = { company: 'Company', github: 'GitHub' };
const identitiesOf = (of) => page(of.providers.map((each) => ({ id: `identity-${each}`, provider: each, providerName: providerNames[each], enabled: true, name: of.name, createdAt: w.now - 9e9 })));
const unlink = (of, id) => {
  if (of === who && !of.password && !of.passkeys && of.providers.length === 1) throw new Refusal(409, 'conflict', `${providerNames[of.providers[0]]} is the only way to sign in to this account; add a passkey, link another provider, or have an admin set a password first`);
  of.providers = of.providers.filter((each) => `identity-${each}` !== id);
};
on('GET', '/me/identities', () => identitiesOf(who));
on('DELETE', '/me/identities/{id}', ({ id }) => unlink(who, id));
on('GET', '/users/{id}/identities', ({ id }) => identitiesOf(find(w.users, id, 'user')));
on('DELETE', '/users/{id}/identities/{identity}', ({ id, identity }) => unlink(find(w.users, id, 'user'), identity));
on('POST', '/me/totp', () => ({ secret: 'JBSWY3DPEHPK3PXP', uri: 'otpauth://totp/berth:ada?secret=JBSWY3DPEHPK3PXP' }));
on('POST', '/me/totp/confirm', () => ({ recoveryCodes: ['aaaa-bbbb', 'cccc-dddd', 'eeee-ffff'] }));
on('PUT', '/me/password', () => undefined);
on('GET', '/providers', () => page([{ id: 'company', kind: 'oidc', name: 'Company', enabled: true, settings: { issuer: 'https://sso.example.com' } }]));
on('POST', '/providers', () => undefined);
on('GET', '/settings', () => ({ platformHost: 'berth.localhost', sessionHours: 12, defaultMemory: '512m', keepEventsDays: 30, setupRemote: false }));
on('PATCH', '/settings', () => undefined);
// For tests: cuts every event stream and refuses new ones until it is called again.
on('POST', '/mock/stop', ({ body }) => { const { world: there, listeners: to } = engines[body.engine], of = find(there.containers, body.container, 'container'); Object.assign(of, { state: 'exited', exitCode: 0, health: null }); for (const send of to) send('container', { action: 'die', at: Date.now(), name: of.name, project: of.project }); });
on('POST', '/mock/drop', () => { dropped = !dropped; for (const each of drop) each.destroy(); });

const streams = [
  [/^\/api\/v1\/events$/, (request, response) => { const send = sse(response); const listener = (type, event) => send(event, { event: type, id: Date.now() }), to = engines[new URL(request.url, 'http://x').searchParams.get('engine')]?.listeners ?? listeners; to.add(listener); response.on('close', () => to.delete(listener)); every(response, 15_000, () => response.write(': alive\n\n')); }],
  [/^\/api\/v1\/jobs\/([^/]+)\/events$/, (request, response, id) => { const send = sse(response), job = find(w.jobs, id, 'job'); let n = 0; const flush = () => { for (; n < (job.lines ?? []).length; ++n) send(job.lines[n], { id: n + 1 }); if (job.endedAt) { const { lines, ...end } = job; send(end, { event: 'end' }); response.end(); } }; flush(); every(response, 60, flush); }],
  [/^\/api\/v1\/containers\/([^/]+)\/logs$/, (request, response) => streamLogs(request, response)],
  [/^\/api\/v1\/projects\/([^/]+)\/logs$/, (request, response, name) => { const chosen = new URL(request.url, 'http://x').searchParams.get('services'); streamLogs(request, response, chosen ? chosen.split(',') : find(w.projects, name, 'project').services.map((s) => s.name)); }],
  [/^\/api\/v1\/containers\/([^/]+)\/stats$/, (request, response) => { const send = sse(response); let n = 0; const sample = () => send({ at: Date.now(), cpu: 12 + (n++ % 7), memory: 190e6, memoryLimit: 512 * 1024 * 1024, rx: n * 40e3, tx: n * 15e3, read: 0, write: 0, pids: 5 }); sample(); every(response, 1000, sample); }],
];

const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
function serveFile(name, response) {
  const file = path.join(dist, path.normalize(name)), known = file.startsWith(dist) && fs.existsSync(file) && fs.statSync(file).isFile();
  const shown = known ? file : path.join(dist, 'index.html');
  response.writeHead(200, { 'Content-Type': types[path.extname(shown)] ?? 'application/octet-stream', 'Content-Security-Policy': policy, 'Cache-Control': 'no-cache' });
  fs.createReadStream(shown).pipe(response);
}
async function bodyOf(request) {
  let text = '';
  for await (const piece of request) text += piece;
  return text;
}
function answer(response, status, data) {
  if (data === undefined) return response.writeHead(204).end();
  const text = typeof data === 'string';
  response.writeHead(status, { 'Content-Type': text ? 'text/plain; charset=utf-8' : 'application/json', 'Cache-Control': 'no-store' });
  return response.end(text ? data : JSON.stringify(data));
}
/** Looks at the engine that is named while `run` runs; what cannot be looked at there is refused as berth does it. */
function onEngine(url, method, run) {
  const name = url.searchParams.get('engine') ?? 'local', found = engines[name];
  if (name === 'local' || !url.pathname.startsWith('/api/v1/')) return run();
  if (!found) throw new Refusal(404, 'not_found', `there is no engine "${name}"`);
  if (method !== 'GET') throw new Refusal(409, 'conflict', `berth only looks at engine "${name}"; change it there, or from here by \`berth --host ${found.address}\``);
  if (!/^\/api\/v1\/(containers|images|volumes|networks|overview|events)\b/.test(url.pathname) || /\/(history|terminals|backups|log)$|\/volumes\/[^/]+\/files/.test(url.pathname))
    throw new Refusal(409, 'conflict', `berth keeps and does this only on the engine beside it, not on "${name}"; leave \`engine\` away`);
  w = found.world;
  stale = found.why ? { since: local.now - 300_000, why: found.why } : null;
  try {
    return run();
  } finally {
    w = local;
    stale = null;
  }
}
async function handle(request, response) {
  const url = new URL(request.url, 'http://x');
  if (!url.pathname.startsWith('/api')) return serveFile(url.pathname, response);
  const free = /^\/api\/v1\/(session|setup|mock)/.test(url.pathname);
  if (!who && !free) throw new Refusal(401, 'unauthorized', 'sign in first');
  if (dropped && /\/events$/.test(url.pathname)) throw new Refusal(503, 'unavailable', 'the mock was told to');
  for (const [pattern, run] of streams) {
    const found = pattern.exec(url.pathname);
    if (found && request.method === 'GET') return onEngine(url, 'GET', () => run(request, response, found[1] && decodeURIComponent(found[1])));
  }
  for (const { method, test, run } of routes) {
    const found = method === request.method && test.exec(url.pathname);
    if (!found) continue;
    const text = await bodyOf(request), json = /json/.test(request.headers['content-type'] ?? '');
    const values = Object.fromEntries(Object.entries(found.groups ?? {}).map(([key, value]) => [key, decodeURIComponent(value)]));
    const data = onEngine(url, request.method, () => run({ ...values, query: url.searchParams, body: json && text ? JSON.parse(text) : {}, text, request }));
    if (data?.etag) response.setHeader('ETag', data.etag);
    return answer(response, data?.job ? 202 : 200, data?.text !== undefined && data.etag ? data.text : data);
  }
  throw missing(`${request.method} ${url.pathname}`);
}

/** A terminal that echoes, over a WebSocket of our own few lines: frames of clients are masked and short. */
function terminal(request, socket) {
  const url = new URL(request.url, 'http://x'), term = w.terminals.find((each) => url.pathname.includes(each.id));
  if (!term) return socket.end('HTTP/1.1 404 Not Found\r\n\r\n');
  const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
  const send = (text) => { term.screen += text; const bytes = Buffer.from(text); socket.write(Buffer.concat([bytes.length < 126 ? Buffer.from([0x82, bytes.length]) : Buffer.from([0x82, 126, bytes.length >> 8, bytes.length & 255]), bytes])); };
  const replay = term.screen;
  term.screen = '';
  send(replay || `/ # `);
  let line = '', held = Buffer.alloc(0);
  const typed = (text) => { for (const c of text) if (c === '\r') { send(`\r\n${line === 'drop' ? '' : line ? `mock: ${line}\r\n` : ''}/ # `); if (line === 'drop') socket.destroy(); line = ''; } else { line += c; send(c); } };
  socket.on('data', (data) => {
    held = Buffer.concat([held, data]);
    while (held.length >= 6) {
      const op = held[0] & 15, size = held[1] & 127;
      if (size > 125 || held.length < 6 + size) return;
      const mask = held.subarray(2, 6), bytes = Buffer.from(held.subarray(6, 6 + size).map((byte, i) => byte ^ mask[i % 4]));
      held = held.subarray(6 + size);
      if (op === 8) return socket.end();
      if (op === 2) typed(bytes.toString());
    }
  });
  socket.on('error', () => {});
}

const server = http.createServer((request, response) => {
  handle(request, response).catch((error) => {
    if (response.headersSent) return response.destroy();
    return answer(response, error.status ?? 500, { error: http.STATUS_CODES[error.status ?? 500], code: error.code ?? 'internal', message: error.message });
  });
});
server.on('upgrade', terminal);
server.listen(Number(flag('port', 4180)), '127.0.0.1', () => console.log(`mock: http://127.0.0.1:${server.address().port}/`));
