//! The quarantine.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use guichet_domain::ids::InboundId;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::tickets::download;
use crate::desk::views::{QuarantineItem, QuarantinePage, ReceiptView, Standing};
use crate::http::App;
use crate::http::body::{At, Params};
use crate::http::caller::{Lead, Reader};
use crate::http::problem::{Problem, Problems};

pub(super) fn operations() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(raw))
        .routes(routes!(release))
        .routes(routes!(discard))
}

/// Which items to list.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Where they stand; `held` when left out.
    standing: Standing,
    /// `next` of the page before.
    #[param(value_type = Option<String>, format = "uuid")]
    before: Option<InboundId>,
    /// At most so many, 1 to 200; 50 when left out.
    limit: Option<i64>,
}

/// Lists what was kept aside, the latest first.
#[utoipa::path(get, path = "/quarantine", tag = "quarantine", params(Which), responses(
    (status = 200, description = "A page of items.", body = QuarantinePage), Problems))]
async fn list(
    _: Reader,
    State(app): State<App>,
    Params(which): Params<Which>,
) -> Result<Json<QuarantinePage>, Problem> {
    Ok(Json(app.desk().quarantined(which.standing, which.before, which.limit).await?))
}

/// One item.
#[utoipa::path(get, path = "/quarantine/{item}", tag = "quarantine",
    params(("item" = String, Path, description = "The item's key.")),
    responses((status = 200, description = "The item.", body = QuarantineItem), Problems))]
async fn show(_: Reader, State(app): State<App>, At(item): At<InboundId>) -> Result<Json<QuarantineItem>, Problem> {
    Ok(Json(app.desk().quarantined_one(item).await?))
}

/// An item's bytes as they came, as a download.
#[utoipa::path(get, path = "/quarantine/{item}/raw", tag = "quarantine",
    params(("item" = String, Path, description = "The item's key.")),
    responses((status = 200, description = "The bytes.", body = Vec<u8>, content_type = "application/octet-stream"), Problems))]
async fn raw(_: Lead, State(app): State<App>, At(item): At<InboundId>) -> Result<Response, Problem> {
    let raw = app.desk().quarantined_raw(item).await?;
    Ok(download(&raw.name, raw.bytes))
}

/// Lets an item in, past the rules that kept it aside.
#[utoipa::path(post, path = "/quarantine/{item}/release", tag = "quarantine",
    params(("item" = String, Path, description = "The item's key.")),
    responses((status = 200, description = "What became of it.", body = ReceiptView), Problems))]
async fn release(
    Lead(caller): Lead,
    State(app): State<App>,
    At(item): At<InboundId>,
) -> Result<Json<ReceiptView>, Problem> {
    Ok(Json(app.desk().release(&caller.name, item).await?))
}

/// Leaves an item out for good.
#[utoipa::path(post, path = "/quarantine/{item}/discard", tag = "quarantine",
    params(("item" = String, Path, description = "The item's key.")),
    responses((status = 200, description = "The item as it is then.", body = QuarantineItem), Problems))]
async fn discard(_: Lead, State(app): State<App>, At(item): At<InboundId>) -> Result<Json<QuarantineItem>, Problem> {
    Ok(Json(app.desk().discard(item).await?))
}
