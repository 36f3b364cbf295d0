import { open } from 'node:fs/promises';

/** Stands in the head of each report, and says what made it: a report may take the place of another. */
export const REPORT_MARK = '<meta name="generator" content="labelqueue report">';

/** A mark stands near the beginning of each report. */
const REPORT_HEAD_BYTES = 4_096;

/** Whether a file is an earlier report. */
export async function isReport(path: string): Promise<boolean> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(REPORT_HEAD_BYTES), 0, REPORT_HEAD_BYTES, 0);
  return buffer.toString('utf8', 0, bytesRead).includes(REPORT_MARK);
}
