/** `npm run screenshots`: the picture of docs/models.md, of the page that `model teach` writes about samples/teach. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { startBrowser } from '../../../testkit/browser.ts';
import { createTemporaryFolder } from '../../../testkit/temporary-folder.ts';
import { runCommand } from '../../support/command.ts';

const ROOT = join(import.meta.dirname, '../../..');
const PICTURE = 'docs/pictures/teach.png';

await using folder = await createTemporaryFolder();
const report = join(folder.path, 'materials.html');
const options = ['--out', join(folder.path, 'materials'), '--report', report];
// As the walk-through has it, so that the page names the folder in the same way.
process.chdir(ROOT);
const { code, stderr } = await runCommand(['model', 'teach', 'samples/teach', ...options]);
if (code !== 0) throw new Error(stderr);
const browser = await startBrowser();
const page = await browser.newPage({ viewport: { width: 1100, height: 900 }, colorScheme: 'light' });
await page.goto(pathToFileURL(report).href);
await page.evaluate('for (const image of document.images) image.loading = "eager"');
await page.waitForFunction('[...document.images].every((image) => image.complete)');
const shot = await page.screenshot({ fullPage: true });
await browser.close();
const { size } = await sharp(shot).png({ palette: true, quality: 60, effort: 10, dither: 0 }).toFile(PICTURE);
process.stderr.write(`${PICTURE}: ${Math.round(size / 1_000)} kB\n`);
