//! From the network to the core.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use guichet_domain::Moment;
use guichet_domain::inbound::Content;

use super::bench::Network;
use super::intake::{Answer, HandedIn, Hold, ScriptedIntake};
use super::musts::{
    ACKNOWLEDGES, CURSOR_BEHIND, HOLDINGS, HOSTILE_IN, KEEPS_WHEN_BUSY, NO_PANIC, NOTHING_EARLY, READ, SAME_ID,
    VOCABULARY,
};
use super::report::{Broken, Tried};
use super::suite::{Life, Suite, calmly, is_marked};
use super::{corpus, listing};
use crate::channel::Channel;

/// A short pause for `Busy`: the channel is expected to keep it.
const SHORT: Duration = Duration::from_millis(20);

pub(super) async fn check_all(suite: &mut Suite<'_>) {
    let end = nothing_before_accept(suite).await;
    suite.report.judge(NOTHING_EARLY, end);
    let end = busy_keeps_it_upstream(suite).await;
    suite.report.judge(KEEPS_WHEN_BUSY, end);
    let end = killed_before_it_was_taken_in(suite).await;
    suite.report.judge(SAME_ID, end);
    let end = killed_before_the_answer_was_heard(suite).await;
    suite.report.judge(ACKNOWLEDGES, end);
    let end = killed_between_batches(suite).await;
    suite.report.judge(CURSOR_BEHIND, end);
    let end = hostile_texts(suite).await;
    suite.report.judge(HOSTILE_IN, end);
    let end = reading_is_pure(suite).await;
    suite.report.judge(READ, end);
    let end = listing::lists_what_it_holds(suite).await;
    suite.report.judge(HOLDINGS, end);
    // Looked at with every life; named here when it was never broken.
    suite.report.judge(VOCABULARY, Ok(Tried::Yes));
    suite.report.judge(NO_PANIC, Ok(Tried::Yes));
}

/// Somebody writes one plain item; answers its mark.
pub(super) async fn write(suite: &mut Suite<'_>, network: &Arc<dyn Network>) -> String {
    let mark = suite.mark();
    // A network that cannot carry plain words is no network: the check that waits for the item will say so.
    network.write(&mark, &corpus::around(&mark, "the printer on the second floor is broken")).await;
    mark
}

fn handed(calls: &[HandedIn], mark: &str) -> usize {
    calls.iter().filter(|call| call.items.iter().any(|item| is_marked(item, mark))).count()
}

fn taken(calls: &[HandedIn], mark: &str) -> bool {
    let taken = |call: &&HandedIn| call.answer == Some(Answer::Accept);
    calls.iter().filter(taken).any(|call| call.items.iter().any(|item| is_marked(item, mark)))
}

fn ids(intake: &ScriptedIntake, mark: &str) -> BTreeSet<String> {
    let items = intake.calls().into_iter().flat_map(|call| call.items);
    items.filter(|item| is_marked(item, mark)).map(|item| item.external_id.into_string()).collect()
}

/// All handings in of `mark` so far carry one id.
fn one_id(intake: &ScriptedIntake, mark: &str) -> Result<(), Broken> {
    let ids = ids(intake, mark);
    if ids.len() <= 1 {
        return Ok(());
    }
    Err(Broken::new(SAME_ID, format!("one item was handed in under {} ids: {ids:?}", ids.len())))
}

/// One item on its way from a network of its own into an intake that holds it up.
struct OnItsWay {
    network: Arc<dyn Network>,
    intake: Arc<ScriptedIntake>,
    life: Life,
    mark: String,
}

async fn on_its_way(suite: &mut Suite<'_>, hold: Hold) -> Result<OnItsWay, Broken> {
    let (network, intake) = (suite.bench.network().await, ScriptedIntake::new());
    intake.hold(hold);
    let life = suite.listen(&network, &intake).await;
    let mark = write(suite, &network).await;
    let there = |calls: &[HandedIn]| if hold == Hold::After { taken(calls, &mark) } else { handed(calls, &mark) > 0 };
    let comes = intake.until(|calls, _| there(calls));
    suite.within(comes, HOSTILE_IN, || "an item that somebody wrote was never handed in".to_owned()).await?;
    Ok(OnItsWay { network, intake, life, mark })
}

impl OnItsWay {
    /// Waits until the network knows that the item is taken, under one id, and ends the life in order.
    async fn ends_acknowledged(self, suite: &mut Suite<'_>, otherwise: &str) -> Result<Tried, Broken> {
        let acknowledged = self.network.until_acknowledged(&self.mark);
        suite.within(acknowledged, ACKNOWLEDGES, || otherwise.to_owned()).await?;
        one_id(&self.intake, &self.mark)?;
        suite.end(self.life).await?;
        Ok(Tried::Yes)
    }
}

async fn nothing_before_accept(suite: &mut Suite<'_>) -> Result<Tried, Broken> {
    let way = on_its_way(suite, Hold::Before).await?;
    if way.network.acknowledged(&way.mark).await {
        return Err(Broken::new(NOTHING_EARLY, "the item was acknowledged while accept was still at work"));
    }
    way.intake.hold(Hold::No);
    way.ends_acknowledged(suite, "the item was accepted and never acknowledged").await
}

async fn busy_keeps_it_upstream(suite: &mut Suite<'_>) -> Result<Tried, Broken> {
    let (network, intake) = (suite.bench.network().await, ScriptedIntake::new());
    intake.answer_always(Answer::Busy(SHORT));
    let life = suite.listen(&network, &intake).await;
    let mark = write(suite, &network).await;
    for times in 1..=3 {
        let comes = intake.until(|calls, _| {
            calls
                .iter()
                .filter(|call| call.answer.is_some())
                .filter(|call| handed(&[(*call).clone()], &mark) > 0)
                .count()
                >= times
        });
        let lost = || format!("after {} answers of Busy the item did not come again", times - 1);
        suite.within(comes, KEEPS_WHEN_BUSY, lost).await?;
        if network.acknowledged(&mark).await {
            return Err(Broken::new(KEEPS_WHEN_BUSY, "the item was acknowledged although the core was busy"));
        }
        network.again().await;
    }
    intake.answer_always(Answer::Accept);
    network.again().await;
    let acknowledged = network.until_acknowledged(&mark);
    let lost = || "once the core was free again the item was not taken in and acknowledged".to_owned();
    suite.within(acknowledged, KEEPS_WHEN_BUSY, lost).await?;
    one_id(&intake, &mark)?;
    suite.end(life).await?;
    Ok(Tried::Yes)
}

/// The process dies while the database works: nothing was taken in, and the next life gets it under the same id.
async fn killed_before_it_was_taken_in(suite: &mut Suite<'_>) -> Result<Tried, Broken> {
    let OnItsWay { network, intake, life, mark } = on_its_way(suite, Hold::Before).await?;
    life.killed().await;
    // A request that was pushed outlives its listener: it is told to come back.
    intake.answer_next([Answer::Busy(SHORT)]);
    intake.hold(Hold::No);
    tokio::task::yield_now().await;

    let before = handed(&intake.calls(), &mark);
    let life = suite.listen(&network, &intake).await;
    network.again().await;
    let comes = intake.until(|calls, _| handed(calls, &mark) > before && taken(calls, &mark));
    let lost = || "the item was lost when listen was dropped before accept had answered".to_owned();
    suite.within(comes, CURSOR_BEHIND, lost).await?;
    let way = OnItsWay { network, intake, life, mark };
    way.ends_acknowledged(suite, "the item was accepted and never acknowledged").await
}

/// The process dies with the item taken in and the network not told: the next life tells it.
async fn killed_before_the_answer_was_heard(suite: &mut Suite<'_>) -> Result<Tried, Broken> {
    let OnItsWay { network, intake, life, mark } = on_its_way(suite, Hold::After).await?;
    life.killed().await;
    intake.hold(Hold::No);
    let life = suite.listen(&network, &intake).await;
    network.again().await;
    let way = OnItsWay { network, intake, life, mark };
    way.ends_acknowledged(suite, "the item was accepted, listen was dropped, and the next life never acknowledged it")
        .await
}

/// The process dies after the first accepted batch: everything behind it still comes.
async fn killed_between_batches(suite: &mut Suite<'_>) -> Result<Tried, Broken> {
    let (network, intake) = (suite.bench.network().await, ScriptedIntake::new());
    let mut marks = Vec::new();
    intake.answer_next([Answer::Accept]);
    intake.answer_always(Answer::Busy(SHORT));
    let life = suite.listen(&network, &intake).await;
    for _ in 0..3 {
        marks.push(write(suite, &network).await);
    }
    let comes = intake.until(|calls, _| {
        let answered = calls.iter().filter(|call| call.answer.is_some() && !call.items.is_empty()).count();
        answered >= 2 || marks.iter().all(|mark| taken(calls, mark))
    });
    suite.within(comes, CURSOR_BEHIND, || "of three items not two batches were handed in".to_owned()).await?;
    life.killed().await;
    for mark in &marks {
        if network.acknowledged(mark).await && !taken(&intake.calls(), mark) {
            return Err(Broken::new(NOTHING_EARLY, "an item of a batch that was not accepted was acknowledged"));
        }
    }
    intake.answer_always(Answer::Accept);
    let life = suite.listen(&network, &intake).await;
    network.again().await;
    let comes = intake.until(|calls, _| marks.iter().all(|mark| taken(calls, mark)));
    let lost = || "an item was lost when listen was dropped between two batches".to_owned();
    suite.within(comes, CURSOR_BEHIND, lost).await?;
    marks.iter().try_for_each(|mark| one_id(&intake, mark))?;
    suite.end(life).await?;
    Ok(Tried::Yes)
}

async fn hostile_texts(suite: &mut Suite<'_>) -> Result<Tried, Broken> {
    let (network, intake) = (suite.bench.network().await, ScriptedIntake::new());
    let life = suite.listen(&network, &intake).await;
    let texts = corpus::middles().into_iter().chain([("1 MB", corpus::megabyte())]);
    for (name, middle) in texts {
        let mark = suite.mark();
        if !network.write(&mark, &corpus::around(&mark, &middle)).await {
            continue;
        }
        let comes = intake.until(|calls, _| taken(calls, &mark));
        let lost = || format!("an item with {name} was never handed in, or nothing of it can be recognised");
        suite.within(comes, HOSTILE_IN, lost).await?;
        whole(&intake, &mark, name)?;
        let acknowledged = network.until_acknowledged(&mark);
        let stuck = || format!("an item with {name} was accepted and never acknowledged");
        suite.within(acknowledged, ACKNOWLEDGES, stuck).await?;
    }
    let mark = write(suite, &network).await;
    let comes = intake.until(|calls, _| taken(calls, &mark));
    suite.within(comes, HOSTILE_IN, || "what came behind the hostile texts was never handed in".to_owned()).await?;
    suite.end(life).await?;
    Ok(Tried::Yes)
}

/// Head and tail came through where the item could be read; a cut is told by a note.
fn whole(intake: &ScriptedIntake, mark: &str, name: &str) -> Result<(), Broken> {
    let (head, tail) = corpus::ends(mark);
    let items = intake.accepted();
    for item in items.iter().filter(|item| is_marked(item, mark)) {
        if let Content::Read(read) = &item.content
            && !(read.text.contains(&head) && (read.text.contains(&tail) || !read.notes.is_empty()))
        {
            return Err(Broken::new(
                HOSTILE_IN,
                format!("of a text with {name} a part is missing, and no note says so"),
            ));
        }
    }
    Ok(())
}

async fn reading_is_pure(suite: &mut Suite<'_>) -> Result<Tried, Broken> {
    let network = suite.bench.network().await;
    let (channel, _) = suite.sender(&network).await;
    let mut reads = false;
    let all_bytes: Vec<u8> = (0..=255).cycle().take(4096).collect();
    let texts = corpus::middles().into_iter().map(|(_, text)| text.into_bytes());
    for bytes in texts.chain([Vec::new(), all_bytes, b"From: a@b\r\n\r\nx".to_vec(), b"{\"a\":[".to_vec()]) {
        reads |= same_twice(&channel, &bytes)?;
    }
    Ok(if reads { Tried::Yes } else { Tried::No("the channel has no form that can be read from bytes") })
}

fn same_twice(channel: &Arc<dyn Channel>, bytes: &[u8]) -> Result<bool, Broken> {
    let read = |now| calmly("read", || channel.read(bytes, "position-7", Moment::from_secs(now)));
    let (first, second) = (read(1_795_338_000)?, read(1_795_399_999)?);
    let id = |item: &Option<guichet_domain::inbound::Inbound>| item.as_ref().map(|item| item.external_id.clone());
    if id(&first) != id(&second) {
        let what = format!("the same bytes were read as {:?} and {:?}", id(&first), id(&second));
        return Err(Broken::new(READ, what));
    }
    Ok(first.is_some())
}
