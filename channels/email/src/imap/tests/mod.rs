//! The receiving side against a server in memory that can be made to answer oddly, and against a real one.

mod census;
mod conformance;
mod desk;
mod dovecot;
mod faults;
mod filing;
mod history;
mod logins;
mod reading;
mod relay;
mod world;
