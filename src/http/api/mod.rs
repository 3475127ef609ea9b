//! The API, version 1.

mod agents;
mod aside;
mod desk;
mod handing;
mod outbox;
mod tickets;
pub mod types;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Extension};
use axum::http::header;
use axum::response::IntoResponse;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::problem::Problem;
use super::{App, health, metrics};

/// What the document says beside its operations.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "guichet",
        description = "Tickets of a help desk: what came in on any channel, what agents did, what left. Refusals are problem \
                       documents (RFC 9457)."
    ),
    components(schemas(Problem)),
    modifiers(&Token),
    security(("token" = [])),
    tags(
        (name = "tickets", description = "Reading and working tickets."),
        (name = "quarantine", description = "What was kept aside."),
        (name = "outbox", description = "What leaves."),
        (name = "intake", description = "Handing in by hand."),
        (name = "desk", description = "The desk as a whole."),
        (name = "agents", description = "Who works here."),
        (name = "health", description = "For probes and monitoring; needs no token.")
    )
)]
struct About;

struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut Document) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("Made by `guichet agent token create`."));
        let scheme = SecurityScheme::Http(bearer.build());
        document.components.get_or_insert_default().add_security_scheme("token", scheme);
    }
}

/// Everything that is served but the channels' own, and the document of it: one list for both.
pub(super) fn operations(app: &App) -> (Router<App>, Arc<str>) {
    let small = OpenApiRouter::new()
        .merge(tickets::operations())
        .merge(aside::operations())
        .merge(outbox::operations())
        .merge(desk::operations())
        .merge(agents::operations())
        .layer(DefaultBodyLimit::max(app.json_limit()));
    let large = handing::operations().layer(DefaultBodyLimit::max(app.max_body));
    let api = small.merge(large).routes(routes!(document));
    let (router, document) = OpenApiRouter::with_openapi(About::openapi())
        .nest("/api/v1", api)
        .merge(health::operations())
        .merge(metrics::operations())
        .split_for_parts();
    let text: Arc<str> = serde_json::to_string(&document).unwrap_or_default().into();
    (router.layer(Extension(Written(Arc::clone(&text)))), text)
}

/// The document as it is served.
#[derive(Clone)]
struct Written(Arc<str>);

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "desk", security(()),
    responses((status = 200, description = "The document.", body = Object, content_type = "application/json")))]
async fn document(Extension(text): Extension<Written>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], text.0.to_string())
}
