use std::sync::atomic::{AtomicU8, Ordering};

use proptest::prelude::*;

use super::*;

fn key(id: u8) -> Key {
    Key::new(id, &[id.wrapping_mul(37).wrapping_add(11); 32]).unwrap()
}

fn ring() -> Keyring {
    Keyring::new(key(3), vec![key(2), key(1)]).unwrap()
}

fn ticket(number: u128) -> TicketId {
    TicketId(Uuid::from_u128(number))
}

fn delivery(number: u128) -> DeliveryId {
    DeliveryId(Uuid::from_u128(number))
}

/// Counts instead of drawing.
struct Counting(AtomicU8);

impl Ids for Counting {
    fn uuid(&self) -> Uuid {
        Uuid::nil()
    }

    fn random(&self, bytes: &mut [u8]) {
        bytes.fill_with(|| self.0.fetch_add(29, Ordering::Relaxed));
    }
}

fn claims() -> impl Strategy<Value = Claim> {
    let tickets = || any::<u128>().prop_map(ticket);
    let deliveries = || any::<u128>().prop_map(delivery);
    prop_oneof![
        tickets().prop_map(|ticket| Claim::ReplyAddress { ticket }),
        (tickets(), deliveries()).prop_map(|(ticket, delivery)| Claim::MessageId { ticket, delivery }),
        deliveries().prop_map(|delivery| Claim::Loop { delivery }),
        deliveries().prop_map(|delivery| Claim::Bounce { delivery }),
    ]
}

#[test]
fn a_reply_address_fits_in_64_octets_beside_a_mailbox_name_of_twenty() {
    let token = ring().mint(&Claim::ReplyAddress { ticket: ticket(u128::MAX) });
    assert_eq!(token.len(), SHORT_LEN);
    assert!(20 + "+".len() + token.len() <= 64);
    assert!(token.bytes().all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b)));
}

#[test]
fn mail_sent_under_the_previous_key_still_finds_its_ticket() {
    let claim = Claim::ReplyAddress { ticket: ticket(7) };
    let before = Keyring::new(key(2), vec![]).unwrap();
    assert_eq!(ring().verify(&before.mint(&claim)), Some(claim));
    let forgotten = Keyring::new(key(3), vec![]).unwrap();
    assert_eq!(forgotten.verify(&before.mint(&claim)), None);
}

#[test]
fn two_installations_with_the_same_key_number_do_not_believe_each_other() {
    let claim = Claim::Loop { delivery: delivery(7) };
    let theirs = Keyring::new(Key::new(3, &[99; 32]).unwrap(), vec![]).unwrap();
    assert_eq!(ring().verify(&theirs.mint(&claim)), None);
}

#[test]
fn a_ring_refuses_keys_that_cannot_be_told_apart() {
    assert_eq!(Keyring::new(key(3), vec![key(3)]).unwrap_err(), KeyringError::IdTaken { id: 3 });
    assert_eq!(Keyring::new(key(3), vec![key(1), key(1)]).unwrap_err(), KeyringError::IdTaken { id: 1 });
    assert_eq!(Key::new(16, &[0; 32]).unwrap_err(), KeyringError::IdOutOfRange { id: 16 });
}

#[test]
fn keys_and_status_tokens_are_not_printed() {
    assert_eq!(format!("{:?}", key(3)), "Key { id: 3, .. }");
    assert_eq!(format!("{:?}", StatusToken::draw(&Counting(AtomicU8::new(5)))), "StatusToken(..)");
}

#[test]
fn a_status_token_is_22_letters_and_only_its_hash_is_kept() {
    let token = StatusToken::draw(&Counting(AtomicU8::new(1)));
    assert_eq!(token.as_str().len(), STATUS_LEN);
    assert_eq!(StatusToken::parse(token.as_str()), Some(token.clone()));
    assert_eq!(token.hash().len(), 64);
    assert!(!token.hash().contains(token.as_str()));
    assert_ne!(token.hash(), secret_hash(token.as_str()));
    for bad in ["", "short", "AAAAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAAAAAAB", "AAAAAAAAAAAAAAAAAAAAAAA"] {
        assert_eq!(StatusToken::parse(bad), None, "{bad}");
    }
}

#[test]
fn a_secret_has_256_bits_and_one_hash() {
    let secret = new_secret(&Counting(AtomicU8::new(1)));
    assert_eq!(secret.len(), 43);
    assert_eq!(secret_hash(&secret), secret_hash(&secret));
    assert_ne!(secret_hash(&secret), secret_hash("other"));
}

proptest! {
    #[test]
    fn what_we_sign_we_recognise_in_any_letter_case(claim in claims(), upper in any::<bool>()) {
        let token = ring().mint(&claim);
        let travelled = if upper { token.to_ascii_uppercase() } else { token };
        prop_assert_eq!(ring().verify(&travelled), Some(claim));
    }

    #[test]
    fn one_changed_letter_never_verifies(claim in claims(), at in 0..SHORT_LEN, to in "[a-z0-9+=_-]") {
        let token = ring().mint(&claim);
        let mut letters: Vec<u8> = token.clone().into_bytes();
        let last = letters.len() - 1;
        for at in [at, last - at] {
            letters[at] = to.as_bytes()[0];
            let changed = String::from_utf8(letters.clone()).unwrap();
            prop_assert!(changed == token || ring().verify(&changed).is_none());
            letters = token.clone().into_bytes();
        }
    }

    #[test]
    fn a_token_of_one_kind_is_never_valid_as_another(id in any::<u128>()) {
        let kinds = [
            Claim::ReplyAddress { ticket: ticket(id) },
            Claim::Loop { delivery: delivery(id) },
            Claim::Bounce { delivery: delivery(id) },
            Claim::MessageId { ticket: ticket(id), delivery: delivery(id) },
        ];
        for claim in kinds {
            let token = ring().mint(&claim);
            prop_assert_eq!(ring().verify(&token), Some(claim));
            for first in ALPHABET {
                let mut letters = token.clone().into_bytes();
                letters[0] = *first;
                let relabelled = String::from_utf8(letters).unwrap();
                prop_assert!(relabelled == token || ring().verify(&relabelled).is_none());
            }
        }
    }

    #[test]
    fn any_text_at_all_is_answered(text in ".{0,80}", word in "[a-zA-Z2-7]{43}|[a-z2-7]{69}") {
        prop_assert_eq!(ring().verify(&text), None);
        prop_assert_eq!(ring().verify(&word), None);
    }
}
