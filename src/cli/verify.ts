/** `batchwright verify`: proves from the bytes that every line is answered once, in order. */

import type { Command } from 'commander';
import { EXIT } from './exit.ts';
import type { Finish } from './exit.ts';
import { findFinished, readManifest } from './finished.ts';
import type { CommonFlags } from './settings.ts';
import { terminalOf, withCommonFlags, withStore } from './settings.ts';
import { grouped } from './terminal.ts';

export function addVerify(program: Command, finish: Finish): void {
  const command = program
    .command('verify')
    .description('prove offline, from the manifest, that every line is answered once, in order')
    .argument('<job|result>', 'a job, or a result file with its manifest beside it');
  withCommonFlags(command).action(async (text: string, flags: CommonFlags) => {
    const terminal = terminalOf(flags);
    await withStore(flags, async (store) => {
      const finished = await findFinished(text, store);
      const expected = await readManifest(finished, store);
      const folder = await store.scratch.makeFolder('verify');
      try {
        const verification = await store.engines.run('verifyResult', {
          resultPath: finished.resultPath,
          scratchFolder: folder,
          expect: expected,
        });
        const { ok, problems } = verification;
        if (terminal.json) terminal.data(JSON.stringify(verification));
        for (const problem of problems) terminal.warn(problem);
        const { lines, succeeded, failed } = verification.counts;
        if (ok && !terminal.json) {
          terminal.data(
            `${terminal.style('green', '✔')} ${grouped(lines)} in = ${grouped(succeeded)} ok + ` +
              `${grouped(failed)} failed · order kept · 0 duplicates · sha256 ${expected.sha256}`,
          );
        }
        if (!ok) terminal.warn(`${finished.name} is not what its manifest says.`);
        finish(ok ? EXIT.ok : EXIT.refused);
      } finally {
        await store.scratch.removeFolder(folder);
      }
    });
  });
}
