-- Rows that fit the second schema.
UPDATE ticket SET contact = 'a@home.test', contact_verified = {yes} WHERE id = {k1};
INSERT INTO read_mark (source, conversation, read_upto, seen_upto, mailed_upto) VALUES ('site-chat', 'v1/1', 2, 1, 0);
INSERT INTO rating (ticket, closure, score, text, at) VALUES ({k1}, 1, 4, 'Quick.', 4);
INSERT INTO requester_act (id, at) VALUES ({k5}, 4);
INSERT INTO page_key (hash, ticket, at) VALUES ('def', {k1}, 4);
