//! The desk as a whole.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::desk::views::{Reconciliation, SourceView};
use crate::http::App;
use crate::http::body::Params;
use crate::http::caller::{Lead, Reader};
use crate::http::problem::{Problem, Problems};

pub(super) fn operations() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(reconcile)).routes(routes!(sources))
}

/// How far to look.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Look {
    /// Asks no network: compares the database with itself.
    offline: bool,
}

/// Whether everything that came in is accounted for. Reads whole tables, and lists what the sources' networks hold, which
/// may take minutes.
#[utoipa::path(get, path = "/reconciliation", tag = "desk", params(Look), responses(
    (status = 200, description = "The balance.", body = Reconciliation), Problems))]
async fn reconcile(
    _: Lead,
    State(app): State<App>,
    Params(look): Params<Look>,
) -> Result<Json<Reconciliation>, Problem> {
    let desk = app.desk();
    Ok(Json(if look.offline { desk.balance().await? } else { desk.reconcile().await? }))
}

/// The sources and how they do.
#[utoipa::path(get, path = "/sources", tag = "desk", responses(
    (status = 200, description = "By name.", body = Vec<SourceView>), Problems))]
async fn sources(_: Reader, State(app): State<App>) -> Json<Vec<SourceView>> {
    Json(app.desk().sources())
}
