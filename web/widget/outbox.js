// Where the session keeps what must outlive it. Until `keep()` (the first message) everything is in memory alone: a page visit
// leaves no trace. Every unsent frame has a key of its own, so two tabs that write at once never overwrite one another.
export class Store {
  constructor(disk, prefix) {
    this.disk = disk;
    this.prefix = prefix + ' ';
    this.memory = new Map();
    this.kept = false;
    this.loose = new Set();
    this.reload();
  }

  /** Takes over what another tab wrote. Memory stays as it is while nothing was ever kept. */
  reload() {
    try {
      if (this.disk?.getItem(this.prefix + 'session') == null) return;
      this.kept = true;
      for (const name of [...this.memory.keys()]) if (!this.loose.has(name)) this.memory.delete(name);
      for (let i = 0; i < this.disk.length; i++) {
        const key = this.disk.key(i);
        if (key.startsWith(this.prefix)) this.memory.set(key.slice(this.prefix.length), JSON.parse(this.disk.getItem(key)));
      }
    } catch {
      // Storage may be forbidden or damaged by others: the visitor can still chat, this page's life long.
    }
  }

  get(name) {
    return this.memory.get(name);
  }

  set(name, value) {
    this.memory.set(name, value);
    if (this.kept) this.#write(name, value);
  }

  drop(name) {
    this.memory.delete(name);
    try {
      if (this.kept) this.disk?.removeItem(this.prefix + name);
    } catch {
      // As above.
    }
  }

  keep() {
    if (this.kept) return;
    this.kept = true;
    for (const [name, value] of this.memory) this.#write(name, value);
  }

  /** Forgets everything, here and on disk. */
  wipe() {
    for (const name of [...this.memory.keys()]) this.drop(name);
    this.kept = false;
  }

  /** Frames not yet acknowledged, oldest first. */
  waiting() {
    const entries = [];
    for (const [name, value] of this.memory) if (name.startsWith('out.')) entries.push(value);
    return entries.sort((a, b) => a.at - b.at || a.n - b.n || (a.cid < b.cid ? -1 : 1));
  }

  put(entry) {
    this.set('out.' + entry.cid, entry);
  }

  entry(cid) {
    return this.get('out.' + cid);
  }

  done(cid) {
    const entry = this.entry(cid);
    if (entry) this.drop('out.' + cid);
    return entry;
  }

  #write(name, value) {
    try {
      this.disk?.setItem(this.prefix + name, JSON.stringify(value));
      this.loose.delete(name);
    } catch {
      // Full or forbidden: memory still has it, and keeps it when other tabs write.
      this.loose.add(name);
    }
  }
}
