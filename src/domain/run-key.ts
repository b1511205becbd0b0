/** The run key: the same content with the same options is the same job. */

import type { JobSpec } from './job.ts';

/**
 * The text whose sha256 is the run key. Not in it: the output path, polling, attempts, brakes,
 * and the API key; they may differ between two calls of what is the same run.
 */
export function runKeyText(
  spec: Pick<
    JobSpec,
    'source' | 'defaults' | 'limits' | 'onInvalid' | 'provider' | 'completionWindow'
  >,
): string {
  const { source, defaults, limits, onInvalid, provider, completionWindow } = spec;
  // What others sent cannot be cut in another way, so no option makes it another job.
  if (source.kind === 'batches') {
    const { baseUrl, organization, project } = provider;
    return JSON.stringify(['run-key-batches-1', source.sha256, baseUrl, organization, project]);
  }
  return JSON.stringify([
    'run-key-1',
    source.sha256,
    source.encoding,
    defaults.endpoint,
    defaults.model,
    limits.maxRequests,
    limits.maxBytes,
    limits.maxInputs,
    limits.maxLineBytes,
    onInvalid,
    provider.baseUrl,
    provider.organization,
    provider.project,
    completionWindow,
  ]);
}
