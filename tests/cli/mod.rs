//! The real binary as operators, agents and mail servers run it, on state folders of their own.

mod agents;
mod desk;
mod failing;
mod importing;
mod injecting;
mod running;
mod settings;
mod tickets;

use desk::Desk;

/// A mail of a person.
const MAIL: &str = "From: Jean Dupont <jean@client.test>\nTo: support@desk.test\nSubject: Imprimante en panne\nMessage-ID: \
    <a1@client.test>\nDate: Sun, 22 Nov 2026 09:00:00 +0100\n\nBonjour, l'imprimante ne marche plus.\n\nJean\n";
