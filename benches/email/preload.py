"""A database as after years: the tickets of a real run, copied until there are as many as asked for.

Every copy is a ticket with its own keys, addresses and message ids, closed, older than the one before, its notices sent; the raw bytes of
mails are shared, since a desk drops them after a year. Nothing of it is due, so that the daemon has the size to carry and not the work.
"""

import sqlite3
import time

# Tables of the running daemon, not of its history.
LEFT = {"agent", "api_token", "blob", "cursor", "idempotency", "lease", "pulse", "setting", "slot", "tally", "timer"}
# Blobs that name bytes, not rows.
SHARED = {"hash", "raw_hash"}
# Texts that name a row, a mail or a person.
NAMES = {
    "address", "address_key", "author_address", "conversation", "external_id", "from_key", "key",
    "recipient", "recipient_key", "requester_address", "requester_key", "status_hash",
}
HOUR = 3_600_000_000
DAMM = [
    "0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
    "3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
]


def copied(table, columns):
    """The INSERT that copies a table's first rows as copy number `:k`."""
    values = []
    for _, name, kind, *_ in columns:
        if kind == "BLOB" and name not in SHARED:
            value = f"earlier({name}, :k)"
        elif name == "reference":
            value = f"other_reference({name})"
        elif name == "number":
            value = f"{name} + :k * :stride"
        elif name in NAMES:
            value = f"'k' || :k || '.' || {name}"
        elif name.endswith("_at") or name == "at" or name == "lease_until":
            value = f"{name} - :k * {HOUR}"
        elif name == "state":
            value = "'closed'" if table == "ticket" else "'sent'"
        else:
            value = name
        values.append(value)
    return f'INSERT INTO "{table}" SELECT {", ".join(values)} FROM first."{table}"'


def earlier(blob, k):
    """The row's id as one made `k` hours before: ids begin with their time in milliseconds."""
    if blob is None or len(blob) < 16:
        return blob
    return ((int.from_bytes(blob[:6], "big") - k * 3_600_000) % (1 << 48)).to_bytes(6, "big") + blob[6:]


class References:
    """Valid references that no ticket has yet: a walk through all nine-digit numbers, each met once, and their check digits."""

    STEP = 738_209_671

    def __init__(self, taken):
        self.taken = taken
        self.number = 0

    def next(self, *_):
        while True:
            self.number = (self.number + self.STEP) % 1_000_000_000
            digits = f"{self.number:09d}"
            check = 0
            for digit in digits:
                check = int(DAMM[check][int(digit)])
            if f"{digits}{check}" not in self.taken:
                return f"{digits}{check}"


def grow(file, wanted, say=print):
    """Copy the tickets of the stopped daemon's database `file` until there are at least `wanted`."""
    database = sqlite3.connect(file, isolation_level=None)
    database.create_function("earlier", 2, earlier, deterministic=True)
    taken = {reference for (reference,) in database.execute("SELECT reference FROM ticket")}
    database.create_function("other_reference", 1, References(taken).next)
    for setting in ("foreign_keys = 0", "synchronous = 0", "cache_size = -262144", "temp_store = 2"):
        database.execute(f"PRAGMA {setting}")
    database.execute("ATTACH ':memory:' AS first")
    rows = database.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '\\_%' ESCAPE '\\'")
    tables = {name: database.execute(f'PRAGMA table_info("{name}")').fetchall() for (name,) in rows if name not in LEFT}
    for table in tables:
        database.execute(f'CREATE TABLE first."{table}" AS SELECT * FROM main."{table}"')
    there = database.execute("SELECT count(*) FROM first.ticket").fetchone()[0]
    stride = 1 + max(database.execute(f'SELECT coalesce(max(number), 0) FROM first."{name}"').fetchone()[0] for name, columns in tables.items() if any(column[1] == "number" for column in columns))
    copies = -(-(wanted - there) // there)
    began = time.perf_counter()
    # The eldest copy first, so that ids come in order as they would have.
    for k in range(copies, 0, -1):
        database.execute("BEGIN")
        for table, columns in tables.items():
            database.execute(copied(table, columns), {"k": k, "stride": stride})
        database.execute("COMMIT")
        done = copies - k + 1
        if done % max(1, copies // 10) == 0:
            say(f"preload: {(done + 1) * there} tickets after {time.perf_counter() - began:.0f} s")
    database.execute("UPDATE tally SET n = n * ?", [copies + 1])
    total = database.execute("SELECT count(*) FROM ticket").fetchone()[0]
    database.execute("ANALYZE")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return total
