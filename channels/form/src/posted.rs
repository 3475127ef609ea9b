//! A posted form: its values and uploads, read within bounds.

use std::net::IpAddr;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest as _, Multipart, Request};
use axum::http::header::CONTENT_TYPE;

use crate::fields::{Values, Wrong};
use crate::guard::Guard;
use crate::settings::Keys;
use crate::staging::{Staging, Upload};
use crate::token::{Drawn, Signer};
use crate::words::{Lang, Word, say};
use guichet_domain::Moment;
use guichet_domain::media_type::is_active;

/// Most octets of one value, and most values.
const VALUE: usize = 100_000;
const VALUES: usize = 200;
/// Most octets of a body without files: the longest message, in escapes.
const PLAIN: usize = 2 << 20;

/// What was sent.
#[derive(Default)]
pub(crate) struct Posted {
    pub(crate) values: Values,
    /// What its token says; `None` when it is missing, foreign or too old.
    pub(crate) drawn: Option<Drawn>,
    /// How many uploads came with it.
    pub(crate) files: usize,
    /// What is wrong with its uploads.
    pub(crate) wrongs: Vec<Wrong>,
}

/// Why a body cannot be read at all.
pub(crate) enum Unreadable {
    /// It is no form.
    NoForm,
    /// It is larger than everything a form may hold, or broken off.
    TooMuch,
    /// The disk does not take the uploads.
    Disk,
}

/// How a body is read.
pub(crate) struct Reading<'a> {
    pub(crate) keys: &'a Keys,
    pub(crate) signer: &'a Signer,
    pub(crate) staging: &'a Staging,
    pub(crate) guard: &'a Guard,
    /// Where it comes from.
    pub(crate) network: IpAddr,
    pub(crate) lang: Lang,
    pub(crate) now: Moment,
}

impl Reading<'_> {
    /// Reads a body as a browser sends it. Uploads are kept at once, under the form's id: the token therefore stands before
    /// the files on our pages, and files before it are passed over.
    pub(crate) async fn read(&self, request: Request<Body>) -> Result<Posted, Unreadable> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match kind.as_str() {
            "multipart/form-data" => self.multipart(request).await,
            "application/x-www-form-urlencoded" => self.urlencoded(request).await,
            _ => Err(Unreadable::NoForm),
        }
    }

    async fn urlencoded(&self, request: Request<Body>) -> Result<Posted, Unreadable> {
        let body = to_bytes(request.into_body(), PLAIN).await.map_err(|_| Unreadable::TooMuch)?;
        let mut posted = Posted::default();
        for (name, value) in decode(&body).take(VALUES) {
            if value.len() > VALUE {
                return Err(Unreadable::TooMuch);
            }
            self.value(&mut posted, name, value);
        }
        Ok(posted)
    }

    async fn multipart(&self, request: Request<Body>) -> Result<Posted, Unreadable> {
        let mut parts = Multipart::from_request(request, &()).await.map_err(|_| Unreadable::NoForm)?;
        let mut posted = Posted::default();
        let mut count = 0;
        while let Some(mut part) = parts.next_field().await.map_err(|_| Unreadable::TooMuch)? {
            count += 1;
            if count > VALUES {
                return Err(Unreadable::TooMuch);
            }
            let name = part.name().unwrap_or_default().to_owned();
            if part.file_name().is_some() {
                self.file(&mut posted, part).await?;
                continue;
            }
            let mut value = Vec::new();
            while let Some(chunk) = part.chunk().await.map_err(|_| Unreadable::TooMuch)? {
                if value.len() + chunk.len() > VALUE {
                    return Err(Unreadable::TooMuch);
                }
                value.extend_from_slice(&chunk);
            }
            self.value(&mut posted, name, String::from_utf8_lossy(&value).into_owned());
        }
        Ok(posted)
    }

    fn value(&self, posted: &mut Posted, name: String, value: String) {
        if name == "token" && posted.drawn.is_none() {
            posted.drawn = self.signer.drawn(&value, self.now);
        }
        posted.values.push(name, value);
    }

    async fn file(&self, posted: &mut Posted, mut part: axum::extract::multipart::Field<'_>) -> Result<(), Unreadable> {
        let declared = part.content_type().unwrap_or_default().to_owned();
        let name = part.file_name().map(str::to_owned).filter(|name| !name.is_empty());
        let Some(drawn) = &posted.drawn else { return Ok(()) };
        let most = (self.keys.file_mib << 20) as u64;
        let mut upload: Option<Upload> = None;
        let (mut too_large, mut refused) = (false, None);
        while let Some(chunk) = part.chunk().await.map_err(|_| Unreadable::TooMuch)? {
            if chunk.is_empty() || too_large || refused.is_some() {
                continue;
            }
            let upload = match &mut upload {
                Some(upload) => upload,
                none => {
                    refused = self.no_room();
                    if refused.is_some() {
                        continue;
                    }
                    let begun = self.staging.begin(&drawn.id, name.as_deref(), &declared).await;
                    none.insert(begun.map_err(|_| Unreadable::Disk)?)
                }
            };
            upload.write(&chunk).await.map_err(|_| Unreadable::Disk)?;
            too_large = upload.size() > most;
        }
        if let Some(words) = refused {
            posted.wrongs.push(Wrong::with("files", words));
            return Ok(());
        }
        // An empty file input sends a part without a byte.
        let Some(upload) = upload else { return Ok(()) };
        let label = upload.name().to_owned();
        let wrong = if too_large {
            let words = say(self.lang, Word::FileTooLarge).replace("{label}", &label);
            Some(words.replace("{mib}", &self.keys.file_mib.to_string()))
        } else if posted.files + posted.values.all("kept").count() >= self.keys.files {
            Some(say(self.lang, Word::TooManyFiles).replace("{count}", &self.keys.files.to_string()))
        } else if is_active(upload.media_type()) {
            Some(say(self.lang, Word::FileKind).replace("{label}", &label))
        } else {
            None
        };
        if let Some(wrong) = wrong {
            posted.wrongs.push(Wrong::with("files", wrong));
        } else {
            self.staging.keep(upload).await.map_err(|_| Unreadable::Disk)?;
            posted.files += 1;
        }
        Ok(())
    }

    /// Why no further file is taken, if so: nobody fills the disk with files of forms that are never sent.
    fn no_room(&self) -> Option<String> {
        if self.staging.is_full() {
            return Some(say(self.lang, Word::Busy).to_owned());
        }
        let wait = self.guard.count_upload(self.network, self.now.secs()).err()?;
        Some(say(self.lang, Word::TooMany).replace("{minutes}", &(wait.div_euclid(60) + 1).to_string()))
    }
}

/// `application/x-www-form-urlencoded` (WHATWG URL, section 5.1).
fn decode(body: &[u8]) -> impl Iterator<Item = (String, String)> {
    form_urlencoded::parse(body).map(|(name, value)| (name.into_owned(), value.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_of_a_browser_is_read() {
        let body = b"name=Ana+B&message=a%0D%0Ab%26c&empty=&alone&bad=%zz%";
        let pairs: Vec<_> = decode(body).collect();
        let shown: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(shown, [("name", "Ana B"), ("message", "a\r\nb&c"), ("empty", ""), ("alone", ""), ("bad", "%zz%")]);
    }
}
