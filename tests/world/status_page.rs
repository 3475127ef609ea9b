//! The status page of a ticket, as a browser without JavaScript meets it.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use guichet::config::HttpSettings;
use guichet::http::{self, App};
use guichet_domain::ticket::State;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::{Plan, Spans, World, tell_of};

/// A page as it came.
struct Page {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Page {
    fn id(&self) -> &str {
        let found = self.text.split("name=\"id\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        found.unwrap_or_else(|| panic!("no form: {}", self.text))
    }

    /// Where it leads.
    fn place(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.text);
        self.headers["location"].to_str().unwrap()
    }
}

struct Browser(Router);

impl Browser {
    fn before(world: &World) -> Self {
        let life = world.life();
        Self(http::router(App::new(life.kernel, life.reception, &HttpSettings::default())))
    }

    async fn ask(&self, request: Request<Body>) -> Page {
        let (parts, body) = self.0.clone().oneshot(request).await.unwrap().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Page { status: parts.status, headers: parts.headers, text: String::from_utf8_lossy(&bytes).into_owned() }
    }

    async fn get(&self, path: &str) -> Page {
        self.ask(Request::get(path).body(Body::empty()).unwrap()).await
    }

    async fn press(&self, path: &str, body: &str) -> Page {
        let request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        self.ask(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    async fn write(&self, path: &str, id: &str, text: &str, file: Option<(&str, &[u8])>) -> Page {
        let mut body = Vec::new();
        for (name, value) in [("id", id), ("text", text)] {
            let part = format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(part.as_bytes());
        }
        if let Some((name, bytes)) = file {
            let head = format!("--edge\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\n\r\n");
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--edge--\r\n");
        let request = Request::post(path).header("content-type", "multipart/form-data; boundary=edge");
        self.ask(request.body(Body::from(body)).unwrap()).await
    }
}

fn public() -> Plan {
    Plan::configured("[desk]\npublic_url = \"https://help.test\"\n[desk.calendar]\nhours = [\"24x7\"]")
}

/// The page named in the last letter of a text.
fn page_in(letter: &str) -> String {
    let found = letter.split("https://help.test").nth(1).and_then(|rest| rest.split_whitespace().next());
    found.unwrap_or_else(|| panic!("no link: {letter}")).to_owned()
}

#[tokio::test]
async fn a_requester_reads_writes_sends_a_file_and_nothing_changes_by_looking() {
    tell_of(public(), async |world| {
        let (jean, ada) = (world.person("jean"), world.agent("ada"));
        let ticket = jean.writes("The printer is <b>broken</b>").await.ticket();
        let page = page_in(&jean.reads().await[0]);
        ada.replies(&ticket, "Which one?").await;
        ada.notes(&ticket, "He always asks.").await;
        jean.reads().await;
        let browser = Browser::before(world);
        let version = world.ticket(&ticket).await.ticket.version;
        let shown = browser.get(&page).await;
        assert_eq!(shown.status, StatusCode::OK);
        assert!(shown.text.contains(&ticket) && shown.text.contains("Which one?"), "{}", shown.text);
        assert!(shown.text.contains("&lt;b&gt;broken") && !shown.text.contains("<b>"));
        assert!(!shown.text.contains("He always asks.") && !shown.text.contains("ada"), "{}", shown.text);
        for (name, value) in
            [("cache-control", "no-store"), ("referrer-policy", "no-referrer"), ("x-robots-tag", "noindex, nofollow")]
        {
            assert_eq!(shown.headers[name], value);
        }
        assert_eq!(world.ticket(&ticket).await.ticket.version, version, "looking changed something");

        let (to, id) = (format!("{page}/reply"), shown.id().to_owned());
        let sent = browser.write(&to, &id, "The one on the left.", Some(("../a.txt", b"a list"))).await;
        let after = browser.get(sent.place()).await;
        assert!(after.text.contains("Your message has reached us.") && after.text.contains("The one on the left."));
        browser.write(&to, &id, "The one on the left.", Some(("../a.txt", b"a list"))).await.place();
        let count = browser.get(&page).await.text.matches("The one on the left.").count();
        assert_eq!(count, 1, "pressed twice");
        let link = after.text.split("href=\"").find(|part| part.contains("/files/")).unwrap();
        let link = link.split('"').next().unwrap();
        let file = browser.get(link).await;
        assert_eq!((file.text.as_str(), &file.headers["content-type"]), ("a list", &"text/plain".parse().unwrap()));
        assert_eq!(file.headers["content-disposition"], "attachment; filename*=UTF-8''a.txt");
        assert!(file.headers["content-security-policy"].to_str().unwrap().starts_with("sandbox"));
    })
    .await;
}

#[tokio::test]
async fn a_requester_closes_reopens_and_rates_by_pressing_and_never_by_following_a_link() {
    tell_of(public(), async |world| {
        let (jean, ada) = (world.person("jean"), world.agent("ada"));
        let ticket = jean.writes("The printer is broken").await.ticket();
        let page = page_in(&jean.reads().await[0]);
        ada.closes(&ticket, "New toner.").await;
        jean.reads().await;
        let browser = Browser::before(world);
        for act in ["close", "reopen", "rate", "renew", "reply"] {
            let followed = browser.get(&format!("{page}/{act}?score=5&id=0192f0c1-2345-7000-8000-000000000000")).await;
            assert!(followed.status.is_client_error(), "{act}: {}", followed.status);
        }
        let offered = browser.get(&format!("{page}?score=2")).await;
        assert!(offered.text.contains("value=\"2\" required checked"), "{}", offered.text);
        assert_eq!(world.ticket(&ticket).await.ticket.state, State::Resolved);

        let rated = browser.press(&format!("{page}/rate"), &format!("id={}&score=4&text=Quick", offered.id())).await;
        assert!(browser.get(rated.place()).await.text.contains("You gave 4 out of 5."));
        let shown = browser.get(&page).await;
        browser.press(&format!("{page}/reopen"), &format!("id={}", shown.id())).await.place();
        assert_eq!(world.ticket(&ticket).await.ticket.state, State::Open);
        let refused = browser.press(&format!("{page}/rate"), &format!("id={}&score=9", shown.id())).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        let shown = browser.get(&page).await;
        browser.press(&format!("{page}/close"), &format!("id={}", shown.id())).await.place();
        assert_eq!(world.ticket(&ticket).await.ticket.state, State::Resolved);
        jean.reads().await;
    })
    .await;
}

#[tokio::test]
async fn nothing_is_read_from_whoever_shows_no_key() {
    tell_of(public(), async |world| {
        let browser = Browser::before(world);
        let endless = futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>();
        let request =
            Request::post("/t/AAAAAAAAAAAAAAAAAAAAAA/reply").header("content-type", "multipart/form-data; boundary=x");
        let page = browser.ask(request.body(Body::from_stream(endless)).unwrap()).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn a_link_that_was_renewed_or_never_was_opens_nothing_and_says_the_same() {
    tell_of(public(), async |world| {
        let jean = world.person("jean");
        jean.writes("The printer is broken").await;
        let page = page_in(&jean.reads().await[0]);
        let browser = Browser::before(world);
        let shown = browser.get(&page).await;
        let renewed = browser.press(&format!("{page}/renew"), &format!("id={}", shown.id())).await;
        let (fresh, _) = renewed.place().split_once('?').unwrap();
        assert_ne!(fresh, page);
        assert_eq!(browser.get(fresh).await.status, StatusCode::OK);
        let (old, never) = (browser.get(&page).await, browser.get("/t/AAAAAAAAAAAAAAAAAAAAAA").await);
        assert_eq!((old.status, &old.text), (StatusCode::NOT_FOUND, &never.text));
        assert!(!old.text.contains("printer"));
    })
    .await;
}

#[tokio::test]
async fn whoever_asks_for_a_link_is_told_the_same_and_only_the_requester_gets_one() {
    tell_of(public(), async |world| {
        let jean = world.person("jean");
        let ticket = jean.writes("The printer is broken").await.ticket();
        let first = page_in(&jean.reads().await[0]);
        world.forward(1.hours()).await;
        let browser = Browser::before(world);
        assert!(browser.get("/t").await.text.contains("Mail me the link"));
        let mut answers = Vec::new();
        for (reference, email) in [
            (ticket.as_str(), "eve%40client.test"),
            ("GT-482-109-3753", "jean%40client.test"),
            ("' OR 1=1 --", "x"),
            (&ticket, "jean%40client.test"),
        ] {
            let answer = browser.press("/t", &format!("reference={reference}&email={email}")).await;
            assert_eq!(answer.status, StatusCode::OK);
            answers.push(answer.text);
        }
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
        // The answer comes before the work: it is over when the letter is there.
        let letter = loop {
            if let Some(letter) = jean.reads().await.pop() {
                break letter;
            }
            tokio::task::yield_now().await;
        };
        let fresh = page_in(&letter);
        assert_eq!(browser.get(&fresh).await.status, StatusCode::OK);
        assert_ne!(fresh, first);
        assert!(world.person("eve").reads().await.is_empty());
        for _ in 0..10 {
            browser.press("/t", "reference=x&email=y").await;
        }
        let last = browser.press("/t", "reference=x&email=y").await;
        assert_eq!(last.status, StatusCode::TOO_MANY_REQUESTS);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_taken_is_said_and_what_was_typed_is_kept() {
    tell_of(public(), async |world| {
        let jean = world.person("jean");
        jean.writes("The printer is broken").await;
        let page = page_in(&jean.reads().await[0]);
        let browser = Browser::before(world);
        let shown = browser.get(&page).await;
        let to = format!("{page}/reply");
        let script =
            browser.write(&to, shown.id(), "Look at this", Some(("a.png", b"<script>alert(1)</script>"))).await;
        assert_eq!(script.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(script.text.contains("programs and web pages") && script.text.contains("Look at this"));
        let empty = browser.write(&to, shown.id(), "  ", None).await;
        assert!(empty.text.contains("write something, or add a file"), "{}", empty.text);
        let large = vec![b'a'; (10 << 20) + 1];
        let large = browser.write(&to, shown.id(), "See the file", Some(("big.txt", &large))).await;
        assert!(large.text.contains("at most 5 files of 10 MB each") && large.text.contains("See the file"));
        let french = browser.get(&format!("{page}?lang=fr")).await;
        assert!(french.text.contains("Votre demande"));
    })
    .await;
}
