// SPDX-License-Identifier: Apache-2.0
// Looks at the console in a real browser. TILLMEND_URL is its address, serving the
// fleet of package consoletest; a POST to TILLMEND_CHANGE makes the terminal
// 10000301 fail; CHROMIUM is the browser's path.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { chromium } from 'playwright-core';

const base = process.env.TILLMEND_URL;
const change = process.env.TILLMEND_CHANGE;
assert.ok(base && change, 'TILLMEND_URL and TILLMEND_CHANGE must be set');

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const pages = [
  '/', '/terminals', '/terminals?status=blocked,offline&sort=-since', '/terminals?status=offline&cause=TERM-CLONE',
  '/terminals/10000201', '/terminals/10000203', '/terminals/10000204', '/events/e700', '/explain', '/explain?q=97',
];

let browser;
before(async () => {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
});
after(() => browser?.close());

// look opens a page as a reader would, and collects what the browser complains of.
async function look(options, path, check) {
  const context = await browser.newContext({ locale: 'zh-CN', ...options });
  try {
    const page = await context.newPage();
    const complaints = [];
    page.on('console', (m) => ['error', 'warning'].includes(m.type()) && complaints.push(m.text()));
    page.on('pageerror', (e) => complaints.push(e.message));
    const answer = await page.goto(base + path);
    assert.equal(answer.status(), 200, path);
    await check(page);
    assert.deepEqual(complaints, [], `${path}: the browser complains`);
  } finally {
    await context.close();
  }
}

// serious gives the violations of accessibility rules that keep somebody out.
// The scanner is put in by the debugger, which the page's policy does not bind.
async function serious(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('Runtime.evaluate', { expression: axe });
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return found.violations
    .filter((v) => v.impact === 'serious' || v.impact === 'critical')
    .map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.html} ${n.any.map((a) => a.message).join()}`).join(' | ')}`);
}

const narrower = (page) => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);

for (const [name, options] of Object.entries({
  'desktop, Chinese, light': { viewport: { width: 1280, height: 900 }, colorScheme: 'light' },
  'desktop, English, dark': { viewport: { width: 1280, height: 900 }, colorScheme: 'dark', locale: 'en-GB' },
  'phone, Chinese, light': { viewport: { width: 360, height: 740 }, colorScheme: 'light' },
  'phone, English, dark': { viewport: { width: 360, height: 740 }, colorScheme: 'dark', locale: 'en-GB' },
})) {
  describe(name, () => {
    for (const path of pages) {
      test(path, () => look(options, path, async (page) => {
        assert.ok(await page.locator('main').isVisible());
        assert.ok(await narrower(page), `${path} scrolls sideways`);
        assert.deepEqual(await serious(page), [], `${path} keeps somebody out`);
      }));
    }
  });
}

test('works with JavaScript off', () => look({ javaScriptEnabled: false }, '/', async (page) => {
  await page.locator('a.tile.s-blocked').click();
  assert.equal(await page.locator('a.chip.on').count(), 1);
  await page.getByRole('link', { name: '10000201', exact: true }).click();
  await page.locator('#why .proof a').first().click();
  assert.match(page.url(), /\/events\/e\d+$/);
  await page.locator('#q').fill('97');
  await page.locator('#q').press('Enter');
  assert.match(await page.locator('main').innerText(), /终端号没有登记/);
  await page.getByRole('link', { name: 'English' }).click();
  assert.match(await page.locator('main').innerText(), /The terminal is not registered/);
}));

test('the keyboard searches, goes and moves', () => look({}, '/terminals', async (page) => {
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  assert.equal(await page.evaluate(() => document.activeElement.closest('tr').rowIndex), 2);
  const to = await page.evaluate(() => document.activeElement.href);
  await Promise.all([page.waitForURL(to), page.keyboard.press('Enter')]);
  await page.keyboard.press('g');
  await Promise.all([page.waitForURL(base + '/explain'), page.keyboard.press('e')]);
  await page.keyboard.press('/');
  await page.keyboard.type('gt/j');
  assert.equal(await page.locator('#q').inputValue(), 'gt/j');
  assert.equal(page.url(), base + '/explain');
}));

// What follows breaks the terminal, which stays so.
test('a change shows by itself, and what the reader does is kept', () => look({}, '/terminals?q=10000301', async (page) => {
  const row = page.locator('tr[data-row]');
  await page.waitForFunction(() => document.getElementById('live').classList.contains('on'));
  assert.match(await row.innerText(), /正常/);
  await page.keyboard.press('j');
  assert.equal((await fetch(change, { method: 'POST' })).status, 204);
  await page.waitForFunction(() => document.querySelector('tr[data-row]').innerText.includes('不能收款'));
  assert.match(await row.innerText(), /终端号没有登记/);
  assert.equal(await page.evaluate(() => document.activeElement.textContent), '10000301', 'the focus is lost');
  assert.match(await page.locator('#live').innerText(), /● 实时 \d\d:\d\d:\d\d/);
}));

test('the skip link leads to the content, and a change leaves the focus there', () => look({}, '/terminals/10000211', async (page) => {
  const swapped = () => page.evaluate(() => new Promise((done) => { document.addEventListener('swapped', done, { once: true }); }));
  await page.waitForFunction(() => document.getElementById('live').classList.contains('on'));
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await Promise.all([swapped(), fetch(change, { method: 'POST' })]);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
  await page.locator('summary').first().click();
  await Promise.all([swapped(), fetch(change, { method: 'POST' })]);
  assert.equal(await page.evaluate(() => document.activeElement.localName), 'summary');
  assert.equal(await page.locator('details[open]').count(), 1);
}));

test('a lost connection is said', async () => {
  const context = await browser.newContext({ locale: 'zh-CN' });
  const page = await context.newPage();
  await page.goto(base + '/');
  await page.waitForFunction(() => document.getElementById('live').classList.contains('on'));
  await context.route('**/*', (r) => r.abort());
  await fetch(change, { method: 'POST' }); // the open stream tells of it, the page cannot be had
  await page.waitForFunction(() => document.getElementById('stale').textContent !== '');
  assert.match(await page.locator('#stale').innerText(), /^实时已断开，数据停在 \d\d:\d\d:\d\d$/);
  await context.close();
});
