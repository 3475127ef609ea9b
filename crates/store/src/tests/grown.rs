//! What `ANALYZE` says of a database of a million tickets, as `benches/email/preload.py` makes one: table, index, statistic.

/// For `sqlite_stat1`.
pub(crate) const STATISTICS: &str = "\
attempt|attempt|1064000 1 1\n\
cursor|cursor|1 1 1\n\
entry_id|entry_id_ticket|2000000 2 1\n\
entry_id|entry_id|2000000 1 1\n\
entry|entry_seq|2000000 2 1\n\
entry|entry_ticket|2000000 2 1\n\
entry|sqlite_autoindex_entry_1|2000000 1\n\
explanation|explanation_ticket|9168000 10 10\n\
explanation|explanation|9168000 10 10 1\n\
identity|identity|1000000 1\n\
inbound|inbound_kept|1000000 17\n\
inbound|inbound_ticket|1000000 1\n\
inbound|sqlite_autoindex_inbound_1|1000000 1\n\
inbox_key|inbox_key|2000000 1\n\
outbox|outbox_domain|1000000 1000 1\n\
outbox|outbox_recipient|1000000 1 1\n\
outbox|outbox_state|1000000 1000000 1000000 100\n\
outbox|outbox_ticket|1000000 1\n\
outbox|sqlite_autoindex_outbox_1|1000000 1\n\
participant|participant|1000000 1 1\n\
pulse||1\n\
raw|sqlite_autoindex_raw_1|1000000 1\n\
setting|setting|1 1\n\
tally|tally|1 1 1\n\
ticket|sqlite_autoindex_ticket_1|1000000 1\n\
ticket|sqlite_autoindex_ticket_2|1000000 1\n\
ticket|ticket_category|1000000 333334 34 1\n\
ticket|ticket_conversation|1000000 1 1\n\
ticket|ticket_count|1000000 500000 250000\n\
ticket|ticket_live|1000 100 1\n\
ticket|ticket_opened|1000000 100 1\n\
ticket|ticket_order|1000 500 50 1\n\
ticket|ticket_priority|1000000 500000 50 1\n\
ticket|ticket_queue|1000000 1000000 100 1\n\
ticket|ticket_requester|1000000 1 1\n\
ticket|ticket_source|1000000 1000000 100 1\n\
ticket|ticket_state|1000000 500000 100 1\n\
ticket|ticket_updated|1000000 100 1\n\
ticket|ticket_work|1000000 500000 50 1\n\
timer|timer_due|1000 500\n\
timer|timer|1000 1 1\n\
transition|transition_ticket|1000000 1";
