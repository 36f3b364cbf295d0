import { availableParallelism } from 'node:os';
import { THREADS_OF_A_DECODE } from '../../shared/classifier/decode/sharp-decoder.ts';
import type { Classifier } from '../../shared/classifier/infer.ts';
import { describeProcessor, type Processor } from '../../shared/classifier/model/processor.ts';
import type { ModelId } from '../../shared/contract/result-line.ts';

/** What determines the speed of a worker; logged at each start. */
export type StartFacts = {
  processor: Processor;
  model: ModelId;
  arithmetic: Classifier['arithmetic'];
  /** Threads per library, and the number of processors that the system shows. */
  threads: { shown: number; tensorflow: number; libuv: number; libvips: number };
};

/** Reads the facts from the system and the environment. */
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

/** libuv's default. */
const LIBUV_THREADS = 4;
