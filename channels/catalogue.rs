//! The kinds of channel in this build.
//!
//! To add a channel:
//! 1. Its folder beside this file, a crate of its own that depends on `guichet-contract` (and `guichet-domain`) alone,
//!    shaped like the others: `settings.rs` (what the operator writes), `listen.rs` (the network to the intake),
//!    `translate.rs` (pure: bytes to vocabulary and back), `deliver.rs` (the outbox to the network), `tests/`.
//! 2. One line in `channels/Cargo.toml`: an optional dependency and a feature of its name.
//! 3. One entry in [`kinds`].
//! 4. A test that runs `guichet_contract::conformance` against it.
//!
//! Nothing in `src/` changes.

use guichet_contract::Kind;

/// Every kind of channel that was compiled in, by the name used in `channel = "..."`.
pub fn kinds() -> Vec<Box<dyn Kind>> {
    vec![
        #[cfg(feature = "chat")]
        Box::new(guichet_chat::Chat),
        #[cfg(feature = "email")]
        Box::new(guichet_email::Email),
        #[cfg(feature = "form")]
        Box::new(guichet_form::Form),
        #[cfg(feature = "phone")]
        Box::new(guichet_phone::Phone),
        #[cfg(feature = "webhook")]
        Box::new(guichet_webhook::Webhook),
    ]
}
