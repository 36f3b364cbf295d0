import { open, stat } from 'node:fs/promises';
import { CloudWatchLogsClient, paginateFilterLogEvents } from '@aws-sdk/client-cloudwatch-logs';

/** Reads the logs of workers. */
export type WorkerLog = {
  /** For people, e.g. `CloudWatch`. */
  name: string;
  /** Whether it contains AWS's REPORT lines. */
  hasReports: boolean;
  /** All lines about invocations since the log was found. */
  lines(): Promise<string[]>;
};

/** Clocks of different machines differ. */
const CLOCK_SKEW_MS = 30_000;

export function cloudWatchLog(logGroupName: string, since: Date): WorkerLog {
  const client = new CloudWatchLogsClient({});
  return {
    name: 'CloudWatch',
    hasReports: true,
    async lines() {
      const lines: string[] = [];
      const startTime = since.getTime() - CLOCK_SKEW_MS;
      // Either of them.
      const filterPattern = '?"\\"message\\":\\"invocation\\"" ?"REPORT RequestId"';
      const pages = paginateFilterLogEvents({ client }, { logGroupName, startTime, filterPattern });
      for await (const { events = [] } of pages) lines.push(...events.map(({ message = '' }) => message.trimEnd()));
      return lines;
    },
  };
}

/** The log file of `labelqueue local`, from its current end on. */
export async function localLog(path: string): Promise<WorkerLog> {
  const { size: start } = await stat(path);
  return {
    name: 'the log of labelqueue local',
    hasReports: false,
    async lines() {
      await using file = await open(path);
      const lines: string[] = [];
      for await (const line of file.readLines({ start })) lines.push(line);
      return lines;
    },
  };
}
