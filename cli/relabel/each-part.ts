import pMap from 'p-map';
import type { Part } from '../../shared/jobs/list-parts.ts';

/** Part files in memory at once, each of several megabytes. */
const PARTS_AT_ONCE = 4;

/**
 * Processes several parts at once. When one fails, it waits for those in progress and throws: nothing is written after
 * that.
 */
export async function eachPart(parts: AsyncIterable<Part>, use: (part: Part) => Promise<void>): Promise<void> {
  const running = new Set<Promise<void>>();
  const begin = (part: Part) => {
    const work = use(part).finally(() => running.delete(work));
    running.add(work);
    return work;
  };
  try {
    await pMap(parts, begin, { concurrency: PARTS_AT_ONCE });
  } finally {
    await Promise.allSettled(running);
  }
}
