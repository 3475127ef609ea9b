//! The widget's files, as they are in `web/widget`: compiled in, so that the binary is all there is. `web/widget/FILES` lists
//! them; the test below compares.

use std::sync::LazyLock;

use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};

/// The hosted page, with the places that are filled in.
pub(crate) const PAGE: &str = include_str!("../../../web/widget/page.html");

const JS: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JSON: &str = "application/json";

macro_rules! files {
    ($($name:literal $media_type:expr;)*) => {
        const FILES: &[(&str, &str, &[u8])] =
            &[$(($name, $media_type, include_bytes!(concat!("../../../web/widget/", $name)))),*];
    };
}

files! {
    "loader.js" JS;
    "chat.js" JS;
    "session.js" JS;
    "outbox.js" JS;
    "transport.js" JS;
    "thread.js" JS;
    "composer.js" JS;
    "text.js" JS;
    "dom.js" JS;
    "words.js" JS;
    "styles.js" JS;
    "page.css" CSS;
    "lang/en.json" JSON;
    "lang/fr.json" JSON;
}

/// A file to serve.
pub(crate) struct Asset {
    pub(crate) media_type: &'static str,
    pub(crate) bytes: &'static [u8],
    pub(crate) etag: String,
}

static ETAGS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let tag = |bytes: &[u8]| {
        let hash = digest(&SHA256, bytes);
        format!("\"{}\"", HEXLOWER.encode(hash.as_ref().get(..8).unwrap_or_default()))
    };
    FILES.iter().map(|(_, _, bytes)| tag(bytes)).collect()
});

/// The file of this name.
pub(crate) fn find(name: &str) -> Option<Asset> {
    let at = FILES.iter().position(|(known, _, _)| *known == name)?;
    let (_, media_type, bytes) = FILES.get(at)?;
    Some(Asset { media_type, bytes, etag: ETAGS.get(at)?.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_widget_lists_is_what_is_served() {
        let list = include_str!("../../../web/widget/FILES");
        let lines = list.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' '));
        let listed: Vec<(&str, &str)> = lines.map(|(name, media_type)| (name, media_type.trim())).collect();
        let served: Vec<(&str, &str)> = FILES.iter().map(|(name, media_type, _)| (*name, *media_type)).collect();
        assert_eq!(listed, served);
    }

    #[test]
    fn nothing_but_the_list_is_served() {
        assert!(find("loader.js").is_some());
        for other in ["", "FILES", "page.html", "../../Cargo.toml", "lang/../loader.js", "lang"] {
            assert!(find(other).is_none(), "{other}");
        }
    }
}
