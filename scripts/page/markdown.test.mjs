// report.md in the hands of GitHub's renderer and of Mermaid itself.
import assert from 'node:assert/strict';
import test from 'node:test';
import { createRequire } from 'node:module';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { start } from './browser.mjs';

const SEEDS = process.env.PAGE_SEEDS, SHOTS = process.env.PAGE_SHOTS;
const require = createRequire(`${process.env.PAGE_TOOLS}/`);
const reports = [...readdirSync(SEEDS).map(name => [name, join(SEEDS, name)]), ['hostile', process.env.PAGE_HOSTILE]];

const browser = await start();
test.after(() => browser.close());
const context = await browser.newContext({ viewport: { width: 1000, height: 1200 }, offline: true });
const page = await context.newPage();
await page.addScriptTag({ path: require.resolve('mermaid/dist/mermaid.min.js') });
const mermaid = await context.newPage();
await mermaid.addScriptTag({ path: require.resolve('mermaid/dist/mermaid.min.js') });

for (const [name, folder] of reports) {
  const source = readFileSync(join(folder, 'report.md'), 'utf8');
  const render = () => page.setContent(execFileSync('cmark-gfm', ['-e', 'table', '-e', 'strikethrough', '-e', 'autolink', '-e', 'tagfilter', join(folder, 'report.md')], { encoding: 'utf8', maxBuffer: 1 << 28 }));

  test(`${name}: every table, heading and block of code renders`, async () => {
    await render();
    const seen = await page.evaluate(() => ({
      tables: document.querySelectorAll('table').length,
      ragged: [...document.querySelectorAll('tr')].filter(row => row.cells.length !== row.closest('table').rows[0].cells.length).length,
      headings: document.querySelectorAll('h1, h2, h3').length,
      blocks: document.querySelectorAll('pre > code').length,
      // A table or a block that did not render stands as text in a paragraph.
      left: [...document.querySelectorAll('p, li')].map(part => part.textContent).filter(text => /^\s*(\||```)|\n\s*(\||```)/.test(text)),
    }));
    const lines = source.split('\n'), fences = lines.filter(line => /^```/.test(line)).length;
    assert.deepEqual(seen, {
      tables: lines.filter(line => /^\|( -+:? \|)+$/.test(line)).length,
      ragged: 0,
      headings: lines.filter(line => /^#{1,3} /.test(line)).length,
      blocks: fences / 2,
      left: [],
    });
    if (SHOTS) await page.screenshot({ path: join(SHOTS, `${name}-markdown.png`), fullPage: true });
  });

  test(`${name}: Mermaid parses its chart and draws every step`, async () => {
    await render();
    const charts = await page.locator('code.language-mermaid').allTextContents();
    if (/^(merge-failed|resume-refused|restore-without|hostile)/.test(name)) assert.ok(charts.length > 0);
    for (const chart of charts) {
      const drawn = await mermaid.evaluate(async chart => {
        await window.mermaid.parse(chart);
        const { svg } = await window.mermaid.render('chart', chart);
        document.body.innerHTML = svg;
        return [...document.querySelectorAll('.taskText, .taskTextOutsideRight, .taskTextOutsideLeft')].map(text => text.textContent.trim());
      }, chart);
      const steps = chart.split('\n').filter(line => /^ {4}\d+\. /.test(line)).map(line => line.trim().split(' :')[0]);
      assert.ok(steps.length >= 2);
      assert.deepEqual(drawn.sort(), steps.sort());
      if (SHOTS) await mermaid.locator('svg').first().screenshot({ path: join(SHOTS, `${name}-chart.png`) });
    }
  });
}
