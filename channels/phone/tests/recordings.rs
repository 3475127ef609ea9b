//! Recordings: from where they are fetched, and what of them stands in the ticket.

use std::time::Duration;

use serde_json::{Value, json};

use crate::provider::{Manner, Provider};
use crate::switchboard::{Switchboard, event, item};

fn wav() -> Vec<u8> {
    let mut wav = b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data".to_vec();
    wav.extend_from_slice(&[0; 400]);
    wav
}

fn gives(body: &[u8]) -> Manner {
    Manner::Says("200 OK".to_owned(), "content-type: text/html\r\n".to_owned(), body.to_vec())
}

/// A missed call with a recording at this address; answers the text of its entry and its files' media types.
async fn recorded(settings: Value, url: &str) -> (String, Vec<String>) {
    let board = Switchboard::new(settings).listens();
    let more = format!("cause=noAnswer&recording_url={}", url.replace(':', "%3A").replace('/', "%2F"));
    board.event(&event("hangup", "a", &more)).await;
    let entered = board.intake.until(|calls, _| {
        calls.iter().flat_map(|call| &call.items).any(|inbound| inbound.external_id.as_str().contains(":rec:"))
    });
    tokio::time::timeout(Duration::from_secs(20), entered).await.unwrap();
    let accepted = board.intake.accepted();
    let inbound = accepted.iter().find(|inbound| inbound.external_id.as_str().contains(":rec:")).unwrap();
    let item = item(inbound).unwrap();
    (item.text, item.attachments.into_iter().map(|file| file.media_type).collect())
}

#[tokio::test]
async fn a_recording_is_a_file_of_the_ticket_whatever_its_host_calls_it() {
    let host = Provider::start().await;
    host.behaves(gives(&wav()));
    let settings = json!({"media_hosts": ["127.0.0.1"], "media_allow_private": true});
    let (text, files) = recorded(settings, &format!("{}/1.mp3", host.url())).await;
    assert_eq!((text.as_str(), files.as_slice()), ("Recording", &["audio/wav".to_owned()] as &[_]));
}

#[tokio::test]
async fn what_may_not_be_fetched_is_not_asked_for() {
    let host = Provider::start().await;
    host.behaves(gives(&wav()));
    let open = json!({"media_hosts": ["127.0.0.1", "169.254.169.254", "localhost"]});
    let elsewhere = json!({"media_hosts": ["media.example.org"], "media_allow_private": true});
    for (settings, url, why) in [
        (json!({}), host.url(), "media_hosts names no host"),
        (open.clone(), "http://169.254.169.254/latest/meta-data/".to_owned(), "private or reserved"),
        (open.clone(), format!("https://{}/1.wav", host.address), "private or reserved"),
        (open.clone(), "https://2130706433/1.wav".to_owned(), "private or reserved"),
        (open.clone(), format!("https://localhost:{}/1.wav", host.address.port()), "private or reserved"),
        (open.clone(), "http://localhost/1.wav".to_owned(), "not https"),
        (open, "file:///etc/passwd".to_owned(), "not https"),
        (elsewhere.clone(), host.url(), "127.0.0.1 is not among media_hosts"),
        (elsewhere, "https://media.example.org.evil.test/1.wav".to_owned(), "is not among media_hosts"),
    ] {
        let (text, files) = recorded(settings, &url).await;
        assert!(text.starts_with("A recording could not be fetched: ") && text.contains(why), "{url}: {text}");
        assert!(files.is_empty());
    }
    assert!(host.asked().is_empty());
}

#[tokio::test]
async fn what_comes_is_taken_when_it_is_sound_and_small_and_from_there() {
    let host = Provider::start().await;
    let other = Provider::start().await;
    other.behaves(gives(&wav()));
    let moved = format!("location: {}/1.wav\r\n", other.url());
    for (manner, why) in [
        (gives(b"<html><script>alert(1)</script>"), "it is no sound"),
        (gives(&[&wav()[..], &vec![0; 2 << 20]].concat()), "larger than media_mib"),
        (Manner::Says("302 Found".to_owned(), moved, Vec::new()), "leads to another host"),
        (Manner::Says("403 Forbidden".to_owned(), String::new(), Vec::new()), "answers 403"),
    ] {
        host.behaves(manner);
        let settings = json!({"media_hosts": ["127.0.0.1"], "media_allow_private": true, "media_mib": 1});
        let (text, files) = recorded(settings, &format!("{}/1.wav", host.url())).await;
        assert!(text.contains(why) && files.is_empty(), "{text}");
    }
    assert!(other.asked().is_empty());
}
