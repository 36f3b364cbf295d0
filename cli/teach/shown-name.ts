import { redactUrls } from '../../shared/contract/redact.ts';
import { visibleLine } from '../../shared/contract/visible-text.ts';
import type { LabelledPhoto } from './labelled-photo.ts';
import { isUrl } from './read-table.ts';

/** A photo's name for texts and pages: all of it is to be seen, but for what is secret about a URL. A path may have a `?`. */
export function shownName({ name, source }: LabelledPhoto): string {
  return visibleLine(isUrl(source) ? redactUrls(name) : name);
}
