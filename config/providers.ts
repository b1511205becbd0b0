/**
 * What is known about each provider of the Batch API, as dated data: limits, windows, quirks.
 * The rest of the house gets these as arguments; the names of fields carry the unit.
 */

import { z } from 'zod';

const positive = z.int().positive();

const profileSchema = z
  .object({
    /** When the facts were gathered, `YYYY-MM`. */
    asOf: z.string().regex(/^20\d\d-(0[1-9]|1[0-2])$/),
    /** Hosts of the base URL; one that starts with a dot stands for all below it. */
    hosts: z.array(z.string().regex(/^\.?[a-z0-9.-]+$/)),
    /** The hard limits of one Batch file. */
    limits: z.object({
      maxRequests: positive,
      /** In bytes of 10⁶ to the megabyte, with room for a server that counts otherwise. */
      maxBytes: positive.max(190_000_000),
      /** Embedding inputs over all requests of the file. */
      maxInputs: positive,
      /** Bytes of one line without its newline. */
      maxLineBytes: positive,
    }),
    /** What a chunk holds where the user does not say. */
    defaults: z.object({ maxRequests: positive, maxBytes: positive }),
    /** Completion windows, the default first. */
    completionWindows: z.array(z.string().regex(/^[1-9]\d*[hd]$/)).min(1),
    /** The form's `purpose` of an uploaded request file. */
    filePurpose: z.string().min(1),
    /** Whether an upload says when the file may be forgotten, as the adapter reads it. */
    uploadExpiry: z.enum(['always', 'until-refused', 'never']),
    uploadExpiresAfterSeconds: positive.min(3_600).max(2_592_000),
    /** Known to list the newest batch first; a wrong `true` could overlook a paid batch. */
    listsNewestFirst: z.boolean(),
    /** Looks at the list for one look at a batch: some servers refresh it only by id. */
    listsPerRetrieval: positive.min(2),
  })
  .refine((profile) => profile.defaults.maxRequests <= profile.limits.maxRequests, {
    message: 'a default chunk has no more requests than the limit',
  })
  .refine((profile) => profile.defaults.maxBytes <= profile.limits.maxBytes, {
    message: 'a default chunk has no more bytes than the limit',
  })
  .refine((profile) => profile.limits.maxLineBytes <= profile.limits.maxBytes, {
    message: 'a line fits into a file',
  })
  .refine((profile) => expiresAfterTheWindow(profile), {
    message: 'an input file outlives its batch: twice the default window',
  });

export type ProviderName =
  | 'openai'
  | 'azure'
  | 'groq'
  | 'together'
  | 'dashscope'
  | 'siliconflow'
  | 'generic';

export type ProviderProfile = Readonly<z.infer<typeof profileSchema>> & {
  readonly name: ProviderName;
};

/** Throws a ZodError where the facts contradict each other. */
export function parseProfile(facts: unknown): Omit<ProviderProfile, 'name'> {
  return profileSchema.parse(facts);
}

const OPENAI = {
  asOf: '2026-11',
  hosts: ['api.openai.com', '.api.openai.com'],
  limits: {
    maxRequests: 50_000,
    // 200 MB is allowed; whether those are MB or MiB is not said.
    maxBytes: 190_000_000,
    maxInputs: 50_000,
    maxLineBytes: 10_000_000,
  },
  defaults: { maxRequests: 50_000, maxBytes: 100_000_000 },
  completionWindows: ['24h'],
  filePurpose: 'batch',
  uploadExpiry: 'always',
  uploadExpiresAfterSeconds: 14 * 86_400,
  listsNewestFirst: true,
  listsPerRetrieval: 100,
} as const;

/** A server that nobody described: OpenAI's numbers, and nothing taken for granted. */
const GENERIC = {
  ...OPENAI,
  hosts: [],
  uploadExpiry: 'until-refused',
  listsNewestFirst: false,
  listsPerRetrieval: 10,
} as const;

const FACTS: Readonly<Record<ProviderName, unknown>> = {
  openai: OPENAI,
  // The v1 base URL (`…/openai/v1`); the model of a request is the deployment. A job over its
  // 24 hours is not expired; a BOM is refused; a completed batch has a zero-byte error file.
  azure: {
    ...OPENAI,
    hosts: ['.openai.azure.com', '.services.ai.azure.com', '.cognitiveservices.azure.com'],
    limits: { ...OPENAI.limits, maxRequests: 100_000 },
    uploadExpiry: 'until-refused',
    listsNewestFirst: false,
  },
  groq: {
    ...GENERIC,
    hosts: ['api.groq.com'],
    limits: { ...OPENAI.limits, maxBytes: 95_000_000 },
    defaults: { ...OPENAI.defaults, maxBytes: 95_000_000 },
    completionWindows: ['24h', '48h', '72h', '96h', '120h', '144h', '7d'],
    uploadExpiry: 'never',
  },
  together: {
    ...GENERIC,
    hosts: ['api.together.xyz', 'api.together.ai'],
    limits: { ...OPENAI.limits, maxBytes: 95_000_000 },
    defaults: { ...OPENAI.defaults, maxBytes: 95_000_000 },
    filePurpose: 'batch-api',
    uploadExpiry: 'never',
  },
  // 500 MB a file and 6 MB a line; ours stays at what all others take.
  dashscope: {
    ...GENERIC,
    hosts: ['dashscope.aliyuncs.com', '.dashscope.aliyuncs.com', 'dashscope-intl.aliyuncs.com'],
    limits: { ...OPENAI.limits, maxLineBytes: 6_000_000 },
    completionWindows: ['24h', '48h', '72h', '168h', '336h'],
    uploadExpiry: 'never',
  },
  siliconflow: {
    ...GENERIC,
    hosts: ['api.siliconflow.cn', 'api.siliconflow.com'],
    limits: { ...OPENAI.limits, maxRequests: 5_000 },
    defaults: { ...OPENAI.defaults, maxRequests: 5_000 },
    uploadExpiry: 'never',
  },
  generic: GENERIC,
};

/** All profiles, validated when this file is loaded. */
export const PROVIDER_PROFILES: ReadonlyMap<string, ProviderProfile> = new Map(
  Object.entries(FACTS).map(([name, facts]) => [
    name,
    { ...parseProfile(facts), name: name as ProviderName },
  ]),
);

/**
 * The profile of the named provider, else of the base URL's host, else `generic`. Throws a
 * RangeError on a name that is not known, a TypeError on what is no URL.
 */
export function profileFor(baseUrl: string, name: string | null = null): ProviderProfile {
  const { hostname } = new URL(baseUrl);
  const wanted = name ?? nameOfHost(hostname);
  const profile = PROVIDER_PROFILES.get(wanted);
  if (profile !== undefined) return profile;
  const names = [...PROVIDER_PROFILES.keys()].join(', ');
  throw new RangeError(`there is no provider profile '${wanted}'; there are ${names}`);
}

/** Whether the base URL leads to this machine. Throws a TypeError on what is no URL. */
export function isLoopback(baseUrl: string): boolean {
  const { hostname } = new URL(baseUrl);
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127(\.\d+){3}$/.test(hostname) ||
    /^\[::ffff:7f[0-9a-f]{2}:[0-9a-f]+\]$/.test(hostname)
  );
}

function nameOfHost(hostname: string): string {
  for (const [name, { hosts }] of PROVIDER_PROFILES) {
    const isMatch = (host: string): boolean =>
      host.startsWith('.') ? hostname.endsWith(host) : hostname === host;
    if (hosts.some(isMatch)) return name;
  }
  return 'generic';
}

function expiresAfterTheWindow(profile: {
  completionWindows: string[];
  uploadExpiresAfterSeconds: number;
}): boolean {
  const [window = ''] = profile.completionWindows;
  const hours = Number.parseInt(window, 10) * (window.endsWith('d') ? 24 : 1);
  return profile.uploadExpiresAfterSeconds >= 2 * hours * 3_600;
}
