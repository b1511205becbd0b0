/** The port's upload: the form's fields, and what the answer proves. */

import { invariant, Weather } from '../../domain/errors.ts';
import type { ProviderFile, UploadInput } from '../../ports/batch-provider.ts';
import { failedAnswerFrom, jsonIn } from './answer-body.ts';
import type { Transfer } from './connection.ts';
import type { Answer } from './exchange.ts';
import { fileFrom } from './objects.ts';
import { sizeOf } from './range-blocks.ts';
import { uploadRanges } from './upload-exchange.ts';
import { UnreadableAnswer, weatherOf, weatherOfAnswer } from './weather.ts';

export interface UploadProfile {
  /** The form's `purpose`. */
  readonly filePurpose: string;
  /**
   * Whether the server is told when to forget the file: some refuse the field. `until-refused`:
   * the upload that is refused for it rejects as transient, and later ones go without.
   */
  readonly uploadExpiry: 'always' | 'until-refused' | 'never';
}

/**
 * An upload of one provider. Whatever went wrong can be repeated: what may be left over is a
 * file without a batch, which the sweep deletes.
 */
export function createUpload(
  transfer: Transfer,
  profile: UploadProfile,
): (input: UploadInput) => Promise<ProviderFile> {
  let sendsExpiry = profile.uploadExpiry !== 'never';
  return async (input) => {
    const sizeBytes = sizeOf(input.ranges);
    invariant(sizeBytes > 0, 'an upload has bytes');
    const fields = {
      purpose: profile.filePurpose,
      ...(sendsExpiry ? expiryFields(input.expiresAfterSeconds) : {}),
    };
    const answer = await uploadRanges(transfer, fields, input, sizeBytes);
    if (answer.status < 300) return uploadedFile(answer, input, sizeBytes, transfer);
    const weather = weatherOfAnswer(failedAnswerFrom(answer), 'repeatable', transfer.clean);
    if (profile.uploadExpiry !== 'until-refused' || !isAboutExpiry(weather)) throw weather;
    sendsExpiry = false;
    const { status, code, message, retryAfterMs } = weather;
    throw new Weather({ kind: 'transient', status, code, message, retryAfterMs });
  };
}

function expiryFields(seconds: number): Record<string, string> {
  return { 'expires_after[anchor]': 'created_at', 'expires_after[seconds]': String(seconds) };
}

function isAboutExpiry(weather: Weather): boolean {
  return weather.kind === 'permanent' && /expires_after|anchor/i.test(weather.message);
}

function uploadedFile(
  answer: Answer,
  input: UploadInput,
  sizeBytes: number,
  transfer: Transfer,
): ProviderFile {
  try {
    const file = fileFrom(jsonIn(answer.body.toString('utf8')));
    if (file.sizeBytes > 0 && file.sizeBytes !== sizeBytes) {
      throw new UnreadableAnswer(
        `${file.id} holds ${file.sizeBytes} bytes of ${sizeBytes}: the upload was cut`,
      );
    }
    return { ...file, sizeBytes, filename: file.filename || input.filename };
  } catch (error) {
    throw weatherOf(error, 'repeatable', transfer.clean, answer.status);
  }
}
