//! Whether the process lives, and whether it can do its work.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use crate::desk::views::HealthReport;

pub(super) fn operations() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready))
}

/// Whether the process answers at all. Looks at nothing.
#[utoipa::path(get, path = "/health/live", tag = "health", security(()),
    responses((status = 200, description = "It answers.", body = String, content_type = "text/plain")))]
async fn live() -> &'static str {
    "live\n"
}

/// Whether requests can be taken in and answered.
#[utoipa::path(get, path = "/health/ready", tag = "health", security(()), responses(
    (status = 200, description = "They can.", body = HealthReport),
    (status = 503, description = "They cannot; the reasons say why.", body = HealthReport)))]
async fn ready(State(app): State<App>) -> (StatusCode, Json<HealthReport>) {
    let report = app.desk().health().await;
    let status = if report.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(report))
}
