-- Rows that fit the first schema. {k1} stands for a key, {h1} for a hash, {yes} and {no} for truth, in the engine's own way to write them.
INSERT INTO setting (key, value, updated_at) VALUES ('signing_keys', '[]', 1);
INSERT INTO ticket (id, reference, state, kind, subject, language, source, conversation, requester_key, requester_address,
    requester_name, verified, machine, queue, category, impact, urgency, priority, assignee, tier, attention, promised_at,
    opened_at, answered_at, resolved_at, closed_at, updated_at, closures, reopened, follows, linked, merged_into, last_seq,
    version, status_hash)
VALUES ({k1}, '0000000000', 'resolved', 'incident', 'On fire', 'fr', 'support-mail', '<1@x.test>', 'a@x.test', 'A@x.test', 'A',
    {yes}, {no}, 'desk', 'hardware', 'low', 'high', 'P3', 'marie', 'L1', NULL, 5, 1, 2, 3, NULL, 3, 1, 0, NULL, NULL, NULL, 1,
    4, 'abc');
INSERT INTO transition (ticket, from_state, to_state, made_by, why, at) VALUES ({k1}, 'open', 'resolved', 'marie', 'agent.action', 3);
INSERT INTO entry (id, ticket, kind, seq, author_address, author_name, verified, subject, text, full_text, html, source, inbound, at)
VALUES ({k2}, {k1}, 'inbound', 1, 'A@x.test', 'A', {yes}, 'On fire', 'Help', NULL, NULL, 'support-mail', {k3}, 1);
INSERT INTO entry_id (external_id, ticket, entry, delivery, at) VALUES ('<1@x.test>', {k1}, {k2}, NULL, 1);
INSERT INTO thread (key, ticket) VALUES ('t1', {k1});
INSERT INTO explanation (cause, at, position, ticket, code, detail) VALUES ({k2}, 1, 0, {k1}, 'located.new', '');
INSERT INTO participant (ticket, address_key, address, name, role) VALUES ({k1}, 'a@x.test', 'A@x.test', 'A', 'requester');
INSERT INTO identity (address_key, language, verified_at, undeliverable_at, undeliverable_reason, seen_at)
VALUES ('a@x.test', 'fr', 1, NULL, NULL, 1);
INSERT INTO inbox_key (key, inbound) VALUES ('support-mail/INBOX/1/1', {k3});
INSERT INTO inbound (id, source, external_id, verdict, reason, detail, ticket, entry, seq, from_key, subject, raw_hash, raw_size,
    quarantine, received_at, recorded_at)
VALUES ({k3}, 'support-mail', 'INBOX/1/1', 'opened', NULL, NULL, {k1}, {k2}, 1, 'a@x.test', 'On fire', {h1}, 5, NULL, 1, 1);
INSERT INTO raw (inbound, hash, codec, size, bytes) VALUES ({k3}, {h1}, 'plain', 5, {h1});
INSERT INTO blob (hash, codec, size, bytes, created_at) VALUES ({h1}, 'plain', 2, {h1}, 1);
INSERT INTO attachment (entry, position, name, media_type, content_id, hash, size) VALUES ({k2}, 0, 'a.txt', 'text/plain', NULL, {h1}, 2);
INSERT INTO outbox (id, kind, ticket, message, source, conversation, recipient, recipient_name, recipient_key, recipient_domain,
    automatic, language, facts, state, reason, detail, due_at, expires_at, attempts, doubts, fence, lease_until, incarnation,
    external_id, settled_at, created_at)
VALUES ({k4}, 'acknowledgement', {k1}, NULL, 'support-mail', '<1@x.test>', 'A@x.test', 'A', 'a@x.test', 'x.test', {yes}, 'fr',
    '{"reference":"GT-000-000-0000"}', 'sent', NULL, '250 ok', 1, 9, 1, 0, 1, NULL, NULL, '<2@x.test>', 2, 1);
INSERT INTO attempt (delivery, fence, started_at, ended_at, outcome, detail) VALUES ({k4}, 1, 1, 2, 'sent', '250 ok');
INSERT INTO timer (ticket, kind, due_at) VALUES ({k1}, 'window', 99);
INSERT INTO "cursor" (source, key, value) VALUES ('support-mail', 'INBOX', '1:1');
INSERT INTO slot (source, key, value, version) VALUES ('support-mail', 'oauth', 'x', 1);
INSERT INTO tally (source, verdict, n) VALUES ('support-mail', 'opened', 1);
INSERT INTO pulse (span, n) VALUES (0, 1);
INSERT INTO agent (name, display, email, role, created_at, disabled_at) VALUES ('marie', 'Marie', NULL, 'agent', 1, NULL);
INSERT INTO api_token (hash, agent, name, scopes, created_at, expires_at, last_used_at, revoked_at)
VALUES ('00', 'marie', 'laptop', 'tickets', 1, NULL, NULL, NULL);
INSERT INTO idempotency (agent, key, body_hash, status, body, at) VALUES ('marie', 'k', 'h', 201, '{}', 1);
INSERT INTO lease (name, holder, until, fence) VALUES ('source/support-mail', {k5}, 9, 1);
