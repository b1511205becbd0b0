/** docker-compose.yml and the Dockerfile: by Compose's rules, and true to the program. */

import { describe, expect, test } from 'vitest';

import { loadConfig } from '../config/load.ts';
import { READ_ELSEWHERE, settings } from '../config/schema.ts';
import { readComposeFile, rootText, serviceOf } from './support/compose-file.ts';

/** The kind of value that Compose's specification wants of each key of a service in use here. */
const SERVICE_KEYS: Readonly<Record<string, 'text' | 'list' | 'map' | 'switch'>> = {
  build: 'text',
  image: 'text',
  restart: 'text',
  stop_grace_period: 'text',
  command: 'list',
  env_file: 'list',
  tmpfs: 'list',
  cap_drop: 'list',
  security_opt: 'list',
  volumes: 'list',
  ports: 'list',
  profiles: 'list',
  depends_on: 'map',
  environment: 'map',
  healthcheck: 'map',
  init: 'switch',
  read_only: 'switch',
};

const HEALTHCHECK_KEYS = ['test', 'interval', 'timeout', 'start_period', 'retries'];

/** As Compose writes them: `10s`, `1m30s`. */
const DURATION = /^(?:\d+h)?(?:\d+m)?(?:\d+s)?$/;

const file = readComposeFile();
const services = Object.entries(file.services);

describe('docker-compose.yml, by the rules of Compose,', () => {
  test('has only parts that there are', () => {
    for (const key of Object.keys(file)) expect(key).toMatch(/^(?:services|volumes|x-[a-z]+)$/);
    for (const [name] of services) expect(name).toMatch(/^[a-z0-9][a-z0-9_.-]*$/);
  });

  test.each(services)('gives %s only keys that there are, of the right kind', (_name, service) => {
    for (const [key, value] of Object.entries(service)) {
      expect([key, kindOf(value)]).toEqual([key, SERVICE_KEYS[key]]);
    }
    expect(service.image).toMatch(/^[a-z0-9./:-]+$/);
  });

  test.each(services)('gives %s texts where Compose wants texts', (_name, service) => {
    const { command = [], environment = {}, ports = [], volumes = [], profiles = [] } = service;
    const lists = [command, Object.values(environment), ports, volumes, profiles];
    const values = [...lists.flat(), ...(service.healthcheck?.test ?? [])];
    expect(values.filter((value) => typeof value !== 'string')).toEqual([]);
  });

  test.each(services)(
    'lets %s wait only for services that say when they are well',
    (_name, one) => {
      for (const [target, { condition }] of Object.entries(one.depends_on ?? {})) {
        expect(condition).toBe('service_healthy');
        expect(serviceOf(file, target).healthcheck).toBeDefined();
        expect(serviceOf(file, target).profiles).toBeUndefined();
      }
    },
  );

  test.each(services.filter(([, { healthcheck }]) => healthcheck !== undefined))(
    'asks %s how it is in a form that there is',
    (_name, { healthcheck }) => {
      const { test: probe = [], retries, interval, timeout } = healthcheck ?? {};
      expect(HEALTHCHECK_KEYS).toEqual(expect.arrayContaining(Object.keys(healthcheck ?? {})));
      expect(probe[0]).toBe('CMD');
      expect(probe.length).toBeGreaterThan(1);
      expect(retries).toBeGreaterThan(0);
      for (const time of [interval, timeout, healthcheck?.start_period ?? '0s']) {
        expect(time).toMatch(DURATION);
      }
    },
  );

  test('declares the volumes that it uses, and no other', () => {
    const mounts = services.flatMap(([, { volumes = [] }]) => volumes);
    for (const mount of mounts) expect(mount).toMatch(/^[^:]+(?::-[^:]+)?:\/[a-z]+$/);
    const sources = mounts.map((mount) => mount.split(':')[0] ?? '');
    const named = new Set(sources.filter((source) => /^\w+$/.test(source)));
    expect(named).toEqual(new Set(Object.keys(file.volumes)));
  });

  test('has a default for each variable, and each is known to the program', () => {
    const variables = [...rootText('docker-compose.yml').matchAll(/\$\{?([^}]*)\}?/g)];
    expect(variables.length).toBeGreaterThan(0);
    for (const [, text = ''] of variables) {
      const [name = '', byDefault = ''] = text.split(':-');
      expect(name in settings.shape || READ_ELSEWHERE.has(name), name).toBe(true);
      expect(byDefault).not.toBe('');
    }
  });
});

describe('docker-compose.yml, for operators,', () => {
  test('starts redis, api and worker, and runs one-off commands on demand', () => {
    const atOnce = services.filter(([, { profiles }]) => profiles === undefined);
    expect(atOnce.map(([name]) => name)).toEqual(['redis', 'api', 'worker']);
    expect(serviceOf(file, 'batchwright').profiles).toEqual(['command']);
    for (const [, { restart, healthcheck }] of atOnce) {
      expect([restart, healthcheck]).toEqual(['unless-stopped', expect.anything()]);
    }
  });

  test('publishes the api on this machine alone, and nothing else', () => {
    const ports = services.flatMap(([name, one]) => (one.ports ?? []).map((port) => [name, port]));
    expect(ports).toEqual([['api', '127.0.0.1:${BATCHWRIGHT_PORT:-8080}:8080']]);
  });

  test('lets workers be scaled: nothing that there is only one of is theirs', () => {
    const worker = serviceOf(file, 'worker');
    expect(Object.keys(worker)).not.toContain('container_name');
    expect(worker.ports).toBeUndefined();
    expect(worker.volumes).toEqual(serviceOf(file, 'api').volumes);
  });

  test.each(['api', 'worker'])('gives %s longer than it takes to leave', (name) => {
    const { stop_grace_period: grace = '' } = serviceOf(file, name);
    expect(Number.parseInt(grace, 10)).toBeGreaterThan(30);
  });

  test.each(['api', 'worker', 'batchwright'])('tells %s what the program takes', (name) => {
    const { environment = {} } = serviceOf(file, name);
    const config = loadConfig({}, { env: environment, folder: '/nowhere' });
    expect(config.dataDir).toBe('/data');
    expect(config.REDIS_URL).toBe('redis://redis:6379');
    const probe = serviceOf(file, name).healthcheck?.test.join(' ') ?? '';
    const [, port] = /127\.0\.0\.1:(\d+)/.exec(probe) ?? [];
    const own = { api: config.BATCHWRIGHT_PORT, worker: config.BATCHWRIGHT_WORKER_PORT }[name];
    expect(port).toBe(own === undefined ? undefined : String(own));
  });

  test('keeps what Redis is told, and evicts nothing', () => {
    const { command = [] } = serviceOf(file, 'redis');
    const valueOf = (flag: string) => command[command.indexOf(flag) + 1];
    expect([valueOf('--appendonly'), valueOf('--maxmemory-policy')]).toEqual(['yes', 'noeviction']);
  });
});

describe('the image', () => {
  test('runs the command that the package has', () => {
    const { bin } = JSON.parse(rootText('package.json')) as { bin: { batchwright: string } };
    const dockerfile = rootText('Dockerfile');
    expect(dockerfile).toContain(`ln -s /app/${bin.batchwright} /usr/local/bin/batchwright`);
    expect(dockerfile).toMatch(/^ENTRYPOINT \["batchwright"\]$/m);
    const others = services.filter(([, { entrypoint }]) => entrypoint !== undefined);
    expect(others).toEqual([]);
  });

  test('runs as a user without rights, and keeps its data in the volume', () => {
    const dockerfile = rootText('Dockerfile');
    expect(dockerfile).toMatch(/^USER node$/m);
    expect(dockerfile).toMatch(/^VOLUME \/data$/m);
    expect(dockerfile).toMatch(/BATCHWRIGHT_DATA_DIR=\/data/);
  });
});

function kindOf(value: unknown): string {
  if (typeof value === 'string') return 'text';
  if (typeof value === 'boolean') return 'switch';
  return Array.isArray(value) ? 'list' : 'map';
}
