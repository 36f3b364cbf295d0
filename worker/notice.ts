import { visibleText } from '../shared/contract/visible-text.ts';

/** Where lines for people go that have no other place. */
export function noticeOnStandardError(text: string): void {
  process.stderr.write(visibleText(`labelqueue: ${text}\n`));
}
