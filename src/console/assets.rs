//! The console's own files: part of the program, named by what is in them, so that browsers may keep them for ever.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use ring::digest;

struct Asset {
    name: &'static str,
    media_type: &'static str,
    bytes: &'static [u8],
    /// Its address: its name with what it holds in it.
    path: String,
    tag: String,
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    [
        ("console.css", "text/css; charset=utf-8", include_bytes!("../../web/console/console.css").as_slice()),
        ("mail.css", "text/css; charset=utf-8", include_bytes!("../../web/console/mail.css").as_slice()),
        ("console.js", "text/javascript; charset=utf-8", include_bytes!("../../web/console/console.js").as_slice()),
        ("icon.svg", "image/svg+xml", include_bytes!("../../web/console/icon.svg").as_slice()),
    ]
    .into_iter()
    .map(|(name, media_type, bytes)| {
        let hash = data_encoding::HEXLOWER.encode(digest::digest(&digest::SHA256, bytes).as_ref());
        let short: String = hash.chars().take(12).collect();
        let (stem, end) = name.rsplit_once('.').unwrap_or((name, ""));
        Asset {
            name,
            media_type,
            bytes,
            path: format!("/console/assets/{stem}.{short}.{end}"),
            tag: format!("\"{short}\""),
        }
    })
    .collect()
});

/// Where a file is.
pub(super) fn path(name: &str) -> &'static str {
    ASSETS.iter().find(|asset| asset.name == name).map_or("", |asset| asset.path.as_str())
}

/// Serves a file by its address; under an older address, which a page of an older program names, the present one.
pub(super) async fn serve(Path(asked): Path<String>, headers: HeaderMap) -> Response {
    let mut parts = asked.split('.');
    let (stem, end) = (parts.next().unwrap_or_default(), parts.next_back().unwrap_or_default());
    let name = format!("{stem}.{end}");
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let exact = asset.path.ends_with(&asked);
    let keep = if exact { "public, max-age=31536000, immutable" } else { "no-cache" };
    let tag = HeaderValue::from_str(&asset.tag).unwrap_or(HeaderValue::from_static(""));
    let fixed = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.media_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static(keep)),
        // A sandboxed frame has no origin: its style sheet would count as another site's.
        (header::HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin")),
        (header::ETAG, tag.clone()),
    ];
    if headers.get(header::IF_NONE_MATCH) == Some(&tag) {
        return (StatusCode::NOT_MODIFIED, fixed).into_response();
    }
    (fixed, asset.bytes).into_response()
}
