//! What is fetched before anybody talks: the page, the widget's files, the configuration; and the files of events.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::assets::{self, Asset};
use crate::channel::App;
use crate::protocol::{Desk, MAX_FRAME, VERSION};
use crate::routes::{language_header, refuse};
use crate::settings::Texts;
use crate::trouble::{Code, Trouble};
use crate::words::Words;

const CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Which language is wanted.
#[derive(Deserialize)]
pub(crate) struct Wanted {
    lang: Option<String>,
}

/// `GET /config`.
pub(crate) async fn config(State(app): State<Arc<App>>, Query(wanted): Query<Wanted>, headers: HeaderMap) -> Response {
    let tag = wanted.lang.as_deref().or_else(|| language_header(&headers));
    let (settings, words) = (&app.shared.settings, Words::of(tag));
    let texts = texts(&app, words);
    let form = settings.form.iter().map(|field| {
        let label = field.label.get(words.tag()).or_else(|| field.label.get("en"));
        let mut shown = serde_json::to_value(field).unwrap_or_default();
        if let (Some(label), Some(shown)) = (label, shown.as_object_mut()) {
            shown.insert("label".to_owned(), Value::String(label.clone()));
        }
        shown
    });
    let mut shown = json!({
        "v": VERSION,
        "source": settings.source.as_str(),
        "lang": words.tag(),
        "texts": texts,
        "form": form.collect::<Vec<_>>(),
        "identity": settings.mode,
        "limits": app.shared.limits(MAX_FRAME),
        "desk": Desk::from(app.port.conversations.hours()),
    });
    for (key, value) in [("privacy_url", &settings.privacy_url), ("email", &settings.email)] {
        if let (Some(value), Some(shown)) = (value, shown.as_object_mut()) {
            shown.insert(key.to_owned(), Value::String(value.clone()));
        }
    }
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "private, max-age=60")];
    (headers, shown.to_string()).into_response()
}

fn texts(app: &App, words: Words) -> Texts {
    let texts = &app.shared.settings.texts;
    texts.get(words.tag()).or_else(|| texts.get("en")).or_else(|| texts.values().next()).cloned().unwrap_or_default()
}

/// `GET` the source itself: the hosted page.
pub(crate) async fn page(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let words = Words::of(language_header(&headers));
    let settings = &app.shared.settings;
    let title = texts(&app, words).title.unwrap_or_else(|| words.pick("Chat", "Chat").to_owned());
    let way = settings
        .email
        .as_deref()
        .map(|email| format!(" {} {email}.", words.pick("You can also write to", "Vous pouvez aussi écrire à")));
    let noscript = format!(
        "{}{}",
        words.pick("This chat needs JavaScript.", "Ce chat a besoin de JavaScript."),
        way.unwrap_or_default()
    );
    let page = assets::PAGE
        .replace("{{lang}}", words.tag())
        .replace("{{name}}", &escaped(&title))
        .replace("{{base}}", &format!("/in/{}/", escaped(settings.source.as_str())))
        .replace("{{noscript}}", &escaped(&noscript));
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).filter(|host| host.bytes().all(is_host));
    let sockets = host.map(|host| format!(" ws://{host} wss://{host}")).unwrap_or_default();
    let ancestors = settings.origins.list().join(" ");
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'{sockets}; img-src 'self' blob:; \
         base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'; \
         frame-ancestors 'self' {ancestors}"
    );
    let mut response = (
        [
            (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
            (header::CACHE_CONTROL, "no-cache".to_owned()),
            (header::VARY, "Accept-Language".to_owned()),
            (header::CONTENT_SECURITY_POLICY, policy),
        ],
        page,
    )
        .into_response();
    if !ancestors.is_empty() {
        // The older header knows no list: the policy above is what counts where both are understood.
        response.headers_mut().insert(header::X_FRAME_OPTIONS, header::HeaderValue::from_static("SAMEORIGIN"));
    }
    response
}

fn is_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

/// `GET /widget/…`.
pub(crate) async fn widget(State(app): State<Arc<App>>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(Asset { media_type, bytes, gzip, etag }) = assets::find(&name) else {
        return refuse(&app, Trouble::new(Code::NotFound), Words::of(language_header(&headers)));
    };
    let common = [
        (header::CACHE_CONTROL, "no-cache"),
        (header::ETAG, etag.as_str()),
        (header::VARY, "Accept-Encoding"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (CORP, "cross-origin"),
    ];
    let known = headers.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag)) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let takes = headers.get(header::ACCEPT_ENCODING).and_then(|takes| takes.to_str().ok()).unwrap_or_default();
    if takes.split(',').any(|one| one.trim() == "gzip") && !gzip.is_empty() {
        return (common, [(header::CONTENT_TYPE, media_type), (header::CONTENT_ENCODING, "gzip")], gzip)
            .into_response();
    }
    (common, [(header::CONTENT_TYPE, media_type)], bytes).into_response()
}

/// `GET /files/…`.
pub(crate) async fn file(State(app): State<Arc<App>>, Path(link): Path<String>, headers: HeaderMap) -> Response {
    match Box::pin(found(&app, &link)).await {
        Ok(response) => response,
        Err(trouble) => refuse(&app, trouble, Words::of(language_header(&headers))),
    }
}

async fn found(app: &App, link: &str) -> Result<Response, Trouble> {
    let gone = || Trouble::new(Code::NotFound);
    let named = app.links().await?.read(link, app.port.clock.now()).ok_or_else(gone)?;
    let conversations = &app.port.conversations;
    let file = conversations.file(&named.key, named.entry, named.position).await?.ok_or_else(gone)?;
    let media_type =
        if file.media_type.bytes().all(|byte| byte.is_ascii_graphic()) { file.media_type } else { String::new() };
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CONTENT_DISPOSITION, disposition(&file.name)),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".to_owned()),
        (header::CACHE_CONTROL, "private, max-age=3600".to_owned()),
        // Pictures are shown in the pages that chat.
        (CORP, "cross-origin".to_owned()),
    ];
    Ok((headers, file.bytes).into_response())
}

/// RFC 6266, with the name also as RFC 8187 writes it.
fn disposition(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || "-_. ".contains(letter) { letter } else { '_' })
        .collect();
    let coded: String = name
        .bytes()
        .map(|byte| {
            let bare = byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            if bare { char::from(byte).to_string() } else { format!("%{byte:02X}") }
        })
        .collect();
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{coded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_break_out_of_its_header() {
        assert_eq!(disposition("photo 1.png"), "attachment; filename=\"photo 1.png\"; filename*=UTF-8''photo%201.png");
        assert_eq!(
            disposition("é\"\r\nX: y.pdf"),
            "attachment; filename=\"____X_ y.pdf\"; filename*=UTF-8''%C3%A9%22%0D%0AX%3A%20y.pdf"
        );
    }

    #[test]
    fn a_title_cannot_break_out_of_the_page() {
        assert_eq!(escaped("<script>\"'&"), "&lt;script&gt;&quot;&#39;&amp;");
    }
}
