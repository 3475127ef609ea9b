-- The kernel: tickets, their timelines, what came in, what must leave, and who works here.
-- Same file name, tables and columns as in ../postgres; a test compares the two.

CREATE TABLE setting (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE ticket (
    id BLOB NOT NULL PRIMARY KEY,
    reference TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    language TEXT NOT NULL,
    source TEXT NOT NULL,
    conversation TEXT NOT NULL,
    requester_key TEXT,
    requester_address TEXT,
    requester_name TEXT,
    verified INTEGER NOT NULL,
    machine INTEGER NOT NULL,
    queue TEXT NOT NULL,
    category TEXT NOT NULL,
    impact TEXT NOT NULL,
    urgency TEXT NOT NULL,
    priority TEXT NOT NULL,
    assignee TEXT,
    tier TEXT NOT NULL,
    attention TEXT,
    promised_at INTEGER,
    opened_at INTEGER NOT NULL,
    answered_at INTEGER,
    resolved_at INTEGER,
    closed_at INTEGER,
    updated_at INTEGER NOT NULL,
    closures INTEGER NOT NULL,
    reopened INTEGER NOT NULL,
    follows BLOB REFERENCES ticket (id),
    linked BLOB REFERENCES ticket (id),
    merged_into BLOB REFERENCES ticket (id),
    last_seq INTEGER NOT NULL,
    version INTEGER NOT NULL,
    status_hash TEXT
) STRICT;
CREATE INDEX ticket_updated ON ticket (updated_at, id);
CREATE INDEX ticket_state ON ticket (state, updated_at, id);
CREATE INDEX ticket_live ON ticket (updated_at, id) WHERE state NOT IN ('resolved', 'closed');
CREATE INDEX ticket_order ON ticket (priority, opened_at, id) WHERE state NOT IN ('resolved', 'closed');
CREATE INDEX ticket_count ON ticket (state, priority) WHERE merged_into IS NULL;
CREATE INDEX ticket_opened ON ticket (opened_at, id);
CREATE INDEX ticket_assignee ON ticket (assignee, updated_at, id) WHERE assignee IS NOT NULL;
CREATE INDEX ticket_queue ON ticket (queue, updated_at, id);
CREATE INDEX ticket_source ON ticket (source, updated_at, id);
CREATE INDEX ticket_priority ON ticket (priority, updated_at, id);
CREATE INDEX ticket_work ON ticket (priority, opened_at, id);
CREATE INDEX ticket_category ON ticket (category, updated_at, id);
CREATE INDEX ticket_attention ON ticket (updated_at, id) WHERE attention IS NOT NULL;
CREATE INDEX ticket_requester ON ticket (requester_key, id) WHERE requester_key IS NOT NULL;
CREATE INDEX ticket_conversation ON ticket (conversation, source);
CREATE UNIQUE INDEX ticket_status_hash ON ticket (status_hash) WHERE status_hash IS NOT NULL;

CREATE TABLE transition (
    number INTEGER NOT NULL PRIMARY KEY,
    ticket BLOB NOT NULL REFERENCES ticket (id),
    from_state TEXT,
    to_state TEXT NOT NULL,
    made_by TEXT,
    why TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX transition_ticket ON transition (ticket);

CREATE TABLE entry (
    number INTEGER NOT NULL PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    ticket BLOB NOT NULL REFERENCES ticket (id),
    kind TEXT NOT NULL,
    seq INTEGER,
    author_address TEXT,
    author_name TEXT,
    verified INTEGER NOT NULL,
    subject TEXT,
    text TEXT NOT NULL,
    full_text TEXT,
    html TEXT,
    source TEXT,
    inbound BLOB,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX entry_ticket ON entry (ticket, number);
CREATE UNIQUE INDEX entry_seq ON entry (ticket, seq) WHERE seq IS NOT NULL;

-- What the networks call our messages and theirs: how an answer finds its ticket.
CREATE TABLE entry_id (
    external_id TEXT NOT NULL,
    ticket BLOB NOT NULL REFERENCES ticket (id),
    entry BLOB,
    delivery BLOB,
    at INTEGER NOT NULL,
    PRIMARY KEY (external_id, ticket)
) STRICT, WITHOUT ROWID;
CREATE INDEX entry_id_ticket ON entry_id (ticket, at);

-- The weak grouping of mail programs, by ticket.
CREATE TABLE thread (
    key TEXT NOT NULL,
    ticket BLOB NOT NULL REFERENCES ticket (id),
    PRIMARY KEY (key, ticket)
) STRICT, WITHOUT ROWID;

-- Why: the reasons of one cause (an inbound, an entry, an agent's act), in order.
CREATE TABLE explanation (
    cause BLOB NOT NULL,
    at INTEGER NOT NULL,
    position INTEGER NOT NULL,
    ticket BLOB,
    code TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (cause, at, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX explanation_ticket ON explanation (ticket, at) WHERE ticket IS NOT NULL;

CREATE TABLE participant (
    ticket BLOB NOT NULL REFERENCES ticket (id),
    address_key TEXT NOT NULL,
    address TEXT NOT NULL,
    name TEXT,
    role TEXT NOT NULL,
    PRIMARY KEY (ticket, address_key)
) STRICT, WITHOUT ROWID;

-- One address, over all tickets.
CREATE TABLE identity (
    address_key TEXT NOT NULL PRIMARY KEY,
    language TEXT,
    verified_at INTEGER,
    undeliverable_at INTEGER,
    undeliverable_reason TEXT,
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE inbox_key (
    key TEXT NOT NULL PRIMARY KEY,
    inbound BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE inbound (
    id BLOB NOT NULL PRIMARY KEY,
    source TEXT NOT NULL,
    external_id TEXT NOT NULL,
    verdict TEXT NOT NULL,
    reason TEXT,
    detail TEXT,
    ticket BLOB REFERENCES ticket (id),
    entry BLOB,
    seq INTEGER,
    from_key TEXT,
    subject TEXT,
    raw_hash BLOB,
    raw_size INTEGER NOT NULL,
    quarantine TEXT,
    received_at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL
) STRICT;
CREATE INDEX inbound_ticket ON inbound (ticket) WHERE ticket IS NOT NULL;
CREATE INDEX inbound_quarantine ON inbound (quarantine, id) WHERE quarantine IS NOT NULL;
CREATE INDEX inbound_kept ON inbound (received_at) WHERE raw_hash IS NOT NULL;

-- The bytes of one item as they came. By item and not by hash: hashes scatter, and each would cost a page of its own.
CREATE TABLE raw (
    inbound BLOB NOT NULL PRIMARY KEY,
    hash BLOB NOT NULL,
    codec TEXT NOT NULL,
    size INTEGER NOT NULL,
    bytes BLOB
) STRICT;
CREATE INDEX raw_file ON raw (hash) WHERE bytes IS NULL;

-- Files, by what is in them.
CREATE TABLE blob (
    hash BLOB NOT NULL PRIMARY KEY,
    codec TEXT NOT NULL,
    size INTEGER NOT NULL,
    bytes BLOB,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE attachment (
    entry BLOB NOT NULL,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    content_id TEXT,
    hash BLOB NOT NULL,
    size INTEGER NOT NULL,
    PRIMARY KEY (entry, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX attachment_hash ON attachment (hash);

-- What must leave. `number` is the order within a conversation; `doubts` counts attempts of which nobody knows the end.
CREATE TABLE outbox (
    number INTEGER NOT NULL PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    ticket BLOB NOT NULL REFERENCES ticket (id),
    message BLOB,
    source TEXT NOT NULL,
    conversation TEXT NOT NULL,
    recipient TEXT NOT NULL,
    recipient_name TEXT,
    recipient_key TEXT NOT NULL,
    recipient_domain TEXT,
    automatic INTEGER NOT NULL,
    language TEXT NOT NULL,
    facts TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    detail TEXT,
    due_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    doubts INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    lease_until INTEGER,
    incarnation BLOB,
    external_id TEXT,
    settled_at INTEGER,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_due ON outbox (source, due_at, number) WHERE state = 'pending';
CREATE INDEX outbox_leased ON outbox (lease_until) WHERE state = 'sending';
CREATE INDEX outbox_unfinished ON outbox (source, conversation, number) WHERE state IN ('pending', 'sending');
CREATE INDEX outbox_expiry ON outbox (expires_at) WHERE state = 'pending';
CREATE INDEX outbox_state ON outbox (state, source, created_at);
CREATE INDEX outbox_ticket ON outbox (ticket);
CREATE INDEX outbox_recipient ON outbox (recipient_key, created_at) WHERE kind = 'acknowledgement' AND state <> 'suppressed';
CREATE INDEX outbox_domain ON outbox (recipient_domain, created_at) WHERE kind = 'acknowledgement' AND state <> 'suppressed';

CREATE TABLE attempt (
    delivery BLOB NOT NULL,
    fence INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    outcome TEXT,
    detail TEXT,
    PRIMARY KEY (delivery, fence)
) STRICT, WITHOUT ROWID;

CREATE TABLE timer (
    ticket BLOB NOT NULL REFERENCES ticket (id),
    kind TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    PRIMARY KEY (ticket, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX timer_due ON timer (due_at);

CREATE TABLE "cursor" (
    source TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (source, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE slot (
    source TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT,
    version INTEGER NOT NULL,
    PRIMARY KEY (source, key)
) STRICT, WITHOUT ROWID;

-- How many of what, counted in the transaction that makes it so.
CREATE TABLE tally (
    source TEXT NOT NULL,
    verdict TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (source, verdict)
) STRICT, WITHOUT ROWID;

-- Automatic messages queued in each span of five minutes, for the breaker.
CREATE TABLE pulse (
    span INTEGER NOT NULL PRIMARY KEY,
    n INTEGER NOT NULL
) STRICT;

CREATE TABLE agent (
    name TEXT NOT NULL PRIMARY KEY,
    display TEXT NOT NULL,
    email TEXT,
    role TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    disabled_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE api_token (
    hash TEXT NOT NULL PRIMARY KEY,
    agent TEXT NOT NULL REFERENCES agent (name),
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    last_used_at INTEGER,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX api_token_agent ON api_token (agent);

CREATE TABLE idempotency (
    agent TEXT NOT NULL,
    key TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    status INTEGER,
    body TEXT,
    at INTEGER NOT NULL,
    PRIMARY KEY (agent, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_at ON idempotency (at);

-- Which node does what only one may do.
CREATE TABLE lease (
    name TEXT NOT NULL PRIMARY KEY,
    holder BLOB NOT NULL,
    until INTEGER NOT NULL,
    fence INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
