import { availableParallelism } from 'node:os';
import { THREADS_OF_A_DECODE } from '../../shared/classifier/decode/sharp-decoder.ts';
import type { Classifier } from '../../shared/classifier/infer.ts';
import { describeProcessor, type Processor } from '../../shared/classifier/model/processor.ts';
import type { ModelId } from '../../shared/contract/result-line.ts';

/** What decides how fast a worker is; it logs that at each start. */
export type StartFacts = {
  processor: Processor;
  model: ModelId;
  arithmetic: Classifier['arithmetic'];
  /** How many each library may use, and how many processors the system shows. */
  threads: { shown: number; tensorflow: number; libuv: number; libvips: number };
};

export async function startFacts({ id, arithmetic }: Classifier): Promise<StartFacts> {
  const shown = availableParallelism();
  return {
    processor: await describeProcessor(),
    model: id,
    arithmetic,
    threads: {
      shown,
      tensorflow: Number(process.env['TF_NUM_INTRAOP_THREADS'] ?? shown),
      libuv: Number(process.env['UV_THREADPOOL_SIZE'] ?? LIBUV_THREADS),
      libvips: THREADS_OF_A_DECODE,
    },
  };
}

/** libuv's own number. */
const LIBUV_THREADS = 4;
