// SPDX-License-Identifier: Apache-2.0
// The keyboard: / searches, g o, g t and g e go, j and k move, Enter opens.

const places = { o: '/', t: '/terminals', e: '/explain' };
let waiting = 0;
let row = '';

const rows = () => [...document.querySelectorAll('[data-row]')];
const linkOf = (r) => r.querySelector('th a');

function choose(step) {
  const all = rows();
  if (!all.length) return;
  const now = all.findIndex((r) => r.classList.contains('at'));
  const next = Math.min(Math.max(now + step, 0), all.length - 1);
  mark(all[next]);
  linkOf(all[next]).focus();
  all[next].scrollIntoView({ block: 'nearest' });
}

function mark(r) {
  rows().forEach((x) => x.classList.toggle('at', x === r));
  row = r ? linkOf(r).getAttribute('href') : '';
}

// After a swap the row that was chosen is found again.
document.addEventListener('swapped', () => {
  mark(rows().find((r) => linkOf(r).getAttribute('href') === row));
});

// Single keys can be turned off, for those who speak to their computer.
const button = document.getElementById('keys');
const on = () => localStorage.getItem('keys') !== 'off';
function label() { button.textContent = on() ? button.dataset.yes : button.dataset.no; }
button.addEventListener('click', () => {
  localStorage.setItem('keys', on() ? 'off' : 'on');
  label();
});
button.hidden = false;
label();

document.addEventListener('keydown', (e) => {
  if (e.isComposing || e.ctrlKey || e.metaKey || e.altKey || !on()) return;
  if (e.target.closest('input, textarea, select, [contenteditable]')) {
    if (e.key === 'Escape') e.target.blur();
    return;
  }
  const going = e.timeStamp - waiting < 1500;
  waiting = 0;
  if (going && places[e.key]) location.href = places[e.key];
  else if (e.key === 'g') waiting = e.timeStamp;
  else if (e.key === '/') document.getElementById('q').select();
  else if (e.key === 'j') choose(1);
  else if (e.key === 'k') choose(-1);
  else return;
  e.preventDefault();
});
