//! The desk as a whole.

use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::desk::views::{Reconciliation, SourceView};
use crate::http::App;
use crate::http::caller::{Lead, Reader};
use crate::http::problem::{Problem, Problems};

pub(super) fn operations() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(reconcile)).routes(routes!(sources))
}

/// Whether everything that came in is accounted for. Reads whole tables.
#[utoipa::path(get, path = "/reconciliation", tag = "desk", responses(
    (status = 200, description = "The balance.", body = Reconciliation), Problems))]
async fn reconcile(_: Lead, State(app): State<App>) -> Result<Json<Reconciliation>, Problem> {
    Ok(Json(app.desk().reconcile().await?))
}

/// The sources and how they do.
#[utoipa::path(get, path = "/sources", tag = "desk", responses(
    (status = 200, description = "By name.", body = Vec<SourceView>), Problems))]
async fn sources(_: Reader, State(app): State<App>) -> Json<Vec<SourceView>> {
    Json(app.desk().sources())
}
