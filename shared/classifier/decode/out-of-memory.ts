import { writeFileSync } from 'node:fs';

/** Makes the kernel kill this process, and not the worker, when memory runs out. */
export function preferOomKill(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // Not Linux, or not permitted: then only the redrive policy protects the queue.
  }
}
