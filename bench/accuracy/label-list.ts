import { readFile } from 'node:fs/promises';
import { UserError } from '../../shared/contract/user-error.ts';

/** What an image shows: a file below the folder of images, and the classes that are right. */
export type LabeledImage = { file: string; right: ReadonlySet<number> };

/** A list of labels that cannot be read. */
export class LabelListError extends UserError {
  override readonly name = 'LabelListError';
}

/**
 * Reads lines of a file's name, then a comma, a tab or blanks, then the class: its number from 0 on, or its label as `labels.txt` has
 * it. Several right classes have `|` between them. A first line without a class is taken for the head of a table.
 *
 * @param labels of the model, in the order of its classes
 * @throws {LabelListError} naming the line, and what was expected
 */
export async function readLabelList(path: string, labels: readonly string[]): Promise<LabeledImage[]> {
  const classes = new Map(labels.map((label, classId) => [label, classId]));
  const lines = (await readFile(path, 'utf8')).replace(/^\uFEFF/, '').split(/\r?\n/);
  const images: LabeledImage[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const image = labeledImage(line, classes, labels.length);
    if (image !== undefined) images.push(image);
    else if (index > 0) throw new LabelListError(`${path}, line ${index + 1}: ${expected(labels.length)}`);
  }
  if (images.length === 0) throw new LabelListError(`${path}: ${expected(labels.length)}, there is no such line`);
  return images;
}

function expected(classes: number): string {
  return `expected the name of a file and a class from 0 to ${classes - 1} or its label, e.g. cat.jpg,281`;
}

function labeledImage(line: string, classes: ReadonlyMap<string, number>, count: number): LabeledImage | undefined {
  const [, file = '', text = ''] = /^(.+?)\s*[,\t]\s*(.+?)\s*$/.exec(line) ?? /^(.+?)\s+(\S+)\s*$/.exec(line) ?? [];
  if (file === '') return undefined;
  const right = text.split('|').map((name) => classes.get(name) ?? classNumber(name, count));
  return right.includes(undefined) ? undefined : { file, right: new Set(right as number[]) };
}

function classNumber(text: string, count: number): number | undefined {
  const classId = Number(text);
  return /^\d+$/.test(text) && classId < count ? classId : undefined;
}
