import { randomBytes } from 'node:crypto';

import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';

import { createCallbackSender } from '../../src/adapters/webhook/sender.ts';
import { callbackWaitMs } from '../../src/domain/callback.ts';
import { strangeNames } from '../../src/service/strange-names.ts';
import { CALLBACKS_FOLDER, jobFolder } from '../../src/stages/names.ts';
import { startReceiver } from '../support/receiver.ts';
import { answered, callbackScene, notedJob } from './support/callback-scene.ts';

const HOUR_MS = 3_600_000;

describe('a callback', () => {
  it('is made once, and leaves its outcome beside the job', async () => {
    const { scene, state, teller } = await notedJob(204);
    await teller.round();
    await teller.round();
    expect(teller.sent).toHaveLength(1);
    expect(teller.sent[0]).toMatchObject({
      url: 'https://receiver.test/hook',
      id: `${state.spec.id}_completed`,
    });
    expect(await scene.blobs.list(CALLBACKS_FOLDER)).toEqual([]);
    expect(await strangeNames(state.spec.id, [], scene.blobs)).toEqual([]);
    const outcome = { outcome: 'delivered', event: 'job.completed', tries: 1 };
    expect(await scene.outcomeOf(state)).toEqual(outcome);
    await teller.callbacks.note(state);
    await teller.round();
    expect(teller.sent).toHaveLength(1);
  });

  it('is made again after growing waits: one name, one body, a time of its own', async () => {
    const { scene, teller } = await notedJob(503, 302, 404, 200);
    await teller.round();
    for (const tries of [1, 2, 3]) {
      const waitMs = callbackWaitMs(tries, 0) ?? 0;
      scene.pass(waitMs - 1);
      await teller.round();
      expect(teller.sent).toHaveLength(tries);
      scene.pass(waitMs * 0.1 + 1);
      await teller.round();
      expect(teller.sent).toHaveLength(tries + 1);
    }
    expect(new Set(teller.sent.map(({ id }) => id)).size).toBe(1);
    expect(new Set(teller.sent.map(({ body }) => body)).size).toBe(1);
    expect(new Set(teller.sent.map(({ atMs }) => atMs)).size).toBe(4);
    expect(await teller.callbacks.waiting()).toEqual([]);
  });

  it('reaches a receiver that fails three times, signed each time', async () => {
    const { url: callbackUrl, heard } = await startReceiver((call) => (call > 3 ? 200 : 500));
    const scene = await callbackScene();
    const state = await scene.job(1, 'refused', { callbackUrl });
    const secret = `whsec_${randomBytes(24).toString('base64')}`;
    const options = { secrets: [secret], allowLoopback: true, userAgent: 'batchwright/0' };
    const teller = scene.teller(async () => answered(0), {
      sender: createCallbackSender(options),
    });
    scene.time.wallMs = Date.now();
    await teller.callbacks.note(state);
    for (let tries = 1; tries <= 5; tries += 1) {
      await teller.round();
      scene.time.monotonicMs += HOUR_MS;
    }
    expect(heard).toHaveLength(4);
    for (const { body, headers } of heard) {
      expect(new Webhook(secret).verify(body, headers)).toMatchObject({ type: 'job.failed' });
      expect(headers['webhook-id']).toBe(`${state.spec.id}_failed`);
    }
    expect(await scene.outcomeOf(state)).toMatchObject({ outcome: 'delivered', tries: 4 });
  });

  it('ends with 410, and nobody is alarmed', async () => {
    const { scene, state, teller } = await notedJob(410);
    await teller.round();
    expect(await scene.outcomeOf(state)).toMatchObject({ outcome: 'unwanted' });
    expect(await scene.alertsOf(state)).toEqual([]);
  });

  it('is given up after a day of tries, with an alert that stays with the job', async () => {
    const { scene, state, teller } = await notedJob();
    for (let hours = 0; hours < 48; hours += 1) {
      await teller.round();
      scene.pass(HOUR_MS);
    }
    expect(teller.sent).toHaveLength(18);
    expect(await scene.outcomeOf(state)).toMatchObject({ outcome: 'failed', tries: 18 });
    expect(await scene.alertsOf(state)).toMatchObject([
      { code: 'callback_failed', message: expect.stringContaining('18 times') },
    ]);
    await scene.alerts.close(state.spec.id);
    expect(await scene.alertsOf(state)).toHaveLength(1);
    expect(teller.notices).toMatchObject([{ level: 'alert', job: state.spec.id }]);
    expect(teller.notices[0]?.message).toContain('HTTP 503');
    expect(teller.notices[0]?.message).not.toContain('receiver.test');
  });

  it('goes with its job', async () => {
    const { scene, state, teller } = await notedJob(503);
    await teller.round();
    await scene.remove(state);
    scene.pass(HOUR_MS);
    await teller.round();
    expect(teller.sent).toHaveLength(1);
    expect(await scene.blobs.list(CALLBACKS_FOLDER)).toEqual([]);
    expect(await scene.blobs.list(jobFolder(state.spec.id))).toEqual([]);
  });

  it('leaves nothing of a job that is removed while it is told', async () => {
    const scene = await callbackScene();
    const state = await scene.job(1);
    const teller = scene.teller(async () => {
      await scene.remove(state);
      return answered(200);
    });
    await teller.callbacks.note(state);
    await teller.round();
    expect(await scene.blobs.list(CALLBACKS_FOLDER)).toEqual([]);
    expect(await scene.blobs.list(jobFolder(state.spec.id))).toEqual([]);
  });

  it('waits where there is nothing to sign with, and people are told once', async () => {
    const scene = await callbackScene();
    const sender = { canSign: false, problemOf: () => null, send: async () => answered(204) };
    const teller = scene.teller(async () => answered(204), { sender });
    await teller.round();
    expect(teller.notices).toEqual([]);
    await teller.callbacks.note(await scene.job(1));
    await teller.round();
    await teller.round();
    expect(teller.notices.map(({ code }) => code)).toEqual(['callback_unsigned']);
    expect(await teller.callbacks.waiting()).toHaveLength(1);
  });
});
