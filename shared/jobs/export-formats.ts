/** What `results` and `failures` write. */
export const FORMATS = ['jsonl', 'csv', 'parquet'] as const;
/** One of {@link FORMATS}. */
export type Format = (typeof FORMATS)[number];
