import { opendir } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { filesIn } from '../enqueue/sources/folder-files.ts';
import { nameFilter } from '../enqueue/sources/name-filter.ts';
import type { LabeledPhoto, TrainingSet } from './labeled-photo.ts';

const HIDDEN = 'hidden files (.DS_Store, __MACOSX and the like)';

/**
 * A folder per label: its name is the label, all images in it and in the folders below it are examples. Links to
 * folders are not followed: they may form a loop.
 */
export async function readLabelFolders(folder: string): Promise<TrainingSet> {
  const leftOut = new Map<string, number>();
  const leaveOut = (reason: string) => void leftOut.set(reason, (leftOut.get(reason) ?? 0) + 1);
  const labels = await labelFolders(folder, leaveOut);
  const photos: LabeledPhoto[] = [];
  for (const label of labels) {
    for await (const name of filesIn(join(folder, label), imagesOnly(leaveOut), leaveOut)) {
      photos.push({ label, name: posix.join(label, name), source: join(folder, label, name) });
    }
  }
  return { photos, labels, leftOut };
}

async function labelFolders(folder: string, leaveOut: (reason: string) => void): Promise<string[]> {
  const labels: string[] = [];
  for await (const entry of await opendir(folder)) {
    if (isHidden(entry.name)) leaveOut(HIDDEN);
    else if (entry.isDirectory()) labels.push(entry.name);
    else leaveOut(entry.isSymbolicLink() ? 'links beside the label folders' : 'files beside the label folders');
  }
  return labels.sort();
}

function imagesOnly(leaveOut: (reason: string) => void): (name: string) => boolean {
  const whyNot = nameFilter({ include: [], exclude: [] });
  return (name) => {
    const reason = name.split('/').some(isHidden)
      ? HIDDEN
      : whyNot(name) === undefined
        ? undefined
        : 'files without a file extension of images';
    if (reason !== undefined) leaveOut(reason);
    return reason === undefined;
  };
}

/** Files that operating systems and archives create. */
function isHidden(name: string): boolean {
  return name.startsWith('.') || name === '__MACOSX' || name === 'Thumbs.db' || name === 'desktop.ini';
}
