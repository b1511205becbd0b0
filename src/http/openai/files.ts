/** `/v1/files`: uploaded files, and the output and error files of batches. */

import type { OpenAI } from 'openai';
import type { z } from 'zod';
import type { Desk } from '../../service/desk.ts';
import type { FileKind } from '../../service/file-places.ts';
import { placeOf } from '../../service/file-places.ts';
import type { TenantFile, TenantFiles } from '../../service/tenant-files.ts';
import type { Call, Mounted } from '../call.ts';
import { mount } from '../call.ts';
import type { FileBody } from '../contract/openai-shapes.ts';
import {
  createFile,
  deleteFile,
  getFile,
  getFileContent,
  listFiles,
  uploadFields,
} from '../contract/openai.ts';
import { longAnswer } from '../long-answer.ts';
import type { FormRules, TakenForm } from '../multipart.ts';
import { Problem } from '../problem.ts';
import { sendView } from '../send-bytes.ts';
import type { StreamSlots } from '../stream-slots.ts';
import { validated } from '../validate.ts';
import { pageBody } from './page.ts';
import { requireJsonLine, UPLOAD_RULES, uploadFault } from './upload-checks.ts';
import type { OnTheWire } from './wire.ts';
import { unixSeconds } from './wire.ts';

export interface FileParts {
  readonly files: TenantFiles;
  readonly downloads: StreamSlots;
  /** A local folder for the work, which is removed when it ends. */
  readonly inFolder: <Value>(work: (folder: string) => Promise<Value>) => Promise<Value>;
  /**
   * Takes the form of a call, its file into the folder, and hands it on; its bytes count for the
   * tenant until `use` has stored them. Throws Problems.
   */
  readonly takeForm: <Value>(
    call: Call<unknown, unknown>,
    into: { readonly folder: string; readonly rules: FormRules },
    use: (form: TakenForm) => Promise<Value>,
  ) => Promise<Value>;
}

const DEFAULT_LIMIT = 10_000;

const KINDS: ReadonlyMap<string, readonly FileKind[]> = new Map([
  ['batch', ['uploaded']],
  ['batch_output', ['output', 'errors']],
]);
const EVERY_KIND: readonly FileKind[] = ['uploaded', 'output', 'errors'];

export function fileRoutes({ files, downloads, inFolder, takeForm }: FileParts): Mounted[] {
  return [
    mount(createFile, (call) =>
      inFolder((folder) =>
        takeForm(call, { folder, rules: UPLOAD_RULES }, async (form) => {
          const fields = fieldsOf(form);
          await requireJsonLine(form.path);
          const file = await files.add(call.desk, {
            localPath: form.path,
            filename: form.filename.toWellFormed(),
            sizeBytes: form.sizeBytes,
            expiresAfterSeconds: fields['expires_after[seconds]'] ?? null,
          });
          return { status: 200, json: fileBody(file) };
        }).catch((error: unknown) => {
          throw uploadFault(error);
        }),
      ),
    ),
    mount(listFiles, async ({ desk, query }) => {
      const { after = null, limit = DEFAULT_LIMIT, order, purpose } = query;
      if (after !== null && placeOf(after) === null) throw unknownCursor();
      const page = await files.list(desk, {
        after,
        limit,
        order: order === 'asc' ? 'oldest' : 'newest',
        kinds: purpose === undefined ? EVERY_KIND : (KINDS.get(purpose) ?? []),
      });
      return { status: 200, json: pageBody(page.files.map(fileBody), page.hasMore) };
    }),
    mount(getFile, async ({ desk, param }) => {
      return { status: 200, json: fileBody(await requireFile(param('file'), desk, files)) };
    }),
    mount(getFileContent, async (call) => {
      const { desk, param, request, response } = call;
      const found = await files.open(desk, param('file'));
      if (found === null) throw noFile(param('file'));
      const { id, filename } = found.file;
      using _slot = longAnswer(call, downloads);
      await sendView(request, response, found.view, {
        contentType: 'application/octet-stream',
        // A file never changes: its id says which bytes they are.
        etag: `"${id}"`,
        filename: filename.replaceAll(/[^A-Za-z0-9._-]/g, '_'),
      });
      return undefined;
    }),
    mount(deleteFile, async ({ desk, param }) => {
      const id = param('file');
      if (!(await files.remove(desk, id))) throw noFile(id);
      const body = { id, object: 'file', deleted: true } satisfies OpenAI.FileDeleted;
      return { status: 200, json: body };
    }),
  ];
}

function fieldsOf(form: TakenForm): z.output<typeof uploadFields> {
  return validated(uploadFields, form.fields, 'body') as z.output<typeof uploadFields>;
}

async function requireFile(id: string, desk: Desk, files: TenantFiles): Promise<TenantFile> {
  const file = await files.get(desk, id);
  if (file === null) throw noFile(id);
  return file;
}

function fileBody({ id, kind, filename, sizeBytes, createdAtMs, expiresAtMs }: TenantFile) {
  return {
    id,
    object: 'file',
    bytes: sizeBytes,
    created_at: unixSeconds(createdAtMs),
    expires_at: unixSeconds(expiresAtMs),
    filename,
    purpose: kind === 'uploaded' ? 'batch' : 'batch_output',
    status: 'processed',
    status_details: null,
  } satisfies FileBody & OnTheWire<OpenAI.FileObject>;
}

function noFile(id: string): Problem {
  const message = `No such File object: ${id.slice(0, 60)}`;
  return new Problem({ status: 404, code: 'not_found', message, param: 'id' });
}

function unknownCursor(): Problem {
  const message = "Invalid 'after': it is not the id of a file.";
  return new Problem({ status: 400, code: 'invalid_value', message, param: 'after' });
}
