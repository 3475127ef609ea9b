// The widget against the daemon itself: what the made-up desk of the other tests promises must be true.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { axe, launch, missing as browserMissing } from './browser.js';
import { daemon, missing as daemonMissing } from './daemon.js';
import { company } from './fake.js';
import { dice } from './world.js';

const skip = browserMissing ?? daemonMissing ?? false;
if (skip) process.stdout.write(`skipped: the widget against the daemon: ${skip}\n`);

let browser;
let desk;
let site;
let foreign;
before(async () => {
  if (skip) return;
  browser = await launch();
  [site, foreign] = await Promise.all([company_site(), company_site()]);
  desk = await daemon({ origins: [site.url] });
});
after(async () => {
  await browser?.close();
  await desk?.stop();
  site?.close();
  foreign?.close();
});

/** A company's own server: another origin than the desk's. */
async function company_site() {
  const server = createServer((request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(company(desk.url, { attributes: '' }).body);
  });
  await new Promise((go) => server.listen(0, '127.0.0.1', go));
  server.url = `http://127.0.0.1:${server.address().port}`;
  return server;
}

async function visit(t, url, prepare) {
  const context = await browser.newContext({ viewport: { width: 1100, height: 800 }, locale: 'en-GB' });
  t.after(() => context.close());
  const page = await context.newPage();
  await prepare?.(page);
  await page.goto(url);
  const chat = page.locator('guichet-chat');
  const launcher = chat.locator('.launcher');
  if (await launcher.isVisible()) await launcher.click();
  const panel = chat.locator('[role=dialog]');
  await panel.waitFor();
  const log = chat.locator('[role=log]');
  const say = async (words) => {
    await chat.locator('.compose textarea').fill(words);
    await chat.locator('.send').click();
  };
  const ticket = async () => (await log.locator('code').first().textContent()).trim();
  const settled = () => page.waitForFunction(() => { const { session } = document.querySelector('guichet-chat').chat; return session.link === 'online' && !session.store.waiting().length; }, null, { timeout: 60_000 });
  return { context, page, chat, panel, log, say, ticket, settled };
}

test('a whole ticket from a company’s page: asked, answered, settled, rated, taken up again', { skip }, async (t) => {
  const w = await visit(t, site.url);
  await w.say('The printer is broken.');
  await w.log.getByText('Sent').waitFor();
  const ticket = await w.ticket();
  assert.match(await desk.guichet('ticket', 'show', ticket), /The printer is broken/);
  await desk.guichet('ticket', 'reply', ticket, 'Which floor, please?');
  await w.log.getByText('Which floor, please?').waitFor();
  await w.say('The second.');
  await w.settled();
  await desk.guichet('ticket', 'close', ticket);
  await w.panel.getByText('How did we do?').waitFor();
  assert.deepEqual(await axe(w.page), []);
  await w.panel.getByRole('radio', { name: '5: Very good' }).check();
  await w.panel.getByRole('button', { name: 'Send rating' }).click();
  await w.panel.getByText('Thank you').waitFor();
  await w.say('It broke again.');
  await w.settled();
  assert.match(await desk.guichet('ticket', 'show', ticket), /It broke again/);
});

test('the hosted page, in French', { skip }, async (t) => {
  const context = await browser.newContext({ locale: 'fr-FR' });
  t.after(() => context.close());
  const page = await context.newPage();
  const wrong = [];
  page.on('console', (message) => /Content Security Policy|Trusted/i.test(message.text()) && wrong.push(message.text()));
  await page.goto(desk.source);
  await page.locator('guichet-chat .compose textarea').fill('L’imprimante est en panne.');
  await page.locator('guichet-chat .send').click();
  await page.locator('guichet-chat [role=log]').getByText('Envoyé').waitFor();
  assert.deepEqual(await axe(page), []);
  assert.deepEqual(wrong, []);
});

test('a page of another site gets no further than the button', { skip }, async (t) => {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  await page.goto(foreign.url);
  await page.locator('guichet-chat .launcher').click();
  await page.locator('guichet-chat .compose textarea').fill('Let me in');
  await page.locator('guichet-chat .send').click();
  await page.locator('guichet-chat [role=log]').getByText('Sending…').waitFor();
  await page.locator('guichet-chat [role=status]').getByText('No connection').waitFor();
  assert.doesNotMatch(await desk.guichet('ticket', 'list', '--json'), /Let me in/);
});

test('without WebSocket: the same, over HTTP', { skip }, async (t) => {
  const w = await visit(t, site.url, (page) => page.addInitScript(() => delete window.WebSocket));
  await w.say('Over HTTP');
  await w.log.getByText('Sent').waitFor();
  await desk.guichet('ticket', 'reply', await w.ticket(), 'Streamed to you');
  await w.log.getByText('Streamed to you').waitFor();
  await w.say('And back');
  await w.settled();
});

test('without WebSocket and without streams: long polls', { skip }, async (t) => {
  const w = await visit(t, site.url, async (page) => {
    await page.addInitScript(() => delete window.WebSocket);
    await page.route('**/in/web/events*', (route) => route.abort());
  });
  await w.say('By polling');
  await w.log.getByText('Sent').waitFor();
  await desk.guichet('ticket', 'reply', await w.ticket(), 'Polled to you');
  await w.log.getByText('Polled to you').waitFor();
});

test('a file goes up, and comes back as a link that downloads it', { skip }, async (t) => {
  const w = await visit(t, site.url);
  await w.chat.locator('input[type=file]').setInputFiles({ name: 'log.txt', mimeType: 'text/plain', buffer: Buffer.from('E-04 since this morning\n') });
  await w.page.waitForFunction(() => document.querySelector('guichet-chat').chat.composer.files.every((file) => file.id));
  await w.say('See the file');
  await w.log.getByText('Sent').waitFor();
  const href = await w.log.locator('a.file').getAttribute('href');
  const answer = await fetch(href);
  assert.equal(await answer.text(), 'E-04 since this morning\n');
  assert.match(answer.headers.get('content-disposition'), /^attachment/);
});

test('kill -9 in the middle of a conversation: each message once, and the chat goes on by itself', { skip, timeout: 180_000 }, async (t) => {
  const w = await visit(t, site.url);
  await w.say('Message 0');
  await w.log.getByText('Sent').waitFor();
  const ticket = await w.ticket();
  for (let i = 1; i <= 3; i++) {
    const killed = desk.kill();
    await w.say(`Message ${i}`);
    await killed;
    await w.say(`Message ${i} and a half`);
    await desk.start();
    await w.page.evaluate(() => dispatchEvent(new Event('online')));
    await w.settled();
  }
  const shown = await desk.guichet('ticket', 'show', ticket);
  for (let i = 1; i <= 3; i++) assert.equal(shown.split(`Message ${i} and a half`).length - 1, 1, shown);
  const seen = await w.log.locator('.bubble').allTextContents();
  assert.deepEqual(seen.filter((text) => text.startsWith('Message')), ['Message 0', 'Message 1', 'Message 1 and a half', 'Message 2', 'Message 2 and a half', 'Message 3', 'Message 3 and a half']);
});

test('200 rounds of cuts, kills and reloads in a real browser: nothing lost, nothing twice', { skip, timeout: 400_000 }, async (t) => {
  const seed = Number(process.env.GUICHET_SEED ?? 7);
  const random = dice(seed);
  const w = await visit(t, site.url, (page) => page.addInitScript(() => {
    const Real = window.WebSocket;
    window.cut = () => window.sockets?.forEach((socket) => socket.close());
    window.WebSocket = class extends Real {
      constructor(...given) {
        super(...given);
        (window.sockets ??= []).push(this);
      }
    };
  }));
  let connections = 0;
  w.page.on('websocket', () => connections++);
  await w.say('Round 0');
  await w.log.getByText('Sent').waitFor();
  const ticket = await w.ticket();
  const conv = await w.page.evaluate(() => document.querySelector('guichet-chat').chat.session.conv.id);
  const [written, answered] = [['Round 0'], []];
  const send = (text) => (written.push(text), w.page.evaluate((words) => void document.querySelector('guichet-chat').chat.session.send(words), text));
  const reply = (text) => (answered.push(text), desk.guichet('ticket', 'reply', ticket, text));
  for (let round = 1; round <= 200; round++) {
    const chance = random();
    const sending = send(`Round ${round}`);
    if (chance < 0.5) await w.page.evaluate((wait) => new Promise((go) => setTimeout(() => go(window.cut()), wait)), random() * 15);
    else if (chance < 0.56) {
      await desk.kill();
      await sending;
      await desk.start();
    } else if (chance < 0.64) {
      await sending;
      await w.page.reload();
      await w.page.waitForFunction(() => document.querySelector('guichet-chat')?.chat);
    } else if (chance < 0.8) await Promise.all([reply(`Answer ${answered.length}`), w.page.evaluate(() => window.cut())]);
    await sending;
    if (random() < 0.6) await w.page.evaluate(() => dispatchEvent(new Event('online')));
  }
  await w.page.evaluate(() => dispatchEvent(new Event('online')));
  await w.settled();
  await reply('The last answer');
  await w.page.waitForFunction((id) => [...document.querySelector('guichet-chat').chat.session.convs.get(id).events.values()].some(({ text }) => text === 'The last answer'), conv);
  const seen = await w.page.evaluate(async (id) => {
    const { session } = document.querySelector('guichet-chat').chat;
    while (session.convs.get(id).floor > 0) {
      session.older();
      await new Promise((go) => setTimeout(go, 100));
    }
    const { events } = session.convs.get(id);
    return [...events.keys()].sort((a, b) => a - b).map((seq) => [seq, events.get(seq).from.kind, events.get(seq).text]);
  }, conv);
  assert.ok(connections > 80, `only ${connections} connections: the network was too kind`);
  assert.deepEqual(seen.map(([seq]) => seq), seen.map((_, i) => i + 1), `seed ${seed}: no gap`);
  assert.deepEqual(seen.filter(([, kind]) => kind === 'visitor').map(([, , text]) => text), written, `seed ${seed}: what was written`);
  assert.deepEqual(seen.filter(([, kind]) => kind === 'agent').map(([, , text]) => text), answered, `seed ${seed}: what was answered`);
});
