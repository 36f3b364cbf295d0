import { readFile } from 'node:fs/promises';
import { START_MARKS, type StartMark } from '../../shared/runtime/start-marks.ts';
import { eventually } from '../../testkit/eventually.ts';
import { type PackagedWorker, startPackagedWorker } from '../../testkit/lambda/packaged-worker.ts';
import { messageRecord } from '../../testkit/sqs-record.ts';

const REPORT_MARKS = `${import.meta.dirname}/report-marks.ts`;

/** How long what took, in milliseconds. */
export type Start = {
  /** From one mark to the next; of the first, from the start of the process. */
  parts: Record<StartMark, number>;
  /** From the moment when the worker is warm to the answer to its first invocation. */
  invocation: number;
  /** From the start of the process to that answer. */
  total: number;
  /** Later invocations, one image each. */
  warm: number[];
  /** The most resident memory it had, mapped files included, in MB. */
  residentMb: number;
};

export type Bench = {
  task: string;
  temporary: string;
  runtimeClient: string;
  environment: Readonly<Record<string, string>>;
  wrapper: readonly string[];
  /** The address of a photo. */
  photo: string;
};

/** Starts a packaged worker, with one image waiting for it, and gives it so many more afterwards. */
export async function measureStart(bench: Bench, warmInvocations: number): Promise<Start> {
  const startedAt = Date.now();
  await using worker = await startPackagedWorker({ ...bench, nodeArguments: ['--import', REPORT_MARKS] });
  await classifyOne(worker, bench.photo);
  const answeredAt = Date.now();
  await eventually('the marks of the start', () => marksIn(worker.log()).has('labelqueue:warm'));
  const marks = marksIn(worker.log());
  const parts = {} as Record<StartMark, number>;
  let before = startedAt;
  for (const mark of START_MARKS) {
    const at = marks.get(mark) ?? before;
    parts[mark] = at - before;
    before = at;
  }
  const warm: number[] = [];
  for (let i = 0; i < warmInvocations; i += 1) {
    const from = performance.now();
    await classifyOne(worker, bench.photo);
    warm.push(performance.now() - from);
  }
  const residentMb = await residentMegabytes(worker.pid);
  return { parts, invocation: answeredAt - before, total: answeredAt - startedAt, warm, residentMb };
}

async function classifyOne(worker: PackagedWorker, photo: string): Promise<void> {
  const { batchItemFailures } = await worker.invoke({
    Records: [messageRecord({ job: 'bench', images: [{ id: photo, url: photo }] })],
  });
  if (batchItemFailures.length > 0) throw new Error(`expected ${photo} to be classified, it failed:\n${worker.log()}`);
}

function marksIn(log: string): Map<StartMark, number> {
  const found = [...log.matchAll(/^mark (labelqueue:\S+) ([\d.]+)$/gm)];
  return new Map(found.map(([, name, at]) => [name as StartMark, Number(at)]));
}

async function residentMegabytes(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_000;
}
