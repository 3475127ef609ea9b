// A server of `guichet.v1` in memory, written from docs/CHAT-PROTOCOL.md: the rules a visitor can see and nothing else. It knows
// no socket: `frames(peer, frame)` and whoever owns the wire. The real daemon is tested by the same tests where it is at hand.
import { createHash, randomUUID } from 'node:crypto';

export const LIMITS = { text: 10_000, files: 5, file_bytes: 200_000, types: ['image/png', 'image/jpeg', 'text/plain', 'application/pdf'], frame: 65_536 };

export class Desk {
  constructor({ now = () => Date.now(), open = true, email = 'help@desk.example' } = {}) {
    Object.assign(this, { now, email });
    this.convs = new Map();
    this.peers = new Set();
    this.files = new Map();
    this.tickets = 0;
    this.status = { open, next_open_at: open ? undefined : '2027-01-04T08:00:00Z', tz: 'Europe/Paris' };
    this.refuse = null;
    this.notice = (ticket) => `We have your request. Its reference is ${ticket}.`;
  }

  /** One connection. `peer` is {send(frame), close(code)}; `http` needs no hello. */
  join(peer, { token, cursors } = {}) {
    peer.live = new Map();
    if (token) this.#greet(peer, token, cursors ?? {});
    this.peers.add(peer);
    return peer;
  }

  leave(peer) {
    this.peers.delete(peer);
  }

  frames(peer, frame) {
    if (!this.peers.has(peer)) return;
    const { type, cid, conv: id } = frame;
    if (type === 'hello') {
      if (frame.v !== 1) return this.#fatal(peer, 4002, { code: 'unsupported_version', supported: [1] });
      if (!/^[\w-]{43}$/.test(frame.token ?? '')) return this.#fatal(peer, 4001, { code: 'session_unknown' });
      return this.#greet(peer, frame.token, frame.cursors ?? {}, frame.lang);
    }
    if (!peer.session) return this.#fatal(peer, 4001, { code: 'hello_required' });
    if (type === 'ping') return peer.send({ type: 'pong', t: frame.t });
    if (type === 'logout') return [...this.peers].filter((other) => other.session === peer.session).forEach((other) => other.close(4001));
    if (type === 'identify') return (peer.verified = true), this.#greet(peer, null, peer.cursors);
    const refusal = this.refuse?.(frame);
    if (refusal) return this.#error(peer, { cid, conv: id, ...refusal });
    const conv = id && this.convs.get(id);
    if (id && conv?.session !== peer.session) return this.#error(peer, { code: 'conv_unknown', cid, conv: id });
    if (type === 'msg') return this.#msg(peer, frame, conv);
    if (type === 'sync') return this.#sync(peer, frame, conv);
    if (type === 'read') return void (conv.readUpto = Math.max(conv.readUpto, frame.upto));
    if (type === 'typing') return void (conv.typing = frame.on);
    if (['rate', 'close', 'reopen', 'transcript', 'contact'].includes(type)) return this.#act(peer, frame, conv);
    this.#error(peer, { code: 'unknown_type' });
  }

  // ---- what agents do ----

  reply(conv, text, more = {}) {
    return this.#add(conv, { kind: 'message', from: { kind: 'agent', name: 'Ana' }, text, ...more });
  }

  settle(conv, status = 'resolved', text = 'We think this is settled.') {
    this.#add(conv, { kind: 'notice', from: { kind: 'system' }, text });
    Object.assign(conv, { status, askRating: true });
    this.#tell(conv, { type: 'conv', ...this.#summary(conv) });
  }

  tell(conv, frame) {
    this.#tell(conv, { conv: conv.id, ...frame });
  }

  get latest() {
    return [...this.convs.values()].at(-1);
  }

  upload(bytes, name, type) {
    if (bytes.length > LIMITS.file_bytes) return { code: 'file_too_large', message: 'Too large.' };
    const file = { id: randomUUID(), name, type, size: bytes.length, expires_at: new Date(this.now() + 3.6e6).toISOString() };
    this.files.set(file.id, file);
    return file;
  }

  // ---- inside ----

  #greet(peer, token, cursors, lang) {
    if (token) peer.session = createHash('sha256').update(token).digest('hex');
    if (lang) peer.lang = lang;
    peer.cursors = cursors;
    const convs = this.#of(peer.session);
    peer.live = new Map(convs.map((conv) => [conv.id, cursors[conv.id] ?? conv.events.length]));
    peer.send({
      type: 'welcome', v: 1, verified: peer.verified ?? false, resumed: convs.length > 0, heartbeat_ms: 25_000, limits: LIMITS, desk: this.status, email: this.email,
      convs: convs.map((conv) => this.#summary(conv)),
    });
    for (const conv of convs) this.#pump(peer, conv);
  }

  #of(session) {
    return [...this.convs.values()].filter((conv) => conv.session === session).reverse();
  }

  #summary(conv) {
    const unread = conv.events.filter((event) => event.seq > conv.readUpto && event.from.kind !== 'visitor').length;
    return {
      conv: conv.id, ticket: conv.ticket, status: conv.status, last_seq: conv.events.length, read_upto: conv.readUpto, seen_upto: conv.seenUpto, unread,
      ask_rating: conv.askRating, has_contact: conv.hasContact,
    };
  }

  #msg(peer, frame, conv) {
    const { cid, text, files = [], form } = frame;
    for (const known of this.#of(peer.session)) {
      const event = known.events.find((other) => other.cid === cid);
      if (event) return this.#ack(peer, known, event, true);
    }
    if (!text.trim() && !files.length) return this.#error(peer, { code: 'empty', cid });
    if ([...text].length > LIMITS.text) return this.#error(peer, { code: 'too_long', cid });
    if (files.some((id) => !this.files.has(id))) return this.#error(peer, { code: 'file_unknown', cid });
    if (form?.email && !form.email.includes('.')) return this.#error(peer, { code: 'form_invalid', cid, fields: { email: 'This is no e-mail address.' } });
    let follows;
    const born = !conv || conv.status === 'closed';
    if (born) {
      follows = conv?.id;
      conv = {
        id: randomUUID(), session: peer.session, ticket: `GT-482-${String(109 + this.tickets++).padStart(3, '0')}-3755`, status: 'new', events: [],
        readUpto: 0, seenUpto: 0, askRating: false, hasContact: Boolean(form?.email) || (peer.verified ?? false), form,
      };
      this.convs.set(conv.id, conv);
      for (const other of this.peers) if (other.session === peer.session) other.live.set(conv.id, 0);
    } else if (conv.status === 'resolved') conv.status = 'open';
    const told = files.map((id) => ({ ...this.files.get(id), url: `files/${id}` }));
    const event = this.#keep(conv, { kind: 'message', from: { kind: 'visitor' }, text, cid, files: told.length ? told : undefined });
    this.#ack(peer, conv, event, false, follows);
    if (born) for (const other of this.peers) if (other !== peer && other.session === peer.session) other.send({ type: 'conv', ...this.#summary(conv) });
    this.#spread(conv);
    if (born) this.#add(conv, { kind: 'notice', from: { kind: 'system' }, text: this.notice(conv.ticket) });
  }

  #ack(peer, conv, event, dup, follows) {
    peer.send({ type: 'ack', cid: event.cid, conv: conv.id, ticket: conv.ticket, seq: event.seq, at: event.at, dup, follows });
  }

  #act(peer, frame, conv) {
    const dup = (conv.acts ??= new Map()).has(frame.cid);
    conv.acts.set(frame.cid, frame);
    if (!dup && frame.type === 'rate') Object.assign(conv, { askRating: false, rating: frame });
    if (!dup && frame.type === 'close') Object.assign(conv, { status: 'resolved', askRating: true });
    if (!dup && frame.type === 'reopen') Object.assign(conv, { status: 'open', askRating: false });
    if (!dup && frame.type === 'contact') Object.assign(conv, { hasContact: true, email: frame.email });
    peer.send({ type: 'done', cid: frame.cid, conv: conv.id, dup });
    this.#tell(conv, { type: 'conv', ...this.#summary(conv) });
  }

  #sync(peer, { after, before, limit = 200 }, conv) {
    const wanted = before == null ? conv.events.filter(({ seq }) => seq > (after ?? 0)) : conv.events.filter(({ seq }) => seq < before);
    const sent = before == null ? wanted.slice(0, limit) : wanted.slice(-limit);
    for (const event of sent) peer.send({ type: 'event', conv: conv.id, ...event });
    peer.send({ type: 'synced', conv: conv.id, from: sent[0]?.seq ?? 0, upto: sent.at(-1)?.seq ?? 0, more: sent.length < wanted.length });
  }

  #add(conv, event) {
    const kept = this.#keep(conv, event);
    this.#spread(conv);
    return kept;
  }

  #keep(conv, event) {
    const kept = { seq: conv.events.length + 1, id: randomUUID(), at: new Date(this.now()).toISOString(), ...event };
    conv.events.push(kept);
    return kept;
  }

  #spread(conv) {
    for (const peer of [...this.peers]) if (peer.session === conv.session) this.#pump(peer, conv);
  }

  #pump(peer, conv) {
    for (const event of conv.events.slice(peer.live.get(conv.id) ?? 0)) {
      peer.live.set(conv.id, event.seq);
      peer.send({ type: 'event', conv: conv.id, ...event });
    }
  }

  #tell(conv, frame) {
    for (const peer of this.peers) if (peer.session === conv.session) peer.send(frame);
  }

  #error(peer, error) {
    peer.send({ type: 'error', message: `Refused: ${error.code}.`, fatal: false, ...error });
  }

  #fatal(peer, code, error) {
    this.#error(peer, { fatal: true, ...error });
    peer.close(code);
  }
}
