// Visitors, a desk and a bad network on one made-up clock: every delay, cut and restart is drawn from a seed, so a failing round can
// be played again.
import { Session } from '../../web/widget/session.js';
import { Desk } from './desk.js';

export class World {
  constructor(seed, options) {
    this.random = dice(seed);
    this.time = Date.UTC(2026, 10, 22, 9);
    this.agenda = [];
    this.ids = 0;
    this.wires = new Set();
    this.desk = new Desk({ now: () => this.time, ...options });
    this.down = false;
  }

  timer(fn, ms) {
    const item = { at: this.time + Math.max(0, ms ?? 0), n: this.ids++, fn };
    this.agenda.push(item);
    return () => (item.fn = () => {});
  }

  /** Lets time pass, doing everything that falls due. */
  pass(ms) {
    const until = this.time + ms;
    for (;;) {
      const due = this.agenda.filter((item) => item.at <= until).sort((a, b) => a.at - b.at || a.n - b.n)[0];
      if (!due) break;
      this.agenda.splice(this.agenda.indexOf(due), 1);
      this.time = Math.max(this.time, due.at);
      due.fn();
    }
    this.time = until;
  }

  uuid() {
    return `00000000-0000-4000-8000-${String(this.ids++).padStart(12, '0')}`;
  }

  /** A page with the widget in it. `disk` is the browser's storage, which outlives pages; `tabs` what they share. */
  page(disk, tabs, { sockets = true } = {}) {
    const told = [];
    const env = {
      disk, key: 'guichet test', sockets,
      now: () => this.time, timer: (fn, ms) => this.timer(fn, ms), random: this.random, uuid: () => this.uuid(),
      secret: () => Array.from({ length: 43 }, () => 'abcdefghijklmnop'[Math.floor(this.random() * 16)]).join(''),
      dial: (kind, session, handlers) => this.#wire(kind, handlers),
      hello: () => ({ lang: 'en', tz: 'Europe/Paris' }),
      tabs: tabs?.open(),
    };
    const returned = [];
    const session = new Session(env, { change() {}, event: (name, detail) => told.push([name, detail]), returned: (entry) => returned.push(entry) });
    return Object.assign(session, { told, returned });
  }

  cut(code = 1006) {
    for (const wire of [...this.wires]) wire.cut(code);
  }

  #wire(kind, handlers) {
    const wire = { kind, alive: true, opened: false, last: 0 };
    // Frames keep their order on one wire and are lost together when it is cut.
    const later = (fn, min = 1) => {
      wire.last = Math.max(wire.last, this.time + min + this.random() * 80);
      this.timer(() => wire.alive && fn(), wire.last - this.time);
    };
    const peer = { send: (frame) => later(() => handlers.frame(structuredClone(frame))), close: (code) => later(() => wire.cut(code)) };
    wire.cut = (code) => {
      if (!wire.alive) return;
      wire.alive = false;
      this.wires.delete(wire);
      this.desk.leave(peer);
      // The browser may notice at once or after a while.
      this.timer(() => handlers.lost({ code, opened: wire.opened }), this.random() * 2_000);
    };
    this.wires.add(wire);
    if (this.down || this.blind?.(kind)) later(() => wire.cut(1006));
    else
      later(() => {
        wire.opened = true;
        this.desk.join(peer);
        handlers.up();
      });
    return {
      send: (frames) => frames.forEach((frame) => later(() => this.desk.frames(peer, JSON.parse(JSON.stringify(frame))))),
      close: () => {
        wire.alive = false;
        this.wires.delete(wire);
        this.desk.leave(peer);
      },
    };
  }
}

export class Disk {
  #rows = new Map();
  get length() {
    return this.#rows.size;
  }
  key(i) {
    return [...this.#rows.keys()][i] ?? null;
  }
  getItem(key) {
    return this.#rows.get(key) ?? null;
  }
  setItem(key, value) {
    this.#rows.set(key, String(value));
  }
  removeItem(key) {
    this.#rows.delete(key);
  }
}

/** The tabs of one browser, heard by one another after the world's next tick. */
export class Tabs {
  constructor(world) {
    this.world = world;
    this.all = new Set();
  }
  open() {
    const tab = { onnote() {}, post: (note) => this.all.forEach((other) => other !== tab && this.world.timer(() => this.all.has(other) && other.onnote(note), 1)), close: () => this.all.delete(tab) };
    this.all.add(tab);
    return tab;
  }
}

/** Mulberry32: small, seeded, good enough to choose accidents. */
export function dice(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** What the visitor sees of the conversation on the screen. */
export const thread = (session) => {
  const conv = session.conv;
  if (!conv) return [];
  return Array.from({ length: conv.last - conv.floor }, (_, i) => conv.events.get(conv.floor + 1 + i)).map((event) => event.text);
};
