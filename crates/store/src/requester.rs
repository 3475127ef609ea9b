//! What requesters do besides writing: how far they read, what they thought of it, the keys of their pages.

use std::time::Duration;

use guichet_domain::Moment;
use guichet_domain::ids::{ConversationKey, Seq, SourceName, TicketId};
use uuid::Uuid;

use crate::engine::Tx;
use crate::error::StoreError;
use crate::sql::{self, queries};
use crate::value::Value;

queries! {
    MARKS = "SELECT read_upto, seen_upto, mailed_upto FROM read_mark WHERE source = $1 AND conversation = $2";
    ADVANCE = "INSERT INTO read_mark (source, conversation, read_upto, seen_upto, mailed_upto) VALUES ($1, $2, $3, $4, $5) \
        ON CONFLICT (source, conversation) DO UPDATE SET \
        read_upto = CASE WHEN excluded.read_upto > read_mark.read_upto THEN excluded.read_upto ELSE read_mark.read_upto END, \
        seen_upto = CASE WHEN excluded.seen_upto > read_mark.seen_upto THEN excluded.seen_upto ELSE read_mark.seen_upto END, \
        mailed_upto = CASE WHEN excluded.mailed_upto > read_mark.mailed_upto THEN excluded.mailed_upto \
        ELSE read_mark.mailed_upto END \
        WHERE excluded.read_upto > read_mark.read_upto OR excluded.seen_upto > read_mark.seen_upto \
        OR excluded.mailed_upto > read_mark.mailed_upto";
    BEGIN = "INSERT INTO requester_act (id, at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING";
    PRUNE = "DELETE FROM requester_act WHERE at < $1";
    MAILED = "SELECT CAST(COALESCE(sum(CASE WHEN created_at > $2 THEN 1 END), 0) AS BIGINT) AS hour, count(*) AS day \
        FROM (SELECT created_at FROM outbox WHERE recipient_key = $1 AND created_at > $3 \
        AND kind = 'acknowledgement' AND state <> 'suppressed' \
        UNION ALL SELECT created_at FROM outbox WHERE recipient_key = $1 AND created_at > $3 \
        AND kind IN ('transcript', 'link') AND state <> 'suppressed') AS mailed";
    RATING = "SELECT closure, score, text, at FROM rating WHERE ticket = $1 ORDER BY closure DESC LIMIT 1";
    RATE = "INSERT INTO rating (ticket, closure, score, text, at) VALUES ($1, $2, $3, $4, $5) \
        ON CONFLICT (ticket, closure) DO UPDATE SET score = excluded.score, text = excluded.text, at = excluded.at";
    PAGE = "SELECT ticket FROM page_key WHERE hash = $1";
    ADD_KEY = "INSERT INTO page_key (hash, ticket, at) VALUES ($1, $2, $3)";
    KEEP_KEYS = "DELETE FROM page_key WHERE ticket = $1 AND at < (SELECT at FROM page_key WHERE ticket = $1 \
        ORDER BY at DESC LIMIT 1 OFFSET $2)";
    DROP_KEYS = "DELETE FROM page_key WHERE ticket = $1";
    FIRST_KEY = "UPDATE ticket SET status_hash = $2 WHERE id = $1";
}

/// Keys of one page at most, besides the first: an older one ends when a newer one is made.
const MOST_KEYS: i64 = 20;

/// How far a conversation was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks {
    /// By its requester.
    pub read_upto: Seq,
    /// By an agent.
    pub seen_upto: Seq,
    /// Up to here, answers that nobody had read were mailed.
    pub mailed_upto: Seq,
}

/// How it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rating {
    /// After which closure, from 1.
    pub closure: i64,
    /// 1 (bad) to 5.
    pub score: i64,
    /// Free words.
    pub text: Option<String>,
    /// When.
    pub at: Moment,
}

/// How far a conversation was read; nothing at first.
pub async fn marks(tx: &mut Tx, source: &SourceName, conversation: &ConversationKey) -> Result<Marks, StoreError> {
    let row = sql::row(tx, MARKS, &[source.into(), conversation.into()]).await?;
    let Some(row) = row else { return Ok(Marks::default()) };
    Ok(Marks {
        read_upto: Seq(row.get("read_upto")?),
        seen_upto: Seq(row.get("seen_upto")?),
        mailed_upto: Seq(row.get("mailed_upto")?),
    })
}

/// Moves marks on; none ever goes back. Whether any moved.
pub async fn advance(
    tx: &mut Tx,
    source: &SourceName,
    conversation: &ConversationKey,
    marks: Marks,
) -> Result<bool, StoreError> {
    let Marks { read_upto, seen_upto, mailed_upto } = marks;
    let values = [source.into(), conversation.into(), read_upto.0.into(), seen_upto.0.into(), mailed_upto.0.into()];
    Ok(sql::execute(tx, ADVANCE, &values).await? == 1)
}

/// Begins an act; `false` when the same id did it before.
pub async fn begin(tx: &mut Tx, id: Uuid, now: Moment) -> Result<bool, StoreError> {
    Ok(sql::execute(tx, BEGIN, &[id.into(), now.into()]).await? == 1)
}

/// Forgets the ids of acts from before `before`: nobody repeats them any more.
pub async fn prune(tx: &mut Tx, before: Moment) -> Result<u64, StoreError> {
    sql::execute(tx, PRUNE, &[before.into()]).await
}

/// How many messages that anybody can bring about were queued to an address: within the last hour, and the last day.
pub async fn mailed(tx: &mut Tx, address_key: &str, now: Moment) -> Result<(u32, u32), StoreError> {
    let hour = Duration::from_hours(1);
    let values = [address_key.into(), (now - hour).into(), (now - hour * 24).into()];
    let Some(row) = sql::row(tx, MAILED, &values).await? else { return Ok((0, 0)) };
    let count = |n: i64| u32::try_from(n).unwrap_or(u32::MAX);
    Ok((count(row.get("hour")?), count(row.get("day")?)))
}

/// The last rating of a ticket.
pub async fn rating(tx: &mut Tx, ticket: TicketId) -> Result<Option<Rating>, StoreError> {
    let row = sql::row(tx, RATING, &[ticket.into()]).await?;
    let read = |row: crate::sql::Row| {
        Ok(Rating { closure: row.get("closure")?, score: row.get("score")?, text: row.get("text")?, at: row.at("at")? })
    };
    row.map(read).transpose()
}

/// Writes a rating, in place of an earlier one of the same closure.
pub async fn rate(tx: &mut Tx, ticket: TicketId, rating: &Rating) -> Result<(), StoreError> {
    let text = Value::maybe(rating.text.as_deref());
    let values = [ticket.into(), rating.closure.into(), rating.score.into(), text, rating.at.into()];
    sql::execute_one(tx, "rate", RATE, &values).await
}

/// The ticket whose page this hash opens, if it is not the first one's ([`ticket::by_status_hash`](crate::ticket::by_status_hash)).
pub async fn page(tx: &mut Tx, hash: &str) -> Result<Option<TicketId>, StoreError> {
    sql::row(tx, PAGE, &[hash.into()]).await?.map(|row| row.ticket("ticket")).transpose()
}

/// Adds a key to a page. The oldest ends when there are too many.
pub async fn add_page_key(tx: &mut Tx, ticket: TicketId, hash: &str, now: Moment) -> Result<(), StoreError> {
    sql::execute_one(tx, "add a page's key", ADD_KEY, &[hash.into(), ticket.into(), now.into()]).await?;
    sql::execute(tx, KEEP_KEYS, &[ticket.into(), MOST_KEYS.into()]).await?;
    Ok(())
}

/// Makes `hash` the only key of a page: every other one ends.
pub async fn only_page_key(tx: &mut Tx, ticket: TicketId, hash: &str) -> Result<(), StoreError> {
    sql::execute(tx, DROP_KEYS, &[ticket.into()]).await?;
    sql::execute_one(tx, "change a page's key", FIRST_KEY, &[ticket.into(), hash.into()]).await
}
