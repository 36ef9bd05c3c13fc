// SPDX-License-Identifier: Apache-2.0
// Replaces the main region when the server says that something has changed.

const $ = (id) => document.getElementById(id);
const live = $('live');
const main = () => $('main');
let stream, lastAt = '', running = false, again = false;

// busy: a swap would tear away what the reader is doing.
function busy() {
  const s = getSelection();
  return main().querySelector(':is(input, select):focus') || (!s.isCollapsed && main().contains(s.anchorNode));
}

function show(on, at = lastAt) {
  lastAt = at;
  document.body.classList.toggle('off', !on);
  live.classList.toggle('on', on);
  live.textContent = (on ? live.dataset.now : live.dataset.lost).replace('{t}', at);
  const text = on ? '' : live.textContent;
  if ($('stale').textContent !== text) $('stale').textContent = text;
}

// nameOf finds the same element in the next version of the page.
function nameOf(at) {
  const quote = (name, of) => `[${name}="${CSS.escape(of.getAttribute(name))}"]`;
  if (at.id) return `#${at.id}`;
  if (at.matches('[href]')) return quote('href', at);
  return at.matches('summary') ? `${quote('data-keep', at.parentNode)} summary` : '';
}

// What has the focus keeps it, what is open stays open.
function swap(html) {
  const at = document.activeElement;
  const name = main().contains(at) && nameOf(at);
  const open = [...main().querySelectorAll('details[open]')].map((d) => d.dataset.keep);
  const scroll = [scrollX, scrollY];
  const box = document.createElement('template');
  box.innerHTML = html;
  const fresh = box.content.firstElementChild;
  fresh.querySelectorAll('details').forEach((d) => { d.open = open.includes(d.dataset.keep); });
  const focus = name && box.content.querySelector(name);
  main().replaceWith(fresh);
  if (focus) focus.focus({ preventScroll: true });
  scrollTo(...scroll);
  document.dispatchEvent(new Event('swapped'));
}

async function renew() {
  again = true;
  if (running) return;
  running = true;
  try {
    while (again && !busy()) {
      again = false;
      const to = new URL(location);
      to.searchParams.set('fragment', '1');
      const answer = await fetch(to);
      if (!answer.ok) throw answer.status;
      const html = await answer.text();
      if (!busy()) swap(html);
    }
    show(true, main().dataset.at);
  } catch {
    show(false);
  }
  running = false;
}

// A hidden page gives its connection back: a browser has only six for a server.
function start() {
  stream?.close();
  if (document.hidden) return;
  stream = new EventSource('/live');
  stream.addEventListener('change', renew);
  stream.addEventListener('tick', renew);
  stream.onerror = () => {
    show(false);
    if (stream.readyState === 2) setTimeout(start, 10000); // the server refused
  };
}

if ('live' in main().dataset) {
  lastAt = main().dataset.at;
  document.addEventListener('visibilitychange', start);
  start();
}
