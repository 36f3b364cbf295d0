import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import type { FailureLine, ResultLine } from '../../shared/contract/result-line.ts';
import type { Outcomes } from '../../shared/jobs/read-outcomes.ts';
import type { RightOutcome } from './image-kinds.ts';
import type { PlannedImage } from './image-plan.ts';

export type Verdict = {
  classified: number;
  failed: number;
  /** Without any outcome. */
  lost: number;
  /** With two outcomes, or never enqueued. */
  double: number;
  wrongOutcome: number;
  /** Failed, and not in the DLQ. */
  withoutDeadLetter: number;
  /** A sentence for each image that is not as it should be. */
  complaints: string[];
};

/** Compares what readers find with what had to come of each image. */
export function judge(planned: readonly PlannedImage[], { results, failures }: Outcomes, dead: Set<string>): Verdict {
  const ids = new Set(planned.map(({ image }) => image.id));
  const lost = [...ids].filter((id) => !results.has(id) && !failures.has(id));
  const double = [
    ...[...results.keys()].filter((id) => !ids.has(id) || failures.has(id)),
    ...[...failures.keys()].filter((id) => !ids.has(id)),
  ];
  const withoutDeadLetter = [...failures.keys()].filter((id) => !dead.has(id));
  const wrong = planned.flatMap(({ image: { id, url }, right }) => {
    const line = results.get(id) ?? failures.get(id);
    return line === undefined || (line.url === url && isRight(line, right))
      ? []
      : [`${id}: expected ${JSON.stringify(right)} for ${url}, got ${describe(line)}`];
  });
  return {
    classified: results.size,
    failed: failures.size,
    lost: lost.length,
    double: double.length,
    wrongOutcome: wrong.length,
    withoutDeadLetter: withoutDeadLetter.length,
    complaints: [
      ...lost.map((id) => `${id}: lost`),
      ...double.map((id) => `${id}: double`),
      ...withoutDeadLetter.map((id) => `${id}: not in the DLQ`),
      ...wrong,
    ],
  };
}

function isRight(line: ResultLine | FailureLine, right: RightOutcome): boolean {
  if ('labels' in line) return right === 'any' || ('label' in right && line.labels[0]?.label === right.label);
  if (right === 'any') return !OURS.includes(line.error.code);
  if ('codes' in right) return right.codes.includes(line.error.code);
  return 'code' in right && line.error.code === right.code;
}

/** Errors of labelqueue itself are no way to refuse an image. */
const OURS: readonly ErrorCode[] = ['internal_error', 'inference_failed'];

function describe(line: ResultLine | FailureLine): string {
  const { url, attempt, at } = line;
  const what = 'labels' in line ? { label: line.labels[0]?.label } : { code: line.error.code, why: line.error.message };
  return JSON.stringify({ ...what, url, attempt, at });
}
