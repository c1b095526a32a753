// Pages made of text that wants to be a script, a tag, a link or an order to a terminal: nothing of it is ever obeyed.
import assert from 'node:assert/strict';
import test from 'node:test';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { open, start } from './browser.mjs';

const HOSTILE = process.env.PAGE_HOSTILE;
const browser = await start();
test.after(() => browser.close());

/** What hostile text would call. */
const before = () => { window.pwned = () => { window.wasPwned = true; }; window.alert = window.pwned; };
const TAGS = new Set(('html head meta title style script body a header p time nav main section article h1 h2 h3 span b div strong pre '
  + 'button dl dt dd ul ol li form label select option svg defs marker path clippath rect pattern g text circle details summary '
  + 'code q table thead tbody tr th td input footer').split(' '));

/** What moves a cursor, turns text around or ends a line unseen. */
const CONTROLS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** All that the page consists of, as far as hostile text could have a part in it. */
const parts = page => page.evaluate(([tags, controls]) => {
  const all = [...document.querySelectorAll('*')];
  return {
    tags: [...new Set(all.map(element => element.localName.toLowerCase()))].filter(name => !tags.includes(name)),
    handlers: all.flatMap(element => element.getAttributeNames().filter(name => /^on/i.test(name))),
    scripts: document.scripts.length,
    sources: all.flatMap(element => ['src', 'srcdoc', 'data', 'action', 'formaction', 'ping', 'background'].filter(name => element.hasAttribute(name))),
    styles: all.map(element => element.getAttribute('style')).filter(style => style && !/^counter-reset: step \d+$/.test(style)),
    links: [...new Set(all.map(element => element.getAttribute('href')).filter(link => link && !/^(#|[a-z]+\.(csv|json)$)/.test(link)))],
    controls: [...document.documentElement.textContent.matchAll(new RegExp(controls, 'g'))].map(match => match[0].codePointAt(0).toString(16)),
    wasPwned: window.wasPwned,
  };
}, [[...TAGS], CONTROLS.source]);
const CLEAN = { tags: [], handlers: [], scripts: 1, sources: [], styles: [], links: [], controls: [], wasPwned: undefined };

test('the hostile text is there to be read', () => {
  const page = readFileSync(join(HOSTILE, 'report.html'), 'utf8');
  for (const shown of ['&#60;script&#62;pwned()', 'onerror=pwned()', '{{constructor', '\\u{202e}', '\\x1b[2J']) assert.ok(page.includes(shown), shown);
});

test('report.html: no script of a log runs, whatever is clicked, opened, hovered, sorted or typed', async () => {
  const { page, faults, close } = await open(browser, join(HOSTILE, 'report.html'), { before });
  assert.deepEqual(await parts(page), CLEAN);
  for (const details of await page.locator('details').all()) await details.evaluate(details => { details.open = true; });
  await page.evaluate(async () => {
    const wait = () => new Promise(requestAnimationFrame);
    for (const element of document.querySelectorAll('*')) {
      for (const kind of ['pointerover', 'mouseover', 'focusin', 'pointerdown', 'pointerup']) element.dispatchEvent(new Event(kind, { bubbles: true }));
    }
    for (const button of document.querySelectorAll('button')) button.click();
    for (const input of document.querySelectorAll('input')) {
      input.value = '<img src=x onerror=pwned()>';
      input.dispatchEvent(new Event('input', { bubbles: true }));
    }
    for (const select of document.querySelectorAll('select')) {
      for (const option of select.options) {
        select.value = option.value;
        select.dispatchEvent(new Event('change', { bubbles: true }));
      }
    }
    for (const link of document.querySelectorAll('a[href^="#"]')) { link.click(); await wait(); }
  });
  assert.deepEqual(await parts(page), CLEAN);
  assert.deepEqual(faults, []);
  await close();
});

test('diff.html: nothing of it is markup', async () => {
  const { page, faults, close } = await open(browser, join(HOSTILE, 'diff.html'), { before });
  assert.deepEqual(await parts(page), { ...CLEAN, scripts: 0 });
  assert.deepEqual(faults, []);
  await close();
});

test('report.md: rendered with raw HTML allowed, nothing of it is markup, a link, a picture or a mention', async () => {
  const html = execFileSync('cmark-gfm', ['--unsafe', '-e', 'table', '-e', 'strikethrough', '-e', 'autolink', join(HOSTILE, 'report.md')], { encoding: 'utf8', maxBuffer: 1 << 28 });
  const file = join(HOSTILE, 'rendered.html');
  writeFileSync(file, `<!doctype html><meta charset="utf-8"><body>${html}`);
  const { page, faults, close } = await open(browser, file, { before });
  const { tags, handlers, scripts, sources, controls, wasPwned } = await parts(page);
  assert.deepEqual({ tags, handlers, scripts, sources, controls, wasPwned }, { tags: [], handlers: [], scripts: 0, sources: [], controls: [], wasPwned: undefined });
  // Of an address GFM makes a link whatever is done to it.
  assert.equal(await page.locator('a:not([href^="mailto:"]), img, del, h4, h5, h6, blockquote').count(), 0);
  assert.ok(!/@everyone|a@example/.test(readFileSync(join(HOSTILE, 'report.md'), 'utf8')), 'mentions');
  assert.deepEqual(faults, []);
  await close();
});

test('no file has a control character but newline', () => {
  for (const name of readdirSync(HOSTILE)) {
    if (name === 'rendered.html') continue;
    const found = readFileSync(join(HOSTILE, name), 'utf8').match(CONTROLS);
    assert.equal(found, null, `${name}: ${[...new Set(found)].map(char => char.codePointAt(0).toString(16))}`);
  }
});
