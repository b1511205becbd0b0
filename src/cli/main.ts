#!/usr/bin/env node
/** The command's entry: checks the runtime before anything that needs it is loaded. */

import nodeModule from 'node:module';

/** How long output may still drain. */
const LINGER_MS = 2_000;

const MINIMUM = [22, 18] as const;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < MINIMUM[0] || (major === MINIMUM[0] && minor < MINIMUM[1])) {
  process.stderr.write(
    `batchwright needs Node ${MINIMUM.join('.')} or later; this is ${process.versions.node}. ` +
      'Run it through npm (npm run -s batchwright -- …), which brings its own.\n',
  );
  process.exitCode = 2;
} else {
  // Compiled code is kept in the system's temporary folder: the next command starts sooner.
  nodeModule.enableCompileCache();
  const { runProgram } = await import('./program.ts');
  process.exitCode = await runProgram(process.argv);
  // Nothing is owed any more: a connection that still tries to come back must not keep us.
  setTimeout(() => process.exit(), LINGER_MS).unref();
}
