use super::has_content;

#[test]
fn thanks_in_seven_languages_say_nothing() {
    let said: Vec<_> = [
        "merci",
        "Merci !",
        "ok super merci beaucoup",
        "Merci beaucoup pour votre aide",
        "Merci, ça marche !",
        "c'est parfait, merci",
        "Bonjour,\n\nMerci pour votre retour rapide.\n\nBonne journée",
        "Bonjour, merci pour l'info.",
        "Super merci c'est réparé",
        "ça y est ça marche merci",
        "Thanks for sorting this out",
        "Merci\nJean Dupont",
        "Merci Sophie !",
        "Parfait, tout fonctionne. Merci encore",
        "Super, vous pouvez clôturer le ticket. Merci",
        "bien reçu, merci",
        "Pas de souci, merci à vous",
        "Thanks, works now!",
        "thanks",
        "Thank you so much for your help",
        "Thx",
        "Perfect, thank you!",
        "Great, all good now. Cheers",
        "It works again, thank you!",
        "Many thanks\nTom Baker",
        "Thanks Paul",
        "Problem solved, you can close the ticket. Thanks again!",
        "OK",
        "Noted, thanks.",
        "danke",
        "Vielen Dank für die schnelle Hilfe!",
        "Super, funktioniert wieder. Danke",
        "Alles klar, danke",
        "Herzlichen Dank",
        "gracias",
        "Muchas gracias por su ayuda",
        "Perfecto, ya funciona. Gracias",
        "grazie mille",
        "Perfetto, grazie per la risposta",
        "Ora funziona, grazie!",
        "obrigado",
        "Muito obrigada pela ajuda",
        "Já está funcionando, obrigado!",
        "bedankt",
        "Dank je wel!",
        "Het werkt weer, bedankt voor de hulp",
        "Super, hartelijk dank",
    ]
    .into_iter()
    .filter(|reply| has_content(reply))
    .collect();
    assert!(said.is_empty(), "only courtesy: {said:?}");
}

#[test]
fn a_friendly_sign_alone_says_nothing() {
    for reply in ["👍", "👍🏻👍🏻", "🙏🙏", ":+1:", ":)", "Merci 😊", "ok 👍", "", "  \n", "...", "🎉"]
    {
        assert!(!has_content(reply), "{reply:?} is only courtesy");
    }
}

#[test]
fn thanks_with_a_but_a_question_or_a_negation_say_something() {
    let overlooked: Vec<_> = [
        "thanks but it still fails",
        "merci, mais ça ne marche pas",
        "Merci. Toujours pareil.",
        "Thanks, it is not working",
        "merci, ça marche pas",
        "Danke, aber es geht nicht",
        "Gracias, pero no funciona",
        "Grazie, ma non funziona",
        "Obrigado, mas não funciona",
        "Bedankt, maar het werkt niet",
        "Thanks! When will it be back?",
        "Merci ?",
        "Thanks, the problem is back again",
        "Thanks. Broken",
        "Thanks\nBroken",
        "Merci URGENT",
        "help",
        "Merci, rappelez-moi au 0612345678",
        "👎",
        "😡",
        ":(",
        "no",
        "non",
        "oui",
        "yes",
        "Merci de me rappeler",
        "Ok pour jeudi",
        "C'est bon pour demain",
        "Thanks, please call me",
        "Great, now the printer",
        "Merci, reste le problème du scanner",
        "Bonjour",
        "Hello",
        "it stopped working",
        "Thanks, I also need a second screen",
        "Merci, il manque encore le lecteur réseau",
        "Danke, Drucker streikt",
        "works only on my laptop",
        "Merci Outlook plante",
        "see attachment",
        "ça ne fonctionne plus",
        "dziękuję",
        "شكرا",
    ]
    .into_iter()
    .filter(|reply| !has_content(reply))
    .collect();
    assert!(overlooked.is_empty(), "these say something: {overlooked:?}");
}

#[test]
fn long_text_is_content_without_a_look() {
    assert!(has_content(&"merci ".repeat(1_000)));
}
