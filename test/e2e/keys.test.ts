import { expect, it } from 'vitest';
import { openPlace } from '../support/command.ts';

it('makes, lists and revokes keys; the key stands alone on stdout', async () => {
  const place = await openPlace('http://127.0.0.1:9/v1');
  const made = await place.command(['keys', 'create', '--tenant', 'acme', '--name', 'nightly']);
  expect(made).toMatchObject({ code: 0, stderr: expect.stringContaining('shown this once') });
  expect(made.stdout).toMatch(/^bw_[0-9a-z]{12}_[\w-]{43}\n$/);
  const prefix = made.stdout.slice(3, 15);
  const admin = ['keys', 'create', '--tenant', 'ops', '--admin', '--json'];
  const parsed = JSON.parse((await place.command(admin)).stdout);
  expect(parsed).toMatchObject({ tenant: 'ops', role: 'admin', revoked_at: null });

  const revoked = await place.command(['keys', 'revoke', prefix]);
  expect(revoked).toMatchObject({ code: 0, stderr: `${prefix} is revoked.\n` });
  const listed = await place.command(['keys', 'list']);
  expect(listed.stdout).toMatch(new RegExp(`^${prefix} .* revoked .* acme  nightly$`, 'm'));
  expect(listed.stdout).not.toContain(made.stdout.slice(16).trim());
});

it('refuses a tenant that is no name, and a key that is none', async () => {
  const place = await openPlace('http://127.0.0.1:9/v1');
  const create = await place.command(['keys', 'create', '--tenant', '../up']);
  expect(create).toMatchObject({ code: 2, stdout: '' });
  const revoke = await place.command(['keys', 'revoke', 'bw_nothing']);
  expect(revoke).toMatchObject({ code: 2, stderr: 'There is no key nothing.\n' });
});

it('says where the flags of the very command are, where one is missing', async () => {
  const place = await openPlace('http://127.0.0.1:9/v1');
  const ended = await place.command(['keys', 'create']);
  expect(ended.code).toBe(2);
  expect(ended.stderr).toContain('batchwright keys create --help');
});
