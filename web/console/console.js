// Keeps a page of the console fresh and quick. Everything works without it; nothing here makes markup out of text but the one
// policy below, and that only of what this server rendered.
const policy = window.trustedTypes?.createPolicy('console', { createHTML: (html) => html }) ?? { createHTML: (html) => html };
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const root = document.documentElement;
const ticket = $('#ticket');
const rows = $('#rows');

const parsed = (html) => new DOMParser().parseFromString(policy.createHTML(html), 'text/html');

async function fragment(url) {
  const answer = await fetch(url, { headers: { 'guichet-fragment': '1' }, redirect: 'error' });
  if (answer.status === 401) location.reload();
  if (!answer.ok) throw new Error(String(answer.status));
  return parsed(await answer.text());
}

function post(url, fields) {
  return fetch(url, { method: 'POST', headers: { 'guichet-fragment': '1' }, body: new URLSearchParams(fields), keepalive: true });
}

// What waits, in the bar and in the title of the tab.
let waiting = Number($('.count[data-view=ours]')?.textContent ?? 0);
function count(page) {
  const fresh = $('#counts', page);
  const old = $('#counts');
  if (!fresh || !old) return;
  const focused = old.contains(document.activeElement);
  if (focused) {
    for (const one of $$('.count', fresh)) {
      const here = $(`.count[data-view=${one.dataset.view}]`, old);
      if (here) here.textContent = one.textContent;
    }
  } else {
    old.replaceChildren(...fresh.childNodes);
  }
  const now = Number($('.count[data-view=ours]')?.textContent ?? 0);
  document.title = (now > 0 ? `(${now}) ` : '') + document.title.replace(/^\(\d+\) /, '');
  if (now > waiting && root.dataset.sound === 'on') sound();
  waiting = now;
}

function sound() {
  try {
    const context = new AudioContext();
    const tone = context.createOscillator();
    const loud = context.createGain();
    tone.frequency.value = 660;
    loud.gain.setValueAtTime(0.08, context.currentTime);
    loud.gain.exponentialRampToValueAtTime(0.001, context.currentTime + 0.35);
    tone.connect(loud).connect(context.destination);
    tone.start();
    tone.stop(context.currentTime + 0.35);
  } catch { /* a browser that plays nothing before a click */ }
}

// The list: what is there is brought up to date where it stands; what is new waits for a click, so that nothing jumps.
let fresh = null;
async function lookAtBoard() {
  const query = rows?.dataset.query ?? 'view=ours';
  const page = await fragment(`/console/rows?${query}`);
  count(page);
  if (!rows) return;
  const incoming = $('#rows', page);
  rows.dataset.pulse = incoming.dataset.pulse;
  const known = new Map($$('li[data-ref]', rows).map((row) => [row.dataset.ref, row]));
  const arrived = $$('li[data-ref]', incoming);
  const added = arrived.filter((row) => !known.has(row.dataset.ref));
  const still = new Set(arrived.map((row) => row.dataset.ref));
  for (const row of arrived) {
    const old = known.get(row.dataset.ref);
    if (old && !old.contains(document.activeElement)) {
      row.classList.toggle('here', old.classList.contains('here'));
      old.replaceWith(document.importNode(row, true));
    }
  }
  for (const [ref, row] of known) row.classList.toggle('faint', !still.has(ref));
  const news = $('#fresh');
  fresh = incoming;
  if (known.size === 0 && added.length > 0) showFresh();
  else if (added.length > 0 && news) {
    $('.n', news).textContent = added.length;
    news.hidden = false;
  }
}

function showFresh() {
  if (!fresh || !rows) return;
  rows.replaceChildren(...document.importNode(fresh, true).childNodes);
  const news = $('#fresh');
  if (news) news.hidden = true;
  fresh = null;
}
$('#fresh')?.addEventListener('click', () => { showFresh(); $('#rows .subject')?.focus(); });

// A ticket: shown at once while nobody writes; else the agent says when, and only then counts it as read.
let unseen = null;
const words = () => $$('#composer textarea').some((area) => area.value.trim() !== '');
async function lookAtTicket() {
  const page = await fragment(`/console/t/${ticket.dataset.ref}/parts`);
  const parts = $('#parts', page);
  if (!parts || parts.dataset.mark === ticket.dataset.mark) return;
  unseen = parts;
  if (!words()) return showTicket();
  let bar = $('#newer');
  if (!bar) {
    bar = document.createElement('button');
    bar.id = 'newer';
    bar.type = 'button';
    bar.className = 'news';
    bar.textContent = $('#composer').dataset.newer;
    bar.addEventListener('click', showTicket);
    $('#composer')?.prepend(bar);
  }
}

function showTicket() {
  if (!unseen) return;
  for (const id of ['top', 'flow', 'facts']) {
    const [here, there] = [$(`#${id}`), $(`#${id}`, unseen)];
    if (!here || !there) continue;
    const open = $$('details[open]', here).map((one) => one.closest('li')?.id).filter(Boolean);
    here.replaceWith(document.importNode(there, true));
    for (const entry of open) $(`#${entry} details`)?.setAttribute('open', '');
  }
  for (const field of $$('input[name=last_seen]')) field.value = unseen.dataset.version;
  ticket.dataset.mark = unseen.dataset.mark;
  ticket.dataset.seq = unseen.dataset.seq;
  unseen = null;
  $('#newer')?.remove();
  here();
}

async function lookAtPeople() {
  if (!ticket) return;
  const page = await fragment(`/console/t/${ticket.dataset.ref}/present`);
  const there = $('#present', page);
  if (there) $('#present')?.replaceChildren(...document.importNode(there, true).childNodes);
}

// The stream says only what changed. One look at a time of each kind, and one more if something came meanwhile.
const looks = { board: lookAtBoard, ticket: lookAtTicket, people: () => (ticket ? lookAtPeople() : lookAtBoard()) };
const under = {};
async function look(kind) {
  if (under[kind]) { under[kind] = 'again'; return; }
  under[kind] = 'now';
  try { await looks[kind](); } catch { /* the next event looks again */ }
  const again = under[kind] === 'again';
  under[kind] = null;
  if (again) look(kind);
}

// What the page shows: an event that says the same brings nothing.
const shown = { board: () => rows?.dataset.pulse, ticket: () => ticket?.dataset.mark, people: () => null };
const told = {};
function listen() {
  if (!$('.bar')) return;
  const stream = new EventSource('/console/events' + (ticket ? `?ticket=${encodeURIComponent(ticket.dataset.ref)}` : ''));
  const hear = (kind) => stream.addEventListener(kind, (event) => {
    $('#lost').hidden = true;
    root.dataset.live = 'yes';
    // Where the page itself does not say it, the first word is where things stand.
    const known = shown[kind]() ?? told[kind] ?? (kind === 'people' && ticket ? '-' : event.data);
    told[kind] = event.data;
    if (event.data !== known) look(kind);
  });
  hear('board');
  hear('people');
  if (ticket) hear('ticket');
  let silent = null;
  stream.addEventListener('typing', (event) => {
    const sign = $('#typing');
    if (!sign) return;
    sign.hidden = event.data !== '1';
    clearTimeout(silent);
    silent = setTimeout(() => { sign.hidden = true; }, 8000);
  });
  stream.addEventListener('open', () => { $('#lost').hidden = true; });
  stream.addEventListener('error', () => {
    setTimeout(() => { if (stream.readyState !== EventSource.OPEN) $('#lost').hidden = false; }, 4000);
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 5000 + Math.random() * 5000);
  });
  addEventListener('pagehide', () => stream.close(), { once: true });
}
addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });
listen();

// Presence: looking, or writing.
let wrote = 0;
let said = 0;
function here(typing = false) {
  if (!ticket || document.hidden) return;
  const replying = Date.now() - wrote < 30000;
  said = Date.now();
  const state = { state: replying ? 'replying' : 'viewing', seq: ticket.dataset.seq, typing: typing === true ? '1' : '' };
  post(`/console/t/${ticket.dataset.ref}/here`, state).catch(() => {});
}
if (ticket) {
  here();
  setInterval(() => here(), 15000);
  document.addEventListener('visibilitychange', () => here());
  addEventListener('pagehide', () => post(`/console/t/${ticket.dataset.ref}/here`, { state: 'gone' }).catch(() => {}));
}

// Drafts are kept while one writes.
for (const form of $$('#composer form[data-kind]')) {
  const area = $('textarea', form);
  if (!area) continue;
  let timer = null;
  area.addEventListener('input', () => {
    const begins = Date.now() - wrote > 30000;
    wrote = Date.now();
    // Typing towards whoever chats is told again while it lasts; a note is nobody's business.
    const reply = form.dataset.kind === 'reply';
    if (begins || (reply && Date.now() - said > 3000)) here(reply);
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const answer = await post(`/console/t/${ticket.dataset.ref}/draft`, { kind: form.dataset.kind, text: area.value }).catch(() => null);
      const kept = $('.kept', form);
      if (kept && answer?.ok) kept.textContent = $('#composer').dataset.kept;
    }, 700);
  });
  form.addEventListener('submit', () => clearTimeout(timer));
}

// A second click is the same click.
document.addEventListener('submit', (event) => {
  if (event.target.method !== 'post') return;
  if (event.target.dataset.sent) { event.preventDefault(); return; }
  event.target.dataset.sent = '1';
  setTimeout(() => { delete event.target.dataset.sent; }, 4000);
});

// Canned replies: chosen from the list, or found by typing "/" at the beginning of a line.
const area = $('#words');
const canned = $('#canned');
const picker = $('#picker');
function put(text) {
  area.setRangeText(text, area.selectionStart, area.selectionEnd, 'end');
  area.dispatchEvent(new Event('input'));
  area.focus();
}
if (canned && area) {
  $('button[value=insert]')?.setAttribute('hidden', '');
  canned.addEventListener('change', () => {
    const text = canned.selectedOptions[0]?.dataset.text;
    if (text) put(text);
    canned.value = '';
  });
  const find = $('input', picker);
  const list = $('ul', picker);
  const fill = () => {
    const typed = find.value.toLowerCase();
    const found = [...canned.options].filter((one) => one.dataset.text && (one.text + one.dataset.text).toLowerCase().includes(typed));
    list.replaceChildren(...found.slice(0, 20).map((one) => {
      const [item, button, title, text] = ['li', 'button', 'strong', 'span'].map((name) => document.createElement(name));
      title.textContent = one.text;
      text.textContent = one.dataset.text;
      text.className = 'faint';
      button.type = 'button';
      button.append(title, text);
      button.addEventListener('click', () => { picker.close(); put(one.dataset.text); });
      item.append(button);
      return item;
    }));
  };
  find.addEventListener('input', fill);
  find.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    $('button', list)?.click();
  });
  area.addEventListener('keydown', (event) => {
    const before = area.value.slice(0, area.selectionStart);
    if (event.key !== '/' || event.ctrlKey || event.metaKey || !(before === '' || before.endsWith('\n'))) return;
    event.preventDefault();
    find.value = '';
    fill();
    picker.showModal();
    find.focus();
  });
}

// Keys. Single ones can be switched off; Ctrl+Enter always sends.
function open(id, field) {
  const part = $(id);
  if (!part) return;
  part.open = true;
  ($(field, part) ?? $('summary', part)).focus();
  part.scrollIntoView({ block: 'nearest' });
}
function move(by) {
  const all = $$('#rows li[data-ref]');
  if (all.length === 0) return;
  const at = all.findIndex((row) => row.classList.contains('here'));
  const next = all[Math.min(all.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
  for (const row of all) row.classList.toggle('here', row === next);
  $('.subject', next).focus();
}
const keys = {
  j: () => move(1),
  k: () => move(-1),
  Enter: () => $('#rows li.here .subject')?.click(),
  r: () => open('#reply', 'textarea'),
  n: () => open('#note', 'textarea'),
  a: () => ($('#acts button[value=take]') ?? $('#acts select[name=to]'))?.focus(),
  e: () => open('#escalate', 'textarea'),
  c: () => open('#close', 'textarea'),
  '/': () => $('#find')?.focus(),
  '?': () => { location.href = '/console/keys'; },
};
document.addEventListener('keydown', (event) => {
  const typing = event.target.matches?.('input, textarea, select, [contenteditable]');
  if ((event.ctrlKey || event.metaKey) && event.key === 'Enter' && event.target.form) {
    const send = $('button.primary', event.target.form);
    if (send) { event.preventDefault(); event.target.form.requestSubmit(send); }
    return;
  }
  if (event.key === 'Escape' && typing) { event.target.blur(); return; }
  if (typing || event.ctrlKey || event.metaKey || event.altKey || root.dataset.keys !== 'on' || picker?.open) return;
  if (event.key === 'Enter' && event.target.closest?.('a, button, summary')) return;
  const act = keys[event.key];
  if (act) { event.preventDefault(); act(); }
});

// A long ticket opens at its end: the last words, and where one answers.
if (ticket && !location.hash && !location.search.includes('before=') && !$('.alert')) {
  const composer = $('#composer');
  if (composer && composer.getBoundingClientRect().bottom > innerHeight) composer.scrollIntoView({ block: 'end' });
}

// On a narrow screen the views are one line: the present one is brought into sight.
const view = $('.saved [aria-current]');
if (view) view.closest('.saved').scrollLeft = view.offsetLeft - 12;
