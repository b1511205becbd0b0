/** `POST /v1/webhooks/openai`: the provider’s webhooks, bytes as they came. */

import type { Request, Response } from 'express';
import express from 'express';
import type { ProviderWebhooks } from '../../service/provider-webhooks.ts';
import type { Mounted } from '../call.ts';
import { mount } from '../call.ts';
import { hearProvider } from '../contract/webhooks.ts';
import { Problem } from '../problem.ts';

const LIMIT_BYTES = 1_000_000;

/** A small body takes a moment; who takes longer holds a connection, and nothing else. */
const PATIENCE_MS = 15_000;

// What is signed is what was sent: nothing is unpacked.
const takeRaw = express.raw({ limit: LIMIT_BYTES, type: () => true, inflate: false });

export function webhookRoutes(
  webhooks: Pick<ProviderWebhooks, 'isConfigured' | 'take'>,
): Mounted[] {
  return [
    mount(hearProvider, async ({ request, response }) => {
      if (!webhooks.isConfigured) {
        const message = 'No webhooks are taken here: OPENAI_WEBHOOK_SECRET is not set.';
        throw new Problem({ status: 404, code: 'not_configured', message });
      }
      const came = await webhooks.take(await rawBody(request, response), request.headers);
      // One answer for every reason: nobody learns from it what a forgery lacks.
      if (came === 'refused') {
        const message = 'The webhook is not signed as it should be.';
        throw new Problem({ status: 400, code: 'invalid_signature', message });
      }
      return { status: 204 };
    }),
  ];
}

async function rawBody(request: Request, response: Response): Promise<Buffer> {
  const timer = setTimeout(() => request.destroy(), PATIENCE_MS);
  try {
    await new Promise<void>((resolve, reject) => {
      takeRaw(request, response, (error: unknown) => {
        if (error === undefined) resolve();
        else reject(problemOfParser(error));
      });
    });
  } finally {
    clearTimeout(timer);
  }
  const body: unknown = request.body;
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}

function problemOfParser(error: unknown): Problem {
  const { type } = error as { type?: string };
  if (type === 'entity.too.large') {
    const message = `A webhook holds at most ${LIMIT_BYTES} bytes.`;
    return new Problem({ status: 413, code: 'body_too_large', message });
  }
  if (type === 'encoding.unsupported') {
    const message = 'A webhook comes as it is, not packed.';
    return new Problem({ status: 415, code: 'unsupported_encoding', message });
  }
  return new Problem({ status: 400, code: 'client_gone', message: 'The body was cut.' });
}
