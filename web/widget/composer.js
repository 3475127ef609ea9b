// Where the visitor writes: the text, what the desk wants to know before the first message, and files.
import { field, h, icon, put } from './dom.js';
import { upload } from './transport.js';

export class Composer {
  constructor(chat, kept) {
    this.chat = chat;
    const { say, session } = chat;
    this.files = kept?.files ?? [];
    this.values = kept?.values ?? {};
    this.inputs = new Map();
    this.picker = h('input', { type: 'file', multiple: true, hidden: true, tabIndex: -1, onchange: () => (this.take(this.picker.files), (this.picker.value = '')) });
    this.text = h('textarea', {
      rows: 1, placeholder: say('placeholder'), 'aria-label': say('message'), enterKeyHint: 'send', dir: 'auto', value: kept?.text.value ?? session.store.get('draft') ?? '',
      oninput: () => this.#typed(), onkeydown: (event) => this.#key(event), onpaste: (event) => event.clipboardData?.files.length && (event.preventDefault(), this.take(event.clipboardData.files)),
    });
    this.button = h('button.icon.send', { type: 'submit', 'aria-label': say('send'), part: 'send' }, icon('send', true));
    this.picked = h('div.picked');
    this.hint = h('p.hint.err');
    this.fields = h('div.fields');
    this.privacy = h('p.hint');
    this.attach = h('button.icon', { 'aria-label': say('attach'), title: say('attach'), onclick: () => this.picker.click() }, icon('clip'));
    this.node = h('form.foot', { noValidate: true, part: 'composer', onsubmit: (event) => (event.preventDefault(), this.send()) },
      this.picked, h('div.compose', { part: 'input' }, this.attach, this.picker, this.text, this.button), this.hint, this.privacy);
    this.#fields();
    this.#files();
  }

  /** Accepts dropped files anywhere on `panel`. */
  droppable(panel) {
    const mark = (event) => {
      const files = event.dataTransfer.types.includes('Files');
      if (files) event.preventDefault();
      this.node.classList.toggle('drop', files && event.type === 'dragover');
      if (event.type === 'drop') this.take(event.dataTransfer.files);
    };
    for (const name of ['dragover', 'dragleave', 'drop']) panel.addEventListener(name, mark);
  }

  draw() {
    const { session, config, say } = this.chat;
    const begins = this.begins;
    this.fields.hidden = !begins || !this.inputs.size;
    const known = Boolean(session.verified || session.identity);
    for (const { input, wrap } of this.inputs.values()) wrap.hidden = known && input.autocomplete !== 'off';
    const link = config.privacy_url;
    const words = config.texts.privacy ?? (link && say('privacy'));
    this.privacy.hidden = session.started || !words;
    if (!this.privacy.firstChild && words) this.privacy.append(h('span', null, words, ' ', link && h('a', { href: link, target: '_blank', rel: 'noopener' }, say('privacy_link'))));
  }

  get begins() {
    const { session } = this.chat;
    return session.current == null && !session.store.waiting().some((entry) => entry.kind === 'msg' && entry.conv == null && !entry.error);
  }

  send() {
    const { chat, text: { value } } = this;
    const { session } = chat;
    const done = this.files.filter((file) => file.id);
    if (this.files.some((file) => file.job) || (!value.trim() && !done.length) || this.#over() > 0) return this.text.focus();
    let form;
    if (this.begins && this.inputs.size) {
      form = this.#filled();
      if (!form) return;
    }
    this.files = this.files.filter((file) => !file.id);
    this.text.value = '';
    session.store.drop('draft');
    this.#files();
    this.#typed();
    session.typing(false);
    session.send(value.trim(), { files: done.map(({ id, name, size, type }) => ({ id, name, size, type })), form });
    chat.bottom(true);
    this.text.focus();
  }

  /** A message the desk could not accept comes back to be mended. */
  returned(entry, { fields = {}, message }) {
    if (!this.text.value) this.text.value = entry.text;
    this.files.push(...(entry.files ?? []));
    this.#files();
    this.#typed();
    this.draw();
    put(this.hint, message);
    for (const name in fields) {
      const { input, tell } = this.inputs.get(name) ?? {};
      tell?.(fields[name]);
      input?.focus();
    }
  }

  prefill({ text, ...fields }) {
    if (text != null && !this.text.value) this.text.value = text;
    for (const [name, value] of Object.entries(fields)) {
      this.values[name] = value;
      const made = this.inputs.get(name);
      if (made) made.input.value = value;
    }
    this.#typed();
  }

  take(list) {
    const { say, words } = this.chat;
    const limits = this.chat.limits;
    for (const file of list ?? []) {
      if (this.files.length >= limits.files) {
        put(this.hint, say('too_many', { n: limits.files }));
        break;
      }
      const entry = { file, name: file.name, size: file.size, type: file.type };
      this.files.push(entry);
      if (file.size > limits.file_bytes) entry.error = say('too_large', { size: words.size(limits.file_bytes) });
      // An empty type says nothing: the server looks at the content.
      else if (file.type && limits.types.length && !limits.types.includes(file.type.split(';')[0])) entry.error = say('wrong_type');
      else this.#upload(entry);
    }
    this.#files();
  }

  async #upload(entry) {
    const { host, session, say } = this.chat;
    entry.error = entry.retry = null;
    entry.job = new AbortController();
    this.#files();
    try {
      Object.assign(entry, await upload(host.base, session, entry.file, entry.job.signal));
    } catch (error) {
      entry.error = error.message && error.code ? error.message : say('upload_failed');
      entry.retry = !/^file_/.test(error.code ?? '');
    }
    entry.job = null;
    this.#files();
  }

  #files() {
    const { say, words } = this.chat;
    this.picked.replaceChildren(...this.files.map((entry) =>
      h(entry.error ? 'div.file.bad' : 'div.file', null, icon(entry.error ? 'alert' : 'file'),
        h('span', null, h('b', { dir: 'auto' }, entry.name), h('small', null, entry.error ?? (entry.job ? say('uploading') : words.size(entry.size)))),
        entry.retry && h('button.mini', { onclick: () => this.#upload(entry) }, say('retry')),
        h('button.icon', { 'aria-label': say('remove', { name: entry.name }), onclick: () => this.#remove(entry) }, icon('close')))));
  }

  #remove(entry) {
    entry.job?.abort();
    this.files = this.files.filter((other) => other !== entry);
    this.#files();
    this.text.focus();
  }

  #typed() {
    const { session, say } = this.chat;
    const { value } = this.text;
    session.store.set('draft', value);
    session.typing(value !== '');
    // Browsers without field-sizing grow by rows, which needs no style.
    if (!CSS.supports('field-sizing', 'content')) this.text.rows = Math.min(6, value.split('\n').length + Math.floor(value.length / 60));
    const over = this.#over();
    put(this.hint, over > 0 ? say('too_long', { n: over }) : '');
  }

  #over() {
    const { value } = this.text;
    const { text } = this.chat.limits;
    return value.length > text ? [...value].length - text : 0;
  }

  #key(event) {
    // On a touch keyboard Enter is the only way to a new line; while an input method composes, it is its own.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || matchMedia('(pointer: coarse)').matches) return;
    event.preventDefault();
    this.send();
  }

  #fields() {
    const { config, say } = this.chat;
    for (const { name, type, required, label, options } of config.form) {
      const known = type === 'email' ? type : name === 'name' && name;
      const common = { name, required, autocomplete: known || 'off', onchange: () => made.tell('') };
      const input = type === 'choice'
        ? h('select', common, h('option', { value: '' }, say('choose')), options.map((option) => h('option', null, option)))
        : h('input', { ...common, type });
      input.value = this.values[name] ?? '';
      input.oninput = () => (this.values[name] = input.value);
      const made = field(`g-${name}`, [label ?? say(known || name), !required && h('span.opt', null, ' ', say('optional'))], input);
      this.inputs.set(name, made);
      this.fields.append(made.wrap);
    }
  }

  /** The fields' values, or nothing when one is wrong; that one has the focus then. */
  #filled() {
    const { say } = this.chat;
    const form = {};
    let first;
    for (const [name, { input, wrap, tell }] of this.inputs) {
      if (wrap.hidden) continue;
      const { valid, valueMissing } = input.validity;
      tell(valid ? '' : say(valueMissing ? 'needed' : 'bad_email'));
      if (!valid) first ??= input;
      if (input.value.trim()) form[name] = input.value.trim();
    }
    first?.focus();
    return first ? null : form;
  }
}
