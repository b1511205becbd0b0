/** The shapes of the names that names.ts makes below a job's folder. */

const CHUNK = 'c\\d{6}';
const PART = 'part-[0-9a-f]{8}-\\d+\\.jsonl';
const LINES = '(requests|rejected|quarantine)\\.jsonl';
const OWN_FILES = `${LINES}|lines\\.idx|ids\\.bin|${PART}`;
const ATTEMPT = 'attempts/\\d+-[0-9a-z]+/(output\\.jsonl|errors\\.jsonl|answers\\.idx)';

const KNOWN = new RegExp(
  `^(plan\\.json|source\\.jsonl|result\\.jsonl|failed-runs\\.bin|manifest\\.json|working\\.json` +
    '|removed-(output|errors)|alerts/[^/]+\\.json' +
    `|callback\\.json|callback/try-\\d+\\.json` +
    `|journal/(job|${CHUNK})/\\d{8}\\.json|settled/${CHUNK}\\.json` +
    `|chunks/${CHUNK}/(${OWN_FILES}|${ATTEMPT}))$`,
);

/** Whether `below`, a name without its job's folder, is one that a step gives. */
export function isJobObject(below: string): boolean {
  return KNOWN.test(below);
}
