// The one file a page loads: a button, and the facade `window.guichet`. Everything else comes when the visitor acts, or at once for
// those who have written before (their storage says so), since they may have an answer waiting.
const here = import.meta.url;
const base = new URL('../', here).href;
const key = 'guichet ' + base;
const script = [...document.scripts].find(({ src }) => src === here);
const data = script?.dataset ?? {};

const WORDS = {
  en: ['Open chat', 'Close chat', 'The chat cannot be loaded. Open it in a page of its own.'],
  fr: ['Ouvrir la discussion', 'Fermer la discussion', 'La discussion ne se charge pas. L’ouvrir dans sa propre page.'],
};
const BUBBLE = 'M12 3.5c-5 0-9 3.3-9 7.5 0 2.3 1.2 4.3 3.1 5.7L5.5 20.5l4-1.9c.8.2 1.6.3 2.5.3 5 0 9-3.3 9-7.9s-4-7.5-9-7.5z';
const CROSS = 'M6.5 9.5l5.5 5.5 5.5-5.5';

// `:host` loses to the page's own rules, so the wrapper inside starts from nothing and is what is positioned.
export const css = `:host{display:block}
.root{all:initial;--accent:var(--guichet-accent,#2450b2);--on-accent:var(--guichet-accent-text,#fff);--gap:var(--guichet-gap,20px);--radius:var(--guichet-radius,1.125em);
position:fixed;z-index:var(--guichet-z,2147483000);inset-block-end:calc(var(--gap) + env(safe-area-inset-bottom));inset-inline-end:var(--gap);pointer-events:none;display:block;
font-family:var(--guichet-font,system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif);font-size:clamp(16px,1rem,32px);line-height:1.45;text-align:start}
.root.start{inset-inline:var(--gap) auto}
.root[hidden],[hidden]{display:none!important}
.root.page,.root.full{inset:0}
.root.page .launcher,.root.full .launcher{display:none}
.launcher{all:unset;pointer-events:auto;box-sizing:border-box;position:relative;display:grid;place-items:center;inline-size:max(56px,3.5em);block-size:max(56px,3.5em);margin-inline-start:auto;border-radius:50%;
cursor:pointer;background:var(--accent);color:var(--on-accent);box-shadow:0 6px 20px #0005}
.root.start .launcher{margin-inline:0 auto}
.launcher:focus-visible{outline:3px solid var(--accent);outline-offset:3px;box-shadow:0 0 0 3px #fff}
.launcher svg{inline-size:1.75em;block-size:1.75em;fill:none;stroke:currentColor;stroke-width:1.75;stroke-linejoin:round}
.launcher:hover,.launcher[aria-busy=true]{filter:brightness(.88)}
.badge{position:absolute;inset-block-start:-.25em;inset-inline-end:-.25em;min-inline-size:1.375em;padding:0 .25em;box-sizing:border-box;border-radius:1em;background:#c22f1d;color:#fff;
box-shadow:0 0 0 2px #fff;font-size:.875em;font-weight:700;line-height:1.375em;text-align:center}
.fallback{pointer-events:auto;display:block;max-inline-size:16em;margin-block-end:.75em;padding:1em;background:#fff;color:#1a3f91}
@media (forced-colors:active){.launcher{border:2px solid ButtonText}.badge{border:1px solid}}`;

const sheet = new CSSStyleSheet();
sheet.replaceSync(css);

const make = (tag, props) => Object.assign(document.createElement(tag), props);

class GuichetChat extends HTMLElement {
  static observedAttributes = ['lang', 'theme', 'side', 'dir', 'label'];

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [sheet];
    this.base = base;
    this.key = key;
    this.held = [];
    this.root = make('div');
    this.launcher = make('button', { type: 'button', className: 'launcher', part: 'launcher', onclick: () => this.call('toggle') });
    this.badge = make('span', { className: 'badge', part: 'badge', ariaHidden: 'true', hidden: true });
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    svg.setAttribute('viewBox', '0 0 24 24');
    svg.setAttribute('aria-hidden', 'true');
    this.path = svg.appendChild(document.createElementNS(svg.namespaceURI, 'path'));
    this.launcher.append(svg, this.badge);
    this.root.append(this.launcher);
    root.append(this.root);
  }

  connectedCallback() {
    this.draw();
    if (this.chat) this.chat.resume();
    else if (this.mode === 'page') this.call('open');
    else if (written()) this.load();
  }

  disconnectedCallback() {
    // A move within the page disconnects and connects in one breath; that is no good-bye.
    queueMicrotask(() => this.isConnected || this.chat?.pause());
  }

  attributeChangedCallback() {
    this.draw();
    this.chat?.restyle();
  }

  get mode() {
    return this.getAttribute('mode');
  }

  get language() {
    return this.getAttribute('lang') || document.documentElement.lang || navigator.language || 'en';
  }

  get words() {
    return WORDS[this.language.slice(0, 2).toLowerCase()] ?? WORDS.en;
  }

  draw() {
    const { root, launcher } = this;
    root.className = ['root', this.getAttribute('theme') ?? 'auto', this.mode, this.getAttribute('side'), this.chat?.full && 'full'].join(' ');
    root.lang = this.language;
    root.dir = this.getAttribute('dir') || (/^(ar|he|fa|ur|yi|ps|sd|ug|dv|ckb)\b/i.test(this.language) ? 'rtl' : 'ltr');
    const open = Boolean(this.opened);
    launcher.ariaExpanded = open;
    launcher.ariaLabel = open ? this.words[1] : this.note || this.getAttribute('label') || this.words[0];
    this.path.setAttribute('d', open ? CROSS : BUBBLE);
  }

  load() {
    return (this.loading ??= import('./chat.js')
      .then(({ Chat }) => Chat.on(this))
      .then((chat) => {
        this.chat = chat;
        this.held.splice(0).forEach(([name, given]) => chat[name](...given));
      })
      .catch(() => {
        this.loading = null;
        this.held = [];
        this.lost();
      }));
  }

  /** What came before the chat is there waits for it; only what a visitor does fetches it. */
  call(name, ...given) {
    if (this.chat) return this.chat[name](...given);
    this.held.push([name, given]);
    if (!/^(open|toggle)$/.test(name)) return;
    this.launcher.ariaBusy = true;
    this.load().finally(() => (this.launcher.ariaBusy = false));
  }

  lost() {
    this.fallback ??= make('a', { className: 'fallback', href: base.slice(0, -1), target: '_blank', textContent: this.words[2] });
    this.root.prepend(this.fallback);
  }
}

function written() {
  try {
    return localStorage.getItem(key + ' session') != null;
  } catch {
    return false;
  }
}

function element() {
  return document.querySelector('guichet-chat');
}

function mount() {
  if (element()) return element();
  const made = make('guichet-chat');
  for (const name of ['lang', 'theme', 'side', 'dir', 'label', 'mode']) if (data[name]) made.setAttribute(name, data[name]);
  document.body.append(made);
  return made;
}

function facade(queued) {
  const api = { loaded: true, base, mount };
  for (const name of ['open', 'close', 'toggle', 'identify', 'logout', 'prefill']) api[name] = (...given) => void element()?.call(name, ...given);
  api.show = () => void (element() && (element().root.hidden = false));
  api.hide = () => void (element() && (element().chat?.close(), (element().root.hidden = true)));
  api.setLang = (lang) => void element()?.setAttribute('lang', lang);
  api.destroy = () => void element()?.remove();
  api.on = (event, fn) => {
    const listener = ({ detail }) => fn(detail);
    document.addEventListener(`guichet:${event}`, listener);
    return () => document.removeEventListener(`guichet:${event}`, listener);
  };
  const run = ([name, ...given]) => api[name]?.(...given);
  api.q = { push: (...calls) => calls.forEach(run) };
  window.guichet = api;
  queued.forEach(run);
}

function begin() {
  if (data.manual == null) mount();
  facade(window.guichet?.q ?? []);
  document.dispatchEvent(new CustomEvent('guichet:loaded'));
}

if (!window.guichet?.loaded && !customElements.get('guichet-chat')) {
  customElements.define('guichet-chat', GuichetChat);
  // A module runs when the document is parsed, unless it is async; then the body may still be missing.
  if (document.body) begin();
  else addEventListener('DOMContentLoaded', begin, { once: true });
}
