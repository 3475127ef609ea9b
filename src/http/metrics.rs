//! The figures for a monitoring system, in OpenMetrics text. Read from the database at each scrape: what is counted there
//! survives restarts, and nothing has to be kept up to date beside it.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use guichet_store::{StoreError, figures, inbound, outbox, ticket_list};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::problem::{Problem, ProblemKind};
use crate::desk::views::SourceState;

pub(super) fn operations() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(metrics))
}

/// The figures in OpenMetrics text.
#[utoipa::path(get, path = "/metrics", tag = "health", security(()), responses(
    (status = 200, description = "The figures.", body = String,
        content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8"),
    super::problem::Problems))]
async fn metrics(State(app): State<App>) -> Result<impl IntoResponse, Problem> {
    let mut registry = Registry::with_prefix("guichet");
    of_database(&app, &mut registry).await?;
    of_sources(&app, &mut registry);
    of_process(&app, &mut registry);
    let mut text = String::new();
    encode(&mut text, &registry).map_err(|error| Problem::new(ProblemKind::Internal, error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text))
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Received {
    source: String,
    verdict: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Tickets {
    state: &'static str,
    priority: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Deliveries {
    source: String,
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfSource {
    source: String,
}

async fn of_database(app: &App, registry: &mut Registry) -> Result<(), StoreError> {
    let kernel = app.desk().kernel();
    let now = kernel.clock.now();
    let mut tx = kernel.db.read().await?;
    let received = Family::<Received, Counter>::default();
    for ((source, verdict), n) in figures::tally(&mut tx).await? {
        let labels = Received { source: source.into_string(), verdict: verdict.as_str() };
        received.get_or_create(&labels).inc_by(u64::try_from(n).unwrap_or(0));
    }
    registry.register("received", "Items handed in, by what became of them", received);
    let tickets = Family::<Tickets, Gauge>::default();
    for (state, priority, n) in ticket_list::by_state(&mut tx).await? {
        tickets.get_or_create(&Tickets { state: state.as_str(), priority: priority.as_str() }).set(n);
    }
    registry.register("tickets", "Tickets by state and priority", tickets);
    let deliveries = Family::<Deliveries, Gauge>::default();
    for standing in outbox::standing(&mut tx).await? {
        let labels = Deliveries { source: standing.source.into_string(), state: standing.state.as_str() };
        deliveries.get_or_create(&labels).set(standing.n);
    }
    registry.register("outbox", "Rows of the outbox by state", deliveries);
    let oldest = Gauge::<i64>::default();
    let waits = outbox::oldest_due(&mut tx, now).await?.map_or(0, |at| now.since(at).as_secs());
    oldest.set(i64::try_from(waits).unwrap_or(i64::MAX));
    let help = "How long the row has waited that has been due the longest";
    registry.register_with_unit("outbox_oldest_due", help, Unit::Seconds, oldest);
    let held = Gauge::<i64>::default();
    held.set(inbound::held(&mut tx).await?);
    registry.register("quarantine_held", "Items kept aside, to be looked at", held);
    Ok(())
}

fn of_sources(app: &App, registry: &mut Registry) {
    let (up, age) = (Family::<OfSource, Gauge>::default(), Family::<OfSource, Gauge>::default());
    let restarts = Family::<OfSource, Counter>::default();
    for source in app.desk().sources().into_iter().filter(|source| source.enabled) {
        let labels = OfSource { source: source.name.into_string() };
        let works = matches!(source.state, SourceState::Good | SourceState::Warning);
        up.get_or_create(&labels).set(i64::from(works));
        if let Some(secs) = source.good_age_secs {
            age.get_or_create(&labels).set(i64::try_from(secs).unwrap_or(i64::MAX));
        }
        restarts.get_or_create(&labels).inc_by(source.restarts);
    }
    registry.register("source_up", "1 while the source works", up);
    registry.register_with_unit("source_last_success_age", "Since the source last did well", Unit::Seconds, age);
    registry.register("source_restarts", "Restarts since the daemon started", restarts);
}

fn of_process(app: &App, registry: &mut Registry) {
    let kernel = app.desk().kernel();
    if let Ok(free) = kernel.state.free_bytes() {
        let gauge = Gauge::<i64>::default();
        gauge.set(i64::try_from(free).unwrap_or(i64::MAX));
        registry.register_with_unit("disk_free", "Free where the state folder is", Unit::Bytes, gauge);
    }
    if let Some(rss) = resident_bytes() {
        let gauge = Gauge::<i64>::default();
        gauge.set(rss);
        registry.register_with_unit("process_resident_memory", "Memory the process holds", Unit::Bytes, gauge);
    }
    let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION")), ("engine", kernel.db.engine())]);
    registry.register("build", "The program", build);
}

/// What the kernel says of this process; `None` where it does not.
fn resident_bytes() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse::<i64>().ok().map(|kib| kib * 1024)
}
