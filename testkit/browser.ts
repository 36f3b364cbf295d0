import sparticuz from '@sparticuz/chromium';
import { type Browser, chromium } from 'playwright-core';

const UNLIKE_A_USERS_BROWSER = new Set([
  // As Lambda needs it; the browser would end with its first page.
  '--single-process',
  // Lets pages read what is of other origins.
  '--disable-web-security',
]);

/**
 * A headless Chromium from npm: nothing has to be installed on the machine.
 *
 * @param flags of Chromium, beside those that it needs
 */
export async function startBrowser(flags: readonly string[] = []): Promise<Browser> {
  const args = sparticuz.args.filter((flag) => !UNLIKE_A_USERS_BROWSER.has(flag));
  const executablePath = await sparticuz.executablePath();
  return chromium.launch({ executablePath, args: [...args, ...flags], headless: true });
}
