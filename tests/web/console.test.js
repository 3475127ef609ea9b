// The agents' console in a real browser, on the real daemon: a desk of its own, mail handed in by the command line.
// GUICHET_SCREENSHOTS: a folder that gets pictures of the list and of a ticket.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { axe, launch, missing } from './browser.js';

const binary = process.env.GUICHET_BINARY ?? new URL('../../target/debug/guichet', import.meta.url).pathname;
const absent = missing ?? (existsSync(binary) ? null : `${binary} is not built`);
if (absent) console.log(`skipped: the console in a browser: ${absent}`);
const it = (name, body) => test(name, { skip: absent ?? false, timeout: 60_000 }, body);

const PASSWORD = 'correct horse battery';
const pictures = process.env.GUICHET_SCREENSHOTS;
let folder, daemon, base, browser;

const guichet = (words, input) => execFileSync(binary, ['--config', join(folder, 'guichet.toml'), '--state', join(folder, 'var'), ...words], { input, stdio: ['pipe', 'pipe', 'ignore'] }).toString();
let letters = 0;
function mail(from, subject, text, more = '') {
  const bytes = `From: ${from}\r\nTo: support@desk.test\r\nSubject: ${subject}\r\nDate: Mon, 23 Nov 2026 08:59:00 +0000\r\nMessage-ID: <m${++letters}@client.test>\r\nMIME-Version: 1.0\r\n${more || 'Content-Type: text/plain; charset=utf-8\r\n'}\r\n${text}\r\n`;
  return guichet(['inject', '--source', 'local'], bytes).match(/GT-\d{3}-\d{3}-\d{4}/)[0];
}

before(async () => {
  if (absent) return;
  folder = mkdtempSync(join(tmpdir(), 'guichet-console-'));
  writeFileSync(join(folder, 'guichet.toml'), '[desk]\nname = "Support Lumière"\n[desk.calendar]\nzone = "Europe/Paris"\n[http]\nlisten = "127.0.0.1:0"\n[storage]\nfloor_mib = 0\n[[source]]\nname = "local"\nchannel = "email"\n');
  daemon = spawn(binary, ['--config', join(folder, 'guichet.toml'), '--state', join(folder, 'var'), 'run'], { stdio: ['ignore', 'pipe', 'pipe'] });
  base = await new Promise((resolve, reject) => {
    let said = '';
    const hear = (bytes) => {
      said += bytes;
      const found = said.match(/guichet is ready.*?address=\S*?(127\.0\.0\.1:\d+)/);
      if (found) resolve(`http://${found[1]}`);
    };
    daemon.stdout.on('data', hear);
    daemon.stderr.on('data', hear);
    daemon.on('exit', (code) => reject(new Error(`the daemon ended (${code}): ${said}`)));
  });
  for (const [name, flag, display] of [['ana', '--admin', 'Ana Lefort'], ['bo', '--lead', 'Bo Martin']]) {
    guichet(['agent', 'add', name, flag, '--display', display]);
    guichet(['agent', 'password', name], PASSWORD + '\n');
  }
  browser = await launch();
});

after(async () => {
  await browser?.close();
  if (daemon) {
    daemon.removeAllListeners('exit');
    const gone = new Promise((resolve) => daemon.on('exit', resolve));
    daemon.kill('SIGTERM');
    await gone;
  }
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** A signed-in agent's page; what the browser complains of fails the test. */
async function agent(name, options = {}) {
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1360, height: 850 }, ...options });
  const page = await context.newPage();
  page.complaints = [];
  page.on('console', (message) => { if (message.type() === 'error' && !/status of 4(09|22)/.test(message.text())) page.complaints.push(message.text()); });
  page.on('pageerror', (error) => page.complaints.push(error.message));
  await page.goto(base + '/console');
  await page.locator('input[name=name]').fill(name);
  await page.locator('input[name=password]').fill(PASSWORD);
  await page.locator('form[action="/console/sign-in"] button').click();
  await page.waitForURL(base + '/console');
  return page;
}
const state = (reference) => JSON.parse(guichet(['ticket', 'show', '--json', reference])).ticket.state;
const done = async (page) => { assert.deepEqual(page.complaints, []); await page.context().close(); };

const WORDS = {
  en: { locale: 'en-GB', take: 'Assign to me', send: 'Send', sent: 'The reply is on its way.', note: 'Add note', only: 'Only agents see this', close: 'Send & close', resolved: 'resolved' },
  fr: { locale: 'fr-FR', take: 'Me l’attribuer', send: 'Envoyer', sent: 'La réponse est en route.', note: 'Ajouter la note', only: 'Visible des agents seulement', close: 'Envoyer et clore', resolved: 'résolu' },
};
for (const [tongue, words] of Object.entries(WORDS)) {
  for (const javaScriptEnabled of [true, false]) {
    it(`an agent works a whole ticket (${tongue}${javaScriptEnabled ? '' : ', without JavaScript'})`, async () => {
      const reference = mail('Jean Dupont <jean@client.test>', `Printer ${tongue} ${javaScriptEnabled}`, 'It is jammed.');
      const page = await agent('ana', { locale: words.locale, javaScriptEnabled });
      await page.getByRole('link', { name: `Printer ${tongue} ${javaScriptEnabled}` }).click();
      await page.getByRole('button', { name: words.take }).click();
      await page.locator('#words').fill('On my way.');
      await page.getByRole('button', { name: words.send, exact: true }).click();
      await page.getByText(words.sent).waitFor();
      await page.locator('.entry.reply').getByText('On my way.').waitFor();
      await page.locator('#note summary').click();
      await page.locator('#notewords').fill('Tray two.');
      await page.getByRole('button', { name: words.note }).click();
      await page.getByText(words.only).waitFor();
      await page.locator('#words').fill('It works again.');
      await page.getByRole('button', { name: words.close }).click();
      await page.locator('#top').getByText(words.resolved).waitFor();
      assert.equal(state(reference), 'resolved');
      await done(page);
    });
  }
}

it('two agents at one ticket see each other, and neither answers over the other', async () => {
  const reference = mail('jean@client.test', 'Collision', 'Who answers?');
  const [ana, bo] = [await agent('ana'), await agent('bo')];
  await ana.goto(`${base}/console/t/${reference}`);
  await ana.locator('#words').pressSequentially('We send somebody');
  await bo.goto(`${base}/console/t/${reference}`);
  await bo.locator('#present').getByText('ana is replying').waitFor();
  await bo.goto(base + '/console');
  await bo.locator(`li[data-ref="${reference}"]`).getByText('ana is replying').waitFor();
  await bo.goto(`${base}/console/t/${reference}`);
  await bo.locator('#words').fill('I am on it.');
  await bo.getByRole('button', { name: 'Send', exact: true }).click();
  // Told at once, and nothing jumps under the writer.
  await ana.getByRole('button', { name: 'Something new on this ticket – show' }).waitFor();
  assert.equal(await ana.locator('.entry.reply').count(), 0);
  await ana.getByRole('button', { name: 'Send', exact: true }).click();
  await ana.getByRole('alert').getByText('Something came meanwhile').waitFor();
  await ana.getByRole('alert').getByText('I am on it.').waitFor();
  assert.equal(await ana.locator('#words').inputValue(), 'We send somebody');
  await ana.locator('#words').fill('And we bring toner.');
  await ana.getByRole('button', { name: 'Send', exact: true }).click();
  await ana.getByText('The reply is on its way.').waitFor();
  assert.equal(await ana.locator('.entry.reply').count(), 2);
  await done(ana);
  await done(bo);
});

it('a draft is kept while one writes, and is there after a reload', async () => {
  const reference = mail('jean@client.test', 'Draft', 'Hello.');
  const page = await agent('ana');
  await page.goto(`${base}/console/t/${reference}`);
  await page.locator('#words').pressSequentially('Dear Jean, tomorr');
  await page.locator('#reply .kept').getByText('Draft kept').waitFor();
  await page.reload();
  assert.equal(await page.locator('#words').inputValue(), 'Dear Jean, tomorr');
  await done(page);
});

it('what is new waits for a click; the counts and the title are told at once', async () => {
  const page = await agent('bo');
  await page.locator('#rows').waitFor();
  await page.locator('html[data-live]').waitFor({ state: 'attached' });
  const count = Number(await page.locator('.count[data-view=ours]').textContent());
  const top = await page.locator('#rows li').first().getAttribute('data-ref');
  mail('zoe@client.test', 'Brand new', 'The whole organisation is blocked, nobody can work, urgent!');
  await page.getByRole('button', { name: '1 new – show' }).waitFor();
  assert.equal(await page.locator('.count[data-view=ours]').textContent(), String(count + 1));
  assert.match(await page.title(), new RegExp(`^\\(${count + 1}\\) `));
  assert.equal(await page.locator('#rows li').first().getAttribute('data-ref'), top);
  await page.getByRole('button', { name: '1 new – show' }).click();
  await page.getByRole('link', { name: 'Brand new' }).waitFor();
  await done(page);
});

it('keys move, open, answer and send; canned replies come by a slash; all of it can be switched off', async () => {
  const page = await agent('ana');
  await page.goto(base + '/console/canned');
  await page.getByLabel('Title').fill('Hello');
  await page.getByLabel('Text').fill('Hello {{requester}}, about {{subject}}.');
  await page.getByRole('button', { name: 'Add' }).click();
  mail('Marie Curie <marie@client.test>', 'By keys', 'Hello.');
  await page.goto(base + '/console?view=all');
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/console\/t\//);
  await page.keyboard.press('r');
  await page.keyboard.press('/');
  await page.keyboard.type('hel');
  await page.keyboard.press('Enter');
  assert.equal(await page.locator('#words').inputValue(), 'Hello Marie Curie, about By keys.');
  await page.keyboard.press('Control+Enter');
  await page.getByText('The reply is on its way.').waitFor();
  await page.goto(base + '/console/account');
  await page.getByLabel('Single keys do things').uncheck();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.goto(base + '/console?view=all');
  await page.keyboard.press('?');
  await page.keyboard.press('j');
  assert.equal(await page.locator('li.here').count(), 0);
  assert.equal(page.url(), base + '/console?view=all');
  await page.goto(base + '/console/account');
  await page.getByLabel('Single keys do things').check();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.waitForURL(/done/);
  await done(page);
});

it('hostile mail runs nothing, loads nothing and stays in its frame', async () => {
  const heard = [];
  const spy = createServer((request, answer) => { heard.push(request.url); answer.end(); });
  await new Promise((resolve) => spy.listen(0, '127.0.0.1', resolve));
  const evil = `http://127.0.0.1:${spy.address().port}`;
  const html = `<p>Look at this</p><img src="${evil}/pixel.png"><script>fetch('${evil}/script')</script><a href="javascript:alert(1)">x</a><iframe src="${evil}/frame"></iframe><style>body{background:url(${evil}/style)}</style><form action="${evil}/form"><input name=q></form><svg onload="fetch('${evil}/svg')"></svg>`;
  const reference = mail('eve@client.test', '<script>alert(1)</script>', html, 'Content-Type: text/html; charset=utf-8\r\n');
  const page = await agent('ana');
  page.on('dialog', () => page.complaints.push('a dialog'));
  await page.goto(`${base}/console/t/${reference}`);
  await page.locator('.formatted summary').click();
  await page.frameLocator('.formatted iframe').getByText('Look at this').waitFor();
  await page.waitForLoadState('networkidle').catch(() => {});
  assert.deepEqual(heard, []);
  spy.close();
  await done(page);
});

for (const [name, options] of [['light', {}], ['dark, French', { colorScheme: 'dark', locale: 'fr-FR' }], ['360 px wide', { viewport: { width: 360, height: 740 }, locale: 'fr-FR' }]]) {
  it(`axe finds nothing and nothing sticks out (${name})`, async () => {
    const reference = mail('Jean Dupont <jean@client.test>', 'Axe', 'Bonjour,\n\nl’imprimante est bloquée.', 'Content-Type: text/plain; charset=utf-8\r\nPrecedence: bulk\r\n');
    guichet(['ticket', 'note', reference, 'A note.']);
    guichet(['ticket', 'reply', reference, 'An answer.']);
    const page = await agent('ana', options);
    for (const path of ['/console', '/console?view=all&q=imprimante', `/console/t/${reference}`, `/console/t/${reference}/history`, '/console/quarantine', '/console/outbox?state=sent', '/console/canned', '/console/blocked', '/console/agents', '/console/agents/bo', '/console/trail', '/console/account', '/console/account/codes', '/console/keys', '/console/nothing']) {
      await page.goto(base + path);
      await page.evaluate(() => { for (const part of document.querySelectorAll('details')) { part.removeAttribute('name'); part.open = true; } });
      assert.deepEqual(await axe(page), [], path);
      const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(wide <= room, `${path} is ${wide} px wide in a window of ${room}`);
    }
    page.complaints = page.complaints.filter((words) => !words.includes('404'));
    await done(page);
    const stranger = await (await browser.newContext(options)).newPage();
    await stranger.goto(base + '/console');
    assert.deepEqual(await axe(stranger), []);
  });
}

it('pictures of the list and of a ticket', async () => {
  if (!pictures) return;
  const seeds = [['Claire Moreau <claire@client.test>', 'VPN impossible depuis ce matin', 'Toute l’équipe est bloquée, c’est urgent !'], ['Marc Lemaire <marc@client.test>', 'Server down: nobody can work', 'The ERP server is down since 9:00, the whole organisation cannot work. Urgent!'], ['Sofia Bianchi <sofia@client.test>', 'Accès au dossier Comptabilité', 'Pourriez-vous m’ouvrir l’accès au dossier partagé ?'], ['Ahmed Benali <ahmed@client.test>', 'Écran noir après mise à jour', 'Depuis cette nuit mon écran reste noir.'], ['Emily Stone <emily@client.test>', 'New laptop for the trainee', 'A trainee starts on Monday and needs a laptop.']];
  for (const seed of seeds) mail(...seed);
  const reference = mail('Jean Dupont <jean.dupont@client.test>', 'Imprimante bloquée au 2e étage', 'Bonjour,\n\nL’imprimante du couloir affiche « bourrage papier » depuis ce matin.\nNous avons ouvert tous les capots, rien.\n\nMerci,\nJean');
  const bo = await agent('bo');
  await bo.goto(`${base}/console/t/${reference}`);
  await bo.getByRole('button', { name: 'Assign to me' }).click();
  await bo.locator('#words').fill('Bonjour Jean,\n\nUn technicien passe à 11 h.\n\nBo');
  await bo.getByRole('button', { name: 'Send', exact: true }).click();
  await bo.locator('#note summary').click();
  await bo.locator('#notewords').fill('Même panne qu’en septembre : vérifier le bac 2.');
  await bo.getByRole('button', { name: 'Add note' }).click();
  await bo.locator('#words').pressSequentially('Bonjour');
  for (const [name, options] of [['desktop', {}], ['dark-fr', { colorScheme: 'dark', locale: 'fr-FR' }], ['phone-fr', { viewport: { width: 360, height: 740 }, locale: 'fr-FR' }]]) {
    const page = await agent('ana', options);
    await page.locator('#rows').waitFor();
    await page.screenshot({ path: join(pictures, `console-list-${name}.png`) });
    await page.goto(`${base}/console/t/${reference}`);
    await page.locator('#composer').waitFor();
    await page.screenshot({ path: join(pictures, `console-ticket-${name}.png`) });
    await done(page);
  }
  await done(bo);
});
