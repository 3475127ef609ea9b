//! A token is accepted when it was minted, letter by letter but for their case, and in no other form.
#![no_main]

use guichet_domain::ids::{DeliveryId, TicketId};
use guichet_domain::token::{Claim, Key, Keyring};
use libfuzzer_sys::fuzz_target;
use uuid::Uuid;

fuzz_target!(|input: (&str, u128, u128, u8, char)| {
    let (text, first, second, at, letter) = input;
    let (now, before) = (ring(3, 7), ring(2, 9));
    let both = Keyring::new(key(3, 7), vec![key(2, 9)]).expect("two numbers");

    // Whatever is accepted is what one of the two keys mints.
    if let Some(claim) = both.verify(text) {
        let plain = text.to_ascii_lowercase();
        assert!(plain == now.mint(&claim) || plain == before.mint(&claim), "{text} was never minted");
    }

    let (ticket, delivery) = (TicketId(Uuid::from_u128(first)), DeliveryId(Uuid::from_u128(second)));
    for claim in [
        Claim::ReplyAddress { ticket },
        Claim::MessageId { ticket, delivery },
        Claim::Loop { delivery },
        Claim::Bounce { delivery },
    ] {
        let token = now.mint(&claim);
        assert_eq!(both.verify(&token), Some(claim));
        assert_eq!(both.verify(&token.to_ascii_uppercase()), Some(claim));
        assert_eq!(both.verify(&before.mint(&claim)), Some(claim));
        assert_eq!(before.verify(&token), None, "a key nobody has");
        for bent in bent(&token, usize::from(at), letter) {
            if !bent.eq_ignore_ascii_case(&token) {
                assert_eq!(both.verify(&bent), None, "{bent} of {token}");
            }
        }
    }
});

fn key(id: u8, secret: u8) -> Key {
    Key::new(id, &[secret; 32]).expect("a number below 16")
}

fn ring(id: u8, secret: u8) -> Keyring {
    Keyring::new(key(id, secret), Vec::new()).expect("one key")
}

/// One letter changed, left out, put in, or at the end.
fn bent(token: &str, at: usize, letter: char) -> Vec<String> {
    let at = at % token.len();
    let (before, rest) = token.split_at(at);
    let behind = rest.get(1..).unwrap_or_default();
    vec![
        format!("{before}{letter}{behind}"),
        format!("{before}{behind}"),
        format!("{before}{letter}{rest}"),
        format!("{token}{letter}"),
        format!("{letter}{token}"),
        before.to_owned(),
    ]
}
