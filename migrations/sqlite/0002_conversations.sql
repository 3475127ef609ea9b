-- What requesters do besides writing, and where they can be reached elsewhere.
-- Same file name, tables and columns as in ../postgres; a test compares the two.

-- An e-mail address somebody gave on another network.
ALTER TABLE ticket ADD COLUMN contact TEXT;
ALTER TABLE ticket ADD COLUMN contact_verified INTEGER NOT NULL DEFAULT 0;
CREATE INDEX ticket_merged ON ticket (merged_into) WHERE merged_into IS NOT NULL;

-- How far a conversation was read: by its requester, by an agent, and up to where answers were mailed because nobody read
-- them. Places count over all tickets the conversation has had.
CREATE TABLE read_mark (
    source TEXT NOT NULL,
    conversation TEXT NOT NULL,
    read_upto INTEGER NOT NULL,
    seen_upto INTEGER NOT NULL,
    mailed_upto INTEGER NOT NULL,
    PRIMARY KEY (source, conversation)
) STRICT, WITHOUT ROWID;

-- How it was, by closure: the last word stands.
CREATE TABLE rating (
    ticket BLOB NOT NULL REFERENCES ticket (id),
    closure INTEGER NOT NULL,
    score INTEGER NOT NULL,
    text TEXT,
    at INTEGER NOT NULL,
    PRIMARY KEY (ticket, closure)
) STRICT, WITHOUT ROWID;

-- Requesters' acts, by which one is told from its repetition.
CREATE TABLE requester_act (
    id BLOB NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX requester_act_at ON requester_act (at);

-- Further secrets of a ticket's status page, besides the first (ticket.status_hash).
CREATE TABLE page_key (
    hash TEXT NOT NULL PRIMARY KEY,
    ticket BLOB NOT NULL REFERENCES ticket (id),
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX page_key_ticket ON page_key (ticket, at);

-- What anybody can ask for, by whom it goes to.
CREATE INDEX outbox_asked ON outbox (recipient_key, created_at) WHERE kind IN ('transcript', 'link') AND state <> 'suppressed';
