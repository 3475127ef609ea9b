// The conversation on the screen. Nodes are kept by key: what was shown stays where it is, so a screen reader hears new entries only.
import { h, icon, put } from './dom.js';
import { address, linked } from './text.js';

export class Thread {
  constructor(chat) {
    this.chat = chat;
    this.shown = new Map();
    this.node = h('div.log', { role: 'log', tabIndex: 0, 'aria-label': chat.say('log'), 'aria-live': 'off', part: 'log' });
  }

  draw() {
    const { session, words } = this.chat;
    const { conv } = session;
    const items = [];
    let before = null;
    let today;
    const add = (item) => {
      const day = new Date(item.at).toDateString();
      if (day !== today) items.push({ key: (today = day), day: item.at }), (before = null);
      item.first = !before || before.who !== item.who || item.at - before.at > 3e5;
      if (before && !item.first) before.last = false;
      item.last = true;
      items.push((before = item));
    };
    if (conv) {
      for (let seq = conv.floor + 1; seq <= conv.last; seq++) {
        const event = conv.events.get(seq);
        const me = event.from.kind === 'visitor';
        add({ key: me && event.cid ? event.cid : `${conv.id} ${seq}`, event, me, at: +new Date(event.at), who: event.kind + event.from.kind + (event.from.name ?? '') });
        if (seq === 1 && conv.ticket) items.push({ key: `${conv.id} ticket`, conv }), (before = null);
      }
    }
    for (const entry of session.store.waiting()) {
      if (entry.kind !== 'msg' || entry.conv !== session.current) continue;
      add({ key: entry.cid, entry, me: true, at: entry.at, who: 'messagevisitor', event: { kind: 'message', text: entry.text, files: entry.files, from: { kind: 'visitor' } } });
    }
    this.#place(items, conv, words);
    return items.length;
  }

  #place(items, conv, words) {
    const wanted = new Set(items.map(({ key }) => key));
    for (const [key, node] of this.shown) if (!wanted.has(key)) node.remove(), this.shown.delete(key);
    let at = this.node.firstChild;
    for (const item of items) {
      let node = this.shown.get(item.key);
      if (!node) this.shown.set(item.key, (node = this.#make(item, words)));
      if (node === at) at = at.nextSibling;
      else this.node.insertBefore(node, at);
      if (item.me !== undefined) this.#update(node, item, conv);
    }
  }

  #make(item, words) {
    if (item.me === undefined) return item.conv ? this.#ticket(item.conv) : h('div.day', null, words.day(item.day));
    const { event, me } = item;
    const { say } = this.chat;
    const desk = event.from.kind === 'system' ? this.chat.title : (event.from.name ?? say('desk'));
    const who = me ? say('you') : desk;
    const time = words.time(item.at);
    if (event.kind === 'status' || (event.kind === 'notice' && event.text.length < 90)) return h('p.notice', null, prose(event.text));
    const node = h(me ? 'div.msg.me' : 'div.msg', { part: me ? 'message mine' : 'message' });
    node.who = h('span.who', { 'aria-hidden': 'true' }, event.from.name && h('span.face', null, initials(event.from.name)), desk);
    node.meta = h('span.meta', { 'aria-live': 'off' });
    node.append(h('span.vh', null, say('said', { who, time })));
    if (!me) node.append(node.who);
    if (event.text || !event.files?.length) node.append(h('div.bubble', { dir: 'auto' }, prose(event.text)));
    if (event.files?.length) node.append(this.#files(event));
    node.append(node.meta);
    node.time = time;
    return node;
  }

  #files({ files, seq }) {
    const { host, words, session } = this.chat;
    const link = (file) =>
      h(file.url ? 'a.file' : 'span.file', file.url && {
        href: new URL(file.url, host.base).href, target: '_blank', rel: 'noopener', download: file.name,
        // A signed link is short-lived; a look at the entry brings a new one.
        onpointerdown: () => new Date(file.expires_at) < Date.now() && session.again(seq),
      }, icon('file'), h('span', null, h('b', { dir: 'auto' }, file.name), h('small', null, words.size(file.size))));
    return h('div.files', null, files.map(link));
  }

  #ticket(conv) {
    const { say } = this.chat;
    const code = h('code', { dir: 'ltr' }, conv.ticket);
    const copy = h('button.mini', { onclick: () => this.chat.copy(conv.ticket, copy) }, say('copy'));
    return h('div.card', { part: 'ticket' },
      h('div.ticket', null, icon('done'), h('span', null, h('small', null, say('ticket')), ' ', code), copy),
      h('p', null, say('ticket_more')));
  }

  #update(node, { entry, event, me, first, last }, conv) {
    if (!node.meta) return;
    const { session } = this.chat;
    const late = entry && session.isLate(entry);
    const waiting = entry && !late;
    node.classList.toggle('first', first);
    node.classList.toggle('waiting', Boolean(waiting));
    node.classList.toggle('unsent', Boolean(late));
    if (node.who) node.who.hidden = !first;
    const state = !me ? '' : late ? 'unsent' : waiting ? 'sending' : conv?.seenUpto >= event.seq ? 'seen' : 'sent';
    const look = [state, last, entry?.error?.code, event.files?.[0].url].join();
    if (node.look === look) return;
    node.look = look;
    node.meta.replaceChildren(...this.#meta(node, state, entry, last));
    node.meta.classList.toggle('vh', !last && !late);
    // Links to files come with the echo of the message, and anew when they have expired.
    if (event.files) node.querySelector('.files')?.replaceWith(this.#files(event));
  }

  #meta(node, state, entry, last) {
    const { say, session } = this.chat;
    const parts = [];
    if (last) parts.push(h('span', { 'aria-hidden': 'true' }, node.time));
    if (!state) return parts;
    const mark = { unsent: 'alert', sending: 'clock', sent: 'check', seen: 'done' }[state];
    parts.push(h('span.state', null, icon(mark), say(state)));
    if (state !== 'unsent') return parts;
    if (entry.error?.message) parts.push(h('span', null, entry.error.message));
    if (entry.error?.code !== 'blocked') parts.push(h('button.mini', { onclick: () => session.retry(entry.cid) }, say('retry')));
    const copy = h('button.mini', { onclick: () => this.chat.copy(entry.text, copy) }, say('copy'));
    return [...parts, copy, h('button.mini', { onclick: () => session.discard(entry.cid) }, say('discard'))];
  }
}

export const prose = (text) => linked(text).map((piece, i) => (i % 2 ? h('a', { href: address(piece), target: '_blank', rel: 'noopener' }, piece) : piece));
const initials = (name) => name.trim().split(/\s+/).slice(0, 2).map((part) => [...part][0]).join('').toUpperCase();
