/** `batchwright keys`: the keys that callers of the service show. */

import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { Store } from '../compose.ts';
import type { TenantId } from '../domain/ids.ts';
import { parseTenantId } from '../domain/ids.ts';
import type { AccessKey } from '../service/access-keys.ts';
import { AccessKeys } from '../service/access-keys.ts';
import type { CommonFlags } from './settings.ts';
import { terminalOf, withCommonFlags, withStore } from './settings.ts';

interface CreateFlags extends CommonFlags {
  readonly tenant: TenantId;
  readonly name?: string;
  readonly admin?: boolean;
}

export function addKeys(program: Command): void {
  const keys = program.command('keys').description('keys for callers of the service');
  addCreate(keys);
  addKeyList(keys);
  addRevoke(keys);
}

function addCreate(keys: Command): void {
  const command = keys
    .command('create')
    .description('make a key; it is shown this once')
    .requiredOption('--tenant <name>', 'whose jobs and files the key opens', tenantOption)
    .option('--name <text>', 'what it is for, for people')
    .option('--admin', 'it also opens the operator’s pages');
  withCommonFlags(command).action(async (flags: CreateFlags) => {
    const terminal = terminalOf(flags);
    await withStore(flags, async (store) => {
      const { tenant } = flags;
      const role = flags.admin === true ? 'admin' : 'tenant';
      const made = await keysOf(store).create({ tenant, role, name: flags.name ?? '' });
      const { prefix } = made.key;
      terminal.data(
        flags.json ? JSON.stringify({ key: made.text, ...fieldsOf(made.key) }) : made.text,
      );
      terminal.say(`A key for ${tenant}. It is shown this once: put it into a safe place.`);
      terminal.say(`Callers send it as "Authorization: Bearer …" or as their OPENAI_API_KEY.`);
      terminal.say(`To end it: ${terminal.command('keys', 'revoke', prefix)}`);
    });
  });
}

function addKeyList(keys: Command): void {
  const command = keys.command('list').description('all keys; their secrets are not kept');
  withCommonFlags(command).action(async (flags: CommonFlags) => {
    const terminal = terminalOf(flags);
    await withStore(flags, async (store, config) => {
      const found = await keysOf(store).list();
      if (found.length === 0) terminal.say(`No keys in ${config.dataDir}.`);
      for (const key of found) {
        terminal.data(flags.json ? JSON.stringify(fieldsOf(key)) : asLine(key));
      }
    });
  });
}

function addRevoke(keys: Command): void {
  const command = keys
    .command('revoke')
    .description('end a key; the service knows within 5 seconds')
    .argument('<prefix>', 'the 12 characters after bw_');
  withCommonFlags(command).action(async (text: string, flags: CommonFlags) => {
    const terminal = terminalOf(flags);
    // Who pastes the whole key means its prefix: the secret is not repeated anywhere.
    const prefix = text.replace(/^bw_/, '').split('_')[0] ?? '';
    await withStore(flags, async (store) => {
      const isNew = await keysOf(store).revoke(prefix);
      terminal.event('revoked', { prefix, already: !isNew });
      terminal.say(isNew ? `${prefix} is revoked.` : `${prefix} was revoked before.`);
    });
  });
}

function keysOf({ blobs, ids, clock }: Store): AccessKeys {
  return new AccessKeys(blobs, ids, clock);
}

function tenantOption(text: string): TenantId {
  const tenant = parseTenantId(text);
  if (tenant !== null) return tenant;
  throw new InvalidArgumentError(
    'It must be 1 to 40 lower-case letters, digits and hyphens, no hyphen first.',
  );
}

function asLine(key: AccessKey): string {
  const made = shownTime(key.createdAtMs).slice(0, 16).replace('T', ' ');
  const state = key.revokedAtMs === null ? 'in force' : 'revoked';
  const { prefix, tenant, role, name } = key;
  return `${prefix}  ${made}  ${state.padEnd(8)}  ${role.padEnd(6)}  ${tenant}  ${name}`.trimEnd();
}

function fieldsOf({ prefix, tenant, role, name, createdAtMs, revokedAtMs }: AccessKey) {
  return {
    prefix,
    tenant,
    role,
    name,
    created_at: shownTime(createdAtMs),
    revoked_at: revokedAtMs === null ? null : shownTime(revokedAtMs),
  };
}

function shownTime(atMs: number): string {
  return new Date(atMs).toISOString();
}
