/**
 * Draws the CloudWatch dashboard of a stage with everything in it, to look at: `setup/node test/infra/monitoring/draw-dashboard.ts
 * OUT.png`. The grid, titles, axes and lines are those of the template, and the values are made up.
 */

import { startBrowser } from '../../../testkit/browser.ts';
import { widgetsOf } from '../../support/cloudwatch/dashboard-body.ts';
import { dashboardPage } from '../../support/cloudwatch/dashboard-page.ts';
import { templateOf } from '../synthesized.ts';

const [path = 'dashboard.png'] = process.argv.slice(2);
const browser = await startBrowser();
try {
  const page = await browser.newPage({ viewport: { width: 1_430, height: 900 } });
  await page.setContent(dashboardPage(widgetsOf(templateOf({ api: {}, chatbot: {} }))));
  await page.screenshot({ path, fullPage: true });
} finally {
  await browser.close();
}
