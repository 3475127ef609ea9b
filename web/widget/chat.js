// The chat behind the button: joins the session, the panel, the page around it and the public facade.
import { Composer } from './composer.js';
import { field, h, icon, put } from './dom.js';
import { Session } from './session.js';
import { css } from './styles.js';
import { Thread, prose } from './thread.js';
import { http, webSocket } from './transport.js';
import { words } from './words.js';

const NARROW = '(max-width: 480px), (max-height: 420px)';
const sheet = new CSSStyleSheet();
sheet.replaceSync(css);

export class Chat {
  static async on(host) {
    const chat = new Chat(host);
    await chat.#fetch();
    chat.#build();
    chat.#listen();
    chat.#tell('ready');
    if (chat.session.started) chat.session.start();
    return chat;
  }

  constructor(host) {
    this.host = host;
    this.say = (...given) => this.words.say(...given);
    this.narrow = matchMedia(NARROW);
    // The visible part of the screen above a phone's keyboard, as a sheet: an attribute would need the page's leave.
    this.room = new CSSStyleSheet();
    host.shadowRoot.adoptedStyleSheets = [...host.shadowRoot.adoptedStyleSheets, sheet, this.room];
    const channel = self.BroadcastChannel && new BroadcastChannel(host.key);
    const tabs = channel && { post: (note) => channel.postMessage(note) };
    if (channel) channel.onmessage = ({ data }) => tabs.onnote?.(data);
    this.session = new Session({
      disk: storage(), key: host.key, tabs, sockets: Boolean(self.WebSocket), uuid, secret,
      now: () => Date.now(), random: Math.random, timer: (fn, ms) => ((id) => () => clearTimeout(id))(setTimeout(fn, ms)),
      dial: (kind, session, handlers) => (kind === 'ws' ? webSocket(host.base, handlers) : http(host.base, session, handlers)),
      hello: () => ({
        lang: this.words.lang, tz: Intl.DateTimeFormat().resolvedOptions().timeZone, client: { name: 'guichet-widget', ver: '1' },
        page: { url: location.origin + location.pathname, title: document.title },
      }),
    }, { change: () => this.#soon(), event: (name, detail) => this.#heard(name, detail), returned: (...given) => this.composer.returned(...given) });
  }

  // ---- the facade ----

  open() {
    if (this.host.opened || this.gone) return;
    this.host.opened = true;
    this.host.root.hidden = this.panel.hidden = false;
    this.#fit();
    this.host.draw();
    this.session.start();
    this.draw();
    this.bottom(true);
    // A phone's keyboard should not jump up before the visitor has seen anything.
    (this.full || this.host.mode === 'page' ? this.panel : this.composer.text).focus();
    this.#tell('open');
  }

  close() {
    if (!this.host.opened || this.host.mode === 'page') return;
    this.host.opened = false;
    this.panel.hidden = true;
    this.#menu(false);
    this.#fit();
    this.host.draw();
    this.host.launcher.focus();
    // Whoever has written nothing needs no connection.
    if (!this.session.started) this.session.stop();
    this.#tell('close');
  }

  toggle() {
    this.host.opened ? this.close() : this.open();
  }

  identify(jwt) {
    this.session.identify(jwt);
    this.draw();
  }

  logout() {
    this.session.logout();
  }

  prefill(values) {
    this.composer.prefill(values);
  }

  /** The element has left the page: nothing of it stays behind. */
  pause() {
    this.gone = true;
    this.session.stop();
    this.listening?.abort();
    this.#title(0);
  }

  resume() {
    if (!this.gone) return;
    this.gone = false;
    this.#listen();
    this.restyle();
    if (this.session.started || this.host.opened) this.session.start();
    this.draw();
  }

  /** Language or direction may have changed. */
  async restyle() {
    if (!this.words || this.words.asked === this.host.language) return this.#fit();
    await this.#fetch();
    this.#build();
    this.draw();
  }

  // ---- for the parts ----

  get limits() {
    return this.session.limits ?? this.config.limits ?? { text: 1e4, files: 5, file_bytes: 1e7, types: [] };
  }

  get title() {
    return this.config.texts.title ?? this.say('title');
  }

  get full() {
    return this.host.opened && this.narrow.matches && this.host.mode !== 'page';
  }

  async copy(text, button) {
    try {
      await navigator.clipboard.writeText(text);
      put(button, this.say('copied'));
    } catch {
      // No clipboard outside secure pages.
      prompt(this.say('copy'), text);
    }
  }

  bottom(always) {
    if (always || this.stuck) this.scroll.scrollTop = this.scroll.scrollHeight;
  }

  // ---- the panel ----

  async #fetch() {
    const asked = this.host.language;
    const config = fetch(`${this.host.base}config?lang=${encodeURIComponent(asked)}`, { credentials: 'omit' })
      .then((answer) => (answer.ok ? answer.json() : {}))
      .catch(() => ({}));
    this.words = await words(asked);
    this.words.asked = asked;
    this.config = { form: [], ...this.config, ...(await config) };
    this.config.texts ??= {};
    this.session.email ??= this.config.email;
    this.session.desk ??= this.config.desk;
  }

  #build() {
    const { say, config, host } = this;
    const old = this.panel;
    this.thread = new Thread(this);
    this.composer = new Composer(this, this.composer);
    this.bar = h('div.bar', { role: 'status' });
    this.hours = h('p');
    this.menuButton = h('button.icon', { 'aria-label': say('menu'), 'aria-expanded': 'false', 'aria-controls': 'g-menu', onclick: () => this.#menu(this.menu.hidden) }, icon('menu'));
    this.menu = h('div.menu', { id: 'g-menu', hidden: true });
    this.greeting = h('div.hello', null, h('p.big', null, config.texts.greeting ?? say('greeting')), h('p', null, say('greeting_more')), (this.desk = h('div.hours', { hidden: true })));
    this.older = h('button.mini.more', { hidden: true, onclick: () => this.session.older() }, say('older'));
    this.after = h('div');
    this.typing = h('div.typing', { hidden: true });
    this.scroll = h('div.scroll', { onscroll: () => this.#scrolled() }, this.greeting, this.older, this.thread.node, this.after, this.composer.fields, this.typing);
    this.jump = h('button.jump', { hidden: true, onclick: () => (this.bottom(true), this.composer.text.focus()) }, icon('down'), say('newer'));
    this.panel = h('section.panel', { role: 'dialog', tabIndex: -1, onclick: (event) => this.menu.hidden || event.composedPath().includes(this.menuButton) || this.#menu(false), 'aria-labelledby': 'g-title', part: 'panel', hidden: !host.opened, onkeydown: (event) => this.#key(event) },
      h('div.head', { part: 'header' }, h('div.title', null, h('h2', { id: 'g-title' }, this.title), this.hours), this.menuButton,
        host.mode !== 'page' && h('button.icon', { 'aria-label': say('close'), onclick: () => this.close() }, icon('close')), this.menu),
      this.bar, h('div.view', null, this.scroll, this.jump), this.composer.node);
    this.composer.droppable(this.panel);
    this.seen = {};
    if (old) old.replaceWith(this.panel);
    else host.root.prepend(this.panel);
    this.stuck = true;
    this.#fit();
  }

  #soon() {
    this.drawing ??= setTimeout(() => ((this.drawing = null), this.draw()), 16);
  }

  draw() {
    const { session, host } = this;
    if (!this.panel || this.gone) return;
    const shown = this.thread.draw();
    const { conv } = session;
    this.greeting.hidden = shown > 0;
    this.older.hidden = !(conv?.floor > 0);
    this.composer.draw();
    this.#hours();
    this.#status();
    this.#after(conv);
    this.#presence(conv);
    if (session.link === 'online' && (!conv || conv.last >= conv.top)) this.thread.node.setAttribute('aria-live', 'polite');
    this.jump.hidden = this.stuck || !(conv?.last > this.lastSeen);
    this.bottom();
    this.#read();
    const { unread } = session;
    if (unread !== this.unread) {
      this.unread = unread;
      host.badge.hidden = !unread;
      put(host.badge, String(unread));
      host.note = unread ? `${host.words[0]} – ${this.say('unread', { n: unread })}` : '';
      host.draw();
      this.#tell('unread', { count: unread });
    }
    this.#title(document.hidden ? unread : 0);
    if (!this.menu.hidden) this.#menu(true);
  }

  #once(name, look, fill) {
    if (this.seen[name] === look) return;
    this.seen[name] = look;
    fill();
  }

  #hours() {
    const { session, say, words } = this;
    const { desk, conv } = session;
    if (!desk) return;
    const { open, next_open_at: next } = desk;
    this.#once('hours', [open, next, conv?.ticket].join(), () => {
      const text = say(open ? 'open' : 'closed');
      this.hours.replaceChildren(h(open ? 'span.dot.open' : 'span.dot'), conv?.ticket ? say('request', conv) : text);
      this.desk.replaceChildren(icon('clock'), h('p', null, h('b', null, text), next && say('closed_until', { when: words.when(next) }), ' ', say('closed_more')));
      this.desk.hidden = open;
    });
  }

  /** What stands between the visitor and the desk, with the way out. */
  #status() {
    const { session, say, words, bar } = this;
    const { link, trouble, refusal } = session;
    const now = Date.now();
    const parts = [];
    let bad = false;
    const button = (key, act) => h('button.mini', { onclick: act }, say(key));
    const mail = () => session.email && h('span', null, prose(say('or_mail', session)));
    if (link === 'refused') parts.push(say(/^identity/.test(refusal.code) ? 'identity' : 'update'), mail()), (bad = true);
    else if (link === 'elsewhere') parts.push(say('elsewhere'), button('again', () => session.wake()));
    else if (trouble?.until > now) parts.push(trouble.code === 'rate_limited' ? say('limited', { time: words.time(trouble.until) }) : trouble.message, mail());
    else if (trouble && !trouble.until && !(trouble.cid && session.store.entry(trouble.cid))) parts.push(trouble.message, mail()), (bad = true);
    else if (link !== 'online' && session.wanted && now - session.since > 2_500) {
      parts.push(...(session.failures ? [say('offline'), button('again', () => session.wake()), mail()] : [say('connecting')]));
    }
    this.#once('bar', parts.map((part) => part?.textContent ?? part).join(), () => {
      bar.replaceChildren(...parts.filter(Boolean));
      bar.classList.toggle('bad', bad);
    });
    clearTimeout(this.again);
    if (trouble?.until > now || (link !== 'online' && session.wanted)) this.again = setTimeout(() => this.draw(), 2_600);
  }

  /** Below the thread: an address for the answer, the rating, and what a settled request means. */
  #after(conv) {
    const { session, say } = this;
    const over = /resolved|closed/.test(conv?.status);
    const waits = (kind) => session.store.waiting().some((entry) => entry.kind === kind && entry.conv === conv.id);
    const ask = conv?.last && !over && !conv.hasContact && !session.verified && !waits('contact');
    const rate = over && conv.askRating && !waits('rate');
    this.#once('after', [conv?.id, ask, rate, over && conv.status, this.thanks].join(), () => {
      const end = over && h('p.notice', null, say(conv.status === 'closed' ? 'over' : 'settled'), ' ', h('button.mini', { onclick: () => this.#fresh() }, say('new')));
      this.after.replaceChildren(...[ask && this.#askEmail(), rate && this.#askRating(), this.thanks && h('p.notice', null, this.thanks), end].filter(Boolean));
      this.bottom();
    });
  }

  #askEmail() {
    const { say, session } = this;
    const { input, tell, wrap } = field('g-mail', say('email_ask'), h('input', { type: 'email', autocomplete: 'email', required: true }));
    const save = (event) => {
      event.preventDefault();
      const { valid } = input.validity;
      tell(valid ? '' : say('bad_email'));
      if (!valid) return input.focus();
      this.thanks = say('email_done');
      session.act('contact', { email: input.value });
      this.composer.text.focus();
    };
    return h('form.card', { noValidate: true, onsubmit: save }, wrap, h('button.btn', { type: 'submit' }, say('email_save')));
  }

  #askRating() {
    const { say, session } = this;
    const mouths = ['M8 16.5c1-2 7-2 8 0', 'M8 16c1-1 7-1 8 0', 'M8 15.5h8', 'M8 15c1 1 7 1 8 0', 'M7.5 14.5c1 3 8 3 9 0'];
    const { input, wrap } = field('g-why', say('rate_text'), h('textarea', { rows: 2, maxLength: 2_000 }));
    wrap.hidden = true;
    const button = h('button.btn', { type: 'submit', hidden: true }, say('rate_send'));
    const score = (n) => h('label', { title: say(`rate_${n}`) },
      h('input', { type: 'radio', name: 'score', value: String(n), 'aria-label': `${n}: ${say(`rate_${n}`)}`, onchange: () => ((wrap.hidden = button.hidden = false), this.bottom()) }),
      icon(`M12 21a9 9 0 100-18 9 9 0 000 18zM9 10h.01M15 10h.01${mouths[n - 1]}`), h('span', { 'aria-hidden': 'true' }, n));
    const send = (event) => {
      event.preventDefault();
      this.thanks = say('rate_done');
      session.act('rate', { score: +event.target.elements.score.value, text: input.value.trim() || undefined });
      this.composer.text.focus();
    };
    return h('form.card', { onsubmit: send, part: 'rating' }, h('fieldset', null, h('legend.label', null, say('rate')), h('div.stars', null, [1, 2, 3, 4, 5].map(score))), wrap, button);
  }

  #presence(conv) {
    const { say } = this;
    const now = Date.now();
    const kind = ['typing', 'presence'].find((each) => conv?.[each]?.until > now);
    const text = kind ? say(kind, { name: conv[kind].name ?? say('desk') }) : '';
    this.#once('typing', text, () => {
      this.typing.hidden = !text;
      this.typing.replaceChildren(kind === 'typing' ? h('i', { 'aria-hidden': 'true' }, '•••') : '', text);
    });
  }

  #menu(open) {
    const { session, say, host, config } = this;
    this.menu.hidden = !open;
    this.menuButton.setAttribute('aria-expanded', String(open));
    if (!open) return;
    const { conv } = session;
    const muted = session.store.get('mute');
    const item = (words, then) => h('button', { onclick: () => (this.menuButton.focus(), then()) }, words);
    const link = (key, href) => h('a', { href, target: '_blank', rel: 'noopener' }, say(key));
    const rows = [
      conv && item(say('new'), () => this.#fresh()),
      conv && conv.status !== 'resolved' && conv.status !== 'closed' && item(say('settle'), () => session.act('close')),
      conv?.status === 'resolved' && item(say('reopen'), () => session.act('reopen')),
      conv?.hasContact && item(say('transcript'), () => session.act('transcript')),
      item(say(muted ? 'unmute' : 'mute'), () => session.store.set('mute', !muted)),
      host.mode !== 'page' && link('own_page', host.base.replace(/\/$/, '')),
      config.privacy_url && link('privacy_link', config.privacy_url),
      ...[...session.convs.values()].filter((other) => other !== conv).map(({ id, ticket, unread }) => item(say('request', { ticket }) + (unread ? ` (${unread})` : ''), () => (session.choose(id), this.bottom(true)))),
    ].filter(Boolean);
    this.#once('menu', rows.map((row) => row.textContent).join(), () => this.menu.replaceChildren(...rows));
  }

  #fresh() {
    this.thanks = '';
    this.session.fresh();
    this.composer.text.focus();
  }

  // ---- keys, screen, page ----

  #key(event) {
    if (event.key === 'Escape' && !event.isComposing) {
      event.stopPropagation();
      if (this.menu.hidden) this.close();
      else this.#menu(false), this.menuButton.focus();
    }
    if (event.key === 'Tab' && this.full) {
      const stops = [...this.panel.querySelectorAll('button,a[href],input,select,textarea,[tabindex="0"]')].filter((node) => !node.disabled && node.tabIndex >= 0 && node.getClientRects().length);
      const end = event.shiftKey ? stops[0] : stops.at(-1);
      const { activeElement } = this.host.shadowRoot;
      if (activeElement === end || activeElement === this.panel && event.shiftKey) event.preventDefault(), (event.shiftKey ? stops.at(-1) : stops[0]).focus();
    }
  }

  #fit() {
    const { root } = this.host;
    root.classList.toggle('full', Boolean(this.full));
    this.panel?.setAttribute('aria-modal', String(Boolean(this.full)));
    const { visualViewport: view } = self;
    this.room.replaceSync(this.full && view ? `.root.full{--tall:${view.height}px;--top:${view.offsetTop}px}` : '');
    if (this.panel && this.stuck) this.bottom();
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroll;
    this.stuck = scrollHeight - scrollTop - clientHeight < 48;
    if (this.stuck) this.jump.hidden = true, this.#read();
  }

  #read() {
    if (!this.host.opened || document.hidden || !this.stuck) return;
    this.lastSeen = this.session.conv?.last;
    this.session.read();
  }

  #listen() {
    this.listening = new AbortController();
    const { signal } = this.listening;
    const wake = () => (document.hidden || this.session.wake(), this.draw());
    document.addEventListener('visibilitychange', wake, { signal });
    addEventListener('online', wake, { signal });
    this.narrow.addEventListener('change', () => this.#fit(), { signal });
    for (const name of ['resize', 'scroll']) self.visualViewport?.addEventListener(name, () => this.#fit(), { signal });
  }

  #heard(name, detail) {
    if (name === 'done' && detail.kind === 'transcript') this.thanks = this.say('transcript_done');
    if (name === 'message') this.#ring(detail.id);
    if (/ack|error|identity|message/.test(name)) this.#tell(name, detail);
  }

  /** One sound a browser: the tab that gets the lock rings, and holds it while others hear of the same message. */
  #ring(id) {
    if ((this.host.opened && !document.hidden) || this.session.store.get('mute') || !self.AudioContext) return;
    const ring = () => {
      const context = (this.audio ??= new AudioContext());
      if (context.state !== 'running') return;
      const [tone, gain, at] = [context.createOscillator(), context.createGain(), context.currentTime];
      tone.frequency.setValueAtTime(660, at);
      tone.frequency.setValueAtTime(880, at + 0.12);
      gain.gain.setValueAtTime(0.06, at);
      gain.gain.exponentialRampToValueAtTime(0.001, at + 0.4);
      tone.connect(gain).connect(context.destination);
      tone.start(at);
      tone.stop(at + 0.4);
    };
    if (!navigator.locks) return ring();
    navigator.locks.request(`${this.host.key} ${id}`, { ifAvailable: true }, (lock) => lock && (ring(), new Promise((done) => setTimeout(done, 3_000))));
  }

  #title(count) {
    if (count || this.counted) document.title = (count ? `(${count}) ` : '') + document.title.replace(/^\(\d+\) /, '');
    this.counted = count;
  }

  #tell(name, detail = {}) {
    this.host.dispatchEvent(new CustomEvent(`guichet:${name}`, { bubbles: true, composed: true, detail }));
  }
}

function storage() {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

const bytes = (n) => crypto.getRandomValues(new Uint8Array(n));
const secret = () => btoa(String.fromCharCode(...bytes(32))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');

// crypto.randomUUID is for secure pages alone, and intranets have others.
function uuid() {
  return '00000000-0000-4000-8000-000000000000'.replace(/0(?!00-8)/g, () => (bytes(1)[0] & 15).toString(16));
}
