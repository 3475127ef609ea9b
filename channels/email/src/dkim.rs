//! DKIM signatures (RFC 6376), checked by ourselves where nobody we trust has said anything.
//!
//! A signature vouches for the writer when it is valid, covers the whole body and bears the writer's own domain or one
//! above it. Everything else, a slow name server included, is simply not verified: the requester then gets a neutral
//! acknowledgement, never none.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use guichet_domain::inbound::{Content, Inbound, Item, Nature, Trust};
use guichet_domain::reason::Reason;
use mail_auth::{AuthenticatedMessage, DkimResult, MessageAuthenticator, Parameters, ResolverCache, Txt};

/// How long the whole check of a batch may take: intake waits for it.
const LIMIT: Duration = Duration::from_secs(2);
/// Keys kept; more and all are forgotten.
const MOST_KEYS: usize = 2_000;
/// A mail with more signatures than this is left alone: each costs a look-up and a hash of the whole header.
const MOST_SIGNATURES: usize = 16;
/// Larger mail is not hashed a second time.
const LARGEST: usize = 1 << 20;

/// Checks signatures; keeps the keys it has looked up until they expire.
#[derive(Default)]
pub struct Checker {
    resolver: OnceLock<Option<MessageAuthenticator>>,
    keys: Keys,
}

impl Checker {
    /// Marks as verified the items of `batch` whose writer's domain signed them. Returns within 2 s.
    pub async fn check(&self, batch: &mut [Inbound]) {
        let wanting: Vec<Wanting> = batch.iter().enumerate().filter_map(wants).collect();
        if wanting.is_empty() {
            return;
        }
        let Some(resolver) = self.resolver() else { return };
        // The time limit is each mail's own, so that one slow name server leaves the others verified; and a mail that makes the
        // library panic is a mail nobody vouches for.
        let checks = wanting.iter().map(|wanting| async {
            let raw = batch.get(wanting.at).map(|inbound| inbound.raw.as_slice()).unwrap_or_default();
            let checked = AssertUnwindSafe(self.vouches(resolver, raw, wanting)).catch_unwind();
            matches!(tokio::time::timeout(LIMIT, checked).await, Ok(Ok(true))).then_some(wanting.at)
        });
        for at in join_all(checks).await.into_iter().flatten() {
            if let Some(Content::Read(item)) = batch.get_mut(at).map(|inbound| &mut inbound.content) {
                item.trust = Trust::Verified(Reason::of("trust.dkim"));
            }
        }
    }

    async fn vouches(&self, resolver: &MessageAuthenticator, raw: &[u8], wanting: &Wanting) -> bool {
        let Some(message) = AuthenticatedMessage::parse(raw) else { return false };
        // Of several From fields a signature need cover only the last, and the first is the one that is shown.
        if message.froms().len() != 1 || message.dkim_headers.len() > MOST_SIGNATURES {
            return false;
        }
        let checked = resolver.verify_dkim(Parameters::new(&message).with_txt_cache(&self.keys)).await;
        checked.iter().any(|output| {
            let aligned = output.signature().is_some_and(|signature| {
                // RFC 6376 section 5.4: a signature that leaves out From says nothing about it.
                let named = |wanted: &str| signature.h.iter().filter(|name| name.eq_ignore_ascii_case(wanted)).count();
                // Each field must be named once: of those that are named less often, the first ones are anybody's.
                let answers_are_theirs = !wanting.elsewhere || named("reply-to") >= count(raw, b"reply-to:");
                // `l=` leaves the end of the body unsigned: anything could have been added there.
                named("from") > 0
                    && answers_are_theirs
                    && signature.l == 0
                    && is_aligned(&wanting.domain, &signature.d.to_lowercase())
            });
            aligned && matches!(output.result(), DkimResult::Pass)
        })
    }

    /// Made when first needed; `None` where this machine names no name server.
    fn resolver(&self) -> Option<&MessageAuthenticator> {
        self.resolver.get_or_init(|| MessageAuthenticator::new_system_conf().ok()).as_ref()
    }
}

/// A person's mail with a signature that nobody has judged yet.
struct Wanting {
    /// Its place in the batch.
    at: usize,
    /// Its writer's domain.
    domain: String,
    /// Whether answers are to go to another domain: then whoever signed must have signed that too, or somebody who got the
    /// mail could send it on with a victim's address in Reply-To.
    elsewhere: bool,
}

fn wants((at, inbound): (usize, &Inbound)) -> Option<Wanting> {
    let Content::Read(item) = &inbound.content else { return None };
    let open = item.trust == Trust::Unverified && item.machine.is_none() && item.nature == Nature::Message;
    let signed = inbound.raw.len() <= LARGEST && has_signature(&inbound.raw);
    let domain = domain_of(item).filter(|_| open && signed)?;
    let elsewhere = item.reply_to.as_ref().is_some_and(|party| party.domain().as_ref() != Some(&domain));
    Some(Wanting { at, domain, elsewhere })
}

fn domain_of(item: &Item) -> Option<String> {
    item.from.as_ref()?.domain()
}

/// Looks at line beginnings up to the empty line: most mail within a company has none, and should cost nothing.
fn has_signature(raw: &[u8]) -> bool {
    fields(raw, b"dkim-signature:").next().is_some()
}

fn count(raw: &[u8], name: &'static [u8]) -> usize {
    fields(raw, name).count()
}

/// The header's lines that begin with `name`, which is lower case and ends in a colon.
fn fields<'a>(raw: &'a [u8], name: &'static [u8]) -> impl Iterator<Item = &'a [u8]> {
    let header = raw.split(|byte| *byte == b'\n').take_while(|line| !line.trim_ascii().is_empty());
    header.filter(move |line| line.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name)))
}

/// The writer's own domain, or one above it: whoever publishes keys there runs the names below. Never a domain below the
/// writer's, which may be anybody's (`user.example.org` must not speak for `example.org`).
fn is_aligned(writer: &str, signer: &str) -> bool {
    signer.contains('.') && (writer == signer || writer.strip_suffix(signer).is_some_and(|rest| rest.ends_with('.')))
}

/// Published keys by name, until they expire.
#[derive(Default)]
struct Keys(Mutex<HashMap<Box<str>, (Txt, Instant)>>);

impl ResolverCache<Box<str>, Txt> for Keys {
    fn get<Q>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.get(name).filter(|(_, until)| Instant::now() < *until).map(|(key, _)| key.clone())
    }

    fn remove<Q>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name).map(|(key, _)| key)
    }

    fn insert(&self, name: Box<str>, key: Txt, valid_until: Instant) {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= MOST_KEYS {
            keys.clear();
        }
        keys.insert(name, (key, valid_until));
    }
}

#[cfg(test)]
mod tests {
    use guichet_domain::Moment;
    use mail_auth::common::crypto::Ed25519Key;
    use mail_auth::common::headers::HeaderWriter;
    use mail_auth::common::parse::TxtRecordParser;
    use mail_auth::common::verify::DomainKey;
    use mail_auth::dkim::DkimSigner;

    use super::*;
    use crate::translate::{Letter, Reader};

    const MAIL: &str = "From: Ann <ann@client.test>\r\nTo: support@desk.test\r\nSubject: Help\r\n\r\nPlease help.\r\n";

    /// A desk that knows the key `domain` publishes, and `MAIL` signed with it.
    fn signed(domain: &str) -> (Checker, String) {
        signed_over(domain, &["From", "To", "Subject"])
    }

    fn signed_over(domain: &str, headers: &[&'static str]) -> (Checker, String) {
        signed_mail(domain, headers, MAIL)
    }

    fn signed_mail(domain: &str, headers: &[&'static str], mail: &str) -> (Checker, String) {
        let pkcs8 = Ed25519Key::generate_pkcs8().unwrap();
        let key = Ed25519Key::from_pkcs8_der(&pkcs8).unwrap();
        let public = data_encoding::BASE64.encode(&key.public_key());
        let record = format!("v=DKIM1; k=ed25519; p={public}");
        let checker = Checker::default();
        let key_of = DomainKey::parse(record.as_bytes()).unwrap();
        let until = Instant::now() + Duration::from_mins(1);
        checker.keys.insert(format!("s._domainkey.{domain}.").into(), Txt::DomainKey(key_of.into()), until);
        let signature = DkimSigner::from_key(key)
            .domain(domain)
            .selector("s")
            .headers(headers.iter().copied())
            .sign(mail.as_bytes())
            .unwrap();
        (checker, format!("{}{mail}", signature.to_header()))
    }

    async fn trust(checker: &Checker, raw: &str) -> Trust {
        let reader = Reader::default();
        let letter = Letter {
            name: "x".into(),
            raw: raw.as_bytes().to_vec(),
            received_at: Moment::EARLIEST,
            quiet: None,
            cut: None,
        };
        let mut batch = [reader.read(letter)];
        checker.check(&mut batch).await;
        let [Inbound { content: Content::Read(item), .. }] = batch else { panic!("it can be read") };
        item.trust
    }

    #[tokio::test]
    async fn the_writers_own_domain_vouches_and_a_changed_body_does_not() {
        let (checker, raw) = signed("client.test");
        assert_eq!(trust(&checker, &raw).await, Trust::Verified(Reason::of("trust.dkim")));
        assert_eq!(trust(&checker, &raw.replace("Please help.", "Please pay.")).await, Trust::Unverified);
        assert_eq!(trust(&checker, &raw.replace("ann@client.test", "boss@client.test")).await, Trust::Unverified);
        assert_eq!(trust(&checker, MAIL).await, Trust::Unverified);
        // A signature covers the last From; the first would be taken for the writer.
        let two_writers = format!("From: Boss <boss@client.test>\r\n{raw}");
        assert_eq!(trust(&checker, &two_writers).await, Trust::Unverified);
    }

    #[tokio::test]
    async fn a_signature_that_leaves_out_the_writer_vouches_for_none() {
        let (checker, raw) = signed_over("client.test", &["To", "Subject"]);
        assert_eq!(trust(&checker, &raw).await, Trust::Unverified);
        let (checker, raw) = signed_over("client.test", &["From"]);
        assert!(matches!(trust(&checker, &raw).await, Trust::Verified(_)));
    }

    #[tokio::test]
    async fn answers_to_another_domain_are_vouched_for_only_by_a_signature_over_reply_to() {
        let added = |raw: &str, to: &str| raw.replace("To: support", &format!("Reply-To: {to}\r\nTo: support"));
        let (checker, raw) = signed("client.test");
        assert_eq!(trust(&checker, &added(&raw, "victim@elsewhere.test")).await, Trust::Unverified);
        assert!(matches!(trust(&checker, &added(&raw, "team@client.test")).await, Trust::Verified(_)));

        let mail = added(MAIL, "ann@home.test");
        let (checker, raw) = signed_mail("client.test", &["From", "Reply-To"], &mail);
        assert!(matches!(trust(&checker, &raw).await, Trust::Verified(_)));
        let two = raw.replacen("From: Ann", "Reply-To: victim@elsewhere.test\r\nFrom: Ann", 1);
        assert_eq!(trust(&checker, &two).await, Trust::Unverified, "the first of two is signed by nobody");
    }

    #[tokio::test]
    async fn a_valid_signature_of_somebody_else_vouches_for_nobody() {
        let (checker, raw) = signed("mailer.test");
        assert_eq!(trust(&checker, &raw).await, Trust::Unverified);
    }

    #[test]
    fn a_domain_speaks_for_those_below_it_and_not_for_those_above() {
        assert!(is_aligned("client.test", "client.test"));
        assert!(is_aligned("paris.client.test", "client.test"));
        assert!(!is_aligned("client.test", "paris.client.test"));
        assert!(!is_aligned("evilclient.test", "client.test"));
        assert!(!is_aligned("client.test", "test"));
    }
}
