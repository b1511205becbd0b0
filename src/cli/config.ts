/** `batchwright config show`: each setting as it stands, and where it comes from. */

import type { Command } from 'commander';
import { originText } from '../../config/given.ts';
import type { SettingView } from '../../config/load.ts';
import { processSource, viewSettings } from '../../config/load.ts';
import type { CommonFlags } from './settings.ts';
import { terminalOf, withCommonFlags } from './settings.ts';
import type { Terminal } from './terminal.ts';

export function addConfig(program: Command): void {
  const config = program.command('config').description('the settings of this folder');
  const show = config
    .command('show')
    .description('each setting, its value and where that comes from; secrets are not shown');
  withCommonFlags(show).action((flags: CommonFlags) => {
    const terminal = terminalOf(flags);
    const views = viewSettings({ BATCHWRIGHT_DATA_DIR: flags.dataDir }, processSource());
    if (terminal.json) sayAsJson(views, terminal);
    else sayAsTable(views, terminal);
  });
}

function sayAsJson(views: readonly SettingView[], terminal: Terminal): void {
  for (const { name, value, origin } of views) {
    const path = origin.kind === 'file' ? { path: origin.path } : {};
    terminal.data(JSON.stringify({ setting: name, value, origin: origin.kind, ...path }));
  }
}

function sayAsTable(views: readonly SettingView[], terminal: Terminal): void {
  const cells = views.map(({ name, value, origin }) => {
    // An empty list is nothing to be seen, as no value is.
    return [name, value === null || value === '' ? '–' : value, originText(origin)] as const;
  });
  const widths = [0, 1].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  for (const [name, value, origin] of cells) {
    terminal.data(`${name.padEnd(widths[0] ?? 0)}  ${value.padEnd(widths[1] ?? 0)}  ${origin}`);
  }
}
