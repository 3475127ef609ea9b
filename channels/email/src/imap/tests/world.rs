//! A mail server in memory: folders, mails, people who read and move mail meanwhile, and faults on request.
//!
//! It answers as the standard says unless a [`Rule`] makes it answer otherwise, and keeps every command it heard.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use data_encoding::BASE64;
use guichet_domain::time::Moment;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::imap::moment::internal_date;

/// How long a test waits for what must come.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone)]
pub(super) struct Mail {
    pub(super) text: Vec<u8>,
    pub(super) received: String,
    /// What RFC822.SIZE says, where that is not the truth.
    pub(super) said_size: Option<usize>,
    pub(super) keywords: BTreeSet<String>,
}

#[derive(Clone)]
pub(super) struct Folder {
    pub(super) uidvalidity: u32,
    pub(super) uidnext: u32,
    pub(super) mails: BTreeMap<u32, Mail>,
}

/// What happens instead of, or around, the ordinary answer. `{tag}` stands for the command's tag.
pub(super) enum Then {
    /// These words, nothing else.
    Say(&'static str),
    /// These words, then the connection is closed.
    SayAndClose(&'static str),
    /// These words first, then the ordinary answer.
    First(&'static str),
    /// Nothing, ever.
    Silence,
    /// Somebody changes the world, then the ordinary answer.
    Meanwhile(fn(&mut State)),
    /// The ordinary answer, and after it somebody changes the world.
    Afterwards(fn(&mut State)),
}

/// One fault: the next `times` commands that begin with `when` are answered as `then` says.
pub(super) struct Rule {
    pub(super) when: &'static str,
    pub(super) times: u32,
    pub(super) then: Then,
}

pub(super) struct State {
    pub(super) greeting: &'static str,
    pub(super) capabilities: &'static str,
    pub(super) folders: BTreeMap<String, Folder>,
    pub(super) rules: Vec<Rule>,
    pub(super) heard: Vec<String>,
    /// Connections are cut after so many bytes, each one later than the one before by this step.
    pub(super) cut_step: Option<usize>,
    cut_at: usize,
}

#[derive(Clone)]
pub(super) struct World {
    state: Arc<Mutex<State>>,
    changed: watch::Sender<u64>,
    pub(super) port: u16,
}

impl World {
    /// A server with an empty INBOX that knows everything we use.
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = State {
            greeting: "* OK ready\r\n",
            capabilities: "IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 AUTH=OAUTHBEARER IDLE MOVE UIDPLUS",
            folders: BTreeMap::new(),
            rules: Vec::new(),
            heard: Vec::new(),
            cut_step: None,
            cut_at: 0,
        };
        let world = Self { state: Arc::new(Mutex::new(state)), changed: watch::Sender::new(0), port };
        world.change(|state| state.folder("INBOX").uidvalidity = 7);
        let server = world.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(server.clone().serve(socket));
            }
        });
        world
    }

    pub(super) fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let result = change(&mut self.state());
        self.changed.send_modify(|count| *count += 1);
        result
    }

    /// A change that no waiting connection is told of.
    pub(super) fn quietly<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        change(&mut self.state())
    }

    /// A mail reaches INBOX now.
    pub(super) fn mail_comes(&self, text: &str) -> u32 {
        self.change(|state| state.deliver("INBOX", text, "15-Nov-2023 10:00:00 +0000"))
    }

    pub(super) fn rule(&self, when: &'static str, then: Then) {
        self.change(|state| state.rules.push(Rule { when, times: 1, then }));
    }

    /// The texts in a folder, in order.
    pub(super) fn folder(&self, name: &str) -> Vec<String> {
        let state = self.state();
        let mails = state.folders.get(name).map(|folder| folder.mails.values());
        mails.into_iter().flatten().map(|mail| String::from_utf8_lossy(&mail.text).into_owned()).collect()
    }

    /// How many commands beginning with `word` were heard.
    pub(super) fn heard(&self, word: &str) -> usize {
        self.state().heard.iter().filter(|command| command.starts_with(word)).count()
    }

    /// Waits until a command beginning with `word` was heard.
    pub(super) async fn until_heard(&self, word: &str) {
        let mut changes = self.changed.subscribe();
        let heard = async {
            while self.heard(word) == 0 {
                changes.changed().await.unwrap();
            }
        };
        tokio::time::timeout(PATIENCE, heard).await.expect(word);
    }

    /// Waits until the world is so.
    pub(super) async fn until(&self, so: impl Fn(&State) -> bool) {
        let mut changes = self.changed.subscribe();
        loop {
            changes.mark_unchanged();
            if so(&self.state()) {
                return;
            }
            changes.changed().await.unwrap();
        }
    }

    pub(super) fn commands(&self) -> Vec<String> {
        self.state().heard.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    async fn serve(self, socket: TcpStream) {
        // Answers are written in pieces; without this each costs 40 ms.
        socket.set_nodelay(true).unwrap();
        let (read, write) = socket.into_split();
        let (greeting, left) = self.quietly(|state| {
            state.cut_at += state.cut_step.unwrap_or(0);
            (state.greeting, state.cut_step.map_or(usize::MAX, |_| state.cut_at))
        });
        let mut connection = Connection {
            world: self,
            lines: BufReader::new(read),
            out: write,
            folder: None,
            idle: String::new(),
            told: 0,
            left,
        };
        if connection.say(greeting).await.is_some() {
            while connection.command().await.is_some() {}
        }
    }
}

impl State {
    pub(super) fn folder(&mut self, name: &str) -> &mut Folder {
        let new = Folder { uidvalidity: 1, uidnext: 1, mails: BTreeMap::new() };
        self.folders.entry(name.to_owned()).or_insert(new)
    }

    pub(super) fn deliver(&mut self, folder: &str, text: &str, received: &str) -> u32 {
        let folder = self.folder(folder);
        let uid = folder.uidnext;
        folder.uidnext += 1;
        let (text, received) = (text.as_bytes().to_vec(), received.to_owned());
        folder.mails.insert(uid, Mail { text, received, said_size: None, keywords: BTreeSet::new() });
        uid
    }

    pub(super) fn inbox(&mut self) -> &mut Folder {
        self.folder("INBOX")
    }

    fn take_rule(&mut self, command: &str) -> Option<Then> {
        let index = self.rules.iter().position(|rule| command.starts_with(rule.when))?;
        let rule = self.rules.get_mut(index)?;
        rule.times -= 1;
        if rule.times == 0 {
            return Some(self.rules.remove(index).then);
        }
        Some(match &rule.then {
            Then::Say(words) => Then::Say(words),
            Then::SayAndClose(words) => Then::SayAndClose(words),
            Then::First(words) => Then::First(words),
            Then::Silence => Then::Silence,
            Then::Meanwhile(change) => Then::Meanwhile(*change),
            Then::Afterwards(change) => Then::Afterwards(*change),
        })
    }
}

struct Connection {
    world: World,
    lines: BufReader<OwnedReadHalf>,
    out: OwnedWriteHalf,
    folder: Option<String>,
    /// The tag of the last IDLE, which its DONE ends.
    idle: String,
    /// The client knows of mail below this UID.
    told: u32,
    /// Bytes that may still be said before the connection is cut.
    left: usize,
}

impl Connection {
    async fn say(&mut self, words: impl AsRef<[u8]>) -> Option<()> {
        let words = words.as_ref();
        let said = words.get(..self.left).unwrap_or(words);
        self.left -= said.len();
        self.out.write_all(said).await.ok()?;
        (said.len() == words.len()).then_some(())
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.lines.read_line(&mut line).await.ok()?;
        (read > 0).then(|| line.trim_end().to_owned())
    }

    async fn command(&mut self) -> Option<()> {
        let line = self.line().await?;
        let idle = self.idle.clone();
        let (tag, command) = line.split_once(' ').unwrap_or((&idle, &line));
        if command == "IDLE" {
            tag.clone_into(&mut self.idle);
        }
        let rule = self.world.change(|state| {
            state.heard.push(command.to_owned());
            state.take_rule(command)
        });
        let say = |words: &str| words.replace("{tag}", tag);
        match rule {
            Some(Then::Say(words)) => self.say(say(words)).await,
            Some(Then::SayAndClose(words)) => {
                self.say(say(words)).await?;
                None
            }
            Some(Then::Silence) => {
                // Until the client gives up.
                self.lines.read_to_end(&mut Vec::new()).await.ok()?;
                None
            }
            Some(Then::First(words)) => {
                self.say(say(words)).await?;
                self.answer(tag, command).await
            }
            Some(Then::Meanwhile(change)) => {
                self.world.change(change);
                self.answer(tag, command).await
            }
            Some(Then::Afterwards(change)) => {
                self.answer(tag, command).await?;
                self.world.change(change);
                Some(())
            }
            None => self.answer(tag, command).await,
        }
    }

    async fn answer(&mut self, tag: &str, command: &str) -> Option<()> {
        let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
        // A search of what is known says nothing of what is new.
        if matches!(verb, "SELECT" | "EXAMINE") || (command.starts_with("UID SEARCH") && command.contains(":*")) {
            self.told = self.world.quietly(|state| state.inbox().uidnext);
        }
        match verb {
            "AUTHENTICATE" => {
                self.say("+ \r\n").await?;
                let answer = self.line().await?;
                let secret = String::from_utf8(BASE64.decode(answer.as_bytes()).ok()?).ok()?;
                let known = ["\0desk\0secret", "\0desk\0canary-of-the-desk"].contains(&secret.as_str())
                    || secret.contains("auth=Bearer good\x01");
                let end = if known { "OK in" } else { "NO [AUTHENTICATIONFAILED] unknown user desk@example.org" };
                self.say(format!("{tag} {end}\r\n")).await
            }
            "IDLE" => self.idle(tag).await,
            "LOGOUT" => {
                self.say(format!("* BYE\r\n{tag} OK\r\n")).await?;
                None
            }
            "SELECT" | "EXAMINE" => {
                self.folder = Some(unquoted(rest));
                let answer = self.world.change(|state| selected(state, &unquoted(rest)));
                self.say(format!("{answer}{tag} {}\r\n", if answer.is_empty() { "NO [NONEXISTENT]" } else { "OK" }))
                    .await
            }
            _ => {
                let folder = self.folder.clone().unwrap_or_default();
                let answer = self.world.change(|state| plain_answer(state, &folder, command));
                self.say(answer).await?;
                self.say(format!("{tag} OK done\r\n")).await
            }
        }
    }

    /// Waits for the client's DONE, announcing what comes.
    async fn idle(&mut self, tag: &str) -> Option<()> {
        let mut changes = self.world.changed.subscribe();
        self.say("+ idling\r\n").await?;
        loop {
            let (next, count) = self.world.quietly(|state| (state.inbox().uidnext, state.inbox().mails.len()));
            if next > self.told {
                self.told = next;
                self.say(format!("* {count} EXISTS\r\n")).await?;
            }
            let mut line = String::new();
            tokio::select! {
                read = self.lines.read_line(&mut line) => {
                    read.ok().filter(|&read| read > 0)?;
                    return self.say(format!("{tag} OK done\r\n")).await;
                }
                changed = changes.changed() => changed.ok()?,
            }
        }
    }
}

fn unquoted(argument: &str) -> String {
    argument.trim_matches('"').to_owned()
}

fn selected(state: &State, name: &str) -> String {
    let Some(folder) = state.folders.get(name) else { return String::new() };
    format!(
        "* {} EXISTS\r\n* OK [PERMANENTFLAGS (\\Deleted \\*)] kept\r\n* OK [UIDVALIDITY {}] v\r\n* OK [UIDNEXT {}] n\r\n",
        folder.mails.len(),
        folder.uidvalidity,
        folder.uidnext
    )
}

fn plain_answer(state: &mut State, folder: &str, command: &str) -> Vec<u8> {
    let words: Vec<&str> = command.split(' ').collect();
    match words.as_slice() {
        ["CAPABILITY"] => format!("* CAPABILITY {}\r\n", state.capabilities).into(),
        ["LIST", _, name] if state.folders.contains_key(&unquoted(name)) => {
            format!("* LIST () \"/\" {name}\r\n").into()
        }
        ["CREATE", name] => {
            state.folder(&unquoted(name));
            Vec::new()
        }
        ["UID", "SEARCH", "HEADER", "Message-ID", id] => {
            let id = unquoted(id);
            let bears = |mail: &Mail| String::from_utf8_lossy(&mail.text).contains(&format!("Message-ID: <{id}>"));
            let found = state.folder(folder).mails.iter().filter(|(_, mail)| bears(mail));
            let uids: Vec<String> = found.map(|(uid, _)| format!(" {uid}")).collect();
            format!("* SEARCH{}\r\n", uids.concat()).into()
        }
        // Other criteria come after the set.
        ["UID", "SEARCH", "UID", set, more @ ..] => {
            let wanted = more.iter().position(|word| *word == "KEYWORD").and_then(|at| more.get(at + 1));
            let kept = |mail: &Mail| {
                (!more.contains(&"UNDELETED") || !mail.keywords.contains("\\Deleted"))
                    && wanted.is_none_or(|keyword| mail.keywords.contains(*keyword))
            };
            let since = more.last().and_then(|date| internal_date(&format!("{date} 00:00:00 +0000")));
            let young = |mail: &Mail| internal_date(&mail.received).unwrap() >= since.unwrap_or(Moment::EARLIEST);
            let folder = state.folder(folder);
            let uids =
                members(folder, set).into_iter().filter(|uid| young(&folder.mails[uid]) && kept(&folder.mails[uid]));
            let uids: Vec<String> = uids.map(|uid| format!(" {uid}")).collect();
            format!("* SEARCH{}\r\n", uids.concat()).into()
        }
        ["UID", "FETCH", set, "(UID", "RFC822.SIZE", ..] => {
            let folder = state.folder(folder);
            let line = |uid: u32| {
                let mail = &folder.mails[&uid];
                let size = mail.said_size.unwrap_or(mail.text.len());
                format!("* 1 FETCH (UID {uid} RFC822.SIZE {size} INTERNALDATE \"{}\")\r\n", mail.received)
            };
            members(folder, set).into_iter().map(line).collect::<String>().into()
        }
        ["UID", "FETCH", set, "(UID", "BODY.PEEK[HEADER])"] => {
            let folder = state.folder(folder);
            members(folder, set).into_iter().flat_map(|uid| header(&folder.mails[&uid].text, uid)).collect()
        }
        ["UID", "FETCH", set, "(UID", section] => {
            let section = section.split_once('<').unwrap().1;
            let (offset, length) = section.split_once('>').unwrap().0.split_once('.').unwrap();
            let bounds = (offset.parse().unwrap(), length.parse().unwrap());
            let folder = state.folder(folder);
            members(folder, set).into_iter().flat_map(|uid| part(&folder.mails[&uid].text, uid, bounds)).collect()
        }
        ["UID", "STORE", set, _, keywords] => {
            let folder = state.folder(folder);
            for uid in members(folder, set) {
                let keyword = keywords.trim_matches(|c| matches!(c, '(' | ')')).to_owned();
                folder.mails.get_mut(&uid).unwrap().keywords.insert(keyword);
            }
            Vec::new()
        }
        ["UID", verb @ ("MOVE" | "COPY"), set, to] => {
            for uid in members(state.folder(folder), set) {
                let mail = state.folder(folder).mails[&uid].clone();
                let target = state.folder(&unquoted(to));
                target.mails.insert(target.uidnext, mail);
                target.uidnext += 1;
                if *verb == "MOVE" {
                    state.folder(folder).mails.remove(&uid);
                }
            }
            Vec::new()
        }
        ["UID", "EXPUNGE", set] => {
            let folder = state.folder(folder);
            for uid in members(folder, set) {
                if folder.mails[&uid].keywords.contains("\\Deleted") {
                    folder.mails.remove(&uid);
                }
            }
            Vec::new()
        }
        _ => Vec::new(),
    }
}

fn header(text: &[u8], uid: u32) -> Vec<u8> {
    let end = text.windows(4).position(|bytes| bytes == b"\r\n\r\n").map_or(text.len(), |at| at + 4);
    let mut answer = format!("* 1 FETCH (UID {uid} BODY[HEADER] {{{end}}}\r\n").into_bytes();
    answer.extend(&text[..end]);
    answer.extend(b")\r\n");
    answer
}

fn part(text: &[u8], uid: u32, (offset, length): (usize, usize)) -> Vec<u8> {
    let part: Vec<u8> = text.iter().skip(offset).take(length).copied().collect();
    let mut answer = format!("* 1 FETCH (UID {uid} BODY[]<{offset}> {{{}}}\r\n", part.len()).into_bytes();
    answer.extend(part);
    answer.extend(b")\r\n");
    answer
}

/// The UIDs of a set that exist. A `*` is the highest one, also when the other end is above it.
fn members(folder: &Folder, set: &str) -> Vec<u32> {
    let highest = folder.mails.keys().next_back().copied().unwrap_or(0);
    let number = |text: &str| if text == "*" { highest } else { text.parse().unwrap() };
    let ranges: Vec<(u32, u32)> = set
        .split(',')
        .map(|range| range.split_once(':').unwrap_or((range, range)))
        .map(|(from, to)| (number(from), number(to)))
        .map(|(from, to)| (from.min(to), from.max(to)))
        .collect();
    folder.mails.keys().copied().filter(|uid| ranges.iter().any(|(from, to)| (from..=to).contains(&uid))).collect()
}
