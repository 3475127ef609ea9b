// The visitor's language and clock: words from one JSON file, times by Intl in their own zone.
export async function words(wanted) {
  for (const lang of new Set([wanted, wanted.split('-')[0], 'en'].map((tag) => tag.toLowerCase()))) {
    if (!/^[a-z]{2,3}(-[a-z0-9]+)*$/.test(lang)) continue;
    const answer = await fetch(new URL(`lang/${lang}.json`, import.meta.url), { credentials: 'omit' }).catch(() => null);
    // Times follow the visitor's regional habits where the words are of their language.
    if (answer?.ok) return new Words(await answer.json(), [...navigator.languages, wanted].find((tag) => tag.toLowerCase().startsWith(lang)) ?? lang);
  }
  throw new Error('guichet: no words');
}

class Words {
  constructor(table, lang) {
    this.lang = lang;
    this.table = table;
    this.clock = new Intl.DateTimeFormat(lang, { timeStyle: 'short' });
  }

  /** The words for `key`, its {places} filled in; with `n`, in the form the language has for that number. */
  say(key, places = {}) {
    const form = places.n == null ? '' : '.' + new Intl.PluralRules(this.lang).select(places.n);
    const text = this.table[key + form] ?? this.table[key + '.other'] ?? this.table[key] ?? key;
    return text.replace(/\{(\w+)\}/g, (all, name) => places[name] ?? all);
  }

  time(at) {
    return this.clock.format(new Date(at));
  }

  day(at) {
    const days = between(at);
    if (days > -2 && days < 2) return new Intl.RelativeTimeFormat(this.lang, { numeric: 'auto' }).format(days, 'day');
    const near = Math.abs(days) < 7;
    return new Intl.DateTimeFormat(this.lang, near ? { weekday: 'long' } : { dateStyle: 'long' }).format(new Date(at));
  }

  when(at) {
    return `${this.day(at)} ${this.time(at)}`;
  }

  size(bytes) {
    return new Intl.NumberFormat(this.lang, { notation: 'compact', style: 'unit', unit: 'byte', unitDisplay: 'narrow' }).format(bytes);
  }
}

function between(at) {
  const midnight = (date) => new Date(date).setHours(0, 0, 0, 0);
  return Math.round((midnight(at) - midnight(Date.now())) / 864e5);
}
