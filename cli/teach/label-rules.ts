import { visibleLine } from '../../shared/contract/visible-text.ts';
import { CommandError } from '../terminal/user-errors.ts';
import { type LabeledPhoto, MAX_PHOTOS, type TrainingSet } from './labeled-photo.ts';

const MAX_LABEL_CHARS = 100;
/** The last layer has a column per label; more labels would need more photos than allowed. */
const MAX_LABELS = 1_000;
const SHOWN = 5;

/**
 * Checks labels and photos before anything is read.
 *
 * @param from the folder or the table as the user named it
 * @throws {CommandError} that names the labels that are wrong, and what was expected
 */
export function checkTrainingSet({ labels, photos }: TrainingSet, from: string): void {
  for (const label of labels) checkLabel(label, from);
  checkCase(labels, from);
  if (photos.length === 0) throw wrong(from, `expected ${expectedForm}, found no photo`);
  const counts = Map.groupBy(photos, ({ label }) => label);
  const empty = labels.filter((label) => !counts.has(label));
  if (empty.length > 0) throw wrong(from, `expected photos for each label, found none for ${listed(empty)}`);
  if (labels.length < 2) {
    throw wrong(from, `expected photos of at least two labels, got only ${listed(labels)}`);
  }
  if (labels.length > MAX_LABELS) throw wrong(from, `expected at most ${MAX_LABELS} labels, got ${labels.length}`);
  if (photos.length > MAX_PHOTOS) throw wrong(from, `expected at most ${MAX_PHOTOS} photos, got ${photos.length}`);
  const alone = labels.filter((label) => (counts.get(label) as LabeledPhoto[]).length < 2);
  if (alone.length === 0) return;
  throw wrong(
    from,
    `expected at least two photos per label, got one for ${listed(alone)}: one is for training, one for testing`,
  );
}

const expectedForm = 'a folder per label with photos in it, or a table of photos and labels (.csv)';

/** A label is printed in result lines, in a line of labels.txt, and on terminals. */
function checkLabel(label: string, from: string): void {
  const problem =
    label.trim() === ''
      ? 'is empty'
      : label.length > MAX_LABEL_CHARS
        ? `has ${label.length} characters, more than ${MAX_LABEL_CHARS}`
        : label.includes('\uFFFD')
          ? 'is not UTF-8'
          : visibleLine(label) !== label
            ? 'has invisible characters'
            : undefined;
  if (problem === undefined) return;
  throw wrong(from, `expected labels that can be printed on a line, ${quotedLabel(label)} ${problem}`);
}

/** Labels that differ only in case are one folder on some systems, and probably a mistake. */
function checkCase(labels: readonly string[], from: string): void {
  const alike = [...Map.groupBy(labels, (label) => label.normalize('NFKC').toLowerCase()).values()].find(
    ({ length }) => length > 1,
  );
  if (alike === undefined) return;
  throw wrong(from, `expected labels that differ by more than case, got ${listed(alike)}`);
}

function wrong(from: string, problem: string): CommandError {
  return new CommandError(`${visibleLine(from)}: ${problem}`);
}

function listed(labels: readonly string[]): string {
  const more = labels.length > SHOWN ? ` and ${labels.length - SHOWN} more` : '';
  return `${labels.slice(0, SHOWN).map(quotedLabel).join(', ')}${more}`;
}

function quotedLabel(label: string): string {
  return visibleLine(JSON.stringify(label.length > MAX_LABEL_CHARS ? `${label.slice(0, MAX_LABEL_CHARS)}…` : label));
}
