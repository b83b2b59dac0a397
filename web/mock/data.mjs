// The world that the mock shows: invented, the same at every start.
const now = Date.now();
const hour = 3_600_000;
const hex = (n) => (n * 2654435761 >>> 0).toString(16).padStart(8, '0').repeat(8);

function container(n, name, more = {}) {
  const { project = null, service = null } = more;
  return { id: hex(n), name, project, service, image: 'nginx:1.27-alpine', state: 'running', status: 'Up 3 hours', health: null, createdAt: now - n * hour, startedAt: now - 3 * hour,
    ports: [], networks: [{ name: project ? `${project}_default` : 'bridge', ip: `172.18.${n >> 8}.${n & 255}` }], labels: 12, restarts: 0, exitCode: null, owner: !!project, ...more };
}

/** What another engine holds: less of the same kind. */
export function farWorld() {
  const w = world();
  const containers = [container(60, 'mail-smtp-1', { project: 'mail', service: 'smtp', image: 'mail/smtp:3', ports: ['25:25/tcp'], health: 'healthy' }), container(61, 'mail-imap-1', { project: 'mail', service: 'imap', image: 'mail/imap:3', state: 'exited', exitCode: 1, startedAt: null })];
  return { ...w, containers, projects: [{ name: 'mail', services: [{ name: 'smtp', running: 1 }, { name: 'imap', running: 0 }] }], images: [{ ...w.images[0], tags: ['mail/smtp:3'], usedBy: ['mail-smtp-1'] }],
    volumes: [{ ...w.volumes[0], name: 'mail_spool', project: 'mail', size: null, usedBy: ['mail-smtp-1'] }], networks: [{ ...w.networks[1], name: 'mail_default', project: 'mail', containers: [{ id: containers[0].id, name: 'mail-smtp-1', ip: '172.18.0.60' }] }] };
}

/** As it is after the setup: nobody made anything yet. */
export const emptyWorld = () => ({ ...world(), containers: [], projects: [], files: {}, images: [], volumes: [], networks: [], jobs: [], audit: [], tokens: [], registries: [] });

export function world(big = 0) {
  const containers = [
    container(2, 'shop-web-1', { project: 'shop', service: 'web', image: 'ghcr.io/example/shop-web:4.2.1', health: 'healthy', ports: ['127.0.0.1:8080:80/tcp'] }),
    container(3, 'shop-web-2', { project: 'shop', service: 'web', image: 'ghcr.io/example/shop-web:4.2.1', health: 'starting' }),
    container(4, 'shop-api-1', { project: 'shop', service: 'api', image: 'ghcr.io/example/shop-api:4.2.1', health: 'unhealthy', restarts: 3 }),
    container(5, 'shop-db-1', { project: 'shop', service: 'db', image: 'postgres:16', health: 'healthy' }),
    container(6, 'blog-ghost-1', { project: 'blog', service: 'ghost', image: 'ghost:5', ports: ['2368:2368/tcp'] }),
    container(7, 'blog-mysql-1', { project: 'blog', service: 'mysql', image: 'mysql:8' }),
    container(8, 'wiki-mkdocs-1', { project: 'wiki', service: 'mkdocs', image: 'squidfunk/mkdocs-material:9', state: 'exited', exitCode: 0, status: 'Exited (0) 2 days ago', startedAt: null }),
    container(9, 'backup-runner', { image: 'restic/restic:0.17', state: 'exited', exitCode: 1, status: 'Exited (1) 20 minutes ago', startedAt: null }),
    container(10, 'old-redis', { image: 'redis:7', state: 'paused', status: 'Up 2 weeks (Paused)' }),
    ...Array.from({ length: big }, (_, i) => container(100 + i, `load-worker-${i + 1}`, { project: 'load', service: 'worker', image: 'busybox:1.36' })),
  ];
  const service = (name, image, replicas = 1, running = replicas, health = null) => ({ name, replicas, running, health, image });
  const projects = [
    { name: 'shop', state: 'partial', services: [service('web', 'ghcr.io/example/shop-web:4.2.1', 2, 2, 'healthy'), service('api', 'ghcr.io/example/shop-api:4.2.1', 1, 1, 'unhealthy'), service('db', 'postgres:16', 1, 1, 'healthy')], drift: { count: 2, at: now - 40_000, changed: [{ service: 'web', object: 'container shop-web-1', cause: 'Image: "ghcr.io/example/shop-web:4.2.1" -> "ghcr.io/example/shop-web:4.3.0"' }], missing: [{ service: 'worker', object: 'container shop-worker-1', cause: 'no container yet' }], extra: [] }, urls: ['https://shop.localhost/'], source: 'managed', files: ['compose.yaml', '.env'], updatedAt: now - 2 * hour },
    { name: 'blog', state: 'running', services: [service('ghost', 'ghost:5'), service('mysql', 'mysql:8')], drift: { count: 0, at: now - 9_000, changed: [], missing: [], extra: [] }, urls: ['https://blog.localhost/'], source: 'managed', files: ['compose.yaml'], updatedAt: now - 80 * hour },
    { name: 'wiki', state: 'stopped', services: [service('mkdocs', 'squidfunk/mkdocs-material:9', 1, 0)], drift: null, urls: [], source: 'foreign', files: [], updatedAt: null },
  ];
  const files = {
    shop: { 'compose.yaml': `name: shop\nservices:\n  web:\n    image: ghcr.io/example/shop-web:4.2.1\n    deploy:\n      replicas: 2\n    labels:\n      traefik.enable: "true"\n      traefik.http.routers.shop.rule: Host(\`shop.localhost\`)\n    depends_on:\n      api:\n        condition: service_healthy\n  api:\n    image: ghcr.io/example/shop-api:4.2.1\n    environment:\n      DATABASE_URL: postgres://shop:\${DB_PASSWORD}@db/shop  # from .env\n  db:\n    image: postgres:16\n    volumes:\n      - data:/var/lib/postgresql/data\nvolumes:\n  data: {}\n`, '.env': 'DB_PASSWORD=correct-horse\n' },
    blog: { 'compose.yaml': 'name: blog\nservices:\n  ghost:\n    image: ghost:5\n  mysql:\n    image: mysql:8\n' }, wiki: {},
  };
  const images = [
    { id: `sha256:${hex(21)}`, tags: ['ghcr.io/example/shop-web:4.2.1', 'ghcr.io/example/shop-web:latest'], size: 182_000_000, createdAt: now - 30 * hour, usedBy: ['shop-web-1', 'shop-web-2'], dangling: false },
    { id: `sha256:${hex(22)}`, tags: ['ghcr.io/example/shop-api:4.2.1'], size: 240_000_000, createdAt: now - 30 * hour, usedBy: ['shop-api-1'], dangling: false },
    { id: `sha256:${hex(23)}`, tags: ['postgres:16'], size: 432_000_000, createdAt: now - 900 * hour, usedBy: ['shop-db-1'], dangling: false },
    { id: `sha256:${hex(24)}`, tags: ['ghost:5'], size: 561_000_000, createdAt: now - 700 * hour, usedBy: ['blog-ghost-1'], dangling: false },
    { id: `sha256:${hex(25)}`, tags: [], size: 181_000_000, createdAt: now - 200 * hour, usedBy: [], dangling: true },
    { id: `sha256:${hex(26)}`, tags: ['nginx:1.27-alpine'], size: 48_000_000, createdAt: now - 400 * hour, usedBy: [], dangling: false },
  ];
  const volumes = [
    { name: 'shop_data', driver: 'local', project: 'shop', createdAt: now - 800 * hour, size: 1_840_000_000, usedBy: ['shop-db-1'], unused: false },
    { name: 'blog_mysql', driver: 'local', project: 'blog', createdAt: now - 600 * hour, size: 312_000_000, usedBy: ['blog-mysql-1'], unused: false },
    { name: 'wiki_old', driver: 'local', project: null, createdAt: now - 3000 * hour, size: 9_400_000, usedBy: [], unused: true },
  ];
  const attached = (project) => containers.filter((c) => c.project === project && c.state === 'running').slice(0, 8).map((c) => ({ id: c.id, name: c.name, ip: c.networks[0].ip }));
  const network = (n, name, more = {}) => ({ id: hex(40 + n), name, driver: 'bridge', project: null, internal: false, attachable: false, subnets: [`172.${17 + n}.0.0/16`], containers: [], unused: false, ...more });
  const networks = [network(0, 'bridge'), network(1, 'shop_default', { project: 'shop', containers: attached('shop') }), network(2, 'shop_db', { project: 'shop', internal: true, containers: attached('shop').slice(2) }),
    network(3, 'blog_default', { project: 'blog', containers: attached('blog') }), network(4, 'left-over', { unused: true }), network(5, 'host', { driver: 'host', subnets: [] })];
  const jobs = [
    { id: 'job_1', kind: 'project.apply', subject: 'shop', project: 'shop', state: 'succeeded', startedAt: now - 2 * hour, endedAt: now - 2 * hour + 8000, by: 'ada', error: null },
    { id: 'job_2', kind: 'image.pull', subject: 'nginx:1.27-alpine', state: 'failed', startedAt: now - 5 * hour, endedAt: now - 5 * hour + 900, by: 'ada', error: 'image nginx:1.27-alpine: the registry does not answer; try again later' },
  ];
  const users = [
    { id: 'user_1', name: 'ada', role: 'admin', disabled: false, projects: {}, password: true, totp: true, passkeys: 1, providers: ['github'], lastSeenAt: now - 60_000 },
    { id: 'user_2', name: 'vera', role: 'viewer', disabled: false, projects: { shop: 'viewer' }, password: true, totp: false, passkeys: 0, providers: [], lastSeenAt: now - 70 * hour },
    { id: 'user_3', name: 'dev', role: 'viewer', disabled: false, projects: { shop: 'developer', blog: 'viewer' }, password: false, totp: false, passkeys: 0, providers: ['company'], lastSeenAt: null },
  ];
  const audit = Array.from({ length: 30 }, (_, i) => ({ number: 30 - i, time: (now - i * hour) * 1000, actor: i % 4 ? 'user_1' : 'user_2', name: i % 4 ? 'ada' : 'vera', from: '192.0.2.7', verb: ['project.apply', 'container.restart', 'session.create', 'image.remove'][i % 4], subject: ['project:shop', 'container:shop-web-1', 'user:ada', 'image:nginx'][i % 4], project: i % 2 ? 'shop' : '', decision: i % 4 === 0 ? 'denied' : 'allowed', difference: i % 3 ? {} : { image: ['shop-web:4.2.0', 'shop-web:4.2.1'] } }));
  return { now, containers, projects, files, images, volumes, networks, jobs, users, audit, terminals: [], registries: [{ host: 'ghcr.io', user: 'ada', checked: true, createdAt: now - 50 * hour }], tokens: [{ id: 'tok_1', name: 'ci', scopes: ['view', 'deploy'], expiresAt: now + 40 * 24 * hour, lastUsedAt: now - hour }] };
}
