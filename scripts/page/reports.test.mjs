// The reports of the seed incidents, used as a reader uses them: looked at, filtered, zoomed, sorted, copied from, printed.
import assert from 'node:assert/strict';
import test from 'node:test';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { box, open, start, violations } from './browser.mjs';

const SEEDS = process.env.PAGE_SEEDS, SHOTS = process.env.PAGE_SHOTS;
const SIZES = { phone: [390, 844], laptop: [1280, 800], desk: [1920, 1080] };
const names = readdirSync(SEEDS).sort();
mkdirSync(SHOTS, { recursive: true });

const browser = await start();
test.after(() => browser.close());

/** Opens a report, does something with it, and wants no fault to have been noted. */
const using = async (name, options, act) => {
  const opened = await open(browser, join(SEEDS, name, 'report.html'), options);
  try {
    await act(opened.page);
    assert.deepEqual(opened.faults, []);
  } finally {
    await opened.close();
  }
};
const text = (page, selector) => page.locator(selector).first().textContent();
/** Where everything of the picture is that moves with the axis, and what the axis says. */
const drawing = page => page.locator('svg.picture').evaluate(svg => ({
  labels: svg.querySelector('.axis').textContent.replace(/\s+/g, ' '),
  places: [...svg.querySelectorAll('[data-t], [data-points]')].flatMap(mark => {
    const { left, width } = mark.getBoundingClientRect();
    return [left, width];
  }),
}));
const isSame = (a, b) => a.labels === b.labels && a.places.every((place, at) => Math.abs(place - b.places[at]) < 0.5);

for (const name of names) {
  test(name, async t => {
    await t.test('loads without network and without a fault, and the first screen has verdict and picture', () =>
      using(name, {}, async page => {
        assert.match(await text(page, '#verdict h1'), /\S/);
        for (const part of ['#verdict', 'svg.picture']) {
          const { x, y, width, height } = await box(page, part);
          assert.ok(x >= 0 && y >= 0 && x + width <= 1280 && y + height <= 800, `${part} reaches from ${y} to ${y + height}`);
        }
      }));

    await t.test('has no serious violation of accessibility, light and wide, dark and narrow', async () => {
      for (const [colorScheme, size] of [['light', 'laptop'], ['dark', 'phone']]) {
        const [width, height] = SIZES[size];
        await using(name, { colorScheme, viewport: { width, height } }, async page => {
          await page.evaluate(() => document.querySelectorAll('details').forEach(details => { details.open = true; }));
          assert.deepEqual(await violations(page), [], colorScheme);
        });
      }
    });

    await t.test('is never wider than its screen; three sizes for the eye', async () => {
      for (const colorScheme of ['light', 'dark']) {
        for (const [size, [width, height]] of Object.entries(SIZES)) {
          await using(name, { colorScheme, viewport: { width, height } }, async page => {
            assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
            await page.screenshot({ path: join(SHOTS, `${name}-${size}-${colorScheme}.png`) });
          });
        }
      }
    });

    await t.test('reads without script, and offers nothing that needs it', () =>
      using(name, { javaScriptEnabled: false }, async page => {
        assert.match(await text(page, '#verdict h1'), /\S/);
        assert.ok(await page.locator('svg.picture').isVisible());
        for (const button of await page.locator('button, select, input').all()) assert.equal(await button.isVisible(), false);
      }));

    await t.test('is dark where the reader wants it', () =>
      using(name, { colorScheme: 'dark' }, async page => {
        const shade = await page.evaluate(() => {
          const sum = (element, of) => getComputedStyle(element)[of].match(/\d+/g).slice(0, 3).reduce((a, b) => a + Number(b), 0);
          return { ground: sum(document.body, 'backgroundColor'), ink: sum(document.body, 'color') };
        });
        assert.ok(shade.ground < 150 && shade.ink > 600, JSON.stringify(shade));
      }));

    await t.test('prints: all is open, nothing is cut off, no controls', () =>
      using(name, { viewport: { width: 718, height: 1000 } }, async page => {
        const pdf = await page.pdf({ format: 'A4', margin: { top: '1cm', right: '1cm', bottom: '1cm', left: '1cm' }, path: join(SHOTS, `${name}.pdf`) });
        const pages = pdf.toString('latin1').match(/\/Type\s*\/Page\b/g).length;
        assert.ok(pages >= 1 && pages <= 20, `${pages} pages`);
        const closed = () => page.locator('details:not([open])').count(), before = await closed();
        await page.emulateMedia({ media: 'print' });
        await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
        // Chromium makes all of a page smaller that has something wider than the paper.
        const wide = await page.evaluate(() => [...document.querySelectorAll('main *, footer *')]
          .filter(element => !element.closest('svg, .aside') && element.getBoundingClientRect().right > innerWidth * 1.25)
          .map(element => element.outerHTML.slice(0, 120)));
        assert.deepEqual(wide, []);
        assert.equal(await closed(), 0);
        for (const control of await page.locator('.tools, .copy, .top nav, .bar input').all()) assert.equal(await control.isVisible(), false);
        await page.evaluate(() => dispatchEvent(new Event('afterprint')));
        assert.equal(await closed(), before);
      }));

    await t.test('zooms with buttons, keys and pointer, and comes back', () =>
      using(name, {}, async page => {
        const whole = await drawing(page);
        const back = async how => {
          assert.ok(!isSame(whole, await drawing(page)), how);
          await page.getByRole('button', { name: 'Reset' }).click();
          assert.ok(isSame(whole, await drawing(page)), `reset after ${how}`);
        };
        await page.getByRole('button', { name: 'Zoom in' }).click();
        await back('the button');
        await page.locator('.bars rect[tabindex="0"]').focus();
        await page.keyboard.press('+');
        await back('the key');
        await page.locator('.bars rect[tabindex="0"]').focus();
        await page.keyboard.press('+');
        await page.keyboard.press('0');
        assert.ok(isSame(whole, await drawing(page)), 'the key 0');
        const { x, y, width, height } = await box(page, 'svg.picture');
        await page.mouse.move(x + width * 0.4, y + height - 12);
        await page.mouse.down();
        await page.mouse.move(x + width * 0.5, y + height - 12, { steps: 4 });
        await page.mouse.up();
        await back('drawing over a stretch');
        const scale = page.getByRole('button', { name: 'To scale' });
        if (await scale.count()) {
          await scale.click();
          assert.equal(await scale.getAttribute('aria-pressed'), 'true');
          assert.ok(!isSame(whole, await drawing(page)));
          await scale.click();
          assert.ok(isSame(whole, await drawing(page)), 'not to scale again');
        }
      }));

    await t.test('filters the picture by severity, region, store and rule', () =>
      using(name, {}, async page => {
        const faded = () => page.locator('.bars .off').count(), all = await page.locator('.bars rect').count();
        for (const select of await page.locator('.tools select').all()) {
          const options = await select.locator('option').all();
          await select.selectOption({ index: options.length - 1 });
          assert.ok(await faded() > 0 && await faded() <= all, await select.getAttribute('name'));
          assert.match(await text(page, '#said'), /^\d+ of \d+ bars match$/);
          await page.getByRole('button', { name: 'Reset' }).click();
          assert.equal(await faded(), 0);
        }
      }));

    await t.test('sorts its tables and filters them', () =>
      using(name, {}, async page => {
        const tables = await page.evaluate(() => [...document.querySelectorAll('table')].map(table => {
          const column = at => [...table.tBodies[0].rows].map(row => row.cells[at].textContent);
          return [...table.tHead.rows[0].cells].map((head, at) => {
            const clicked = () => {
              head.querySelector('button').click();
              return { way: head.getAttribute('aria-sort'), cells: column(at) };
            };
            return { name: head.textContent, isNumber: head.classList.contains('n'), before: column(at), once: clicked(), twice: clicked() };
          });
        }));
        assert.ok(tables.length > 0);
        for (const { name, isNumber, before, once, twice } of tables.flat()) {
          assert.deepEqual([once.way, twice.way].sort(), ['ascending', 'descending'], name);
          for (const { way, cells } of [once, twice]) {
            assert.deepEqual([...cells].sort(), [...before].sort(), name);
            const filled = cells.filter(Boolean);
            // Empty cells stay last, whichever way the others stand.
            assert.ok(cells.slice(filled.length).every(cell => !cell), name);
            const order = isNumber ? (a, b) => a - b : (a, b) => a.localeCompare(b, 'en', { numeric: true });
            assert.deepEqual(filled, filled.toSorted((a, b) => way === 'ascending' ? order(a, b) : order(b, a)), name);
          }
        }
        for (const section of await page.locator('section:has(table)').all()) {
          const input = section.locator('input[type=search]');
          if (!await input.isVisible()) continue;
          const shown = () => section.locator('tbody tr').evaluateAll(rows => rows.filter(row => !row.hidden).map(row => row.textContent));
          const all = await shown(), wanted = all.at(-1).trim().slice(0, 12);
          await input.fill(wanted);
          const found = await shown();
          assert.ok(found.length > 0 && found.every(row => wanted.toLowerCase().split(/\s+/).every(word => row.toLowerCase().includes(word))));
          await input.fill('no row has this');
          assert.deepEqual(await shown(), []);
          await input.fill('');
          assert.deepEqual(await shown(), all);
        }
      }));

    await t.test('every link leads somewhere', () =>
      using(name, {}, async page => {
        const files = readdirSync(join(SEEDS, name));
        const links = await page.locator('a').evaluateAll(links => links.map(link => link.getAttribute('href')));
        const lost = [];
        for (const link of new Set(links)) {
          const leads = link.startsWith('#') ? await page.locator(`[id="${decodeURIComponent(link.slice(1))}"]`).count() === 1 : files.includes(link);
          if (!leads) lost.push(link);
        }
        assert.deepEqual(lost, []);
      }));

    await t.test('is used with the keyboard alone', () =>
      using(name, {}, async page => {
        const focused = () => page.evaluate(() => {
          const at = document.activeElement, style = getComputedStyle(at);
          return { what: at.className?.baseVal ?? at.className, tag: at.tagName, seen: style.outlineStyle !== 'none' || style.strokeWidth === '2px' };
        });
        await page.keyboard.press('Tab');
        assert.equal((await focused()).what, 'skip');
        await page.keyboard.press('Enter');
        await page.waitForURL(url => url.hash === '#verdict');
        const reached = new Set();
        for (let count = 0; count < 60 && !reached.has('rect'); count += 1) {
          await page.keyboard.press('Tab');
          const { what, tag, seen } = await focused();
          assert.ok(seen, `the focus is not seen on ${tag} ${what}`);
          reached.add(tag === 'BUTTON' && what === 'copy' ? 'copy' : tag.toLowerCase());
        }
        assert.ok(reached.has('select') && reached.has('rect'), [...reached].join(' '));
        if (await page.locator('.copy').count()) assert.ok(reached.has('copy'));
        const first = await text(page, '.inspect');
        assert.match(first, /× \d+|merges into|episodes? with/);
        await page.keyboard.press('ArrowRight');
        assert.notEqual(await text(page, '.inspect'), first);
        await page.keyboard.press('ArrowLeft');
        assert.equal(await text(page, '.inspect'), first);
      }));

    await t.test('shows the record under the pointer, and that of a step', () =>
      using(name, {}, async page => {
        const plain = await text(page, '.inspect');
        for (const mark of await page.locator('.steps > g').all()) {
          await mark.dispatchEvent('pointerover');
          assert.equal(await text(page, '.inspect'), await mark.locator('title').textContent());
        }
        await page.mouse.move(0, 0);
        await page.locator('svg.picture').dispatchEvent('pointerover');
        assert.equal(await text(page, '.inspect'), plain);
      }));

    await t.test('copies the commands', () =>
      using(name, { permissions: ['clipboard-read', 'clipboard-write'] }, async page => {
        for (const commands of await page.locator('.commands').all()) {
          await commands.getByRole('button').click();
          const copied = await page.evaluate(() => navigator.clipboard.readText());
          assert.equal(copied, (await commands.locator('pre').textContent()).trim());
          assert.equal(await text(page, '#said'), 'Commands copied');
        }
      }));
  });
}
