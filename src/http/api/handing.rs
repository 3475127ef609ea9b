//! Handing in by hand.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::desk::views::{ReceiptView, Simulation};
use crate::http::App;
use crate::http::body::{Params, Raw};
use crate::http::caller::Lead;
use crate::http::problem::{Problem, Problems};

pub(super) fn operations() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(inject)).routes(routes!(simulate))
}

/// By which source, and how.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct By {
    /// The source that is to have received it.
    source: String,
    /// `true`: it is imported, and gets no acknowledgement.
    #[serde(default)]
    quiet: bool,
}

/// By which source.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AsIf {
    /// The source that is to have received it.
    source: String,
}

/// Takes in a message as it is, as if a source had received it. Durable when it is answered; the same bytes again are a
/// duplicate.
#[utoipa::path(post, path = "/inject", tag = "intake", params(By),
    request_body(content = Vec<u8>, content_type = "message/rfc822", description = "The whole message."),
    responses((status = 201, description = "What became of it.", body = ReceiptView), Problems))]
async fn inject(
    _: Lead,
    State(app): State<App>,
    Params(by): Params<By>,
    Raw(bytes): Raw,
) -> Result<(StatusCode, Json<ReceiptView>), Problem> {
    let receipt = app.desk().inject(&by.source, bytes, by.quiet).await?;
    Ok((StatusCode::CREATED, Json(receipt)))
}

/// Says what would become of a message, all decisions included. Nothing is kept, nothing is sent.
#[utoipa::path(post, path = "/simulate", tag = "intake", params(AsIf),
    request_body(content = Vec<u8>, content_type = "message/rfc822", description = "The whole message."),
    responses((status = 200, description = "What would become of it.", body = Simulation), Problems))]
async fn simulate(
    _: Lead,
    State(app): State<App>,
    Params(by): Params<AsIf>,
    Raw(bytes): Raw,
) -> Result<Json<Simulation>, Problem> {
    Ok(Json(app.desk().simulate(&by.source, bytes).await?))
}
