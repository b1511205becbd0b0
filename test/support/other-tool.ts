/** Another tool at the same provider: uploads and creates with plain requests of its own. */

export interface OtherTool {
  /** Uploads the text as an input file; resolves to its id. */
  upload(text: string, filename?: string): Promise<string>;
  /** Creates a batch over the file; resolves to its id. */
  create(fileId: string, metadata?: Readonly<Record<string, string>>): Promise<string>;
  /** Uploads and creates. */
  send(text: string): Promise<string>;
  deleteFile(fileId: string): Promise<void>;
}

/** `baseUrl` as the program gets it. */
export function otherTool(baseUrl: string, endpoint = '/v1/chat/completions'): OtherTool {
  const upload = async (text: string, filename = 'requests.jsonl'): Promise<string> => {
    const form = new FormData();
    form.set('purpose', 'batch');
    form.set('file', new Blob([text]), filename);
    return idOf(await fetch(`${baseUrl}/files`, { method: 'POST', body: form }));
  };
  const create: OtherTool['create'] = async (fileId, metadata = {}) => {
    const input = { input_file_id: fileId, endpoint, completion_window: '24h', metadata };
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify(input);
    return idOf(await fetch(`${baseUrl}/batches`, { method: 'POST', headers, body }));
  };
  return {
    upload,
    create,
    send: async (text) => create(await upload(text)),
    deleteFile: async (fileId) => {
      await idOf(await fetch(`${baseUrl}/files/${fileId}`, { method: 'DELETE' }));
    },
  };
}

async function idOf(response: Response): Promise<string> {
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text}`);
  const { id } = JSON.parse(text) as { id: string };
  return id;
}
