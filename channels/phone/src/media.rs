//! Recordings: fetched at once, because their addresses expire, and only from where the operator says.
//!
//! An address comes from outside. It is followed only by https, to hosts that are named in the settings, whose names lead to the
//! open internet when they are connected to, and to no other host from there. What comes is taken up to a size and a time, and only
//! when it is sound.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use guichet_contract::reach::{self, Lookup, is_public};
use guichet_domain::inbound::Attachment;
use guichet_domain::{file_name, media_type};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};

use crate::settings::Media;

/// How long a recording may take to come.
const LIMIT: Duration = Duration::from_secs(30);
/// Most redirects within a host.
const REDIRECTS: usize = 3;

/// Resolves names and leaves out what is not public.
pub(crate) struct Guard {
    lookup: Lookup,
    allow_private: bool,
}

impl Guard {
    pub(crate) fn new(lookup: Lookup, allow_private: bool) -> Self {
        Self { lookup, allow_private }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, allow_private) = (Arc::clone(&self.lookup), self.allow_private);
        Box::pin(async move {
            let addresses = reach::resolve(&lookup, name.as_str(), allow_private).await?;
            // The port is the URL's: 0 is filled in by the client.
            let addresses: Addrs = Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}

/// Refuses an address that is written as a private one; names are judged when they are resolved.
pub(crate) fn judge_literal(url: &str, allow_private: bool) -> Result<Url, String> {
    let url = Url::parse(url).map_err(|_| "it is no web address".to_owned())?;
    let host = url.host_str().unwrap_or_default();
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
    if literal.is_some_and(|address| !allow_private && !is_public(address)) {
        return Err("it leads to a private or reserved address".to_owned());
    }
    Ok(url)
}

/// Why a recording is not here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotFetched {
    /// May be tried again.
    Later(String),
    /// Will never come.
    Never(String),
}

/// Fetches recordings.
pub(crate) struct Fetcher {
    client: Client,
    media: Media,
}

impl Fetcher {
    /// A fetcher by these settings; names are looked up by `lookup`.
    pub(crate) fn new(media: &Media, lookup: Lookup) -> Result<Self, reqwest::Error> {
        let stay = Policy::custom(|attempt| {
            let from = attempt.previous().last();
            let same = from.is_some_and(|from| {
                from.host_str() == attempt.url().host_str()
                    && from.port_or_known_default() == attempt.url().port_or_known_default()
                    && from.scheme() == attempt.url().scheme()
            });
            if same && attempt.previous().len() <= REDIRECTS { attempt.follow() } else { attempt.stop() }
        });
        let client = Client::builder()
            .dns_resolver(Arc::new(Guard::new(lookup, media.allow_private)))
            // A proxy would resolve the name itself, behind the guard's back.
            .no_proxy()
            .redirect(stay)
            .referer(false)
            .https_only(!media.allow_private)
            .connect_timeout(LIMIT / 3)
            .user_agent(concat!("guichet/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, media: media.clone() })
    }

    /// Where a recording may come from; says why not. Asks nobody.
    fn judge(&self, text: &str) -> Result<Url, NotFetched> {
        let never = |words: &str| NotFetched::Never(words.to_owned());
        let url = judge_literal(text, self.media.allow_private).map_err(NotFetched::Never)?;
        if url.scheme() != "https" && !(self.media.allow_private && url.scheme() == "http") {
            return Err(never("its address is not https"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(never("its address holds a name or a password"));
        }
        let host = url.host_str().unwrap_or_default().to_lowercase();
        let allowed = |known: &String| match known.strip_prefix('.') {
            Some(domain) => host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')),
            None => *known == host,
        };
        if !self.media.hosts.iter().any(allowed) {
            return Err(NotFetched::Never(format!("{host} is not among media_hosts")));
        }
        Ok(url)
    }

    /// Fetches one.
    pub(crate) async fn fetch(&self, url: &str) -> Result<Attachment, NotFetched> {
        let url = self.judge(url)?;
        match tokio::time::timeout(LIMIT, self.read(url)).await {
            Ok(read) => read,
            Err(_) => Err(NotFetched::Later(format!("it did not come within {} s", LIMIT.as_secs()))),
        }
    }

    async fn read(&self, url: Url) -> Result<Attachment, NotFetched> {
        let mut request = self.client.get(url);
        if let Some((user, password)) = &self.media.login {
            request = request.basic_auth(user, Some(password.expose()));
        }
        let mut answer = request.send().await.map_err(|error| failed(&error))?;
        match answer.status() {
            StatusCode::OK => {}
            status if status.is_redirection() => {
                return Err(NotFetched::Never("its address leads to another host".to_owned()));
            }
            // It may not be ready yet.
            StatusCode::NOT_FOUND | StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
                return Err(NotFetched::Later(format!("its host answers {}", answer.status())));
            }
            status if status.is_server_error() => return Err(NotFetched::Later(format!("its host answers {status}"))),
            status => return Err(NotFetched::Never(format!("its host answers {status}"))),
        }
        let mut bytes = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(|error| failed(&error))? {
            if bytes.len() + part.len() > self.media.max_bytes {
                return Err(NotFetched::Never("it is larger than media_mib".to_owned()));
            }
            bytes.extend_from_slice(&part);
        }
        let Some(media_type) = sound(&bytes) else {
            return Err(NotFetched::Never("it is no sound".to_owned()));
        };
        let name = file_name::safe(None, media_type, 1);
        Ok(Attachment { name, media_type: media_type.to_owned(), content_id: None, bytes })
    }
}

fn failed(error: &reqwest::Error) -> NotFetched {
    if reach::is_private(error as &(dyn Error + 'static)) {
        return NotFetched::Never("its address leads to a private or reserved address".to_owned());
    }
    if error.is_builder() {
        return NotFetched::Never("its address cannot be asked".to_owned());
    }
    NotFetched::Later("its host cannot be reached, or broke off".to_owned())
}

/// What kind of sound it is, by its first bytes; `None` when it is none.
fn sound(bytes: &[u8]) -> Option<&'static str> {
    // A frame of MPEG audio, layers 1 to 3: most files begin with one and nothing before it.
    if let [0xff, second, third, ..] = bytes
        && second & 0xe0 == 0xe0
        && second & 0x06 != 0
        && second & 0x18 != 0x08
        && third & 0xf0 != 0xf0
    {
        return Some("audio/mpeg");
    }
    match media_type::of(bytes, "") {
        "video/webm" => Some("audio/webm"),
        "video/mp4" => Some("audio/mp4"),
        known if known.starts_with("audio/") => Some(known),
        _ => None,
    }
}
