import { writeFileSync } from 'node:fs';

/** When memory runs out, the kernel must take this process and not the worker. */
export function preferOomKill(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // Not Linux, or not allowed: then the redrive policy remains.
  }
}
