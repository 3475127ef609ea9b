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

/// For each set, the schema of a word that must be there, and of one that may be null.
macro_rules! words {
    ($($one:ident, $maybe:ident = $all:expr;)*) => {$(
        pub(super) fn $one() -> RefOr<Schema> {
            required($all)
        }

        #[cfg_attr(not(test), allow(dead_code, reason = "each set has both forms"))]
        pub(super) fn $maybe() -> RefOr<Schema> {
            optional($all)
        }
    )*};
}

words! {
    state, maybe_state = State::ALL.map(State::as_str).to_vec();
    kind, maybe_kind = Kind::ALL.map(Kind::as_str).to_vec();
    impact, maybe_impact = Impact::ALL.map(Impact::as_str).to_vec();
    urgency, maybe_urgency = Urgency::ALL.map(Urgency::as_str).to_vec();
    priority, maybe_priority = [Priority::P1, Priority::P2, Priority::P3, Priority::P4, Priority::P5].map(Priority::as_str).to_vec();
    tier, maybe_tier = [Tier::L1, Tier::L2, Tier::L3].map(Tier::as_str).to_vec();
    entry_kind, maybe_entry_kind = EntryKind::ALL.map(EntryKind::as_str).to_vec();
    notice_kind, maybe_notice_kind = NoticeKind::ALL.map(NoticeKind::as_str).to_vec();
    delivery_state, maybe_delivery_state = DeliveryState::ALL.map(DeliveryState::as_str).to_vec();
    verdict, maybe_verdict = Verdict::ALL.map(Verdict::as_str).to_vec();
    timer_kind, maybe_timer_kind = TimerKind::ALL.map(TimerKind::as_str).to_vec();
    language, maybe_language = Language::NAMED.iter().map(|language| language.as_str()).chain(["other"]).collect();
}

fn required(words: Vec<&'static str>) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).into()
}

fn optional(words: Vec<&'static str>) -> RefOr<Schema> {
    let words = words.into_iter().map(serde_json::Value::from).chain([serde_json::Value::Null]);
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .enum_values(Some(words.collect::<Vec<_>>()))
        .into()
}
