// The contract: what the widget and the made-up desk say is what channels/chat/protocol describes, and the golden conversations are
// understood by the client that visitors run.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { Session } from '../../web/widget/session.js';
import { Disk, World, thread } from './world.js';

const PROTOCOL = new URL('../../channels/chat/protocol/', import.meta.url);
const schema = JSON.parse(readFileSync(new URL('guichet.v1.schema.json', PROTOCOL), 'utf8'));
const golden = readdirSync(new URL('golden/', PROTOCOL)).map((name) => ({ name, steps: readFileSync(new URL(`golden/${name}`, PROTOCOL), 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line)) }));

test('every frame of 20 bad networks is one the schema knows, in both directions', () => {
  for (let seed = 0; seed < 20; seed++) {
    const world = new World(seed);
    const spy = (from) => (frame) => assert.deepEqual(faults(schema.$defs[from], frame), [], `${from}: ${JSON.stringify(frame)}`);
    const join = world.desk.join.bind(world.desk);
    world.desk.join = (peer, more) => {
      const { send } = peer;
      peer.send = (frame) => (spy('server')(JSON.parse(JSON.stringify(frame))), send(frame));
      return join(peer, more);
    };
    const frames = world.desk.frames.bind(world.desk);
    world.desk.frames = (peer, frame) => (spy('client')(frame), frames(peer, frame));
    const page = world.page(new Disk());
    page.token = 'A'.repeat(43);
    page.start();
    page.send('hello', { form: { email: 'ann@example.org' } });
    world.pass(3_000);
    page.typing(true);
    world.desk.reply(world.desk.latest, 'Which floor?');
    world.desk.tell(world.desk.latest, { type: 'typing', from: { kind: 'agent', name: 'Ana' }, on: true, ttl_ms: 5_000 });
    world.pass(500);
    page.read();
    if (seed % 2) world.cut();
    page.send('the second');
    page.act('close');
    page.act('rate', { score: 4, text: 'Fine.' });
    page.act('reopen');
    page.act('transcript');
    page.act('contact', { email: 'ann@example.org' });
    page.identify('a.b.c');
    world.pass(60_000);
    page.older();
    page.again(1);
    page.wake();
    world.pass(60_000);
    assert.equal(page.store.waiting().length, 0);
  }
});

for (const { name, steps } of golden) {
  test(`golden: ${name}: the client understands what the server says`, () => {
    const world = new World(1);
    const values = new Map();
    const fill = (value) =>
      typeof value === 'string' && /^<.*>$/.test(value) ? (values.get(value) ?? (values.set(value, made(value, values.size)), values.get(value)))
      : Array.isArray(value) ? value.map(fill)
      : value && typeof value === 'object' ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [fill(key), fill(inner)]))
      : value;
    const wires = [];
    const heard = [];
    const session = new Session({
      disk: new Disk(), key: 'golden', sockets: true, now: () => world.time, timer: (fn, ms) => world.timer(fn, ms), random: () => 0, secret: () => fill('<token>'), uuid: () => world.uuid(),
      dial: (kind, of, handlers) => (wires.push(handlers), { send() {}, close() {} }), hello: () => ({ lang: 'en' }),
    }, { change() {}, event: (...told) => heard.push(told), returned() {} });
    session.start();
    wires.at(-1).up();
    for (const { dir, frame, code } of steps) {
      if (dir === 'c>s' && frame.type === 'msg' && session.link === 'online') {
        // The client makes its own ids; the conversation is told in them.
        const cid = session.send(frame.text || 'x');
        values.set(frame.cid, cid);
      } else if (dir === 's>c') wires.at(-1).frame(fill({ v: 1, limits: { text: 1 }, desk: { open: true, tz: 'UTC' }, ...frame }));
      else if (dir === 'cut') wires.at(-1).lost({ code: 1006, opened: true }), session.wake(), wires.at(-1).up();
      else if (dir === 'close') wires.at(-1).lost({ code, opened: true });
    }
    const said = steps.filter(({ dir, frame }) => dir === 's>c' && frame.type === 'event').map(({ frame }) => fill(frame));
    if (!name.includes('else')) for (const event of said) assert.equal(session.convs.get(event.conv)?.events.get(event.seq)?.text, event.text);
    if (name.startsWith('settled')) assert.equal(session.conv.askRating, true);
    if (name.startsWith('an-agent')) assert.deepEqual(thread(session).slice(-2), ['Which floor, please?', 'The second.']);
    if (name.startsWith('unsupported')) assert.equal(session.link, 'refused');
    if (name.startsWith('logout')) assert.ok(heard.some(([what]) => what === 'logout'));
  });
}

const made = (name, n) =>
  name === '<_>' || name === '<ticket>' ? `value ${n}` : name.includes('token') ? 'T'.repeat(42) + (n % 10) : `00000000-0000-4000-9000-${String(n).padStart(12, '0')}`;

/** What of `value` the schema forbids: as much of JSON Schema as ours uses. */
function faults(rule, value, at = '') {
  if (rule.$ref) return faults(schema.$defs[rule.$ref.split('/').at(-1)], value, at);
  if (rule.oneOf) {
    const fits = rule.oneOf.filter((one) => faults(one, value, at).length === 0);
    return fits.length === 1 ? [] : [`${at}: fits ${fits.length} of ${rule.oneOf.length}`];
  }
  const type = Array.isArray(value) ? 'array' : Number.isInteger(value) ? 'integer' : typeof value;
  const found = [];
  const wrong = (bad, what) => bad && found.push(`${at}: ${what}`);
  wrong(rule.type && rule.type !== type && !(rule.type === 'number' && type === 'integer'), `is ${type}, not ${rule.type}`);
  wrong('const' in rule && rule.const !== value, `is not ${rule.const}`);
  wrong(rule.enum && !rule.enum.includes(value), `is none of ${rule.enum}`);
  wrong(rule.pattern && !new RegExp(rule.pattern).test(value), `does not look like ${rule.pattern}`);
  wrong(rule.minLength > value?.length || rule.maxLength < value?.length || rule.maxItems < value?.length, 'has the wrong length');
  wrong(rule.minimum > value || rule.maximum < value, 'is out of bounds');
  for (const name of rule.required ?? []) wrong(value?.[name] === undefined, `lacks ${name}`);
  if (type === 'object')
    for (const [name, inner] of Object.entries(value)) {
      const known = rule.properties?.[name] ?? (typeof rule.additionalProperties === 'object' ? rule.additionalProperties : null);
      if (known) found.push(...faults(known, inner, `${at}/${name}`));
    }
  if (type === 'array' && rule.items) value.forEach((inner, i) => found.push(...faults(rule.items, inner, `${at}/${i}`)));
  return found;
}
