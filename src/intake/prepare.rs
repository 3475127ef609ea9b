//! What can be done about an item before the transaction: keys, packed bytes, checked tokens, references read.

use guichet_contract::intake::NotAccepted;
use guichet_domain::event::Fresh;
use guichet_domain::ids::{ConversationKey, ExternalId, InboundId, SourceName, TicketId};
use guichet_domain::inbound::{Content, Explained, Inbound, Item, Nature, OwnClaim};
use guichet_domain::language::Language;
use guichet_domain::reason::{self, Reason};
use guichet_domain::reference::{Reference, find_in};
use guichet_domain::rules::Rules;
use guichet_domain::token::{Claim, Keyring, StatusToken};
use guichet_domain::triage::Classification;
use guichet_domain::{Ids, Moment};
use guichet_store::blob::{self, Packed};

use crate::desk::blocks::Blocklist;

/// Most keys an item may bring besides its own.
const MAX_KEYS: usize = 4;
/// Most message ids of an item that are looked up: the nearest ones decide.
const MAX_IDS: usize = 30;
/// Most tokens of an item that are checked.
const MAX_TOKENS: usize = 40;

/// An item, ready for the transaction.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// Its row.
    pub id: InboundId,
    /// What its source calls it.
    pub external_id: ExternalId,
    /// The keys by which it is known again, its own first.
    pub keys: Vec<String>,
    /// When it came.
    pub received_at: Moment,
    /// No automatic answer is wanted.
    pub quiet: Option<Reason>,
    /// What it says, or why it is kept aside.
    pub content: Result<Box<Item>, Explained>,
    /// Its bytes.
    pub raw: Packed,
    /// Its attachments' bytes, in the item's order.
    pub files: Vec<Packed>,
    /// Tokens in it that we signed.
    pub tokens: Vec<Claim>,
    /// Tokens in it that prove it is our own message.
    pub own: Vec<Claim>,
    /// References that stand in it.
    pub references: Vec<Reference>,
    /// The conversation on its network.
    pub conversation: Option<ConversationKey>,
    /// What a new ticket would be called.
    pub fresh: Fresh,
    /// What the triage rules make of it, worked out ahead where nothing says that it belongs to a ticket.
    pub triage: Option<(Language, Classification)>,
    /// The rules of its source.
    pub rules: Rules,
    /// Set when it was released from quarantine: its row exists, and rules that keep things aside no longer apply.
    pub released: bool,
}

/// What preparing needs besides the item.
pub(crate) struct Bench<'a> {
    /// The rules of the source.
    pub rules: &'a Rules,
    /// The kind of channel: the space of the keys that other sources share.
    pub channel: &'a str,
    /// The signing keys.
    pub keyring: &'a Keyring,
    /// Ids and randomness.
    pub ids: &'a dyn Ids,
    /// The time.
    pub now: Moment,
    /// Whom agents block.
    pub blocked: &'a Blocklist,
    /// Whether an agent lets it in: what the operator blocks is not kept aside then.
    pub released: bool,
}

/// The inbox key of what a source calls its item.
pub(crate) fn own_key(source: &SourceName, id: &ExternalId) -> String {
    format!("{source}\n{id}")
}

/// The inbox key an item shares with what other sources of its kind of channel hand in.
pub(crate) fn shared_key(channel: &str, key: &str) -> String {
    format!("{channel}\n{key}")
}

impl Prepared {
    /// Prepares one item. Costs what compressing its bytes costs; touches nothing outside.
    pub(crate) fn new(inbound: Inbound, bench: &Bench<'_>) -> Result<Self, NotAccepted> {
        let source = &bench.rules.source.name;
        if inbound.external_id.as_str().is_empty() {
            return Err(NotAccepted::Refused {
                why: "an item without an id cannot be told from its repetition".into(),
            });
        }
        let mut keys = vec![own_key(source, &inbound.external_id)];
        keys.extend(inbound.same_as.iter().take(MAX_KEYS).map(|key| shared_key(bench.channel, key)));
        let raw = blob::pack(&inbound.raw, bench.now);
        // A large mail is in memory three times over as it is.
        drop(inbound.raw);
        let content = match inbound.content {
            Content::Read(item) if bench.released => Ok(item),
            Content::Read(item) => screen(item, bench),
            Content::Unreadable { reason, detail } => Err(Explained::new(reason, detail)),
        };
        let mut prepared = Self {
            id: InboundId(bench.ids.uuid()),
            external_id: inbound.external_id,
            keys,
            received_at: inbound.received_at,
            quiet: inbound.quiet,
            content,
            raw,
            files: Vec::new(),
            tokens: Vec::new(),
            own: Vec::new(),
            references: Vec::new(),
            conversation: None,
            fresh: fresh(bench.ids),
            triage: None,
            rules: bench.rules.clone(),
            released: bench.released,
        };
        prepared.read(bench);
        Ok(prepared)
    }

    /// The item, when it could be read.
    pub(crate) fn item(&self) -> Option<&Item> {
        self.content.as_deref().ok()
    }

    /// Takes another public number: the one drawn was taken.
    pub(crate) fn redraw(&mut self, ids: &dyn Ids) {
        self.fresh.reference = Reference::draw(ids);
    }

    /// Bytes it holds in memory, roughly.
    pub(crate) fn weight(&self) -> usize {
        let packed = |packed: &Packed| packed.bytes.as_ref().map_or(0, Vec::len);
        let text = self.item().map_or(0, |item| item.text.len() * 2 + item.html.as_ref().map_or(0, String::len));
        packed(&self.raw) + self.files.iter().map(packed).sum::<usize>() + text
    }

    fn read(&mut self, bench: &Bench<'_>) {
        let Ok(item) = &mut self.content else { return };
        let claims = |tokens: &[String]| -> Vec<Claim> {
            tokens.iter().take(MAX_TOKENS).filter_map(|token| bench.keyring.verify(token)).collect()
        };
        self.tokens = claims(&item.refers_to.tokens);
        if let OwnClaim::Claimed { tokens } | OwnClaim::Marked { tokens } = &item.own {
            self.own = claims(tokens);
        }
        item.refers_to.ids.truncate(MAX_IDS);
        let spoken = item.refers_to.spoken_in.as_deref().unwrap_or_default();
        self.references = find_in(spoken, &bench.rules.desk.prefix);
        self.references.truncate(5);
        self.conversation.clone_from(&item.conversation);
        for attachment in &mut item.attachments {
            self.files.push(blob::pack(&std::mem::take(&mut attachment.bytes), bench.now));
        }
        let named = !(self.tokens.is_empty() && self.own.is_empty() && self.references.is_empty());
        let answers = !item.refers_to.ids.is_empty() || self.conversation.is_some();
        if item.nature == Nature::Message && !named && !answers {
            let language = item.language.unwrap_or(Language::En);
            let subject = item.subject.as_deref().unwrap_or_default();
            self.triage = Some((language, bench.rules.desk.taxonomy.classify(subject, item.words(), language)));
        }
    }
}

/// Keeps aside what the operator or an agent blocks. A report is never blocked: it speaks of our own mail.
fn screen(item: Box<Item>, bench: &Bench<'_>) -> Result<Box<Item>, Explained> {
    let sender = item.from.as_ref().map(guichet_domain::inbound::Party::key).unwrap_or_default();
    let listed = || bench.rules.desk.is_blocked(&sender) || bench.blocked.holds(&sender);
    let blocked = matches!(item.nature, Nature::Message | Nature::AutoReply) && listed();
    if blocked { Err(Explained::new(reason::BLOCKED_SENDER, sender)) } else { Ok(item) }
}

fn fresh(ids: &dyn Ids) -> Fresh {
    Fresh {
        ticket: TicketId(ids.uuid()),
        reference: Reference::draw(ids),
        status_token: StatusToken::draw(ids).as_str().to_owned(),
    }
}
