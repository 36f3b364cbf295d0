// @ts-check

import { statfsSync } from 'node:fs';

const REDRAW_MS = 500;
const BAR_WIDTH = 20;

/**
 * Shows on standard error how far a piece of work is: a line when it is finished, and before that, on a terminal, a bar.
 *
 * @type {(title: string, written: { folder: string, bytes: number }, work: () => Promise<void>) => Promise<void>}
 */
export async function showProgress(title, { folder, bytes }, work) {
  const out = process.stderr;
  const [startedAt, freeAtFirst] = [Date.now(), freeBytes(folder)];
  const draw = () => {
    // What the disk has lost costs nothing to ask for.
    const written = Math.min(bytes, Math.max(0, freeAtFirst - freeBytes(folder) || 0));
    const bar = '#'.repeat(Math.round((written / bytes) * BAR_WIDTH)).padEnd(BAR_WIDTH, '.');
    const line = `setup: ${title} [${bar}] ${gigabytes(written)} of ${gigabytes(bytes)}`;
    // A line that wraps could not be cleared.
    out.write(`\r\x1b[K${line.slice(0, (out.columns || 80) - 1)}`);
  };
  const timer = out.isTTY ? setInterval(draw, REDRAW_MS) : undefined;
  try {
    await work();
  } finally {
    clearInterval(timer);
    if (out.isTTY) out.write('\r\x1b[K');
  }
  out.write(`setup: ${title} (${((Date.now() - startedAt) / 1000).toFixed(1)} s)\n`);
}

/** @param {number} bytes */
export function gigabytes(bytes) {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

/** Infinite on file systems that do not say. @type {(folder: string) => number} */
export function freeBytes(folder) {
  const { blocks, bavail, bsize } = statfsSync(folder);
  return blocks === 0 ? Number.POSITIVE_INFINITY : bavail * bsize;
}
