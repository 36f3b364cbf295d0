import { open } from 'node:fs/promises';

/** Marks a file as a report in its head: only a report may be replaced by another. */
export const REPORT_MARK = '<meta name="generator" content="labelqueue report">';

/** A mark stands near the beginning of each report. */
const REPORT_HEAD_BYTES = 4_096;

/** Whether a file is an earlier report. */
export async function isReport(path: string): Promise<boolean> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(REPORT_HEAD_BYTES), 0, REPORT_HEAD_BYTES, 0);
  return buffer.toString('utf8', 0, bytesRead).includes(REPORT_MARK);
}
