//! Any bytes as a mail: they are read or refused with a reason, and nothing unfit for the core comes out.
#![no_main]

use guichet_domain::Moment;
use guichet_domain::inbound::{Content, Inbound, Item};
use guichet_email::machine::OwnAddresses;
use guichet_email::translate::{Letter, Reader};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: guichet_fuzz::forgive_the_parser(), |raw: &[u8]| {
    let reader = Reader {
        own: OwnAddresses::new(&["support@desk.example".to_owned()]),
        authserv_ids: vec!["mx.desk.example".to_owned()],
    };
    let read = || {
        let letter = Letter {
            name: "INBOX/1/1".to_owned(),
            raw: raw.to_vec(),
            received_at: Moment::from_secs(1_795_340_045),
            quiet: None,
            cut: None,
        };
        reader.read(letter)
    };
    let once = read();
    check(&once);
    assert_eq!(once.same_as, read().same_as, "a second delivery is known by the same keys");
});

fn check(inbound: &Inbound) {
    assert!(inbound.same_as.len() <= 4, "{:?}", inbound.same_as);
    match &inbound.content {
        Content::Read(item) => check_item(item),
        Content::Unreadable { reason, detail } => {
            // The reader catches panics of its parser; here they are told from mails that are no mail.
            assert!(!detail.contains("crash") && !format!("{reason:?}").contains("crash"), "{reason:?}: {detail}");
        }
    }
}

fn check_item(item: &Item) {
    let one_line = |text: &str| !text.chars().any(char::is_control);
    if let Some(subject) = &item.subject {
        assert!(one_line(subject) && !subject.trim().is_empty(), "{subject:?}");
    }
    for person in item.from.iter().chain(&item.reply_to).chain(&item.recipients) {
        assert!(one_line(&person.address) && person.address.len() <= 320, "{person:?}");
        assert!(person.name.as_deref().is_none_or(one_line), "{person:?}");
    }
    for (at, file) in item.attachments.iter().enumerate() {
        let name = &file.name;
        assert!(one_line(name) && !name.contains(['/', '\\', ':']) && !name.is_empty(), "{name:?}");
        assert!(!name.starts_with('.') && name.len() <= 255, "{name:?}");
        assert!(item.attachments.iter().skip(at + 1).all(|other| other.name != *name), "two files named {name:?}");
    }
    assert!(!item.text.contains('\0') && !item.reply_text.contains('\0'));
}
