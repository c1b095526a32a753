// How much more a page of very many events costs the browser than the page of a seed incident, until it can be used.
// Time on the page's own thread is compared, since it does not depend on what else the machine does.
import assert from 'node:assert/strict';
import test from 'node:test';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { open, start } from './browser.mjs';

const small = join(process.env.PAGE_SEEDS, 'merge-failed-task'), big = process.env.PAGE_STORM;
const ROUNDS = 7, MOST_BYTES = 3 << 20, MOST_RATIO = 3;

/** Milliseconds of work until a fresh page is painted, then for a zoom and a filter; and on the clock until it is painted. */
const measure = async (browser, folder) => {
  const { page, faults, close } = await open(browser, join(folder, 'report.html'));
  assert.deepEqual(faults, []);
  const painted = act => page.evaluate(act => new Promise(done => {
    if (act === 'zoom') document.querySelector('[data-act=in]').click();
    if (act === 'filter') {
      const select = document.querySelector('.tools select');
      select.value = '2';
      select.dispatchEvent(new Event('change', { bubbles: true }));
    }
    requestAnimationFrame(() => setTimeout(() => done(performance.now())));
  }), act);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
  const work = async () => (await devtools.send('Performance.getMetrics')).metrics.find(({ name }) => name === 'TaskDuration').value * 1000;
  const clock = await painted('');
  const ready = await work();
  await painted('zoom');
  const zoomed = await work();
  await painted('filter');
  const filtered = await work();
  await close();
  return { ready, zoom: zoomed - ready, filter: filtered - zoomed, clock };
};

test('a page of very many events is small, and soon ready', async t => {
  const browser = await start(), all = { [small]: [], [big]: [] };
  await measure(browser, small);
  for (let round = 0; round < ROUNDS; round += 1) for (const folder of [small, big]) all[folder].push(await measure(browser, folder));
  await browser.close();
  const least = (folder, what) => Math.min(...all[folder].map(times => times[what]));
  for (const what of ['ready', 'zoom', 'filter', 'clock']) {
    const [one, other] = [least(small, what), least(big, what)];
    t.diagnostic(`${what}: ${one.toFixed(0)} ms and ${other.toFixed(0)} ms, ratio ${(other / one).toFixed(2)}`);
    if (what === 'ready') assert.ok(other / one <= MOST_RATIO);
  }
  const { size } = statSync(join(big, 'report.html'));
  t.diagnostic(`page: ${size} bytes`);
  assert.ok(size < MOST_BYTES);
});
