import { visibleLine } from '../../shared/contract/visible-text.ts';
import { runWork, type WorkProgress } from '../../worker/run-work.ts';
import { jsonLog, type WorkLog } from '../../worker/work-log.ts';
import { workSettingsFrom } from '../../worker/work-settings.ts';
import { settingsFromEnvironment } from '../jobs/job-target.ts';
import { type ModelOptions, modelEnvironment } from '../options.ts';
import { counted } from '../terminal/counted.ts';
import { type Interrupted, interruption, untilInterrupted } from '../terminal/interruption.ts';
import { createRedraw, onTerminal, print } from '../terminal/terminal.ts';

type Options = ModelOptions & {
  processes?: number;
  drainSeconds?: number;
  exitWhenEmpty?: number;
  port?: number;
  host?: string;
  spot?: true;
  json?: true;
  allowHost?: string[];
};

/** Notices above the progress line. */
const MAX_NOTICES = 5;

/** Runs the worker until it is interrupted, the queue is empty, or EC2 interrupts the instance. */
export async function runWorkCommand({ json, ...options }: Options): Promise<void> {
  // Its error message explains the settings.
  settingsFromEnvironment();
  const environment = { ...process.env, ...variablesOf(options) };
  const settings = workSettingsFrom(environment);
  const printLine = (line: string) => print(`${line}\n`);
  const display = onTerminal.output && !json ? terminalDisplay() : undefined;
  await runWork({
    settings,
    environment,
    stop: untilInterrupted().then(() => (interruption.reason as Interrupted).signal),
    log: display?.log ?? jsonLog(settings.serviceName, printLine),
    onWorkerLine: display === undefined ? printLine : () => {},
    ...(display !== undefined && { onProgress: display.progress }),
  });
}

/** An option overrides its variable. */
function variablesOf(options: Options): Record<string, string> {
  const { processes, drainSeconds, exitWhenEmpty, port, host, spot, allowHost } = options;
  const given = {
    WORK_PROCESSES: processes,
    WORK_DRAIN_SECONDS: drainSeconds,
    WORK_EXIT_WHEN_EMPTY_SECONDS: exitWhenEmpty,
    WORK_PORT: port,
    WORK_HOST: host,
    WORK_SPOT: spot,
    ALLOWED_HOSTS: allowHost?.join(','),
  };
  const variables = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [[name, `${value}`]]));
  return { ...modelEnvironment(options), ...Object.fromEntries(variables) };
}

type Display = { log: WorkLog; progress: (progress: WorkProgress) => void };

/** One progress line that is redrawn, with the latest notices above it. */
function terminalDisplay(): Display {
  const redraw = createRedraw();
  const notices: string[] = [];
  let line = 'starting…';
  let last: { at: number; images: number; perSecond: number } = { at: performance.now(), images: 0, perSecond: 0 };
  const draw = () => redraw([...notices, line].map((text) => `${text}\n`).join(''));
  return {
    log(level, message, fields = {}) {
      if (level === 'INFO' && fields['address'] === undefined && fields['drainSeconds'] === undefined) return;
      notices.push(visibleLine(noticeOf(message, fields)));
      if (notices.length > MAX_NOTICES) notices.shift();
      draw();
    },
    progress(progress) {
      last = paceSince(last, progress.classified + progress.failed);
      line = progressLine(progress, last.perSecond);
      draw();
    },
  };
}

function noticeOf(message: string, { reason, text, address }: Record<string, unknown>): string {
  const detail = [reason, text, address].find((value) => typeof value === 'string');
  return detail === undefined ? message : `${message}: ${String(detail).split('\n', 1)[0]}`;
}

/** Weight of the latest second in the moving average: one second has few images. */
const WEIGHT = 0.2;

function paceSince(last: { at: number; images: number; perSecond: number }, images: number) {
  const at = performance.now();
  const latest = ((images - last.images) / Math.max(1, at - last.at)) * 1_000;
  return { at, images, perSecond: WEIGHT * latest + (1 - WEIGHT) * last.perSecond };
}

function progressLine({ classified, failed, held, processes, isStopping }: WorkProgress, perSecond: number): string {
  const state = isStopping
    ? 'finishing; press Ctrl-C again to exit at once'
    : counted(processes, 'process', 'processes');
  const done = `${counted(classified, 'image')} classified, ${failed} failed`;
  return `${done}, ${Math.round(perSecond)} per second; ${counted(held, 'message')} in flight; ${state}`;
}
