import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Disk, Tabs, World, thread } from './world.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

test('the first message opens a ticket, and its ack names it', () => {
  const world = new World(1);
  const page = world.page(new Disk());
  page.start();
  page.send('The printer is broken.');
  world.pass(SECOND);
  assert.equal(page.conv.ticket, 'GT-482-109-3755');
  assert.deepEqual(thread(page), ['The printer is broken.', 'We have your request. Its reference is GT-482-109-3755.']);
  assert.deepEqual(page.told.find(([name]) => name === 'ack')[1].ticket, 'GT-482-109-3755');
});

test('nothing is stored before the first message, not even by connecting', () => {
  const world = new World(2);
  const disk = new Disk();
  const page = world.page(disk);
  page.start();
  world.pass(MINUTE);
  assert.equal(page.link, 'online');
  assert.equal(disk.length, 0);
});

test('messages written in one breath belong to one ticket, in their order', () => {
  const world = new World(3);
  const page = world.page(new Disk());
  page.start();
  for (const text of ['one', 'two', 'three']) page.send(text);
  world.pass(5 * SECOND);
  assert.equal(world.desk.convs.size, 1);
  assert.deepEqual(thread(page).filter((text) => text.length < 6), ['one', 'two', 'three']);
});

test('what was typed offline survives a reload and is sent when the network is back', () => {
  const world = new World(4);
  const disk = new Disk();
  world.down = true;
  const before = world.page(disk);
  before.start();
  before.send('typed in a tunnel');
  world.pass(5 * MINUTE);
  assert.equal(before.isLate(before.store.waiting()[0]), true, 'after a minute the visitor is told');
  before.stop();
  world.down = false;
  const after = world.page(disk);
  after.start();
  world.pass(SECOND);
  assert.deepEqual(thread(after)[0], 'typed in a tunnel');
  assert.equal(after.store.waiting().length, 0);
});

test('a reply during a cut comes once, and is announced once', () => {
  const world = new World(5);
  const page = world.page(new Disk());
  page.start();
  page.send('hello');
  world.pass(SECOND);
  world.down = true;
  world.cut();
  world.desk.reply(world.desk.latest, 'Which floor?');
  world.pass(10 * SECOND);
  world.down = false;
  page.wake();
  world.pass(MINUTE);
  assert.deepEqual(thread(page).filter((text) => text === 'Which floor?').length, 1);
  assert.equal(page.told.filter(([name, event]) => name === 'message' && event.text === 'Which floor?').length, 1);
});

test('reconnecting waits longer each time, never more than 30 s, and never gives up', () => {
  const world = new World(6);
  world.down = true;
  const page = world.page(new Disk());
  page.start();
  const waits = [];
  let seen;
  for (let i = 0; i < 3_000; i++) {
    world.pass(SECOND);
    if (page.link === 'waiting' && page.retryAt !== seen) waits.push((seen = page.retryAt) - world.time);
  }
  assert.ok(waits.length > 50, `tried ${waits.length} times`);
  assert.ok(Math.max(...waits) <= 30 * SECOND);
  world.down = false;
  world.pass(MINUTE);
  assert.equal(page.link, 'online');
});

test('two sockets that never open make it go over HTTP; ten minutes later a socket is tried again', () => {
  const world = new World(7);
  const tried = [];
  world.blind = (kind) => (tried.push(kind), kind === 'ws');
  const page = world.page(new Disk());
  page.start();
  world.pass(MINUTE);
  assert.deepEqual(tried, ['ws', 'ws', 'http']);
  assert.equal(page.link, 'online');
  world.pass(10 * MINUTE);
  world.cut();
  world.pass(10 * SECOND);
  assert.ok(tried.slice(3).includes('ws'));
});

test('without WebSocket it goes over HTTP at once', () => {
  const world = new World(8);
  const page = world.page(new Disk(), null, { sockets: false });
  page.start();
  world.pass(SECOND);
  assert.equal(page.via, 'http');
  assert.equal(page.link, 'online');
});

test('who writes too much is told until when, and the message goes by itself after that', () => {
  const world = new World(9);
  const page = world.page(new Disk());
  page.start();
  world.desk.refuse = ({ type }) => type === 'msg' && { code: 'rate_limited', message: 'Too many messages: again at 09:01, or write to help@desk.example.', retry_after_ms: 30_000, email: 'help@desk.example' };
  page.send('again');
  world.pass(SECOND);
  assert.match(page.trouble.message, /help@desk\.example/);
  assert.ok(page.trouble.until > world.time + 28 * SECOND);
  world.desk.refuse = null;
  world.pass(20 * SECOND);
  assert.equal(world.desk.convs.size, 0, 'not before its time');
  world.pass(15 * SECOND);
  assert.equal(thread(page)[0], 'again');
});

test('a refused message keeps its text and can be thrown away; the next one is not held up', () => {
  const world = new World(10);
  const page = world.page(new Disk());
  page.start();
  const long = page.send('x'.repeat(10_001));
  page.send('short');
  world.pass(SECOND);
  assert.equal(page.store.entry(long).error.code, 'too_long');
  assert.equal(thread(page)[0], 'short');
  page.discard(long);
  assert.equal(page.store.waiting().length, 0);
});

test('a form the desk cannot accept comes back with the words typed', () => {
  const world = new World(11);
  const page = world.page(new Disk());
  page.start();
  page.send('hello', { form: { email: 'nonsense' } });
  world.pass(SECOND);
  assert.equal(page.returned[0].text, 'hello');
  assert.equal(page.store.waiting().length, 0);
});

test('a message to a closed conversation follows it in a new one, and so do those behind it', () => {
  const world = new World(12);
  const page = world.page(new Disk());
  page.start();
  page.send('first');
  world.pass(SECOND);
  world.desk.settle(world.desk.latest, 'closed');
  world.pass(SECOND);
  page.send('and now');
  page.send('this');
  world.pass(2 * SECOND);
  assert.equal(world.desk.convs.size, 2);
  assert.deepEqual(thread(page).filter((text) => text.length < 8), ['and now', 'this']);
});

test('settle, rate, reopen, contact and transcript are acts that survive a cut', () => {
  const world = new World(13);
  const page = world.page(new Disk());
  page.start();
  page.send('first');
  world.pass(SECOND);
  world.down = true;
  world.cut();
  page.act('contact', { email: 'ann@example.org' });
  page.act('close');
  page.act('rate', { score: 5, text: 'Quick.' });
  world.pass(MINUTE);
  world.down = false;
  world.pass(MINUTE);
  const conv = world.desk.latest;
  assert.deepEqual([conv.email, conv.rating.score, conv.status, page.conv.askRating], ['ann@example.org', 5, 'resolved', false]);
});

test('a long history comes from its end, and the rest when it is asked for', () => {
  const world = new World(14);
  const disk = new Disk();
  const first = world.page(disk);
  first.start();
  first.send('start');
  world.pass(SECOND);
  for (let i = 0; i < 120; i++) world.desk.reply(world.desk.latest, `answer ${i}`);
  first.stop();
  const page = world.page(disk);
  page.start();
  world.pass(MINUTE);
  assert.equal(thread(page).length, 50);
  for (let i = 0; i < 4; i++) page.older(), world.pass(SECOND);
  assert.equal(thread(page).length, 122);
  assert.equal(thread(page)[0], 'start');
});

test('two tabs show the same conversation, and a message is sent by one of them', () => {
  const world = new World(15);
  const [disk, tabs] = [new Disk(), new Tabs(world)];
  const [one, two] = [world.page(disk, tabs), world.page(disk, tabs)];
  one.start();
  two.start();
  world.pass(SECOND);
  one.send('from the first');
  world.pass(5 * SECOND);
  assert.equal(two.token, one.token);
  assert.deepEqual(thread(two), thread(one));
  two.send('from the second');
  world.pass(5 * SECOND);
  assert.deepEqual(thread(one).filter((text) => text.startsWith('from')), ['from the first', 'from the second']);
  one.read();
  world.pass(SECOND);
  assert.equal(two.unread, 0);
});

test('logging out forgets everything, in the other tabs too', () => {
  const world = new World(16);
  const [disk, tabs] = [new Disk(), new Tabs(world)];
  const [one, two] = [world.page(disk, tabs), world.page(disk, tabs)];
  one.start();
  two.start();
  one.send('secret');
  world.pass(5 * SECOND);
  one.logout();
  world.pass(5 * SECOND);
  assert.equal(disk.length, 0);
  assert.equal(two.conv, null);
  assert.notEqual(two.convs.size, 1);
});

test('storage that is full or forbidden costs nothing but the memory across pages', () => {
  const world = new World(17);
  const disk = new Disk();
  disk.setItem = () => {
    throw new Error('QuotaExceededError');
  };
  const page = world.page(disk);
  page.start();
  page.send('still here');
  world.pass(SECOND);
  assert.equal(thread(page)[0], 'still here');
});

test('a conversation the server has forgotten costs no word: the text opens a new one', () => {
  const world = new World(18);
  const page = world.page(new Disk());
  page.start();
  page.send('one');
  world.pass(SECOND);
  world.desk.convs.clear();
  page.send('two');
  world.pass(SECOND);
  assert.equal(thread(page)[0], 'two');
});

test('200 rounds of cuts, restarts and reloads: every message once, in order, on both sides', () => {
  for (let round = 0; round < 200; round++) play(round);
});

/** One visitor with one or two tabs, a talking agent, and a network that breaks. */
function play(round) {
  const world = new World(1_000 + round);
  const [disk, tabs] = [new Disk(), new Tabs(world)];
  const pages = [world.page(disk, tabs)];
  pages[0].start();
  const written = [];
  const answered = [];
  for (let step = 0; step < 40; step++) {
    const at = Math.floor(world.random() * pages.length);
    const page = pages[at];
    const dice = world.random();
    if (dice < 0.3) {
      const text = `visitor ${written.length}`;
      page.send(text);
      written.push(text);
    } else if (dice < 0.5 && world.desk.latest) {
      const text = `agent ${answered.length}`;
      world.desk.reply(world.desk.latest, text);
      answered.push(text);
    } else if (dice < 0.65) world.cut();
    else if (dice < 0.72) (world.down = true), world.cut(1012);
    else if (dice < 0.8) world.down = false;
    else if (dice < 0.88) {
      // A reload: the page is gone in the middle of whatever it did.
      page.stop();
      page.env.tabs.close();
      pages[at] = world.page(disk, tabs);
      pages[at].start();
    } else if (dice < 0.92 && pages.length < 2) {
      pages.push(world.page(disk, tabs));
      pages[1].start();
    } else pages.forEach((each) => each.wake());
    world.pass(world.random() * 6_000);
  }
  world.down = false;
  world.pass(5 * MINUTE);
  const told = [...world.desk.convs.values()].flatMap((conv) => conv.events.filter(({ cid }) => cid).map(({ text }) => text));
  assert.deepEqual([...told].sort(), [...written].sort(), `round ${round}: the desk has each message once`);
  if (pages.length === 1) {
    assert.ok(world.desk.convs.size <= 1, `round ${round}: one tab, one ticket`);
    assert.deepEqual(told, written, `round ${round}: in the order they were written`);
  }
  for (const page of pages) {
    assert.equal(page.link, 'online', `round ${round}`);
    assert.equal(page.store.waiting().length, 0, `round ${round}: nothing is left unsent`);
    for (const conv of world.desk.convs.values()) {
      const seen = page.convs.get(conv.id);
      assert.deepEqual(
        Array.from({ length: seen.last - seen.floor }, (_, i) => seen.events.get(seen.floor + 1 + i).text),
        conv.events.slice(seen.floor).map(({ text }) => text),
        `round ${round}: the page shows what the desk has`,
      );
      assert.equal(seen.events.size, seen.last - seen.floor, `round ${round}: and nothing else`);
    }
  }
}
