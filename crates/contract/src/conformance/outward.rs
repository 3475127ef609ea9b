//! From the core to the network.

use std::sync::Arc;
use std::time::Duration;

use guichet_domain::ids::ExternalId;

use super::bench::{Behaviour, Network, Shown};
use super::musts::{
    ABILITIES, ADDRESSES, CHECK, DEADLINE, DELIVERED, DOWN, DROPPED, FINDS, HONEST, HOSTILE_OUT, IDEMPOTENT, Must,
    NO_PANIC, NOTES, OVER_LONG, REFUSED, SENDS_NOT, WAITS,
};
use super::report::{Broken, Tried};
use super::suite::{Suite, spawned};
use super::{corpus, departing};
use crate::channel::{Channel, Fault};
use crate::outgoing::{Delivery, Outgoing};
use crate::port::Port;

pub(super) const CANNOT: Tried = Tried::No("the network cannot be made to behave so");

pub(super) async fn check_all(suite: &mut Suite<'_>) {
    let end = abilities(suite).await;
    suite.report.judge(ABILITIES, end);
    let end = addresses(suite).await;
    suite.report.judge(ADDRESSES, end);
    let end = check(suite).await;
    suite.report.judge(CHECK, end);
    let network = suite.bench.network().await;
    let (channel, _) = suite.sender(&network).await;
    if !channel.abilities().sends {
        let end = sends_not(suite).await;
        suite.report.judge(SENDS_NOT, end);
        return;
    }
    let end = delivered(suite).await;
    suite.report.judge(DELIVERED, end);
    let end = shows_once(suite).await;
    suite.report.judge(IDEMPOTENT, end);
    let end = refused(suite).await;
    suite.report.judge(REFUSED, end);
    let end = nobody_there(suite).await;
    suite.report.judge(DOWN, end);
    let end = asked_to_wait(suite).await;
    suite.report.judge(WAITS, end);
    for behaviour in [Behaviour::DiesBefore, Behaviour::DiesAfter] {
        let end = dying(suite, behaviour).await;
        suite.report.judge(HONEST, end);
    }
    let end = silent(suite).await;
    suite.report.judge(DEADLINE, end);
    let end = dropped(suite).await;
    suite.report.judge(DROPPED, end);
    let end = over_long(suite).await;
    suite.report.judge(OVER_LONG, end);
    let end = hostile_texts(suite).await;
    suite.report.judge(HOSTILE_OUT, end);
    let end = finds(suite).await;
    suite.report.judge(FINDS, end);
    let end = departing::notes_before_it_leaves(suite).await;
    suite.report.judge(NOTES, end);
    suite.report.judge(NO_PANIC, Ok(Tried::Yes));
}

/// A network that behaves so, a channel on it and a plain notice; nothing when it cannot.
pub(super) async fn scene(suite: &mut Suite<'_>, behaviour: Behaviour) -> Option<Scene> {
    let network = suite.bench.network().await;
    let (channel, port) = suite.sender(&network).await;
    let mark = suite.mark();
    let notice = suite.notice(&network, corpus::around(&mark, "we have your request"));
    if !network.behave(behaviour).await {
        return None;
    }
    Some(Scene { network, channel, port, notice, mark })
}

pub(super) struct Scene {
    pub(super) network: Arc<dyn Network>,
    pub(super) channel: Arc<dyn Channel>,
    pub(super) port: Port,
    pub(super) notice: Outgoing,
    mark: String,
}

impl Scene {
    pub(super) async fn deliver(&self, suite: &mut Suite<'_>) -> Result<Delivery, Broken> {
        suite.deliver(&self.channel, &self.port, &self.notice).await
    }

    async fn find_sent(&self) -> Result<Result<Option<ExternalId>, Fault>, Broken> {
        let (channel, port, notice) = (Arc::clone(&self.channel), self.port.clone(), self.notice.clone());
        spawned("find_sent", async move { channel.find_sent(&port, &notice).await }).await
    }

    /// How many of the messages that are shown hold the mark.
    pub(super) async fn times_shown(&self) -> usize {
        self.network.shown().await.iter().filter(|shown| shown.text.contains(&self.mark)).count()
    }
}

fn expect(must: Must, holds: bool, delivery: &Delivery, when: &str) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(Broken::new(must, format!("{when}, deliver answered {delivery:?}"))) }
}

async fn abilities(suite: &mut Suite<'_>) -> Result<Tried, Broken> {
    let network = suite.bench.network().await;
    let (channel, _) = suite.sender(&network).await;
    let (first, second) = (channel.abilities(), channel.abilities());
    if first != second {
        return Err(Broken::new(ABILITIES, format!("asked twice, they are {first:?} and {second:?}")));
    }
    let usable = !first.sends || (first.deadline_secs > 0 && first.concurrency > 0);
    if !usable || first.max_chars == Some(0) {
        return Err(Broken::new(ABILITIES, format!("no message can be sent with {first:?}")));
    }
    Ok(Tried::Yes)
}

async fn addresses(suite: &mut Suite<'_>) -> Result<Tried, Broken> {
    let network = suite.bench.network().await;
    let (channel, _) = suite.sender(&network).await;
    let addresses = channel.addresses();
    match addresses.iter().find(|address| **address != guichet_domain::inbound::address_key(address)) {
        Some(odd) => Err(Broken::new(ADDRESSES, format!("{odd:?} is no address key"))),
        None if addresses.is_empty() => Ok(Tried::No("the channel lists no addresses of ours")),
        None => Ok(Tried::Yes),
    }
}

async fn check(suite: &mut Suite<'_>) -> Result<Tried, Broken> {
    let network = suite.bench.network().await;
    let mark = suite.mark();
    if suite.bench.inward() == super::Inward::Fetches {
        network.write(&mark, &corpus::around(&mark, "x")).await;
    }
    let (channel, port) = suite.sender(&network).await;
    let asked = || spawned("check", checked(Arc::clone(&channel), port.clone()));
    let well = suite.within(asked(), CHECK, || "check did not end".to_owned()).await??;
    suite.heard(&well);
    match well {
        Ok(findings) if !findings.is_empty() => {}
        other => return Err(Broken::new(CHECK, format!("all is well, and check answered {other:?}"))),
    }
    if !network.shown().await.is_empty() || network.acknowledged(&mark).await {
        return Err(Broken::new(CHECK, "check sent or acknowledged something"));
    }
    if !network.behave(Behaviour::Down).await {
        return Ok(Tried::Yes);
    }
    let away =
        suite.within(channel.check(&port), CHECK, || "check did not end with the network away".to_owned()).await?;
    suite.heard(&away);
    match away {
        Ok(findings) => Err(Broken::new(CHECK, format!("the network is away, and check answered {findings:?}"))),
        Err(_) => Ok(Tried::Yes),
    }
}

async fn checked(channel: Arc<dyn Channel>, port: Port) -> Result<Vec<String>, Fault> {
    channel.check(&port).await
}

async fn sends_not(suite: &mut Suite<'_>) -> Result<Tried, Broken> {
    let Some(scene) = scene(suite, Behaviour::Works).await else { return Ok(CANNOT) };
    let delivery = scene.deliver(suite).await?;
    expect(SENDS_NOT, matches!(delivery, Delivery::Refused { .. }), &delivery, "it does not send")?;
    Ok(Tried::Yes)
}

async fn delivered(suite: &mut Suite<'_>) -> Result<Tried, Broken> {
    let Some(scene) = scene(suite, Behaviour::Works).await else { return Ok(CANNOT) };
    let delivery = scene.deliver(suite).await?;
    expect(DELIVERED, matches!(delivery, Delivery::Delivered { .. }), &delivery, "the network works")?;
    whole(&scene.network.shown().await, &scene.mark, DELIVERED, "a plain text")?;
    Ok(Tried::Yes)
}

/// Exactly one message, with both ends of its text.
fn whole(shown: &[Shown], mark: &str, must: Must, name: &str) -> Result<(), Broken> {
    let (head, tail) = corpus::ends(mark);
    match shown {
        [one] if one.text.contains(&head) && one.text.contains(&tail) => Ok(()),
        [_] => Err(Broken::new(must, format!("of {name} a part is missing where people see it"))),
        other => Err(Broken::new(must, format!("{name} was sent once and is shown as {} messages", other.len()))),
    }
}

async fn shows_once(suite: &mut Suite<'_>) -> Result<Tried, Broken> {
    let Some(mut scene) = scene(suite, Behaviour::Works).await else { return Ok(CANNOT) };
    if !scene.channel.abilities().idempotent_send {
        return Ok(Tried::No("the channel does not claim idempotent_send"));
    }
    for attempt in 1..=3 {
        scene.notice.attempt = attempt;
        // The third time by a daemon that was started again.
        if attempt == 3 {
            scene.channel = scene.network.plug(&scene.port).await;
        }
        let delivery = scene.deliver(suite).await?;
        let when = format!("attempt {attempt} of one id");
        expect(IDEMPOTENT, matches!(delivery, Delivery::Delivered { .. }), &delivery, &when)?;
    }
    let times = scene.times_shown().await;
    if times != 1 {
        return Err(Broken::new(IDEMPOTENT, format!("delivered three times under one id, it is shown {times} times")));
    }
    Ok(Tried::Yes)
}

async fn refused(suite: &mut Suite<'_>) -> Result<Tried, Broken> {
    let Some(scene) = scene(suite, Behaviour::Refuses).await else { return Ok(CANNOT) };
    let delivery = scene.deliver(suite).await?;
    expect(REFUSED, matches!(delivery, Delivery::Refused { .. }), &delivery, "the network refuses it for good")?;
    Ok(Tried::Yes)
}

async fn nobody_there(suite: &mut Suite<'_>) -> Result<Tried, Broken> {
    let Some(scene) = scene(suite, Behaviour::Down).await else { return Ok(CANNOT) };
    let delivery = scene.deliver(suite).await?;
    let honest = matches!(delivery, Delivery::Retry { source_down: true, .. });
    expect(DOWN, honest, &delivery, "nobody is there")?;
    scene.network.behave(Behaviour::Works).await;
    let delivery = scene.deliver(suite).await?;
    expect(DOWN, matches!(delivery, Delivery::Delivered { .. }), &delivery, "the network is back")?;
    Ok(Tried::Yes)
}

async fn asked_to_wait(suite: &mut Suite<'_>) -> Result<Tried, Broken> {
    for (asked, hears) in [(30, 30), (90_000, 3600)] {
        let Some(scene) = scene(suite, Behaviour::AsksToWait(Duration::from_secs(asked))).await else {
            return Ok(CANNOT);
        };
        let delivery = scene.deliver(suite).await?;
        let kept =
            matches!(delivery, Delivery::Retry { after: Some(after), .. } if after == Duration::from_secs(hears));
        expect(WAITS, kept, &delivery, &format!("asked to come back in {asked} s"))?;
    }
    Ok(Tried::Yes)
}

async fn dying(suite: &mut Suite<'_>, behaviour: Behaviour) -> Result<Tried, Broken> {
    let Some(mut scene) = scene(suite, behaviour).await else { return Ok(CANNOT) };
    let abilities = scene.channel.abilities();
    let delivery = scene.deliver(suite).await?;
    let taken = scene.times_shown().await > 0;
    let when =
        if taken { "the network took it and its connection died" } else { "the connection died before it was taken" };
    let honest = match delivery {
        Delivery::Delivered { .. } | Delivery::Refused { .. } => false,
        Delivery::Retry { .. } => !taken || abilities.idempotent_send,
        Delivery::Unknown { .. } => true,
    };
    expect(HONEST, honest, &delivery, when)?;
    scene.network.behave(Behaviour::Works).await;
    if abilities.finds_sent && matches!(delivery, Delivery::Unknown { .. }) {
        let found = scene.find_sent().await?;
        if !matches!((&found, taken), (Ok(Some(_)), true) | (Ok(None), false)) {
            return Err(Broken::new(FINDS, format!("{when}, and find_sent answered {found:?}")));
        }
    }
    if abilities.idempotent_send {
        scene.notice.attempt = 2;
        let delivery = scene.deliver(suite).await?;
        let times = scene.times_shown().await;
        expect(HONEST, times == 1, &delivery, &format!("{when}; repeated, it is shown {times} times"))?;
    }
    Ok(Tried::Yes)
}

async fn silent(suite: &mut Suite<'_>) -> Result<Tried, Broken> {
    if !suite.bench.clock_is_paused() {
        return Ok(Tried::No(
            "the bench's clock is not paused: waiting for the channel's own limit would take its time",
        ));
    }
    let Some(scene) = scene(suite, Behaviour::Silent).await else { return Ok(CANNOT) };
    let delivery = scene.deliver(suite).await?;
    let honest = matches!(delivery, Delivery::Retry { .. } | Delivery::Unknown { .. });
    expect(HONEST, honest, &delivery, "the network never answered")?;
    Ok(Tried::Yes)
}

async fn dropped(suite: &mut Suite<'_>) -> Result<Tried, Broken> {
    let Some(mut scene) = scene(suite, Behaviour::Silent).await else { return Ok(CANNOT) };
    // As often as it may send at once, so that a permit that was lost with the future is missed.
    for _ in 0..scene.channel.abilities().concurrency.min(16) {
        let attempt = spawned("deliver", {
            let (channel, port, notice) = (Arc::clone(&scene.channel), scene.port.clone(), scene.notice.clone());
            async move { channel.deliver(&port, &notice).await }
        });
        tokio::select! {
            biased;
            delivery = attempt => suite.heard(delivery?),
            () = some_turns() => {}
        }
    }
    scene.network.behave(Behaviour::Works).await;
    let mark = suite.mark();
    scene.notice = suite.notice(&scene.network, corpus::around(&mark, "another"));
    scene.mark = mark;
    let delivery = scene.deliver(suite).await?;
    let works = matches!(delivery, Delivery::Delivered { .. });
    expect(DROPPED, works, &delivery, "after attempts that were dropped, on a network that works")?;
    Ok(Tried::Yes)
}

/// Lets the others of this thread come as far as they come.
async fn some_turns() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

async fn over_long(suite: &mut Suite<'_>) -> Result<Tried, Broken> {
    let Some(mut scene) = scene(suite, Behaviour::Works).await else { return Ok(CANNOT) };
    let Some(max) = scene.channel.abilities().max_chars else {
        return Ok(Tried::No("the channel names no longest text"));
    };
    let text = corpus::around(&scene.mark, &"é\u{1f600}word ".repeat(max));
    scene.notice = suite.notice(&scene.network, text);
    let delivery = scene.deliver(suite).await?;
    let shown = scene.network.shown().await;
    if let Some(long) = shown.iter().map(|shown| shown.text.chars().count()).find(|length| *length > max) {
        return Err(Broken::new(OVER_LONG, format!("the longest text is {max} characters, and {long} were sent")));
    }
    if matches!(delivery, Delivery::Refused { .. }) && shown.is_empty() {
        return Ok(Tried::Yes);
    }
    let (head, tail) = corpus::ends(&scene.mark);
    let cut_openly = shown.last().is_some_and(|last| last.text.contains('…') || last.text.contains("[...]"));
    let has = |end: &str| shown.iter().any(|shown| shown.text.contains(end));
    let kept = matches!(delivery, Delivery::Delivered { .. }) && has(&head) && (has(&tail) || cut_openly);
    expect(OVER_LONG, kept, &delivery, "of an over-long text a part is missing without a mark")?;
    Ok(Tried::Yes)
}

async fn hostile_texts(suite: &mut Suite<'_>) -> Result<Tried, Broken> {
    let mut texts = corpus::middles();
    texts.push(("1 MB", corpus::megabyte()));
    for (name, middle) in texts {
        let Some(mut scene) = scene(suite, Behaviour::Works).await else { return Ok(CANNOT) };
        let text = corpus::around(&scene.mark, &middle);
        let max = scene.channel.abilities().max_chars;
        if max.is_some_and(|max| text.chars().count() > max) {
            continue;
        }
        let (length, unbound) = (text.len(), max.is_none());
        scene.notice = suite.notice(&scene.network, text);
        let delivery = scene.deliver(suite).await?;
        let shown = scene.network.shown().await;
        if length > 100_000 && unbound && matches!(delivery, Delivery::Refused { .. }) && shown.is_empty() {
            continue;
        }
        let when = format!("on a text with {name}");
        expect(HOSTILE_OUT, matches!(delivery, Delivery::Delivered { .. }), &delivery, &when)?;
        whole(&shown, &scene.mark, HOSTILE_OUT, &format!("a text with {name}"))?;
    }
    Ok(Tried::Yes)
}

async fn finds(suite: &mut Suite<'_>) -> Result<Tried, Broken> {
    let Some(scene) = scene(suite, Behaviour::Works).await else { return Ok(CANNOT) };
    let before = scene.find_sent().await?;
    if !scene.channel.abilities().finds_sent {
        let told = matches!(before, Err(Fault::Lasting { .. } | Fault::Passing { .. }));
        let what = format!("finds_sent is not claimed, and find_sent answered {before:?}");
        return if told { Ok(Tried::Yes) } else { Err(Broken::new(FINDS, what)) };
    }
    if before != Ok(None) {
        return Err(Broken::new(FINDS, format!("nothing was sent, and find_sent answered {before:?}")));
    }
    let delivery = scene.deliver(suite).await?;
    let after = scene.find_sent().await?;
    let same = match (&delivery, &after) {
        (Delivery::Delivered { external_id: Some(told), .. }, Ok(Some(found))) => told == found,
        (Delivery::Delivered { external_id: None, .. }, Ok(Some(_))) => true,
        _ => false,
    };
    if !same {
        return Err(Broken::new(FINDS, format!("deliver answered {delivery:?}, and find_sent {after:?}")));
    }
    Ok(Tried::Yes)
}
