// Nodes without markup strings: h('button.icon', { type: 'button', onclick: f }, child, …).
const SVG = 'http://www.w3.org/2000/svg';
export const ICONS = {
  close: 'M6 6l12 12M18 6L6 18',
  menu: 'M5 11v2M12 11v2M19 11v2',
  send: 'M4 12l16-8-6 16-3-7-7-1z',
  clip: 'M20 11.5l-8 8a5 5 0 01-7-7l8.5-8.5a3.3 3.3 0 015 5L10 17.5a1.6 1.6 0 01-2.5-2.5l7.5-7.5',
  clock: 'M12 21a9 9 0 100-18 9 9 0 000 18zM12 7v5l3 2',
  file: 'M14 3H7a2 2 0 00-2 2v14a2 2 0 002 2h10a2 2 0 002-2V8zM14 3v5h5',
  check: 'M5 13l4 4L19 7',
  done: 'M12 21a9 9 0 100-18 9 9 0 000 18zM8.5 12.5l2.5 2.5 4.5-5',
  alert: 'M12 8v5M12 16.5h.01M12 3l9.5 17h-19z',
  down: 'M12 5v14M6 13l6 6 6-6',
};

export function h(what, props, ...kids) {
  const [tag, ...classes] = what.split('.');
  const node = document.createElement(tag);
  node.className = classes.join(' ');
  if (tag === 'button') node.type = tag;
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value == null || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name in node && !name.startsWith('aria')) node[name] = value;
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...kids.flat().filter((kid) => kid != null && kid !== false));
  return node;
}

export function icon(name, flip) {
  const svg = document.createElementNS(SVG, 'svg');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', ICONS[name] ?? name);
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  if (flip) svg.setAttribute('class', 'flip');
  svg.append(path);
  return svg;
}

/** An input with its label and room for what is wrong with it, which `tell` fills. */
export function field(id, label, input) {
  const wrong = h('span.err', { id: `${id}-e` });
  input.id = id;
  input.dir = 'auto';
  input.setAttribute('aria-describedby', wrong.id);
  const tell = (words) => {
    put(wrong, words);
    input.setAttribute('aria-invalid', String(Boolean(words)));
  };
  return { input, tell, wrap: h('div.field', null, h('label', { htmlFor: id }, label), input, wrong) };
}

/** Sets a text only when it changes: assistive technology hears of nothing else. */
export function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
