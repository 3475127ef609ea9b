// The protocol `guichet.v1` as the visitor's side lives it; docs/CHAT-PROTOCOL.md is the contract. No DOM, no clock, no socket of
// its own: `env` brings them, so that node can cut, restart and replay it. One frame is under way at a time, so what was written
// first arrives first; whatever has no ack is sent again, and the server knows it by its `cid`.
import { Store } from './outbox.js';

const PAGE = 50;
const PASSING = new Set(['busy', 'rate_limited', 'internal']);
const LATE = 60_000;
const ACK_WITHIN = 15_000;
const ADOPT_AFTER = 20_000;
const WS_AGAIN = 600_000;

export class Session {
  /**
   * @param env {disk, key, now(), timer(fn, ms) → cancel(), random() → 0…1, secret(), uuid(), dial(kind, session, handlers) → {send(frames), close()},
   *   sockets: whether WebSocket exists, tabs?: {post(note), onnote}, hello() → {lang, tz, page, client}}
   * @param on {change(), event(name, detail), returned(entry, error)}
   */
  constructor(env, on) {
    this.env = env;
    this.on = on;
    this.store = new Store(env.disk, env.key);
    this.id = env.uuid();
    this.token = this.store.get('session')?.token ?? env.secret();
    this.identity = null;
    this.convs = new Map();
    this.current = this.store.get('session')?.conv ?? null;
    this.link = 'off';
    this.failures = 0;
    this.blindFailures = 0;
    this.flying = null;
    this.heldUntil = 0;
    this.born = env.now();
    if (env.tabs) env.tabs.onnote = (note) => this.#note(note);
  }

  get started() {
    return this.store.kept;
  }

  get conv() {
    return this.convs.get(this.current) ?? null;
  }

  /** How far we got, of the 20 conversations the server wants to hear of: the one on the screen first. */
  get cursors() {
    const known = [...this.convs.values()].filter((conv) => conv.known != null).sort((a, b) => (b.id === this.current) - (a.id === this.current));
    return Object.fromEntries(known.slice(0, 20).map((conv) => [conv.id, conv.last]));
  }

  get unread() {
    return [...this.convs.values()].reduce((sum, { unread }) => sum + unread, 0);
  }

  /** Connects and stays connected, whatever happens, until `stop`. Twice is once. */
  start() {
    if (this.wanted) return;
    this.wanted = true;
    this.#dial();
  }

  stop() {
    this.wanted = false;
    this.#hangUp();
    this.#set('off');
  }

  /** The network or the visitor is back: try at once, and doubt a link that has been silent. */
  wake() {
    if (!this.wanted || this.link === 'refused') return;
    if (this.link !== 'online') {
      if (this.link !== 'connecting') this.#dial();
    } else if (this.env.now() - this.heard > 20_000) {
      this.#transmit({ type: 'ping', t: this.env.now() });
      const asked = this.env.now();
      this.env.timer(() => this.link === 'online' && this.heard < asked && this.#lost({ opened: true }), 5_000);
    }
  }

  // ---- what the visitor does ----

  /** Takes a message for good: it stays until the server has it or the visitor throws it away. */
  send(text, { files, form } = {}) {
    const head = this.current == null && this.store.waiting().find((entry) => entry.kind === 'msg' && entry.conv == null && !entry.error);
    const entry = this.#enter('msg', {
      conv: this.current,
      group: head ? head.group : this.env.uuid(),
      text,
      files: files?.length ? files : undefined,
      form: head ? undefined : form,
    });
    return entry.cid;
  }

  /** rate, close, reopen, transcript, contact: kept and repeated like a message. */
  act(kind, more = {}) {
    if (this.current != null) this.#enter(kind, { conv: this.current, more });
  }

  typing(on) {
    const now = this.env.now();
    if (this.current == null || this.link !== 'online' || (on ? now - (this.typed ?? 0) < 3_000 : !this.typed)) return;
    this.typed = on ? now : 0;
    this.#transmit({ type: 'typing', conv: this.current, on });
  }

  /** What is on the visitor's screen has been read. */
  read() {
    const conv = this.conv;
    if (!conv || conv.last <= conv.readUpto) return;
    conv.readUpto = conv.last;
    this.#count(conv);
    if (this.link === 'online') this.#transmit({ type: 'read', conv: conv.id, upto: conv.last });
    this.env.tabs?.post({ read: conv.id, upto: conv.last });
    this.#changed();
  }

  older() {
    const conv = this.conv;
    if (conv?.floor > 0) this.#transmit({ type: 'sync', conv: conv.id, before: conv.floor + 1, limit: PAGE });
  }

  /** Looks once more at one entry, whose links have expired. */
  again(seq) {
    this.#transmit({ type: 'sync', conv: this.current, after: seq - 1, limit: 1 });
  }

  retry(cid) {
    const entry = this.store.entry(cid);
    if (!entry) return;
    this.store.put({ ...entry, error: undefined, tried: this.env.now(), tab: this.id });
    this.wake();
    this.#flush();
    this.#changed();
  }

  discard(cid) {
    this.store.done(cid);
    if (this.flying?.cid === cid) this.#landed();
    this.#changed();
    this.#flush();
  }

  /** The next message opens a new ticket. */
  fresh() {
    this.#choose(null);
  }

  choose(id) {
    this.#choose(id);
    const conv = this.conv;
    if (conv) this.#catchUp(conv);
  }

  identify(jwt) {
    this.identity = jwt;
    if (this.link === 'refused') {
      this.link = 'off';
      if (this.wanted) this.#dial();
    } else if (this.link === 'online') this.#transmit({ type: 'identify', jwt });
  }

  /** Ends the session here, in the other tabs and on the server; the next message starts from nothing. */
  logout() {
    if (this.link === 'online') this.#transmit({ type: 'logout' });
    this.env.tabs?.post({ wiped: true });
    this.#wipe();
  }

  /** Whether an unsent entry should be shown as a failure. */
  isLate(entry) {
    return Boolean(entry.error) || this.env.now() - (entry.tried ?? entry.at) >= LATE;
  }

  // ---- the link ----

  #dial() {
    this.cancelWait?.();
    this.#hangUp();
    const now = this.env.now();
    if (this.blindFailures >= 2 && !(this.blindUntil > now)) {
      // Either the first time, or it has been long enough to try the better way once more.
      if (this.blindUntil == null) this.blindUntil = now + WS_AGAIN;
      else [this.blindUntil, this.blindFailures] = [null, 1];
    }
    const blind = !this.env.sockets || this.blindUntil > now;
    this.via = blind ? 'http' : 'ws';
    this.#set('connecting');
    const link = {};
    const mine = (then) => (value) => this.wire === link && then(value);
    this.wire = link;
    Object.assign(
      link,
      this.env.dial(this.via, this, {
        up: mine(() => this.#transmit(this.#hello())),
        frame: mine((frame) => this.#handle(frame)),
        lost: mine((why) => this.#lost(why ?? {})),
      }),
    );
    this.cancelGreeting = this.env.timer(mine(() => this.#lost({})), 20_000);
  }

  #hello() {
    return { type: 'hello', v: 1, token: this.token, identity: this.identity ?? undefined, cursors: this.cursors, ...this.env.hello() };
  }

  #hangUp() {
    this.cancelWait?.();
    this.cancelGreeting?.();
    this.#landed();
    for (const conv of this.convs.values()) conv.asked = null;
    const wire = this.wire;
    this.wire = null;
    wire?.close?.();
  }

  #lost({ code, opened }) {
    const was = this.link;
    const flew = this.flying?.cid;
    this.#hangUp();
    if (!this.wanted) return;
    if (this.via === 'ws' && !opened && was !== 'online') this.blindFailures++;
    // Logged out by another tab.
    if (code === 4001 && was === 'online') return this.#wipe();
    if (code === 4002) return this.#refuse({ code: 'unsupported_version' });
    if (code === 1009 && flew) this.#fail(flew, { code: 'too_long' });
    if (code === 4003) return this.#refuse({ code: 'identity_required' });
    // Too many tabs: the oldest yields, and comes back when somebody looks at it.
    if (code === 4011) return this.#set('elsewhere');
    const ceiling = Math.min(30_000, 500 * 2 ** Math.min(this.failures++, 10));
    let wait = code === 4008 ? 0 : (0.5 + this.env.random() / 2) * ceiling;
    if (code === 4029) wait = Math.max(wait + 10_000, this.heldUntil - this.env.now());
    this.#set('waiting');
    this.retryAt = this.env.now() + wait;
    this.cancelWait = this.env.timer(() => this.#dial(), wait);
  }

  #refuse(error) {
    this.#hangUp();
    this.refusal = error;
    this.#set('refused');
    this.on.event('identity', error);
  }

  #transmit(frame) {
    this.wire?.send?.([frame]);
  }

  #set(link) {
    if (link === this.link) return;
    if (this.link === 'online' || this.since == null) this.since = this.env.now();
    this.link = link;
    this.#changed();
  }

  // ---- the outbox ----

  #enter(kind, rest) {
    const now = this.env.now();
    if (!this.store.kept) this.#adopt();
    const last = this.store.waiting().at(-1);
    const at = Math.max(now, last?.at ?? 0);
    const entry = { cid: this.env.uuid(), kind, at, n: last?.at === at ? last.n + 1 : 0, tab: this.id, ...rest };
    this.store.put(entry);
    this.store.set('session', { token: this.token, conv: this.current });
    this.store.keep();
    this.env.tabs?.post({ changed: true });
    this.env.timer(() => this.#changed(), LATE);
    this.#changed();
    this.#flush();
    return entry;
  }

  /** Another tab may have begun the session since this page was opened: there is one session a browser. */
  #adopt() {
    this.store.reload();
    const theirs = this.store.get('session')?.token;
    if (!theirs || theirs === this.token) return;
    this.token = theirs;
    if (this.wanted) this.#dial();
  }

  #flush() {
    const now = this.env.now();
    if (this.link !== 'online' || this.flying) return;
    if (now < this.heldUntil) return this.#later(this.heldUntil - now);
    const ready = this.store.waiting().filter((entry) => !entry.error);
    // What another tab has just written is its to send, unless that tab is gone.
    const next = ready.find((entry) => entry.tab === this.id || entry.tab == null || entry.at < this.born || now - entry.at >= ADOPT_AFTER);
    if (!next) return ready.length ? this.#later(ADOPT_AFTER) : undefined;
    const { cid, kind, conv, text, files, form, more } = next;
    this.flying = { cid, cancel: this.env.timer(() => this.#lost({ opened: true }), ACK_WITHIN) };
    this.#transmit({ type: kind, cid, conv: conv ?? undefined, text, files: files?.map((file) => file.id), form, ...more });
  }

  #later(ms) {
    this.cancelLater?.();
    this.cancelLater = this.env.timer(() => this.#flush(), ms);
  }

  #landed() {
    this.flying?.cancel();
    this.flying = null;
  }

  #fail(cid, error) {
    const entry = this.store.entry(cid);
    if (!entry) return;
    if (entry.kind !== 'msg') this.store.done(cid);
    else if (error.code === 'form_invalid') this.store.done(cid), this.on.returned?.(entry, error);
    else this.store.put({ ...entry, error });
  }

  // ---- what the server says ----

  #handle(frame) {
    this.heard = this.env.now();
    const told = {
      welcome: this.#welcome, ack: this.#ack, done: this.#done, event: this.#event, synced: this.#synced, conv: this.#summary, typing: this.#seen, presence: this.#seen,
      read: ({ conv, upto }) => this.#seenUpto(this.#conv(conv), upto), desk: () => (this.desk = frame), error: this.#error,
    };
    if (Object.hasOwn(told, frame.type)) told[frame.type].call(this, frame);
    this.#changed();
  }

  #welcome(frame) {
    this.cancelGreeting?.();
    this.failures = 0;
    if (this.via === 'ws') [this.blindFailures, this.blindUntil] = [0, null];
    this.refusal = this.trouble = null;
    const { verified, limits, desk, email, convs = [] } = frame;
    Object.assign(this, { verified, limits, desk, email: email ?? this.email });
    for (const told of convs) {
      const conv = this.#conv(told.conv);
      // Fewer entries than we have: it was joined with another, and begins anew.
      if (told.last_seq < conv.last) Object.assign(conv, { last: 0, floor: 0, top: 0, known: 0 }), conv.events.clear();
      if (conv.known == null) {
        conv.known = told.last_seq;
        conv.floor = conv.last = Math.max(0, told.last_seq - PAGE);
        conv.unread = told.unread;
      }
      this.#told(conv, told);
      conv.top = Math.max(conv.top, told.last_seq);
      if (conv.readUpto > told.read_upto) this.#transmit({ type: 'read', conv: conv.id, upto: conv.readUpto });
    }
    if (this.current == null && !this.choseFresh) this.current = (convs.find(({ status }) => status !== 'closed') ?? convs[0])?.conv ?? null;
    this.#set('online');
    for (const conv of this.convs.values()) this.#catchUp(conv);
    this.on.event('welcome', frame);
    this.#flush();
  }

  #ack(frame) {
    const { cid, conv: id, ticket, seq, at, follows } = frame;
    const entry = this.#arrived(cid);
    this.trouble = null;
    const conv = this.#conv(id);
    conv.known ??= 0;
    conv.ticket = ticket;
    conv.hasContact ??= Boolean(entry?.form?.email);
    if (entry) {
      this.#opened(entry, conv, follows);
      this.#insert({ conv: id, seq, id: cid, at, cid, kind: 'message', from: { kind: 'visitor' }, text: entry.text, files: entry.files, ours: true });
      this.on.event('ack', { ticket, cid, first: entry.conv == null });
    }
    this.#flush();
  }

  #done({ cid }) {
    const entry = this.#arrived(cid);
    if (entry) this.on.event('done', entry);
    this.#flush();
  }

  #arrived(cid) {
    const entry = this.store.done(cid);
    if (this.flying?.cid === cid) this.#landed();
    if (entry) this.env.tabs?.post({ changed: true });
    return entry;
  }

  /** A message has made its conversation: those written after it, and those for a closed one it follows, belong there. */
  #opened(first, conv, follows) {
    if (first.conv === conv.id) return;
    for (const entry of this.store.waiting())
      if (entry.conv == null ? entry.group === first.group : entry.conv === follows) this.store.put({ ...entry, conv: conv.id, form: undefined });
    if (this.current == null || this.current === follows) this.#choose(conv.id);
  }

  #event(frame) {
    const entry = frame.cid && this.#arrived(frame.cid);
    if (entry) this.#opened(entry, this.#conv(frame.conv), entry.conv);
    this.#insert(frame);
    this.#flush();
  }

  #insert(event) {
    const conv = this.#conv(event.conv);
    conv.known ??= 0;
    conv.top = Math.max(conv.top, event.seq);
    const old = conv.events.get(event.seq);
    if (!old || (old.ours && !event.ours)) conv.events.set(event.seq, event);
    else if (event.files?.[0]?.url) old.files = event.files;
    if (event.seq <= conv.floor) {
      while (conv.floor > 0 && conv.events.has(conv.floor)) conv.floor--;
      return;
    }
    while (conv.events.has(conv.last + 1)) this.#apply(conv, conv.events.get(++conv.last));
    if (event.seq > conv.last) this.#catchUp(conv);
  }

  #apply(conv, event) {
    if (event.from.kind !== 'visitor') {
      if (event.kind === 'message') conv.typing = null;
      if (event.seq > conv.known) this.on.event('message', event);
    }
    this.#count(conv);
  }

  #count(conv) {
    conv.unread = 0;
    for (let seq = Math.max(conv.readUpto, conv.floor) + 1; seq <= conv.last; seq++) {
      const { kind, from } = conv.events.get(seq);
      if (kind !== 'status' && from.kind !== 'visitor') conv.unread++;
    }
  }

  #synced({ conv: id }) {
    const conv = this.#conv(id);
    const stuck = conv.asked === conv.last;
    // An answer that brought nothing is not asked for again at once; the timer of the question will.
    if (stuck) return;
    conv.asked = null;
    this.#catchUp(conv);
  }

  #told(conv, { ticket, status, read_upto, seen_upto, ask_rating, has_contact }) {
    Object.assign(conv, { ticket, status, askRating: ask_rating, hasContact: has_contact });
    this.#seenUpto(conv, seen_upto);
    this.#readElsewhere(conv, read_upto);
  }

  #summary(frame) {
    const conv = this.#conv(frame.conv);
    conv.known ??= 0;
    this.#told(conv, frame);
    conv.top = Math.max(conv.top, frame.last_seq);
    // Its entries come behind it by themselves; only when they do not are they asked for.
    const wire = this.wire;
    this.env.timer(() => this.wire === wire && this.#catchUp(conv), 3_000);
    if (this.current == null && !this.choseFresh) this.#choose(conv.id);
  }

  /** Asks for what is missing between what we have and what we know there is; once, until it comes or the link is another. */
  #catchUp(conv) {
    if (this.link !== 'online' || conv.last >= conv.top) return;
    if (conv.asked != null && conv.last < conv.asked + PAGE) return;
    const after = conv.last;
    conv.asked = after;
    this.#transmit({ type: 'sync', conv: conv.id, after, limit: PAGE });
    const wire = this.wire;
    this.env.timer(() => {
      if (this.wire !== wire || conv.asked !== after) return;
      conv.asked = null;
      this.#catchUp(conv);
    }, 8_000);
  }

  #seen({ type, conv: id, from, name = from?.name, on, ttl_ms }) {
    this.#conv(id)[type] = on ? { name, until: this.env.now() + ttl_ms } : null;
    if (on) this.env.timer(() => this.#changed(), ttl_ms + 1);
  }

  #seenUpto(conv, upto) {
    conv.seenUpto = Math.max(conv.seenUpto, upto);
  }

  #readElsewhere(conv, upto) {
    conv.readUpto = Math.max(conv.readUpto, upto);
    if (conv.last > conv.floor) this.#count(conv);
  }

  #error(frame) {
    const { code, cid, retry_after_ms: wait, email } = frame;
    const now = this.env.now();
    if (email) this.email = email;
    if (cid && this.flying?.cid === cid) this.#landed();
    this.on.event('error', frame);
    this.trouble = frame;
    const entry = cid && this.store.entry(cid);
    if (PASSING.has(code)) {
      this.heldUntil = now + (wait ?? 5_000);
      this.trouble = { ...frame, until: this.heldUntil };
      if (this.flying && !cid) this.#landed();
    } else if (code === 'identity_required' || code === 'identity_invalid' || code === 'unsupported_version') {
      this.#refuse(frame);
    } else if (code === 'session_unknown') {
      this.#renew();
      this.#lost({ opened: true });
    } else if (entry && code === 'conv_unknown') {
      // The server has forgotten the conversation, not the visitor: the text opens a new one.
      if (entry.kind !== 'msg') this.store.done(cid);
      else this.store.put({ ...entry, conv: null, group: entry.group ?? cid }), this.#choose(null);
    } else if (entry) {
      this.#fail(cid, frame);
    }
    this.#flush();
  }

  // ---- several tabs ----

  #note(note) {
    if (note.wiped) return this.#wipe();
    if (note.read) {
      const conv = this.convs.get(note.read);
      if (conv) this.#readElsewhere(conv, note.upto);
    }
    if (note.changed) {
      this.#adopt();
      this.store.reload();
      this.#flush();
    }
    this.#changed();
  }

  #wipe() {
    const wanted = this.wanted;
    this.stop();
    this.store.wipe();
    this.identity = this.trouble = this.refusal = null;
    this.#forget();
    this.on.event('logout', {});
    if (wanted) this.start();
    this.#changed();
  }

  /** The secret is refused. What an unknown visitor wrote goes with the new one; what a known person wrote is not another's to send. */
  #renew() {
    if (this.identity) this.store.wipe();
    this.#forget();
    for (const entry of this.store.waiting()) this.store.put({ ...entry, conv: null });
    if (this.store.kept) this.store.set('session', { token: this.token, conv: null });
  }

  #forget() {
    this.convs.clear();
    this.token = this.env.secret();
    this.current = null;
    this.choseFresh = false;
  }

  #choose(id) {
    this.current = id;
    this.choseFresh = id == null;
    if (this.store.kept) this.store.set('session', { token: this.token, conv: id });
    this.#changed();
  }

  #conv(id) {
    let conv = this.convs.get(id);
    if (!conv) {
      conv = { id, events: new Map(), floor: 0, last: 0, top: 0, readUpto: 0, seenUpto: 0, unread: 0, known: null, asked: null, status: 'open', ticket: null, typing: null };
      this.convs.set(id, conv);
    }
    return conv;
  }

  #changed() {
    this.on.change?.();
  }
}
