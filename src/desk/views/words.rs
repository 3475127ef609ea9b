//! The closed sets of words as schemas, read from the types that define them: a word added there is documented here.

use guichet_domain::entry::EntryKind;
use guichet_domain::event::TimerKind;
use guichet_domain::language::Language;
use guichet_domain::outgoing::{DeliveryState, NoticeKind};
use guichet_domain::priority::{Impact, Priority, Urgency};
use guichet_domain::ticket::{Kind, State, Tier};
use guichet_domain::verdict::Verdict;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

/// One function a set: `one` of the words must be there, or `maybe` null stands in its place.
macro_rules! words {
    ($($name:ident = $form:ident($all:expr);)*) => {$(
        pub(super) fn $name() -> RefOr<Schema> {
            $form($all)
        }
    )*};
}

words! {
    state = one(State::ALL.map(State::as_str).to_vec());
    maybe_state = maybe(State::ALL.map(State::as_str).to_vec());
    kind = one(Kind::ALL.map(Kind::as_str).to_vec());
    maybe_kind = maybe(Kind::ALL.map(Kind::as_str).to_vec());
    impact = one(Impact::ALL.map(Impact::as_str).to_vec());
    maybe_impact = maybe(Impact::ALL.map(Impact::as_str).to_vec());
    urgency = one(Urgency::ALL.map(Urgency::as_str).to_vec());
    maybe_urgency = maybe(Urgency::ALL.map(Urgency::as_str).to_vec());
    priority = one([Priority::P1, Priority::P2, Priority::P3, Priority::P4, Priority::P5].map(Priority::as_str).to_vec());
    tier = one([Tier::L1, Tier::L2, Tier::L3].map(Tier::as_str).to_vec());
    maybe_tier = maybe([Tier::L1, Tier::L2, Tier::L3].map(Tier::as_str).to_vec());
    entry_kind = one(EntryKind::ALL.map(EntryKind::as_str).to_vec());
    notice_kind = one(NoticeKind::ALL.map(NoticeKind::as_str).to_vec());
    delivery_state = one(DeliveryState::ALL.map(DeliveryState::as_str).to_vec());
    verdict = one(Verdict::ALL.map(Verdict::as_str).to_vec());
    timer_kind = one(TimerKind::ALL.map(TimerKind::as_str).to_vec());
    language = one(languages());
    maybe_language = maybe(languages());
}

fn languages() -> Vec<&'static str> {
    Language::NAMED.iter().map(|language| language.as_str()).chain(["other"]).collect()
}

fn one(words: Vec<&'static str>) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).into()
}

fn maybe(words: Vec<&'static str>) -> RefOr<Schema> {
    let words = words.into_iter().map(serde_json::Value::from).chain([serde_json::Value::Null]);
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .enum_values(Some(words.collect::<Vec<_>>()))
        .into()
}
