import { redactUrls } from '../../shared/contract/redact.ts';
import { visibleLine } from '../../shared/contract/visible-text.ts';
import type { LabelledPhoto } from './labelled-photo.ts';
import { isUrl } from './read-table.ts';

/** A photo's name for texts and pages, with secrets in URLs removed. A path may contain a `?`. */
export function displayName({ name, source }: LabelledPhoto): string {
  return visibleLine(isUrl(source) ? redactUrls(name) : name);
}
