// What agents write is shown as text, whose links can be clicked; their HTML is never looked at. No markup is parsed anywhere, so
// Trusted Types have nothing to forbid and script has nowhere to be.
const LINK = /\bhttps?:\/\/[^\s<>"]*[^\s<>"'.,;:!?)\]}»]|[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g;

/** Plain text as strings and {href, text}. */
export function linked(text) {
  const out = [];
  let from = 0;
  for (const { 0: hit, index } of text.matchAll(LINK)) {
    out.push(text.slice(from, index), { href: hit.includes('://') ? hit : `mailto:${hit}`, text: hit });
    from = index + hit.length;
  }
  out.push(text.slice(from));
  return out.filter(Boolean);
}
