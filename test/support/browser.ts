import sparticuz from '@sparticuz/chromium';
import { type Browser, chromium } from 'playwright-core';

/** A headless Chromium from npm: nothing has to be installed on the machine. */
export async function startBrowser(): Promise<Browser> {
  // In a single process, as Lambda needs it, the browser would end with its first page.
  const args = sparticuz.args.filter((flag) => flag !== '--single-process');
  return chromium.launch({ executablePath: await sparticuz.executablePath(), args, headless: true });
}
