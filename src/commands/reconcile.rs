//! `guichet reconcile`: whether everything that came in is accounted for.

use super::{Context, Failure};
use crate::desk::views::Reconciliation;
use crate::output::{Cell, Column, Shade, Table, plain};

/// Compares and tells. Fails when something is not accounted for.
pub async fn reconcile(context: &Context) -> Result<(), Failure> {
    let client = context.client().await?;
    let answer = client.get("/api/v1/reconciliation").await;
    client.finish().await;
    let answer = answer?;
    let found: Reconciliation = answer.read()?;
    if context.output.is_json() {
        context.output.value(&answer.value()?)?;
    } else {
        tell(context, &found)?;
    }
    if found.sound {
        return Ok(());
    }
    let broken: Vec<&str> =
        found.checks.iter().filter(|check| check.broken > 0).map(|check| check.name.as_str()).collect();
    let what = format!("what came in is not what is there: {}", broken.join(", "));
    Err(Failure::new(
        what,
        "keep a copy of the state folder and report it with the output of `guichet reconcile --json`",
    ))
}

fn tell(context: &Context, found: &Reconciliation) -> Result<(), Failure> {
    let out = &context.output;
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
        let numbers = numbers.map(|number| Cell::from(number.to_string()));
        table.row([Cell::from(line.source.as_str())].into_iter().chain(numbers));
    }
    out.table(&table, "nothing came in yet")?;
    out.line("")?;
    for check in &found.checks {
        let (word, shade) = if check.broken == 0 { ("ok  ", Shade::Good) } else { ("BAD ", Shade::Bad) };
        let broken =
            if check.broken == 0 { String::new() } else { format!(": {} broken; {}", check.broken, check.detail) };
        out.line(&format!("{} {}", out.style().paint(word, shade), plain::line(&format!("{}{broken}", check.rule))))?;
    }
    Ok(())
}
