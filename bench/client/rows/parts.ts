/** Commands that go through the part files of a job. */
import type { LargeJob } from '../../../testkit/large-job.ts';
import { largeJobCommand } from '../large-job-command.ts';
import type { ClientRow } from '../row.ts';

function row(
  name: string,
  argsOf: (folder: string) => string[],
  changed?: Partial<LargeJob>,
  sizes?: number[],
): ClientRow {
  return {
    name,
    unit: 'parts',
    prepare: (conditions) => largeJobCommand(conditions, argsOf, changed),
    ...(sizes !== undefined && { sizes }),
  };
}

/** A job that is still running. */
const RUNNING = { toGo: 1_000 };

export const rows: ClientRow[] = [
  row('status JOB', () => ['status', 'large']),
  row('status', () => ['status']),
  row('wait JOB', () => ['wait', 'large', '--json'], { failures: 0 }),
  row('cancel JOB', () => ['cancel', 'large'], RUNNING),
  row('redrive JOB --dry-run', () => ['redrive', 'large', '--dry-run']),
  row('redrive JOB', () => ['redrive', 'large']),
  row('results JOB', (folder) => ['results', 'large', '--out', `${folder}/large.parquet`], { linesPerPart: 1 }),
  row('report JOB', (folder) => ['report', 'large', '--images', '0', '--out', `${folder}/large.html`], {
    linesPerPart: 1,
  }),
  row('purge JOB', () => ['purge', 'large', '--yes']),
];
