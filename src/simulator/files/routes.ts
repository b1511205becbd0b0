/** The Files endpoints. */

import { noSuchFile } from '../http/api-error.ts';
import type { Route } from '../http/exchange.ts';
import { pageOf, pageQuery } from '../http/pages.ts';
import type { World } from '../world.ts';
import { sendContent } from './download.ts';
import { type FileRecord, fileOnWire } from './shelf.ts';
import { receiveUpload } from './upload.ts';

/** The routes of one world. */
export function filesRoutes(world: World): Route[] {
  return [
    {
      verb: 'post',
      path: '/v1/files',
      operation: 'upload',
      async answer(request) {
        const file = await receiveUpload(world, request);
        world.ledger.recordUpload();
        return { status: 200, body: fileOnWire(file) };
      },
    },
    {
      verb: 'get',
      path: '/v1/files',
      operation: 'file_list',
      answer: async (request) => ({ status: 200, body: listFiles(world, request.query) }),
    },
    {
      verb: 'get',
      path: '/v1/files/:id',
      operation: 'file_retrieve',
      answer: async (request) => ({
        status: 200,
        body: fileOnWire(findFile(world, request.params['id'])),
      }),
    },
    {
      verb: 'get',
      path: '/v1/files/:id/content',
      operation: 'download',
      async answer(request, response) {
        await sendContent(world, findFile(world, request.params['id']), response);
        return null;
      },
    },
    {
      verb: 'delete',
      path: '/v1/files/:id',
      operation: 'file_delete',
      async answer(request) {
        const { id } = findFile(world, request.params['id']);
        await world.files.remove(id);
        world.ledger.recordDelete();
        return { status: 200, body: { id, object: 'file', deleted: true } };
      },
    },
  ];
}

function listFiles(world: World, query: Readonly<Record<string, unknown>>): unknown {
  const { purpose, order } = query;
  const files = world.files
    .all()
    .filter((file) => purpose === undefined || file.purpose === purpose)
    .map(fileOnWire);
  if (order !== 'asc') files.reverse();
  return pageOf(files, pageQuery(query, { usual: 10_000, most: 10_000 }));
}

function findFile(world: World, id: unknown): FileRecord {
  const file = world.files.find(String(id));
  if (file === null || isGone(world, file)) throw noSuchFile(String(id));
  return file;
}

function isGone(world: World, file: FileRecord): boolean {
  if (file.purpose !== 'batch_output') return false;
  const name = file.filename.endsWith('_error.jsonl') ? 'error_file_gone' : 'output_file_gone';
  return (
    world.faults.afflicts(name, `file ${file.ordinal}`, `${file.id} ${file.filename}`) !== null
  );
}
