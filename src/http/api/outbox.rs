//! The outbox.

use axum::Json;
use axum::extract::State;
use guichet_domain::ids::DeliveryId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::desk::DeliveryQuery;
use crate::desk::views::{DeliveryPage, DeliveryView};
use crate::http::App;
use crate::http::body::{At, Params};
use crate::http::caller::{Lead, Reader};
use crate::http::problem::{Problem, Problems};

pub(super) fn operations() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show)).routes(routes!(retry)).routes(routes!(cancel))
}

/// Lists what left or is to leave, the latest first.
#[utoipa::path(get, path = "/outbox", tag = "outbox", params(DeliveryQuery), responses(
    (status = 200, description = "A page of rows.", body = DeliveryPage), Problems))]
async fn list(
    _: Reader,
    State(app): State<App>,
    Params(query): Params<DeliveryQuery>,
) -> Result<Json<DeliveryPage>, Problem> {
    Ok(Json(app.desk().deliveries(&query).await?))
}

/// One row with its attempts.
#[utoipa::path(get, path = "/outbox/{delivery}", tag = "outbox",
    params(("delivery" = String, Path, description = "The row's key.")),
    responses((status = 200, description = "The row.", body = DeliveryView), Problems))]
async fn show(_: Reader, State(app): State<App>, At(delivery): At<DeliveryId>) -> Result<Json<DeliveryView>, Problem> {
    Ok(Json(app.desk().delivery(delivery).await?))
}

/// Sends a row that was not sent, now.
#[utoipa::path(post, path = "/outbox/{delivery}/retry", tag = "outbox",
    params(("delivery" = String, Path, description = "The row's key.")),
    responses((status = 200, description = "The row as it is then.", body = DeliveryView), Problems))]
async fn retry(_: Lead, State(app): State<App>, At(delivery): At<DeliveryId>) -> Result<Json<DeliveryView>, Problem> {
    Ok(Json(app.desk().retry(delivery).await?))
}

/// Takes a row out: it is not sent any more.
#[utoipa::path(post, path = "/outbox/{delivery}/cancel", tag = "outbox",
    params(("delivery" = String, Path, description = "The row's key.")),
    responses((status = 200, description = "The row as it is then.", body = DeliveryView), Problems))]
async fn cancel(_: Lead, State(app): State<App>, At(delivery): At<DeliveryId>) -> Result<Json<DeliveryView>, Problem> {
    Ok(Json(app.desk().cancel(delivery).await?))
}
