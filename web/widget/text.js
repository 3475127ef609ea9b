// What agents write, made safe to show: text and the server's small HTML become a tree of plain values, and only names on a list
// ever become elements. Nothing is parsed by the browser, so Trusted Types have nothing to forbid and script has nowhere to be.
const TAGS = new Set('p br b strong i em u s code pre blockquote ul ol li a'.split(' '));
const SWALLOWED = new Set('script style template iframe svg math title textarea noscript'.split(' '));
const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' };
const LINK = /\bhttps?:\/\/[^\s<>"]+[^\s<>"'.,;:!?)\]}»]|[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g;

export function safeUrl(url) {
  // Browsers strip these before they look at the scheme, so we do too.
  const flat = String(url).replace(/[\u0000-\u0020\u007f-\u009f]/g, '');
  return /^(https?:\/\/|mailto:)/i.test(flat) ? flat : null;
}

/** Plain text as a tree: strings and links. */
export function linked(text) {
  const out = [];
  let from = 0;
  for (const hit of text.matchAll(LINK)) {
    if (hit.index > from) out.push(text.slice(from, hit.index));
    const href = hit[0].includes('://') ? hit[0] : `mailto:${hit[0]}`;
    out.push({ tag: 'a', href, kids: [hit[0]] });
    from = hit.index + hit[0].length;
  }
  if (from < text.length) out.push(text.slice(from));
  return out;
}

function decode(text) {
  return text.replace(/&(#x[\da-f]{1,6}|#\d{1,7}|\w+);/gi, (all, name) => {
    if (name[0] !== '#') return ENTITIES[name.toLowerCase()] ?? all;
    const code = /^#x/i.test(name) ? parseInt(name.slice(2), 16) : +name.slice(1);
    return code > 0 && code < 0x110000 ? String.fromCodePoint(code) : '\ufffd';
  });
}

/** The server's HTML subset as a tree; unknown elements leave their text behind, dangerous ones nothing. */
export function parsed(html) {
  const top = { kids: [] };
  const open = [top];
  const token = /<!--[^]*?(?:-->|$)|<(\/?)([a-z][a-z0-9]*)((?:"[^"]*"|'[^']*'|[^>"'])*)>|[^<]+|</gi;
  let muted = null;
  for (const [all, slash, name, attributes] of html.matchAll(token)) {
    const tag = name?.toLowerCase();
    if (muted) {
      if (slash && tag === muted) muted = null;
      continue;
    }
    const here = open[open.length - 1];
    if (!tag) {
      if (!all.startsWith('<!--')) here.kids.push(decode(all));
    } else if (SWALLOWED.has(tag)) {
      if (!slash) muted = tag;
    } else if (!TAGS.has(tag)) {
      continue;
    } else if (slash) {
      const at = open.findLastIndex((node) => node.tag === tag);
      if (at > 0) open.length = at;
    } else {
      const node = { tag, kids: [] };
      if (tag === 'a') {
        const href = /\bhref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))/i.exec(attributes);
        node.href = href && safeUrl(decode(href[1] ?? href[2] ?? href[3]));
      }
      here.kids.push(node);
      if (tag !== 'br' && open.length < 32) open.push(node);
    }
  }
  return top.kids;
}

/** The tree as nodes of `document`. */
export function nodes(document, tree) {
  const made = document.createDocumentFragment();
  for (const part of tree) {
    if (typeof part === 'string') {
      made.append(part);
      continue;
    }
    const node = document.createElement(part.tag === 'a' && !part.href ? 'span' : part.tag);
    if (part.href) Object.assign(node, { href: part.href, target: '_blank', rel: 'noopener noreferrer nofollow' });
    node.append(nodes(document, part.kids));
    made.append(node);
  }
  return made;
}
