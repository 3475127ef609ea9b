//! The widget's files of `web/widget`: compiled in, so that the binary is all there is. `web/widget/FILES` lists them; the
//! test below compares. Scripts leave without their comments and indentation, and `chat.js` takes the modules it needs with
//! it: one request instead of ten, and a fifth less to carry.

use std::io::Write as _;
use std::path::Path;
use std::sync::LazyLock;

use data_encoding::HEXLOWER;
use flate2::Compression;
use flate2::write::GzEncoder;
use ring::digest::{SHA256, digest};

/// The hosted page, with the places that are filled in.
pub(crate) const PAGE: &str = include_str!("../../../web/widget/page.html");

const JS: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JSON: &str = "application/json";

macro_rules! files {
    ($($name:literal $media_type:expr;)*) => {
        const FILES: &[(&str, &str, &str)] =
            &[$(($name, $media_type, include_str!(concat!("../../../web/widget/", $name)))),*];
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
    /// The same, for those who take gzip.
    pub(crate) gzip: &'static [u8],
    pub(crate) etag: String,
}

/// What `chat.js` takes with it, in the order the modules need one another.
const PARTS: [&str; 10] = [
    "text.js",
    "dom.js",
    "outbox.js",
    "session.js",
    "transport.js",
    "words.js",
    "styles.js",
    "thread.js",
    "composer.js",
    "chat.js",
];

struct Served {
    etag: String,
    text: String,
    gzip: Vec<u8>,
}

static SERVED: LazyLock<Vec<Served>> = LazyLock::new(|| {
    let served = FILES.iter().map(|(name, _, text)| on_the_wire(name, text));
    served.map(|text| Served { etag: format!("\"{}\"", tag(text.as_bytes())), gzip: packed(&text), text }).collect()
});

/// The file of this name.
pub(crate) fn find(name: &str) -> Option<Asset> {
    let at = FILES.iter().position(|(known, _, _)| *known == name)?;
    let ((_, media_type, _), served) = (FILES.get(at)?, SERVED.get(at)?);
    Some(Asset { media_type, bytes: served.text.as_bytes(), gzip: &served.gzip, etag: served.etag.clone() })
}

fn tag(bytes: &[u8]) -> String {
    let hash = digest(&SHA256, bytes);
    HEXLOWER.encode(hash.as_ref().get(..8).unwrap_or_default())
}

/// Packed once, as tightly as it goes; empty when that failed, which writing to memory does not.
fn packed(text: &str) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(text.as_bytes()).and_then(|()| packer.finish()).unwrap_or_default()
}

fn on_the_wire(name: &str, text: &str) -> String {
    match name {
        "chat.js" => {
            PARTS.iter().filter_map(|part| FILES.iter().find(|(known, _, _)| known == part)).map(joined).collect()
        }
        _ if Path::new(name).extension().is_some_and(|extension| extension == "js") => ended(lean(text)),
        _ => text.to_owned(),
    }
}

/// A module as a part of `chat.js`: what it imports is above it, and only what `chat.js` itself exports is for others.
fn joined((name, _, text): &(&str, &str, &str)) -> String {
    let lines = lean(text).filter(|line| !line.starts_with("import "));
    let own = |line| if *name == "chat.js" { line } else { str::strip_prefix(line, "export ").unwrap_or(line) };
    ended(lines.map(own))
}

/// Lines, each with its end.
fn ended<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The lines that do something. Comments of this project's scripts have lines of their own.
fn lean(text: &str) -> impl Iterator<Item = &str> {
    let comment = |line: &&str| ["//", "/**", "* ", "*/"].iter().any(|mark| line.starts_with(mark));
    text.lines().map(str::trim_start).filter(move |line| !line.is_empty() && !comment(line))
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
    fn the_chat_is_one_file_without_comments() {
        let chat = find("chat.js").map(|asset| String::from_utf8_lossy(asset.bytes).into_owned()).unwrap_or_default();
        assert!(
            chat.contains("class Session") && chat.contains("class Composer") && chat.contains("export class Chat")
        );
        assert!(!chat.contains("import {") && chat.matches("export ").count() == 1, "nothing is left to fetch");
        assert!(chat.lines().all(|line| !line.starts_with("//") && line == line.trim_start()));
    }

    #[test]
    fn the_weights_that_are_promised_are_kept() {
        for (name, most) in
            [("loader.js", 3_000), ("chat.js", 20_500), ("lang/en.json", 2_000), ("lang/fr.json", 2_000)]
        {
            let weight = find(name).map_or(usize::MAX, |asset| asset.gzip.len());
            assert!((1..=most).contains(&weight), "{name}: {weight} bytes");
        }
    }

    #[test]
    fn nothing_but_the_list_is_served() {
        assert!(find("loader.js").is_some());
        for other in ["", "FILES", "page.html", "../../Cargo.toml", "lang/../loader.js", "lang"] {
            assert!(find(other).is_none(), "{other}");
        }
    }
}
