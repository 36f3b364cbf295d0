import type { WorkerDependencies } from '../../functions/classify/worker-dependencies.ts';

/** For a worker whose jobs have no limits. */
export const NO_GUARD: WorkerDependencies['jobGuard'] = {
  settled() {},
  isBusy: false,
  finish: async () => {},
};
