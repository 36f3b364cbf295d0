/** The steps of a worker's start, in order: User Timing marks, which `npm run bench:cold` reads. */
export const START_MARKS = [
  'labelqueue:entered',
  'labelqueue:unpacked',
  'labelqueue:modules-loaded',
  'labelqueue:model-loaded',
  'labelqueue:first-predicted',
  'labelqueue:warm',
] as const;

/** One of {@link START_MARKS}. */
export type StartMark = (typeof START_MARKS)[number];

/** Records a step of the start. */
export function markStart(mark: StartMark): void {
  performance.mark(mark);
}
