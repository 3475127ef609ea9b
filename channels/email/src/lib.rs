//! .
pub mod machine;
pub mod credentials;
pub mod imap;
pub mod net;
pub mod tls;
pub mod reply;
pub mod report;
pub mod compose;
pub mod oauth;
pub mod smtp;
pub mod understand;
pub mod language;
