// Playwright and axe from wherever tests/web/run has put them, and a Chromium of the system's.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';

const place = process.env.GUICHET_NODE_MODULES ?? new URL('../../target/web-tests/node_modules', import.meta.url).pathname;
const executablePath = process.env.GUICHET_CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const bring = createRequire(place + '/');

export const missing = !existsSync(place + '/playwright-core') ? 'playwright-core is not installed' : !executablePath ? 'Chromium is not installed' : null;

export const launch = () => bring('playwright-core').chromium.launch({ executablePath, args: ['--no-sandbox'] });

/** What axe finds wrong with the page, in words. */
export async function axe(page) {
  const { source } = bring('axe-core');
  await page.evaluate(`(() => { ${source}; window.axe = axe; })()`);
  const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target.flat().join(' ')}: ${failureSummary.split('\n').slice(1).join(' ')}`));
}
