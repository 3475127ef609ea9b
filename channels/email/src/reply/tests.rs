use super::*;

#[test]
fn a_plain_mail_is_its_own_reply() {
    let parts = separate("Bonjour,\n\nMon écran reste noir.\n");
    assert_eq!(parts, Parts { reply: "Bonjour,\n\nMon écran reste noir.".to_owned(), ..Parts::default() });
}
