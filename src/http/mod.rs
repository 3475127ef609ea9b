//! HTTP: one listener for the API, the health pages, the metrics and whatever the channels serve.
//!
//! To add an operation: its handler in `api/`, with `#[utoipa::path]`, and its line in `api::operations`. It is served,
//! documented and tested against its document by that alone: routes are added nowhere else.

pub mod api;
mod body;
mod caller;
mod frame;
mod health;
mod kept;
mod metrics;
mod peer;
pub mod problem;
mod serve;
mod status;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;

use crate::config::HttpSettings;
use crate::desk::Desk;
use crate::intake::{self, Reception};
use crate::kernel::Kernel;

pub use caller::AGENT_HEADER;
pub use kept::{keep_serving, keep_serving_local};
pub use peer::TrustedProxy;
pub use serve::{serve, serve_local};

/// Largest JSON body in bytes: what people write is small; messages handed in have the limit of the configuration.
const JSON_LIMIT: usize = 2 << 20;

/// Everything that handlers share. Cheap to clone.
#[derive(Clone)]
pub struct App {
    desk: Desk,
    reception: Reception,
    max_body: usize,
    proxies: Arc<[TrustedProxy]>,
    door: Door,
}

/// By which way a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    /// The network: whoever asks shows a token.
    Network,
    /// The socket in the state folder, or this very process: the file's permissions said who may.
    Local,
}

impl App {
    /// What is served on `kernel`.
    pub fn new(kernel: Arc<Kernel>, reception: Reception, settings: &HttpSettings) -> Self {
        let desk = Desk::new(kernel, reception.clone());
        Self {
            desk,
            reception,
            max_body: settings.max_body,
            proxies: settings.trusted_proxies.clone().into(),
            door: Door::Network,
        }
    }

    /// The service layer.
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    fn json_limit(&self) -> usize {
        self.max_body.min(JSON_LIMIT)
    }
}

/// What is served to the network: callers of the API show a token.
pub fn router(app: App) -> Router {
    let kernel = Arc::clone(app.desk.kernel());
    let mut router = documented(&app);
    for (name, source) in kernel.sources.iter().filter(|(_, source)| source.enabled) {
        if let Some(routes) = source.channel.routes(intake::port(&app.reception, name, source)) {
            let routes = routes.layer(DefaultBodyLimit::max(app.max_body));
            router = router.nest_service(&format!("/in/{name}"), routes);
        }
    }
    // Who asks for a source that is not there hears what a wrong token hears.
    let router = router.route("/in/{source}/{*rest}", axum::routing::any(frame::stranger));
    let router = router.merge(crate::console::routes(app.desk.clone())).merge(status::routes(app.desk.clone()));
    framed(router, app)
}

/// What is served to the local socket and to this process: the caller is the operator.
pub fn router_local(app: App) -> Router {
    let app = App { door: Door::Local, ..app };
    framed(documented(&app), app)
}

fn documented(app: &App) -> Router {
    api::operations(app).0.with_state(app.clone())
}

fn framed(router: Router, app: App) -> Router {
    router
        .fallback(frame::not_found)
        .method_not_allowed_fallback(frame::not_allowed)
        .layer(from_fn_with_state(app, frame::frame))
}
