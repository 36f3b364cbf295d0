import { visibleLine } from '../../shared/contract/visible-text.ts';
import { CommandError } from '../terminal/user-errors.ts';
import { displayName } from './display-name.ts';
import type { LabeledPhoto } from './labeled-photo.ts';
import type { TaughtPhoto } from './photo-features.ts';

/** A photo with the same bytes as another one. */
export type Copy = { copy: LabeledPhoto; of: LabeledPhoto };

const SHOWN = 5;

/**
 * Keeps each file once: a copy among the test photos would be known from training.
 *
 * @throws {CommandError} when a file stands under two labels
 */
export function withoutCopies(photos: readonly TaughtPhoto[]): { photos: TaughtPhoto[]; copies: Copy[] } {
  const first = new Map<string, TaughtPhoto>();
  const copies: Copy[] = [];
  for (const photo of photos) {
    const known = first.get(photo.sha256);
    if (known === undefined) first.set(photo.sha256, photo);
    else copies.push({ copy: photo, of: known });
  }
  assertOneLabelPerFile(copies.filter(({ copy, of }) => copy.label !== of.label));
  return { photos: [...first.values()], copies };
}

function assertOneLabelPerFile(contradictions: readonly Copy[]): void {
  if (contradictions.length === 0) return;
  const named = contradictions.slice(0, SHOWN).map(({ copy, of }) => `${described(of)} and ${described(copy)}`);
  const more = contradictions.length > SHOWN ? ` and ${contradictions.length - SHOWN} more` : '';
  throw new CommandError(
    `expected each photo under one label, got the same file under two: ${named.join('; ')}${more}`,
  );
}

function described(photo: LabeledPhoto): string {
  return `${displayName(photo)} (${visibleLine(photo.label)})`;
}
