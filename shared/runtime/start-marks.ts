/** The moments of a worker's start, in their order: marks of Node's User Timing, which `npm run bench:cold` reads. */
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

/** Notes that a moment of the start has come. */
export function markStart(mark: StartMark): void {
  performance.mark(mark);
}
