import { describe, expect, it } from 'vitest';
import { Weather } from '../../src/domain/errors.ts';
import { batchOf } from './support/provider.ts';
import { submittedScene } from './support/submitted-scene.ts';

describe('a cancelled chunk whose batch is not found', () => {
  async function forgottenScene() {
    const missing = { is: true };
    const stage = await submittedScene({
      retrieveBatch: async (id) => {
        if (!missing.is) return batchOf({ id, status: 'cancelling' });
        throw new Weather({
          kind: 'permanent',
          status: 404,
          code: null,
          message: 'no',
          retryAfterMs: null,
        });
      },
    });
    const task = await stage.scene.chunkTask(stage.hand);
    const intent = { kind: 'cancel', revision: 1 } as const;
    await stage.scene.turn(task.stream.record({ type: 'intended', intent }));
    const looks = async (count: number, everyMs: number): Promise<string> => {
      for (let look = 0; look < count; look += 1) {
        await stage.look();
        await stage.scene.wait(everyMs);
      }
      return stage.scene.chunk.status;
    };
    return { missing, looks };
  }

  it('waits for it through many looks and a long time, and then goes on without it', async () => {
    const soon = await forgottenScene();
    expect(await soon.looks(9, 60_000)).toBe('submitted');
    expect(await soon.looks(3, 60_000)).toBe('ended');
    const seldom = await forgottenScene();
    expect(await seldom.looks(4, 3_600_000)).toBe('submitted');
    expect(await seldom.looks(1, 0)).toBe('ended');
  });

  it('begins to wait anew where it was found in between: its answers may be paid', async () => {
    const { missing, looks } = await forgottenScene();
    expect(await looks(4, 600_000)).toBe('submitted');
    missing.is = false;
    expect(await looks(1, 0)).toBe('submitted');
    missing.is = true;
    expect(await looks(4, 600_000)).toBe('submitted');
    expect(await looks(1, 0)).toBe('ended');
  });
});
