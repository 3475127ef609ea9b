//! `guichet reconcile`: whether everything that came in is accounted for.

use super::cli::ReconcileArgs;
use super::{Context, Failure};
use crate::desk::views::Reconciliation;
use crate::output::{Cell, Column, Shade, Table, plain};

/// Compares and tells. Fails when something is not accounted for, and when a source could not be asked.
pub async fn reconcile(context: &Context, args: &ReconcileArgs) -> Result<(), Failure> {
    let client = context.client().await?;
    let answer = client.get(&format!("/api/v1/reconciliation?offline={}", args.offline)).await;
    client.finish().await;
    let answer = answer?;
    let found: Reconciliation = answer.read()?;
    if context.output.is_json() {
        context.output.value(&answer.value()?)?;
    } else {
        received(context, &found)?;
        upstream(context, &found)?;
        checks(context, &found)?;
    }
    let broken: Vec<&str> =
        found.checks.iter().filter(|check| check.broken > 0).map(|check| check.name.as_str()).collect();
    if !found.sound {
        let what = format!("what came in is not what is there: {}", broken.join(", "));
        return Err(Failure::new(
            what,
            "keep a copy of the state folder and report it with the output of `guichet reconcile --json`",
        ));
    }
    let unasked: Vec<&str> =
        found.upstream.iter().filter(|line| line.trouble.is_some()).map(|line| line.source.as_str()).collect();
    if unasked.is_empty() {
        return Ok(());
    }
    let what = format!("the books agree, and what lies at its server was not compared: {}", unasked.join(", "));
    Err(Failure::new(what, "see `guichet doctor`, or compare without the servers: --offline"))
}

fn received(context: &Context, found: &Reconciliation) -> Result<(), Failure> {
    let mut table = Table::new([
        Column::whole("SOURCE"),
        Column::number("RECEIVED"),
        Column::number("OPENED"),
        Column::number("APPENDED"),
        Column::number("DUPLICATE"),
        Column::number("QUARANTINED"),
    ]);
    for line in &found.sources {
        let numbers = [line.received, line.opened, line.appended, line.duplicate, line.quarantined];
        table.row([Cell::from(line.source.as_str())].into_iter().chain(numbers.map(cell)));
    }
    context.output.table(&table, "nothing came in yet")?;
    Ok(context.output.line("")?)
}

fn upstream(context: &Context, found: &Reconciliation) -> Result<(), Failure> {
    let out = &context.output;
    if found.upstream.is_empty() {
        return Ok(());
    }
    let mut table = Table::new([
        Column::whole("SOURCE"),
        Column::number("HELD"),
        Column::number("KNOWN"),
        Column::number("MISSING"),
        Column::number("AHEAD"),
        Column::number("ASIDE"),
        Column::number("NAMELESS"),
    ]);
    let (asked, unasked): (Vec<_>, Vec<_>) = found.upstream.iter().partition(|line| line.trouble.is_none());
    for line in &asked {
        let numbers = [line.held, line.known, line.missing, line.ahead, line.aside, line.nameless];
        table.row([Cell::from(line.source.as_str())].into_iter().chain(numbers.map(cell)));
    }
    if !asked.is_empty() {
        out.table(&table, "")?;
    }
    for line in &asked {
        for place in &line.places {
            let told = format!("{}: not here: {place}", line.source);
            out.line(&out.style().paint(&plain::line(&told), Shade::Bad))?;
        }
        let unnamed = line.missing - i64::try_from(line.places.len()).unwrap_or(line.missing);
        if unnamed > 0 {
            out.line(&format!("{}: and {unnamed} more", line.source))?;
        }
    }
    for line in unasked {
        let told = format!("{}: {}", line.source, line.trouble.as_deref().unwrap_or_default());
        out.line(&out.style().paint(&plain::line(&told), Shade::Warning))?;
    }
    Ok(out.line("")?)
}

fn checks(context: &Context, found: &Reconciliation) -> Result<(), Failure> {
    let out = &context.output;
    for check in &found.checks {
        let (word, shade) = if check.broken == 0 { ("ok  ", Shade::Good) } else { ("BAD ", Shade::Bad) };
        let broken =
            if check.broken == 0 { String::new() } else { format!(": {} broken; {}", check.broken, check.detail) };
        out.line(&format!("{} {}", out.style().paint(word, shade), plain::line(&format!("{}{broken}", check.rule))))?;
    }
    Ok(())
}

fn cell(number: i64) -> Cell {
    Cell::from(number.to_string())
}
