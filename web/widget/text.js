// What agents write is shown as text, whose links can be clicked; their HTML is never looked at. No markup is parsed anywhere, so
// Trusted Types have nothing to forbid and script has nowhere to be.
const LINK = /(\bhttps?:\/\/[^\s<>"]*[^\s<>"'.,;:!?)\]}»]|[\w.+-]+@[\w-]+(?:\.[\w-]+)+)/;

/** A text in pieces: every second one is an address. */
export const linked = (text) => text.split(LINK);

export const address = (piece) => (piece.includes('://') ? piece : `mailto:${piece}`);
