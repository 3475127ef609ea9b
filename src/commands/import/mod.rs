//! `guichet import`: whole mailboxes, one message at a time in memory, in their order.
//!
//! Messages that have nothing to do with each other go in together, so that they share a commit; one that answers
//! another waits until that one is durable, or it would open a ticket of its own.

mod letter;
mod mbox;
mod progress;
mod walk;

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use axum::body::Bytes;
use futures_util::future::join_all;

use super::cli::ImportArgs;
use super::failure::Exit;
use super::{Context, Failure, message};
use crate::client::{Client, Query};
use crate::desk::views::{ReceiptView, SourceView};
use crate::output::complain;
use letter::{Letter, Window};
use mbox::{Mbox, Piece};
use progress::Progress;
use walk::Found;

/// Imports everything. Fails when something could not be read or taken; what was taken stays taken.
pub async fn import(context: &Context, args: &ImportArgs) -> Result<(), Failure> {
    let client = context.client().await?;
    if let Err(failure) = known(&client, &args.source).await {
        client.finish().await;
        return Err(failure);
    }
    let route =
        Query::of("/api/v1/inject").with("source", &args.source).maybe("quiet", (!args.acknowledge).then_some("true"));
    let mut import =
        Import { client: &client, route, window: Window::default(), progress: Progress::new(context.output.is_json()) };
    let done = import.all(&args.paths).await;
    let progress = import.progress;
    progress.end();
    match done {
        Ok(()) => {}
        Err(failure) => {
            client.finish().await;
            return Err(Failure::new(
                failure,
                format!("{} are imported; run the same command again", progress.count()),
            ));
        }
    }
    if context.output.is_json() {
        context.output.value(&progress.json())?;
    } else {
        context.output.line(&progress.summary())?;
    }
    if args.acknowledge {
        context.end(client).await?;
    } else {
        client.finish().await;
    }
    match progress.failed() {
        0 => Ok(()),
        failed => Err(Failure::new(format!("{failed} could not be imported"), "see the lines above")),
    }
}

/// Whether there is such a source: said once, and not for each message.
async fn known(client: &Client, name: &str) -> Result<(), Failure> {
    let sources: Vec<SourceView> = client.get("/api/v1/sources").await?.read()?;
    let names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    if names.contains(&name) {
        return Ok(());
    }
    Err(Failure::new(format!("there is no source \"{name}\""), format!("use one of: {}", names.join(", "))))
}

struct Import<'a> {
    client: &'a Client,
    route: Query,
    window: Window,
    progress: Progress,
}

impl Import<'_> {
    async fn all(&mut self, paths: &[std::path::PathBuf]) -> Result<(), Failure> {
        for path in paths {
            match walk::found(path) {
                Ok(found) => {
                    for one in found {
                        self.one(&one).await?;
                    }
                }
                Err(error) => self.unreadable(path, &error),
            }
        }
        self.hand_in().await
    }

    async fn one(&mut self, found: &Found) -> Result<(), Failure> {
        let most = usize::try_from(message::MOST).unwrap_or(usize::MAX);
        match found {
            Found::Single(path) => match std::fs::metadata(path).map(|file| file.len()) {
                Ok(size) if size > message::MOST => {
                    self.too_large(path, "", size);
                    Ok(())
                }
                Ok(_) => match std::fs::read(path) {
                    Ok(bytes) => self.add(path, String::new(), bytes).await,
                    Err(error) => {
                        self.unreadable(path, &error);
                        Ok(())
                    }
                },
                Err(error) => {
                    self.unreadable(path, &error);
                    Ok(())
                }
            },
            Found::Mbox(path) => {
                let opened = File::open(path);
                let Ok(file) = opened else {
                    opened.err().iter().for_each(|error| self.unreadable(path, error));
                    return Ok(());
                };
                let mut mbox = Mbox::new(BufReader::with_capacity(1 << 16, file), most);
                for number in 1_u64.. {
                    let place = format!(" message {number}");
                    match mbox.next() {
                        Ok(Some(Piece::Message(bytes))) => self.add(path, place, bytes).await?,
                        Ok(Some(Piece::TooLarge(size))) => {
                            self.too_large(path, &place, u64::try_from(size).unwrap_or(u64::MAX));
                        }
                        Ok(None) => break,
                        Err(error) => {
                            self.unreadable(path, &error);
                            break;
                        }
                    }
                }
                Ok(())
            }
        }
    }

    /// Adds a message to those that go in together, first handing in those it has to do with.
    async fn add(&mut self, path: &Path, place: String, bytes: Vec<u8>) -> Result<(), Failure> {
        if bytes.trim_ascii().is_empty() {
            return Ok(());
        }
        let letter = Letter::new(format!("{}{place}", path.display()), message::with_envelope(bytes, None, None));
        if !self.window.takes(&letter) {
            self.hand_in().await?;
        }
        self.window.add(letter);
        Ok(())
    }

    async fn hand_in(&mut self) -> Result<(), Failure> {
        let letters = self.window.take();
        let (client, route) = (self.client, self.route.as_str());
        let sent = letters.into_iter().map(|letter| async move {
            let answer = client.post_bytes(route, "message/rfc822", Bytes::from(letter.bytes)).await;
            (letter.name, answer.and_then(|answer| answer.read::<ReceiptView>()))
        });
        let mut stop = None;
        for (name, answer) in join_all(sent).await {
            match answer {
                Ok(receipt) => self.progress.taken(receipt.verdict),
                // Not this message's fault: the next ones would fare no better.
                Err(failure) if failure.exit == Exit::NotNow => stop = Some(failure),
                Err(failure) => {
                    self.progress.fail();
                    complain(&format!("{name}: {failure}"));
                }
            }
        }
        self.progress.show();
        stop.map_or(Ok(()), Err)
    }

    fn too_large(&mut self, path: &Path, place: &str, size: u64) {
        self.progress.fail();
        let most = message::MOST >> 20;
        complain(&format!(
            "{}{place}: {} MiB; only messages of up to {most} MiB are taken",
            path.display(),
            size.div_ceil(1 << 20)
        ));
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        self.progress.fail();
        complain(&Failure::of_file(path.display(), error).to_string());
    }
}
