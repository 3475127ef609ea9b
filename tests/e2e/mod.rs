//! The real binary against a real Dovecot and a real Postfix: people write, agents answer, servers fall, processes are killed.
//!
//! Each test tells a story in the words of those who are in it. `rig` starts the servers (`tests/rig`), `desk` is the
//! operator's and the agents' side of the binary, `person` somebody with a mail program, `mail` what they read, `wait` the
//! only place that waits by looking. Where servers cannot be started the stories say so and do nothing.

mod conversation;
mod crash;
mod desk;
mod history;
mod hostile;
mod journal;
mod mail;
mod mailboxes;
mod oauth;
mod outage;
mod person;
mod phone;
mod reconcile;
mod reports;
mod rig;
mod smtp;
mod start;
mod strangers;
mod visitors;
mod wait;
