import { describe, expect, it } from 'vitest';
import { submissionOf } from '../simulation/operator.ts';
import { Scene } from '../simulation/scene.ts';
import { parseJobId } from '../../src/domain/ids.ts';

async function doors() {
  const scene = await Scene.open(['a-ok', 'b-ok']);
  const hand = scene.worker('person');
  const submission = (text: string) =>
    submissionOf('/other', Buffer.from(text), scene.world.profile, `sha of ${text}`);
  return { scene, hand, submission };
}

describe('submitting', () => {
  it('attaches to the job of the same run, and takes its new options over', async () => {
    const { scene, hand, submission } = await doors();
    const first = await scene.turn(hand.jobs.submit(submission('x')));
    const options = { maxAttempts: 7, maxErrors: null };
    const again = await scene.turn(hand.jobs.submit({ ...submission('x'), options }));
    expect([first.attached, again.attached]).toEqual([false, true]);
    expect(again.job).toBe(first.job);
    const state = await scene.turn(hand.jobs.find(first.job));
    expect(state.options).toEqual(options);
  });

  it('refuses --fresh beside the unfinished job of the same run', async () => {
    const { scene, hand, submission } = await doors();
    const first = await scene.turn(hand.jobs.submit(submission('x')));
    const again = hand.jobs.submit({ ...submission('x'), fresh: true });
    await expect(scene.turn(again)).rejects.toThrow(`batchwright cancel ${first.job}`);
  });

  it('makes a new job for other content', async () => {
    const { scene, hand, submission } = await doors();
    const first = await scene.turn(hand.jobs.submit(submission('x')));
    const other = await scene.turn(hand.jobs.submit(submission('y')));
    expect(other).toMatchObject({ attached: false });
    expect(other.job).not.toBe(first.job);
  });

  it('makes one job of many submissions of the same run at once', async () => {
    const { scene, submission } = await doors();
    const hands = Array.from({ length: 6 }, (_, index) => scene.worker(`person ${index}`));
    const submitted = await scene.turn(
      Promise.all(hands.map((hand) => hand.jobs.submit(submission('x')))),
    );
    expect(new Set(submitted.map(({ job }) => job)).size).toBe(1);
    expect(submitted.filter(({ attached }) => !attached)).toHaveLength(1);
    const listed = await scene.turn(scene.worker('reader').jobs.list());
    expect(listed).toHaveLength(2);
  });

  it('tries again what was refused', async () => {
    const { scene, hand, submission } = await doors();
    scene.world.files.write('/other', Buffer.alloc(0));
    const first = await scene.turn(hand.jobs.submit(submission('x')));
    const task = await scene.turn(hand.views.jobTask(first.job));
    const refusal = { code: 'empty_input', message: '', rejected: [], rejectedTotal: 0 };
    await scene.turn(task?.stream.record({ type: 'refused', refusal }) ?? Promise.resolve(false));
    const again = await scene.turn(hand.jobs.submit(submission('x')));
    expect(again.attached).toBe(false);
    expect(again.job).not.toBe(first.job);
  });
});

describe('naming a job', () => {
  it('takes its id or an unambiguous beginning of it', async () => {
    const { scene, hand } = await doors();
    expect((await scene.turn(hand.jobs.find(scene.job))).spec.id).toBe(scene.job);
    const begin = scene.job.slice(0, 12);
    expect((await scene.turn(hand.jobs.find(begin))).spec.id).toBe(scene.job);
  });

  it('refuses what names none, or more than one', async () => {
    const { scene, hand, submission } = await doors();
    await scene.turn(hand.jobs.submit(submission('x')));
    const find = (text: string) => scene.turn(hand.jobs.find(text));
    await expect(find('job_')).rejects.toMatchObject({ code: 'ambiguous_job' });
    await expect(find('')).rejects.toMatchObject({ code: 'unknown_job' });
    await expect(find(`job_${'z'.repeat(26)}`)).rejects.toMatchObject({ code: 'unknown_job' });
    expect(parseJobId(`job_${'z'.repeat(26)}`)).not.toBeNull();
  });
});

describe('ending a job', () => {
  it('cancels once, resumes only what is held, removes only what is over', async () => {
    const { scene, hand } = await doors();
    expect(await scene.turn(hand.jobs.resume(scene.job))).toBe(false);
    const state = await scene.turn(hand.jobs.find(scene.job));
    await expect(scene.turn(hand.jobs.remove(state))).rejects.toMatchObject({
      code: 'not_finished',
    });
    expect(await scene.turn(hand.jobs.cancel(scene.job))).toBe(true);
    expect(await scene.turn(hand.jobs.cancel(scene.job))).toBe(false);
    await scene.jobUntil(scene.worker('worker'), 'refused');
    const over = await scene.turn(hand.jobs.find(scene.job));
    await scene.turn(hand.jobs.remove(over));
    expect(await scene.turn(hand.jobs.list())).toEqual([]);
  });
});
