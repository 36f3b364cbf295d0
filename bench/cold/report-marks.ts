/** Loaded into a worker ahead of all else: prints each mark of its start, in milliseconds of the epoch. */
import { PerformanceObserver } from 'node:perf_hooks';

new PerformanceObserver((list) => {
  for (const { name, startTime } of list.getEntries()) {
    process.stderr.write(`mark ${name} ${performance.timeOrigin + startTime}\n`);
  }
}).observe({ type: 'mark', buffered: true });
