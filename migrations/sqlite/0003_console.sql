-- The console: how agents sign in, what they keep there, whom the desk blocks, who did what, and the search.
-- Same file name, tables and columns as in ../postgres, but for the search: each engine has its own.

-- What an agent signs in with. A missing row: the agent has no password yet and works by tokens alone.
CREATE TABLE credential (
    agent TEXT NOT NULL PRIMARY KEY REFERENCES agent (name),
    password TEXT NOT NULL,
    otp_secret TEXT,
    otp_confirmed_at INTEGER,
    otp_step INTEGER NOT NULL,
    recovery TEXT NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    hash TEXT NOT NULL PRIMARY KEY,
    agent TEXT NOT NULL REFERENCES agent (name),
    stage TEXT NOT NULL,
    origin TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_agent ON session (agent);

-- Single-use links: to become the first admin (no agent), or to choose a password.
CREATE TABLE invitation (
    hash TEXT NOT NULL PRIMARY KEY,
    agent TEXT REFERENCES agent (name),
    made_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE preference (
    agent TEXT NOT NULL PRIMARY KEY REFERENCES agent (name),
    language TEXT,
    theme TEXT NOT NULL,
    shortcuts INTEGER NOT NULL,
    sound INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What an agent has begun to write on a ticket.
CREATE TABLE draft (
    agent TEXT NOT NULL,
    ticket BLOB NOT NULL REFERENCES ticket (id),
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (agent, ticket, kind)
) STRICT, WITHOUT ROWID;

-- How far an agent has looked at a ticket.
CREATE TABLE looked (
    agent TEXT NOT NULL,
    ticket BLOB NOT NULL REFERENCES ticket (id),
    seq INTEGER NOT NULL,
    PRIMARY KEY (agent, ticket)
) STRICT, WITHOUT ROWID;

CREATE TABLE canned (
    id BLOB NOT NULL PRIMARY KEY,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    made_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE blocked (
    address_key TEXT NOT NULL PRIMARY KEY,
    made_by TEXT NOT NULL,
    why TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE ticket_link (
    ticket BLOB NOT NULL REFERENCES ticket (id),
    other BLOB NOT NULL REFERENCES ticket (id),
    made_by TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (ticket, other)
) STRICT, WITHOUT ROWID;

-- Who did what, when, from where. Nothing in it is ever changed or removed.
CREATE TABLE audit (
    number INTEGER NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    agent TEXT NOT NULL,
    origin TEXT NOT NULL,
    act TEXT NOT NULL,
    ticket BLOB,
    subject TEXT NOT NULL
) STRICT;
CREATE INDEX audit_ticket ON audit (ticket, number) WHERE ticket IS NOT NULL;
CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER audit_kept BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;

-- The order of work: what is promised and unanswered by its promise, then the rest by age.
CREATE INDEX ticket_due ON ticket (
    (CASE WHEN answered_at IS NULL AND promised_at IS NOT NULL THEN promised_at ELSE 4102444800000000 + opened_at END), id
) WHERE state NOT IN ('resolved', 'closed');
-- All that the counts beside the views ask for, so that no row is read for them.
CREATE INDEX ticket_views ON ticket (merged_into, assignee, state, answered_at, promised_at, attention)
WHERE state NOT IN ('resolved', 'closed');

-- The words of the timelines. Entries are added to it in their order, outside intake.
CREATE VIRTUAL TABLE search USING fts5(subject, text, content = 'entry', content_rowid = 'number', tokenize = 'unicode61 remove_diacritics 2');
CREATE TRIGGER search_gone BEFORE DELETE ON entry WHEN EXISTS (SELECT 1 FROM search_docsize WHERE id = old.number) BEGIN
    INSERT INTO search (search, rowid, subject, text) VALUES ('delete', old.number, old.subject, old.text);
END;
CREATE TRIGGER search_changed BEFORE UPDATE OF subject, text ON entry WHEN EXISTS (SELECT 1 FROM search_docsize WHERE id = old.number) BEGIN
    INSERT INTO search (search, rowid, subject, text) VALUES ('delete', old.number, old.subject, old.text);
    INSERT INTO search (rowid, subject, text) VALUES (old.number, new.subject, new.text);
END;
