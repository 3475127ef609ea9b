//! A browser without JavaScript: it keeps cookies, says where its forms come from, and fills them in as they stand.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::json;
use tower::ServiceExt as _;

use crate::api::rig::Desk;

/// A password that is long enough.
pub const PASSWORD: &str = "correct horse battery";

/// A browser.
#[derive(Clone)]
pub struct Browser {
    router: Router,
    pub cookie: Option<String>,
    pub language: &'static str,
}

/// A page.
#[derive(Debug)]
pub struct Page {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Browser {
    /// A fresh one.
    pub fn open(desk: &Desk) -> Self {
        Self { router: desk.network.clone(), cookie: None, language: "en" }
    }

    /// An agent of this role, signed in.
    pub async fn agent(desk: &Desk, name: &str, role: &str) -> Self {
        hire(desk, name, role).await;
        let mut browser = Self::open(desk);
        let page = browser.sign_in(name, PASSWORD).await;
        assert_eq!(page.location(), "/console", "{}", page.text);
        browser
    }

    pub async fn sign_in(&mut self, name: &str, password: &str) -> Page {
        self.post("/console/sign-in", &[("name", name), ("password", password)]).await
    }

    pub async fn get(&mut self, path: &str) -> Page {
        let request = Request::get(path).header("sec-fetch-site", "same-origin");
        self.send(request, Body::empty()).await
    }

    /// Posts a form from a page of the console.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let request = Request::post(path)
            .header("sec-fetch-site", "same-origin")
            .header("origin", "http://desk.test")
            .header("host", "desk.test")
            .header("content-type", "application/x-www-form-urlencoded");
        self.send(request, Body::from(encoded(fields))).await
    }

    /// Fills the form at `path` of the page in, as it stands but for `fields`, and sends it.
    pub async fn fill(&mut self, page: &Page, path: &str, fields: &[(&str, &str)]) -> Page {
        let form = page.form(path);
        let mut all: Vec<(&str, &str)> = fields.to_vec();
        let hidden = [("last_seen", form.hidden("last_seen")), ("key", form.hidden("key"))];
        for (name, value) in &hidden {
            if let Some(value) = value
                && !all.iter().any(|(known, _)| known == name)
            {
                all.push((name, value));
            }
        }
        self.post(path, &all).await
    }

    pub async fn send(&mut self, request: axum::http::request::Builder, body: Body) -> Page {
        let mut request = request.header("accept-language", self.language);
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", format!("other=1; guichet={cookie}"));
        }
        let response = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        for set in head.headers.get_all("set-cookie") {
            let set = set.to_str().unwrap();
            assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict"), "{set}");
            let value = set.split(';').next().unwrap().split_once('=').unwrap().1.to_owned();
            self.cookie = Some(value).filter(|value| !value.is_empty());
        }
        let text = String::from_utf8_lossy(&body.collect().await.unwrap().to_bytes()).into_owned();
        Page { status: head.status, headers: head.headers, text }
    }
}

/// The hidden fields of one form.
pub struct Form<'p>(&'p str);

impl Form<'_> {
    pub fn hidden(&self, name: &str) -> Option<String> {
        let at = self.0.find(&format!("name=\"{name}\""))?;
        let value = self.0.get(at..)?.split_once("value=\"")?.1;
        value.split('"').next().map(str::to_owned)
    }
}

impl Page {
    /// Where it sends the browser.
    #[track_caller]
    pub fn location(&self) -> &str {
        assert!(self.status.is_redirection(), "{}: {}", self.status, self.text);
        self.headers["location"].to_str().unwrap()
    }

    /// Itself, when it has this status.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    /// The secret it gives, if it gives one.
    pub fn cookie(&self) -> Option<&str> {
        self.headers.get("set-cookie").and_then(|value| value.to_str().ok())
    }

    /// The form that goes to `path`.
    #[track_caller]
    pub fn form(&self, path: &str) -> Form<'_> {
        let at =
            self.text.find(&format!("action=\"{path}\"")).unwrap_or_else(|| panic!("no form to {path}: {}", self.text));
        Form(&self.text[at..])
    }

    /// Whether these words stand on it.
    pub fn says(&self, words: &str) -> bool {
        self.text.contains(words)
    }

    /// Every address it links to within the console.
    pub fn links(&self) -> Vec<String> {
        let all = self.text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
        let own = all.filter(|link| link.starts_with("/console") && !link.contains("/assets/"));
        own.map(|link| link.replace("&amp;", "&")).collect()
    }
}

/// An agent with a password works here from now on.
pub async fn hire(desk: &Desk, name: &str, role: &str) {
    desk.operator().post("/api/v1/agents", &json!({"name": name, "role": role})).await.is(201);
    let path = format!("/api/v1/agents/{name}/password");
    desk.operator().json(axum::http::Method::PUT, &path, &[], &json!({"password": PASSWORD})).await.is(200);
}

/// Fields as browsers send them.
pub fn encoded(fields: &[(&str, &str)]) -> String {
    let one = |text: &str| -> String {
        text.bytes()
            .map(
                |byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") },
            )
            .collect()
    };
    fields.iter().map(|(name, value)| format!("{}={}", one(name), one(value))).collect::<Vec<_>>().join("&")
}

/// A quarter of an hour and more: how long the gate remembers.
pub const AFTER_THE_GATE: Duration = Duration::from_secs(16 * 60);
