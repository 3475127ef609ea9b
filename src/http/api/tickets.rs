//! Tickets.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use guichet_domain::ids::MessageId;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::desk::views::{ExplanationView, NewMessage, NewTicket, TicketDetail, TicketPage, TicketView, Transition};
use crate::desk::{Request, TicketQuery, Wanted};
use crate::http::App;
use crate::http::body::{Asked, At, Key, Params};
use crate::http::caller::{Reader, Worker};
use crate::http::problem::{Problem, Problems};

pub(super) fn operations() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read))
        .routes(routes!(write))
        .routes(routes!(change))
        .routes(routes!(explain))
        .routes(routes!(file))
}

/// Where to begin in a timeline.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Place {
    /// `next` of the look before; 0 for the beginning.
    after: i64,
}

/// Lists tickets, page by page.
#[utoipa::path(get, path = "/tickets", tag = "tickets", params(TicketQuery), responses(
    (status = 200, description = "A page of tickets.", body = TicketPage), Problems))]
async fn list(
    _: Reader,
    State(app): State<App>,
    Params(query): Params<TicketQuery>,
) -> Result<Json<TicketPage>, Problem> {
    Ok(Json(app.desk().list(&query).await?))
}

/// Makes a ticket on behalf of somebody. It is classified, prioritised and acknowledged like any other.
#[utoipa::path(post, path = "/tickets", tag = "tickets", request_body = NewTicket,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key with the same body gives the first answer; with another body it is refused.")),
    responses(
        (status = 201, description = "The ticket.", body = TicketView, headers(("Location" = String, description = "Its address."))),
        Problems))]
async fn create(
    Worker(caller): Worker,
    State(app): State<App>,
    key: Key,
    asked: Asked<NewTicket>,
) -> Result<Response, Problem> {
    let repeat = key.with(&asked.bytes);
    let ticket = app.desk().create(&caller.name, &asked.value, asked.bytes.to_vec(), repeat.as_ref()).await?;
    let location = format!("/api/v1/tickets/{}", ticket.reference);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(ticket)).into_response())
}

/// Reads a ticket with its timeline and its deliveries.
#[utoipa::path(get, path = "/tickets/{reference}", tag = "tickets",
    params(("reference" = String, Path, description = "The ticket's number, as people write it."), Place),
    responses((status = 200, description = "The ticket.", body = TicketDetail), Problems))]
async fn read(
    _: Reader,
    State(app): State<App>,
    At(reference): At<String>,
    Params(place): Params<Place>,
) -> Result<Json<TicketDetail>, Problem> {
    Ok(Json(app.desk().read(&reference, place.after).await?))
}

/// Writes to the requester, or for the other agents.
#[utoipa::path(post, path = "/tickets/{reference}/messages", tag = "tickets", request_body = NewMessage,
    params(("reference" = String, Path, description = "The ticket's number, as people write it."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key is carried out once.")),
    responses((status = 201, description = "The ticket as it is then.", body = TicketView), Problems))]
async fn write(
    Worker(caller): Worker,
    State(app): State<App>,
    At(reference): At<String>,
    key: Key,
    asked: Asked<NewMessage>,
) -> Result<(StatusCode, Json<TicketView>), Problem> {
    let repeat = key.with(&asked.bytes);
    let request = Request { agent: &caller.name, reference: &reference, repeat: repeat.as_ref() };
    let ticket = app.desk().act(&request, &Wanted::Message(asked.value)).await?;
    Ok((StatusCode::CREATED, Json(ticket)))
}

/// Assigns, escalates, classifies, closes, reopens or merges a ticket, or marks it as seen.
#[utoipa::path(post, path = "/tickets/{reference}/transitions", tag = "tickets", request_body = Transition,
    params(("reference" = String, Path, description = "The ticket's number, as people write it."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key is carried out once.")),
    responses((status = 200, description = "The ticket as it is then.", body = TicketView), Problems))]
async fn change(
    Worker(caller): Worker,
    State(app): State<App>,
    At(reference): At<String>,
    key: Key,
    asked: Asked<Transition>,
) -> Result<Json<TicketView>, Problem> {
    let repeat = key.with(&asked.bytes);
    let request = Request { agent: &caller.name, reference: &reference, repeat: repeat.as_ref() };
    Ok(Json(app.desk().act(&request, &Wanted::Transition(asked.value)).await?))
}

/// Every decision about a ticket in order, with its reason.
#[utoipa::path(get, path = "/tickets/{reference}/explanation", tag = "tickets",
    params(("reference" = String, Path, description = "The ticket's number, as people write it.")),
    responses((status = 200, description = "The decisions.", body = ExplanationView), Problems))]
async fn explain(
    _: Reader,
    State(app): State<App>,
    At(reference): At<String>,
) -> Result<Json<ExplanationView>, Problem> {
    Ok(Json(app.desk().explain(&reference).await?))
}

/// A file of a ticket, always as a download.
#[utoipa::path(get, path = "/tickets/{reference}/messages/{message}/attachments/{position}", tag = "tickets",
    params(("reference" = String, Path, description = "The ticket's number, as people write it."),
        ("message" = String, Path, description = "The entry's key."), ("position" = i64, Path, description = "The file's place.")),
    responses((status = 200, description = "The file.", body = Vec<u8>, content_type = "application/octet-stream"), Problems))]
async fn file(
    _: Reader,
    State(app): State<App>,
    At((reference, message, position)): At<(String, MessageId, i64)>,
) -> Result<Response, Problem> {
    let file = app.desk().file(&reference, message, position).await?;
    Ok(download(&file.name, file.bytes))
}

/// Bytes from outside are never shown in place: whatever they say they are, they are a download.
pub(super) fn download(name: &str, bytes: Vec<u8>) -> Response {
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let plain: String = name.chars().map(|c| if safe(c) { c } else { '_' }).collect();
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        match char::from(byte) {
            c if safe(c) => encoded.push(c),
            _ => encoded.extend(format!("%{byte:02X}").chars()),
        }
    }
    let value = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}");
    let disposition = HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("attachment"));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    (headers, Bytes::from(bytes)).into_response()
}
