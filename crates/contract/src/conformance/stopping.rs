//! Starting, being in trouble, and stopping.

use std::time::Duration;

use super::bench::{Behaviour, Inward};
use super::corpus;
use super::intake::{Answer, Hold, ScriptedIntake};
use super::musts::{PASSING, REPORTS_GOOD, STOPS};
use super::report::{Broken, Tried};
use super::suite::Suite;
use crate::channel::{Fault, Health};

/// A pause nobody waits for: only a channel that hears the stop while it waits returns in time.
const LONG: Duration = Duration::from_hours(1);

pub(super) async fn check_all(suite: &mut Suite<'_>) {
    let end = good_and_stops_when_idle(suite).await;
    suite.report.judge(REPORTS_GOOD, end);
    if suite.bench.inward() != Inward::Nothing {
        let end = stops_while_accept_works(suite).await;
        suite.report.judge(STOPS, end);
        let end = stops_while_told_to_wait(suite).await;
        suite.report.judge(STOPS, end);
    }
    if suite.bench.inward() == Inward::Fetches {
        let end = stops_while_the_network_is(suite, Behaviour::Silent).await;
        suite.report.judge(STOPS, end);
        let end = stops_while_the_network_is(suite, Behaviour::Down).await;
        suite.report.judge(STOPS, end);
        let end = a_network_that_is_away_passes(suite).await;
        suite.report.judge(PASSING, end);
    }
}

async fn good_and_stops_when_idle(suite: &mut Suite<'_>) -> Result<Tried, Broken> {
    let (network, intake) = (suite.bench.network().await, ScriptedIntake::new());
    let life = suite.listen(&network, &intake).await;
    let good = intake.until(|_, healths| healths.iter().any(|health| matches!(health, Health::Good { .. })));
    suite.within(good, REPORTS_GOOD, || "listen works and never reported Good".to_owned()).await?;
    if life.task.is_finished() {
        return Err(Broken::new(PASSING, "listen returned before it was stopped, on a network that works"));
    }
    suite.end(life).await?;
    suite.report.judge(STOPS, Ok(Tried::Yes));
    Ok(Tried::Yes)
}

async fn stops_while_accept_works(suite: &mut Suite<'_>) -> Result<Tried, Broken> {
    let (network, intake) = (suite.bench.network().await, ScriptedIntake::new());
    intake.hold(Hold::Before);
    let life = suite.listen(&network, &intake).await;
    let mark = suite.mark();
    network.write(&mark, &corpus::around(&mark, "x")).await;
    let comes = intake.until(|calls, _| !calls.is_empty());
    suite.within(comes, STOPS, || "nothing was handed in".to_owned()).await?;
    suite
        .end(life)
        .await
        .map_err(|broken| Broken { what: format!("{}, while accept was at work", broken.what), ..broken })?;
    if network.acknowledged(&mark).await {
        return Err(Broken::new(
            super::musts::NOTHING_EARLY,
            "stopped while accept was at work, it acknowledged the item",
        ));
    }
    intake.answer_always(Answer::Busy(LONG));
    intake.hold(Hold::No);
    Ok(Tried::Yes)
}

async fn stops_while_told_to_wait(suite: &mut Suite<'_>) -> Result<Tried, Broken> {
    let (network, intake) = (suite.bench.network().await, ScriptedIntake::new());
    intake.answer_always(Answer::Busy(LONG));
    let life = suite.listen(&network, &intake).await;
    let mark = suite.mark();
    network.write(&mark, &corpus::around(&mark, "x")).await;
    let comes = intake.until(|calls, _| calls.iter().any(|call| call.answer.is_some()));
    suite.within(comes, STOPS, || "nothing was handed in".to_owned()).await?;
    suite
        .end(life)
        .await
        .map_err(|broken| Broken { what: format!("{}, while told to come back later", broken.what), ..broken })?;
    Ok(Tried::Yes)
}

async fn stops_while_the_network_is(suite: &mut Suite<'_>, behaviour: Behaviour) -> Result<Tried, Broken> {
    let (network, intake) = (suite.bench.network().await, ScriptedIntake::new());
    if !network.behave(behaviour).await {
        return Ok(Tried::No("the network cannot be made to behave so"));
    }
    let life = suite.listen(&network, &intake).await;
    // Lets it come as far as it comes.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    suite.end(life).await.map_err(|broken| Broken {
        what: format!("{}, with a network that is {behaviour:?}", broken.what),
        ..broken
    })?;
    Ok(Tried::Yes)
}

async fn a_network_that_is_away_passes(suite: &mut Suite<'_>) -> Result<Tried, Broken> {
    let (network, intake) = (suite.bench.network().await, ScriptedIntake::new());
    if !network.behave(Behaviour::Down).await {
        return Ok(Tried::No("the network cannot be taken away"));
    }
    let mut life = suite.listen(&network, &intake).await;
    let patience = suite.patience();
    let troubled = intake.until(|_, healths| healths.iter().any(|health| matches!(health, Health::Troubled { .. })));
    let told = tokio::time::timeout(patience, async {
        tokio::select! {
            end = &mut life.task => Some(end),
            () = troubled => None,
        }
    })
    .await;
    match told {
        Err(_) => Err(Broken::new(PASSING, "the network is away, and listen neither fails nor reports trouble")),
        Ok(None) => suite.end(life).await.map(|()| Tried::Yes),
        Ok(Some(Ok(Err(fault @ Fault::Passing { .. })))) => {
            suite.heard(fault);
            Ok(Tried::Yes)
        }
        Ok(Some(end)) => Err(Broken::new(PASSING, format!("the network is away, and listen ended with {end:?}"))),
    }
}
