/** Answers about one job, as a server that only pretends to be the service gives them. */

export const ID = `job_${'0'.repeat(26)}`;

export const chunks = (done: number) => ({
  total: 1,
  by_phase: { [done === 10 ? 'settled' : 'in_progress']: 1 },
  waiting_for: {},
});

export const counts = (done: number) => ({
  total: 10,
  succeeded: done,
  failed: 0,
  rejected: 0,
  pending: 10 - done,
});

export const job = (status: string, done: number, result: object | null = null): string =>
  JSON.stringify({
    object: 'job',
    id: ID,
    name: 'tickets',
    status,
    created_at: 1,
    finished_at: null,
    endpoint: null,
    models: [],
    input: { file_id: null, size_bytes: 1, lines: 10 },
    counts: counts(done),
    chunks: chunks(done),
    usage: null,
    result,
    paused: null,
    refusal: null,
    alerts: [],
    metadata: {},
    callback_url: null,
    retry_of: null,
  });

/** As a problem of its own, the client asks again only when it connects anew. */
export const AWAY = JSON.stringify({
  type: '',
  title: '',
  status: 504,
  detail: 'No.',
  code: 'away',
  request_id: 'r-1',
});
