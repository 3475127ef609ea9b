// The widget in a real browser, on pages of companies, against the source of fake.js.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, launch, missing } from './browser.js';
import { company, fake } from './fake.js';

const skip = missing ?? false;
if (skip) process.stdout.write(`skipped: the widget in a browser: ${skip}\n`);

const STRICT = (source) =>
  `default-src 'none'; script-src 'nonce-abc' 'strict-dynamic'; style-src 'nonce-abc'; connect-src ${source} ${source.replace('http', 'ws')}; require-trusted-types-for 'script'; trusted-types 'none'; base-uri 'none'`;
const HOSTILE = `<style>*{all:unset!important;color:lime!important;letter-spacing:1em!important;position:static!important;font-size:40px!important;text-transform:uppercase!important}
guichet-chat{display:inline!important;float:left} button{display:none!important} div{width:10px!important;transform:rotate(90deg)} html{font-size:5px}</style>`;

const sites = {};
let browser;
let source;
before(async () => {
  if (skip) return;
  browser = await launch();
  source = await fake({ pages: sites });
});
after(async () => {
  await browser?.close();
  await source?.stop();
});

/** A fresh browser on a company's page; whatever goes wrong in the console fails the test. */
async function visit(t, { page: options = {}, path = '/', lang, viewport = { width: 1100, height: 800 }, before: prepare, config, open = true, ...rest } = {}) {
  const context = await browser.newContext({ viewport, locale: 'en-GB', timezoneId: 'Europe/Paris', ...rest });
  const page = await context.newPage();
  const wrong = [];
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('console', (message) => /Content Security Policy|TrustedHTML|Refused to/i.test(message.text()) && wrong.push(message.text()));
  Object.assign(source, { config: config ?? {}, sockets: true, streams: true, up: true });
  source.desk.refuse = null;
  site(path, { lang, ...options });
  await prepare?.(page, context);
  await page.goto(source.url + path);
  t.after(async () => {
    await context.close();
    assert.deepEqual(wrong, []);
  });
  const seen = source.requests.length;
  const widget = {
    page, context, wrong,
    since: () => source.requests.slice(seen),
    launcher: page.locator('guichet-chat .launcher'),
    panel: page.locator('guichet-chat [role=dialog]'),
    log: page.locator('guichet-chat [role=log]'),
    bar: page.locator('guichet-chat [role=status]'),
    text: page.locator('guichet-chat .compose textarea'),
    say: async (words) => {
      await widget.text.fill(words);
      await widget.page.locator('guichet-chat .send').click();
    },
    storage: () => page.evaluate(() => ({ local: { ...localStorage }, session: { ...sessionStorage }, cookie: document.cookie })),
  };
  if (open) {
    await widget.launcher.click();
    await widget.panel.waitFor();
  }
  return widget;
}

const site = (path, options) => (sites[path] = company('', options));
/** What the desk has of the visitor who wrote `words`. */
const about = (words) => [...source.desk.convs.values()].find((conv) => conv.events.some((event) => event.text === words));
const count = (conv, words) => conv.events.filter((event) => event.text === words).length;

test('a visitor writes, and the answer names the ticket, whose number can be copied', { skip }, async (t) => {
  const w = await visit(t, { permissions: ['clipboard-read', 'clipboard-write'] });
  await w.say('The printer is broken.');
  await w.log.getByText('GT-482').first().waitFor();
  await w.log.getByText('Sent').waitFor();
  await w.log.getByRole('button', { name: 'Copy' }).click();
  assert.equal(await w.page.evaluate(() => navigator.clipboard.readText()), about('The printer is broken.').ticket);
  source.desk.reply(about('The printer is broken.'), 'Which floor?');
  await w.log.getByText('Which floor?').waitFor();
});

test('before the visitor acts there is one request, no storage, no cookie and no connection', { skip }, async (t) => {
  const w = await visit(t, { open: false });
  await w.launcher.waitFor();
  await w.page.waitForLoadState('networkidle');
  const asked = source.requests.filter((request) => request.includes('/in/web')).slice(-1);
  assert.deepEqual(asked, ['GET /in/web/widget/loader.js']);
  assert.ok(!w.since().some((request) => request === 'WS' || request.includes('config')));
  assert.deepEqual(await w.storage(), { local: {}, session: {}, cookie: '' });
});

test('opening connects and stores nothing; the first message stores; closing without one disconnects', { skip }, async (t) => {
  const w = await visit(t);
  await w.page.waitForFunction(() => document.querySelector('guichet-chat').chat.session.link === 'online');
  assert.deepEqual((await w.storage()).local, {});
  await w.page.keyboard.press('Escape');
  assert.equal(await w.page.evaluate(() => document.querySelector('guichet-chat').chat.session.link), 'off');
  await w.launcher.click();
  await w.say('Now I write');
  await w.log.getByText('Sent').waitFor();
  assert.equal(Object.keys((await w.storage()).local).length > 0, true);
  assert.equal((await w.storage()).cookie, '');
});

test('a page with a strict policy and Trusted Types has nothing to complain of', { skip }, async (t) => {
  const w = await visit(t, { path: '/strict', page: { nonce: 'abc', headers: { 'Content-Security-Policy': STRICT(source.url) } } });
  await w.say('From a strict page, see https://example.org/a?b=c.');
  await w.log.getByText('Sent').waitFor();
  assert.equal(await w.log.getByRole('link').getAttribute('href'), 'https://example.org/a?b=c');
});

test('script in names, texts and files is text', { skip }, async (t) => {
  const w = await visit(t);
  await w.say('<img src=x onerror=alert(1)>');
  await w.log.getByText('Sent').waitFor();
  const conv = about('<img src=x onerror=alert(1)>');
  source.desk.reply(conv, '<script>window.pwned=1</script> javascript:alert(1)', { from: { kind: 'agent', name: '<b onclick=x>Ana' }, html: '<img src=x onerror="window.pwned=1">', files: [{ id: 'f', name: '"><svg onload=alert(1)>.txt', type: 'text/plain', size: 3, url: 'files/f', expires_at: '2099-01-01T00:00:00Z' }] });
  await w.log.getByText('<script>').waitFor();
  assert.equal(await w.page.evaluate(() => window.pwned), undefined);
  assert.equal(await w.log.locator('img, script, a[href^="javascript"]').count(), 0);
});

test('a hostile page changes neither the place nor the look of the chat', { skip }, async (t) => {
  const w = await visit(t, { path: '/hostile', page: { head: HOSTILE } });
  const style = await w.panel.evaluate((node) => {
    const { position, letterSpacing, textTransform, fontSize, color } = getComputedStyle(node);
    const box = node.getBoundingClientRect();
    return { position, letterSpacing, textTransform, fontSize, color, right: Math.round(innerWidth - box.right), tall: box.height > 400 };
  });
  assert.equal(style.position, 'absolute');
  assert.equal(style.letterSpacing, 'normal');
  assert.equal(style.textTransform, 'none');
  assert.ok(parseFloat(style.fontSize) <= 32, style.fontSize);
  assert.notEqual(style.color, 'rgb(0, 255, 0)');
  assert.ok(style.tall && style.right < 40, JSON.stringify(style));
  await w.say('Still here');
  await w.log.getByText('Sent').waitFor();
});

test('everything can be done by keyboard, and the focus comes back', { skip }, async (t) => {
  const w = await visit(t, { open: false });
  const { keyboard } = w.page;
  const focus = () => w.page.evaluate(() => {
    const active = document.activeElement.shadowRoot?.activeElement ?? document.activeElement;
    return active.getAttribute('aria-label') ?? active.textContent.trim() ?? active.tagName;
  });
  await w.launcher.waitFor();
  for (let i = 0; i < 5 && (await focus()) !== 'Open chat'; i++) await keyboard.press('Tab');
  await keyboard.press('Enter');
  await w.panel.waitFor();
  await w.page.waitForFunction(() => document.activeElement.shadowRoot?.activeElement?.tagName === 'TEXTAREA');
  await keyboard.type('By keyboard');
  await keyboard.press('Shift+Enter');
  await keyboard.type('on two lines');
  await keyboard.press('Enter');
  await w.log.getByText('Sent').waitFor();
  const conv = about('By keyboard\non two lines');
  source.desk.settle(conv);
  await w.page.locator('guichet-chat .stars').waitFor();
  for (let i = 0; i < 12 && !/^\d:/.test(await focus()); i++) await keyboard.press('Shift+Tab');
  // The radio group is one stop; arrows choose.
  for (const _ of [1, 2, 3]) await keyboard.press('ArrowRight');
  await w.page.getByRole('button', { name: 'Send rating' }).waitFor();
  await keyboard.press('Enter');
  await w.page.waitForFunction(() => document.querySelector('guichet-chat').shadowRoot.textContent.includes('Thank you'));
  assert.ok(conv.rating.score >= 3, `score ${conv.rating.score}`);
  await keyboard.press('Escape');
  assert.equal(await focus(), 'Open chat');
  assert.equal(await w.panel.isVisible(), false);
});

for (const [name, options] of [
  ['light', {}],
  ['dark', { colorScheme: 'dark' }],
  ['360 px in French', { viewport: { width: 360, height: 740 }, lang: 'fr', locale: 'fr-FR' }],
  ['right to left', { page: { attributes: 'data-dir="rtl"' } }],
  ['320 px with a large font', { viewport: { width: 320, height: 600 }, page: { head: '<style>html{font-size:200%}</style>' } }],
]) {
  test(`axe finds nothing to say: ${name}`, { skip }, async (t) => {
    const form = [{ name: 'name', type: 'text', required: false }, { name: 'email', type: 'email', required: true }, { name: 'category', type: 'choice', required: false, options: ['Printers', 'Accounts'] }];
    const w = await visit(t, { ...options, path: `/axe-${name.replace(/\W/g, '')}`, config: { form, privacy_url: 'https://example.org/privacy' } });
    assert.deepEqual(await axe(w.page), [], 'greeting');
    await w.text.fill(`axe ${name}`);
    await w.page.locator('guichet-chat .send').click();
    await w.page.locator('guichet-chat #g-email[aria-invalid=true]').waitFor();
    assert.deepEqual(await axe(w.page), [], 'a field is wrong');
    await w.page.locator('guichet-chat #g-email').fill('ann@example.org');
    await w.page.locator('guichet-chat .send').click();
    await w.log.getByText('GT-482').first().waitFor();
    source.desk.reply(about(`axe ${name}`), 'Which floor?\nhttps://example.org');
    await w.log.getByText('Which floor?').waitFor();
    await w.page.locator('guichet-chat .head button').first().click();
    assert.deepEqual(await axe(w.page), [], 'talking, the menu open');
    source.desk.settle(about(`axe ${name}`));
    await w.page.locator('guichet-chat .stars').waitFor();
    assert.deepEqual(await axe(w.page), [], 'rating');
    const wide = await w.page.evaluate(() => {
      const panel = document.querySelector('guichet-chat').shadowRoot.querySelector('.panel');
      return [...panel.querySelectorAll('.scroll,.foot,.head')].some((node) => node.scrollWidth > node.clientWidth + 1);
    });
    assert.equal(wide, false, 'nothing is wider than the panel');
  });
}

test('on a phone the chat fills the screen, keeps the focus inside and says that it is modal', { skip }, async (t) => {
  const w = await visit(t, { viewport: { width: 390, height: 800 }, isMobile: true, hasTouch: true, reducedMotion: 'reduce', path: '/phone' });
  const box = await w.panel.boundingBox();
  assert.deepEqual([box.x, box.y, box.width, box.height], [0, 0, 390, 800]);
  assert.equal(await w.panel.getAttribute('aria-modal'), 'true');
  for (let i = 0; i < 15; i++) {
    await w.page.keyboard.press('Tab');
    assert.equal(await w.page.evaluate(() => document.activeElement.tagName), 'GUICHET-CHAT');
  }
  const size = await w.text.evaluate((node) => parseFloat(getComputedStyle(node).fontSize));
  assert.ok(size >= 16, 'iOS would zoom in');
  await w.panel.getByRole('button', { name: 'Close' }).click();
  assert.equal(await w.panel.isVisible(), false);
});

test('without WebSocket the same conversation goes over HTTP', { skip }, async (t) => {
  const w = await visit(t, { before: (page) => page.addInitScript(() => delete window.WebSocket) });
  await w.say('Over HTTP');
  await w.log.getByText('Sent').waitFor();
  source.desk.reply(about('Over HTTP'), 'Streamed');
  await w.log.getByText('Streamed').waitFor();
  assert.ok(w.since().includes('GET /in/web/events') && !w.since().includes('WS'));
});

test('where proxies swallow sockets and streams, long polls do', { skip }, async (t) => {
  const w = await visit(t, { before: () => Object.assign(source, { sockets: false, streams: false }) });
  await w.say('Through a bad proxy');
  await w.log.getByText('Sent').waitFor({ timeout: 15_000 });
  source.desk.reply(about('Through a bad proxy'), 'Polled');
  await w.log.getByText('Polled').waitFor();
  assert.ok(w.since().includes('GET /in/web/poll'));
});

test('written offline, reloaded, back online: sent once, and the history is there', { skip }, async (t) => {
  const w = await visit(t);
  await w.say('First');
  await w.log.getByText('Sent').waitFor();
  source.up = false;
  source.cut();
  await w.say('In the tunnel');
  await w.log.getByText('Sending…').waitFor();
  await w.bar.getByText('No connection').waitFor();
  await w.text.fill('half a thought');
  source.desk.reply(about('First'), 'While you were away');
  source.up = true;
  await w.page.reload();
  await w.page.waitForFunction(() => document.querySelector('guichet-chat')?.badge.textContent === '1');
  await w.launcher.click();
  await w.log.getByText('While you were away').waitFor();
  await w.log.getByText('In the tunnel').waitFor();
  await w.page.waitForFunction(() => !document.querySelector('guichet-chat').chat.session.store.waiting().length);
  assert.equal(count(about('First'), 'In the tunnel'), 1);
  assert.equal(await w.text.inputValue(), 'half a thought');
});

test('the unread count is on the button and, in a hidden tab, in the title', { skip }, async (t) => {
  const w = await visit(t);
  await w.say('Tell me');
  await w.log.getByText('Sent').waitFor();
  await w.page.keyboard.press('Escape');
  const unread = w.page.evaluate(() => new Promise((go) => window.guichet.on('unread', ({ count }) => count && go(count))));
  source.desk.reply(about('Tell me'), 'An answer');
  assert.equal(await unread, 1);
  assert.equal(await w.launcher.getAttribute('aria-label'), 'Open chat – 1 unread message');
  await w.page.evaluate(() => {
    Object.defineProperty(document, 'hidden', { value: true, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  assert.equal(await w.page.title(), '(1) Some company');
  await w.page.evaluate(() => {
    delete document.hidden;
    document.dispatchEvent(new Event('visibilitychange'));
  });
  assert.equal(await w.page.title(), 'Some company');
  await w.launcher.click();
  await w.page.waitForFunction(() => document.querySelector('guichet-chat').badge.hidden);
});

test('included twice it is there once', { skip }, async (t) => {
  const w = await visit(t, { path: '/twice', page: { head: '<script type="module" src="/in/web/widget/loader.js?again"></script><script type="module" src="/in/web/widget/loader.js?third"></script>' } });
  assert.equal(await w.page.locator('guichet-chat').count(), 1);
});

test('a single-page app takes it out and puts it back: nothing stays behind, nothing is lost', { skip }, async (t) => {
  const w = await visit(t);
  await w.say('Before the route changed');
  await w.log.getByText('Sent').waitFor();
  await w.page.evaluate(() => window.guichet.destroy());
  await w.page.waitForFunction(() => !document.querySelector('guichet-chat'));
  await assert.doesNotReject(async () => {
    for (let i = 0; source.desk.peers.size > 0 && [...source.desk.peers].some((peer) => peer.session === about('Before the route changed').session); i++) {
      if (i > 100) throw new Error('the connection stays');
      await w.page.evaluate(() => new Promise((go) => setTimeout(go, 20)));
    }
  });
  await w.page.evaluate(() => {
    window.guichet.mount();
    window.guichet.open();
  });
  await w.log.getByText('Before the route changed').waitFor();
  // Moving it in the document is no good-bye.
  await w.page.evaluate(() => document.querySelector('main').append(document.querySelector('guichet-chat')));
  await w.say('And after');
  await w.log.getByText('And after').waitFor();
  assert.equal(about('And after'), about('Before the route changed'));
});

test('calls made before it was loaded are kept, and events come to the page', { skip }, async (t) => {
  const w = await visit(t, { open: false, path: '/queue', page: { head: `<script>window.guichet={q:[['prefill',{text:'Hello from the page',email:'ann@example.org'}],['on','ack',(e)=>window.acked=e.ticket],['open']]}</script>` } });
  await w.panel.waitFor();
  assert.equal(await w.text.inputValue(), 'Hello from the page');
  await w.page.locator('guichet-chat .send').click();
  await w.page.waitForFunction(() => window.acked);
  assert.match(await w.page.evaluate(() => window.acked), /^GT-/);
});

test('what the desk wants to know first is asked once, told what is wrong, and skipped for known people', { skip }, async (t) => {
  const form = [{ name: 'email', type: 'email', required: true }];
  const w = await visit(t, { config: { form } });
  await w.say('Who am I');
  await w.page.locator('guichet-chat').getByText('Please fill this in.').waitFor();
  await w.page.locator('guichet-chat #g-email').fill('nonsense');
  await w.page.locator('guichet-chat .send').click();
  await w.page.locator('guichet-chat').getByText('does not look like').waitFor();
  await w.page.locator('guichet-chat #g-email').fill('ann@example.org');
  await w.page.locator('guichet-chat .send').click();
  await w.log.getByText('Sent').waitFor();
  assert.equal(about('Who am I').form.email, 'ann@example.org');
  assert.equal(await w.page.locator('guichet-chat #g-email').isVisible(), false);

  const known = await visit(t, { config: { form } });
  await known.page.evaluate(() => window.guichet.identify('a.b.c'));
  await known.say('You know me');
  await known.log.getByText('Sent').waitFor();
});

test('closed: the hours are in the visitor’s own time, a message is taken anyway, and an address is asked for', { skip }, async (t) => {
  source.desk.status = { open: false, next_open_at: '2027-01-04T08:00:00Z', tz: 'Europe/Paris' };
  t.after(() => (source.desk.status = { open: true, tz: 'Europe/Paris' }));
  const w = await visit(t, { timezoneId: 'America/New_York' });
  await w.panel.getByText('We are back').waitFor();
  assert.match(await w.panel.getByText('We are back').textContent(), /03:00/);
  await w.say('At night');
  await w.log.getByText('GT-482').first().waitFor();
  await w.panel.getByLabel('Where may we write to you').fill('ann@example.org');
  await w.panel.getByRole('button', { name: 'Save' }).click();
  await w.panel.getByText('are mailed to you').waitFor();
  await w.page.waitForFunction(() => !document.querySelector('guichet-chat').chat.session.store.waiting().length);
  assert.equal(about('At night').email, 'ann@example.org');
});

test('too much at once: the time, the way out by mail, and the text is kept', { skip }, async (t) => {
  const w = await visit(t);
  source.desk.refuse = ({ type }) => type === 'msg' && { code: 'rate_limited', message: 'Too many.', retry_after_ms: 2_000, email: 'help@desk.example' };
  await w.say('Again and again');
  await w.bar.getByText('goes by itself at').waitFor();
  assert.equal(await w.bar.getByRole('link').getAttribute('href'), 'mailto:help@desk.example');
  source.desk.refuse = null;
  await w.log.getByText('Sent').waitFor();
});

test('files: chosen, pasted, refused in words, sent', { skip }, async (t) => {
  const w = await visit(t);
  const chooser = w.page.locator('guichet-chat input[type=file]');
  await chooser.setInputFiles([{ name: 'screen.png', mimeType: 'image/png', buffer: Buffer.alloc(2_000) }, { name: 'film.mp4', mimeType: 'video/mp4', buffer: Buffer.alloc(10) }, { name: 'big.png', mimeType: 'image/png', buffer: Buffer.alloc(300_000) }]);
  await w.panel.getByText('This kind of file is not accepted').waitFor();
  await w.panel.getByText('Larger than 200').waitFor();
  await w.panel.getByRole('button', { name: 'Remove film.mp4' }).click();
  await w.panel.getByRole('button', { name: 'Remove big.png' }).click();
  await w.text.evaluate((node) => {
    const data = new DataTransfer();
    data.items.add(new File(['pasted'], 'pasted.txt', { type: 'text/plain' }));
    node.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
  });
  await w.panel.getByText('pasted.txt').waitFor();
  await w.page.waitForFunction(() => document.querySelector('guichet-chat').chat.composer.files.every((file) => file.id));
  await w.say('Two files');
  await w.log.getByText('screen.png').waitFor();
  await w.log.locator('a.file').nth(1).waitFor();
  assert.deepEqual(about('Two files').events[0].files.map(({ name }) => name), ['screen.png', 'pasted.txt']);
});

test('settle, rate, take up again, all from the menu', { skip }, async (t) => {
  const w = await visit(t);
  await w.say('Small thing');
  await w.log.getByText('Sent').waitFor();
  const conv = about('Small thing');
  await w.panel.getByRole('button', { name: 'More' }).click();
  await w.panel.getByRole('button', { name: 'It is settled' }).click();
  await w.panel.getByText('How did we do?').waitFor();
  await w.panel.getByRole('radio', { name: '5: Very good' }).check();
  await w.panel.getByLabel('Anything to add?').fill('Quick.');
  await w.panel.getByRole('button', { name: 'Send rating' }).click();
  await w.panel.getByText('Thank you').waitFor();
  await w.panel.getByRole('button', { name: 'More' }).click();
  await w.panel.getByRole('button', { name: 'It is not settled' }).click();
  await w.page.waitForFunction(() => document.querySelector('guichet-chat').chat.session.conv.status === 'open');
  assert.deepEqual([conv.rating.score, conv.rating.text, conv.status], [5, 'Quick.', 'open']);
});

test('two tabs: what is read in one is read in the other, and logging out in one empties both', { skip }, async (t) => {
  const one = await visit(t);
  await one.say('Two tabs');
  await one.log.getByText('Sent').waitFor();
  const two = await one.context.newPage();
  await two.goto(source.url + '/');
  await two.locator('guichet-chat .launcher').click();
  await two.locator('guichet-chat [role=log]').getByText('Two tabs').waitFor();
  source.desk.reply(about('Two tabs'), 'To both');
  await two.locator('guichet-chat [role=log]').getByText('To both').waitFor();
  await one.log.getByText('To both').waitFor();
  await two.evaluate(() => window.guichet.logout());
  await one.page.waitForFunction(() => !document.querySelector('guichet-chat').shadowRoot.querySelector('[role=log]').textContent.includes('Two tabs'));
  assert.deepEqual((await one.storage()).local, {});
});

test('the language can change while it is open, and what was typed stays', { skip }, async (t) => {
  const w = await visit(t);
  await w.text.fill('mon brouillon');
  await w.page.evaluate(() => window.guichet.setLang('fr'));
  await w.panel.getByText('comment pouvons-nous').waitFor();
  assert.equal(await w.text.inputValue(), 'mon brouillon');
});

test('the hosted page is the same chat, whole, under a strict policy of its own', { skip }, async (t) => {
  const w = await visit(t, { open: false });
  await w.page.goto(`${source.url}/in/web?lang=fr`);
  await w.panel.waitFor();
  await w.say('Sur la page');
  await w.log.getByText('Envoyé').waitFor();
  assert.deepEqual(await axe(w.page), []);
});

test('when the chat cannot be loaded there is a link to its own page', { skip }, async (t) => {
  const w = await visit(t, { open: false, before: (page) => page.route('**/widget/chat.js', (route) => route.abort()) });
  await w.launcher.click();
  await w.page.locator('guichet-chat a.fallback').waitFor();
  assert.equal(await w.page.locator('guichet-chat a.fallback').getAttribute('href'), `${source.url}/in/web`);
});
