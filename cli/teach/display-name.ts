import { redactUrls } from '../../shared/contract/redact.ts';
import { visibleLine } from '../../shared/contract/visible-text.ts';
import type { LabeledPhoto } from './labeled-photo.ts';
import { isUrl } from './read-table.ts';

/** A photo's name for texts and pages, with secrets in URLs removed. A path may contain a `?`. */
export function displayName({ name, source }: LabeledPhoto): string {
  return visibleLine(isUrl(source) ? redactUrls(name) : name);
}
