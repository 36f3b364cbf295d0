import { visibleText } from '../shared/contract/visible-text.ts';

/** The default destination of notices. */
export function noticeOnStandardError(text: string): void {
  process.stderr.write(visibleText(`labelqueue: ${text}\n`));
}
