/** What a row is measured under. */
export type Conditions = {
  /** How many of the row's things there are, e.g. part files. */
  size: number;
  /** Between a request to AWS and its answer. */
  latencyMs: number;
};

/** A command that can be started, with all that it needs. */
export type PreparedCommand = AsyncDisposable & {
  /** Of `labelqueue`. */
  args: readonly string[];
  environment: Record<string, string>;
  /** By default the command has to come to its end by itself; with this it is ended once standard output matches. */
  until?: RegExp;
  /**
   * With `until`: a visit to what the command serves. The time is that of the visit alone, with what is left of standard
   * output; the computing time is that of the command from its start.
   */
  visit?: (output: string) => Promise<void>;
  /** How often it is run, at least 1, with one more run before that does not count; by default once, and none before. */
  times?: number;
};

/** One row per command and size. A file in `rows/` exports as `row` one of these, or as `rows` several. */
export type ClientRow = {
  /** As the table names it, e.g. `status JOB`. */
  name: string;
  /** What `size` counts, e.g. `parts`. */
  unit: string;
  /** Where it does not take the sizes of all; 10 million come with `--ten-million` alone. */
  sizes?: readonly number[];
  prepare(conditions: Conditions): Promise<PreparedCommand>;
};

export const TEN_MILLION = 10_000_000;
export const SIZES: readonly number[] = [10_000, 100_000, 1_000_000, TEN_MILLION];
