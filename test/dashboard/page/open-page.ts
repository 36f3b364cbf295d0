import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { eventually } from '../../../testkit/eventually.ts';

/** A page that is watched: whatever it complains about, asks of other hosts or has blocked is a problem. */
export type WatchedPage = { page: Page; problems: string[] };

/**
 * Opens a page of the dashboard and waits for its first figures.
 *
 * @param address with its path, e.g. `http://127.0.0.1:4000/jobs`
 */
export async function openPage(
  browser: Browser,
  address: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  const problems: string[] = [];
  const { origin } = new URL(address);
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('dialog', (dialog) => problems.push(`dialog: ${dialog.message()}`));
  page.on('console', (message) => {
    // A picture that cannot be had any more is an answer, too.
    if (message.type() === 'error' && !message.location().url.includes('/thumbnails/')) problems.push(message.text());
  });
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== origin) problems.push(request.url());
  });
  await page.goto(address);
  await page.locator('.link.live').waitFor();
  return { page, problems };
}

/** Resolves when all parts of the view have their figures, and all pictures that are in sight have come. */
export function allShown(page: Page): Promise<void> {
  // Not with `waitForFunction`: it evaluates in the page, whose policy forbids that.
  return eventually('a page without anything that has still to come', () =>
    page.evaluate<boolean>(
      'document.querySelector(".waiting") === null && [...document.images].every(({ complete, loading }) => complete || loading === "lazy")',
    ),
  );
}

/** A figure of the strip at the top of a view, e.g. `24 images`. */
export async function figure(page: Page, name: string): Promise<string> {
  const value = page
    .locator('.strip > div')
    .filter({ has: page.getByText(name, { exact: true }) })
    .locator('dd');
  return ((await value.textContent()) ?? '').replace((await value.locator('small').textContent()) ?? '', '');
}

/** What axe finds wrong with what is shown now: rule, and where. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  // Not as an element: the page's policy lets no inline script in.
  await page.evaluate(axe);
  const { violations } = await page.evaluate<{
    violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
  }>('axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })');
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary}`),
  );
}
