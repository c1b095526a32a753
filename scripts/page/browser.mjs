// A headless Chromium without network, and pages that note whatever goes wrong in them.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const require = createRequire(`${process.env.PAGE_TOOLS}/`);
const { chromium } = require('playwright-core');
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** Starts Chromium with a fresh profile that asks nobody for anything. */
export const start = () => chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync',
  ],
});

/** Opens a file in a context of its own. `faults` gets every error, dialog and request: there is to be none. */
export const open = async (browser, file, { before, ...options } = {}) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, offline: true, reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  const url = pathToFileURL(file).href, faults = [];
  page.on('console', message => ['error', 'warning'].includes(message.type()) && faults.push(`console: ${message.text()}`));
  page.on('pageerror', error => faults.push(`error: ${error.message}`));
  page.on('dialog', dialog => { faults.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on('request', request => request.url().split('#')[0] !== url && faults.push(`request: ${request.url()}`));
  page.on('popup', () => faults.push('popup'));
  if (before) await page.addInitScript(before);
  await page.goto(url);
  return { page, faults, close: () => context.close() };
};

/** What axe-core finds that is at least serious, each with the elements concerned. */
export const violations = async page => {
  // What is not on the screen counts too.
  await page.addStyleTag({ content: '* { content-visibility: visible !important; }' });
  await page.evaluate(AXE);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  return found.violations
    .filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).map(node => node.html.slice(0, 160)).join(' | ')}`);
};

/** The smallest box around an element, in the page's own pixels. */
export const box = (page, selector) => page.locator(selector).first().boundingBox();
