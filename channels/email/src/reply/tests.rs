use super::*;

/// The reply and nothing else of a mail.
fn reply(text: &str) -> String {
    separate(text).reply
}

#[test]
fn a_plain_mail_is_its_own_reply() {
    let parts = separate("Bonjour,\n\nMon écran reste noir.\n");
    assert_eq!(parts, Parts { reply: "Bonjour,\n\nMon écran reste noir.".to_owned(), ..Parts::default() });
}

#[test]
fn attributions_of_many_programs_and_languages_end_the_reply() {
    for attribution in [
        "On Tue, 3 Mar 2026 at 10:02, Desk <help@desk.example> wrote:",
        "On 03/03/2026 10:02, Desk wrote:",
        "On Mar 3, 2026, at 10:02, Desk <help@desk.example>\nwrote:",
        "On Tue, 3 Mar 2026 10:02:11 +0100 Desk <help@desk.example> wrote:",
        "---- On Tue, 03 Mar 2026 10:02:11 +0100 help@desk.example wrote ----",
        "Le mar. 3 mars 2026 à 10:02, Assistance <help@desk.example> a écrit :",
        "Le 03/03/2026 à 10:02, Assistance a écrit :",
        "Le mardi 3 mars 2026 à 10:02:11 UTC+1, Assistance <help@desk.example>\na écrit :",
        "Am Di., 3. März 2026 um 10:02 Uhr schrieb Hilfe <help@desk.example>:",
        "Am 03.03.2026 um 10:02 schrieb Hilfe:",
        "El mar, 3 mar 2026 a las 10:02, Ayuda (<help@desk.example>) escribió:",
        "Il giorno mar 3 mar 2026 alle ore 10:02 Aiuto <help@desk.example> ha\nscritto:",
        "Il 03/03/26 10:02, Aiuto ha scritto:",
        "Em ter., 3 de mar. de 2026 às 10:02, Ajuda <help@desk.example> escreveu:",
        "Op di 3 mrt 2026 om 10:02 schreef Hulp <help@desk.example>:",
        "Op 03-03-2026 om 10:02 schreef Hulp:",
        "wt., 3 mar 2026 o 10:02 Pomoc <help@desk.example> napisał(a):",
        "W dniu 03.03.2026 o 10:02, Pomoc pisze:",
        "вт, 3 мар. 2026 г. в 10:02, Помощь <help@desk.example>:",
        "3 марта 2026 г., в 10:02, Помощь <help@desk.example> написал(а):",
        "вт, 3 бер. 2026 р. о 10:02 Підтримка <help@desk.example> пише:",
        "Den tis 3 mars 2026 kl 10:02 skrev Hjälp <help@desk.example>:",
        "tir. 3. mar. 2026 kl. 10:02 skrev Hjelp <help@desk.example>:",
        "Den 3. mar. 2026 kl. 10.02 skrev Hjælp <help@desk.example>:",
        "ti 3. maalisk. 2026 klo 10.02 Tuki <help@desk.example> kirjoitti:",
        "Desk <help@desk.example> 于2026年3月3日周二 10:02写道：",
        "2026年3月3日(火) 10:02 サポート <help@desk.example>:",
        "在 2026年3月3日，10:02，Desk <help@desk.example> 写道：",
    ] {
        for older in ["> What is your number?\n> Desk", "What is your number?\nDesk"] {
            // Without an address, only marks of quotation prove that an older mail follows.
            if !attribution.contains('@') && !older.starts_with('>') {
                continue;
            }
            let parts = separate(&format!("Room 12.\n\n{attribution}\n\n{older}\n"));
            assert_eq!(parts.reply, "Room 12.", "{attribution}");
            assert!(parts.quoted.is_some_and(|quoted| quoted.contains("your number")), "{attribution}");
        }
    }
}

#[test]
fn heads_of_outlook_in_many_languages_end_the_reply() {
    for head in [
        "From: Desk <help@desk.example>\nSent: Tuesday, 3 March 2026 10:02\nTo: Ann Lee <ann@shop.example>\nSubject: RE: Screen",
        "De : Assistance <help@desk.example>\nEnvoyé : mardi 3 mars 2026 10:02\nÀ : Ann Lee <ann@shop.example>\nObjet : RE: Écran",
        "De: Assistance <help@desk.example> \nDate: mardi, 3 mars 2026 à 10:02\nÀ: Ann Lee <ann@shop.example>\nObjet: Re: Écran",
        "Von: Hilfe <help@desk.example>\nGesendet: Dienstag, 3. März 2026 10:02\nAn: Ann Lee <ann@shop.example>\nCc: Bo <bo@shop.example>\nBetreff: AW: Schirm",
        "De: Ayuda <help@desk.example>\nEnviado el: martes, 3 de marzo de 2026 10:02\nPara: Ann Lee <ann@shop.example>\nAsunto: RE: Pantalla",
        "Da: Aiuto <help@desk.example>\nInviato: martedì 3 marzo 2026 10:02\nA: Ann Lee <ann@shop.example>\nOggetto: R: Schermo",
        "De: Ajuda <help@desk.example>\nEnviada em: terça-feira, 3 de março de 2026 10:02\nPara: Ann Lee <ann@shop.example>\nAssunto: RE: Ecrã",
        "Van: Hulp <help@desk.example>\nVerzonden: dinsdag 3 maart 2026 10:02\nAan: Ann Lee <ann@shop.example>\nOnderwerp: RE: Scherm",
        "Od: Pomoc <help@desk.example>\nWysłano: wtorek, 3 marca 2026 10:02\nDo: Ann Lee <ann@shop.example>\nTemat: ODP: Ekran",
        "Från: Hjälp <help@desk.example>\nSkickat: den 3 mars 2026 10:02\nTill: Ann Lee <ann@shop.example>\nÄmne: SV: Skärm",
        "Fra: Hjelp <help@desk.example>\nSendt: tirsdag 3. mars 2026 10:02\nTil: Ann Lee <ann@shop.example>\nEmne: SV: Skjerm",
        "Lähettäjä: Tuki <help@desk.example>\nLähetetty: tiistai 3. maaliskuuta 2026 10:02\nVastaanottaja: Ann <ann@shop.example>\nAihe: VS: Näyttö",
        "От: Помощь <help@desk.example>\nОтправлено: 3 марта 2026 г. 10:02\nКому: Ann <ann@shop.example>\nТема: RE: Экран",
        "发件人: 帮助 <help@desk.example>\n发送时间: 2026年3月3日 10:02\n收件人: Ann <ann@shop.example>\n主题: 回复: 屏幕",
        "差出人: サポート <help@desk.example>\n送信日時: 2026年3月3日 10:02\n宛先: Ann <ann@shop.example>\n件名: RE: 画面",
        "*From:* Desk [mailto:help@desk.example]\n*Sent:* 3 March 2026 10:02\n*To:* Ann\n*Subject:* Screen",
        "From: Desk <help@desk.example>\n\nSent: Tuesday, 3 March 2026 10:02\n\nTo: Ann <ann@shop.example>\n\nSubject: RE: Screen",
    ] {
        for rule in ["", "________________________________\n", "-----Original Message-----\n"] {
            let parts = separate(&format!("Room 12.\n\n{rule}{head}\n\nWhat is your number?\n"));
            assert_eq!(parts.reply, "Room 12.", "{rule}{head}");
            assert_eq!(parts.forwarded, None, "{rule}{head}");
        }
    }
}

#[test]
fn an_original_message_line_needs_no_head_below_it() {
    for line in [
        "-----Original Message-----",
        "*-------- Original Message --------*",
        "----- Mensaje original -----",
        "-------- Message d'origine --------",
        "--- Ursprüngliche Nachricht ---",
    ] {
        assert_eq!(reply(&format!("Room 12.\n\n{line}\n\nWhat is your number?")), "Room 12.", "{line}");
    }
}

#[test]
fn the_webmail_of_orange_quotes_with_its_own_head() {
    let mail = "Merci, c'est le poste 12.\n\n> Message du 03/03/26 10:02\n> De : \"Assistance\" <help@desk.example>\n> A : ann@orange.example\n> Copie à : \n> Objet : Re: Écran\n> \n> Quel poste ?\n";
    assert_eq!(reply(mail), "Merci, c'est le poste 12.");
}

#[test]
fn answers_between_the_lines_are_all_kept() {
    let parts = separate(
        "Hi,\nsee below.\n\nOn 3 Mar 2026, Desk <help@desk.example> wrote:\n> Which room?\nRoom 12.\n> Since when?\n\nSince Monday.\n\n> Thanks\n-- \nAnn\n",
    );
    assert_eq!(parts.reply, "Hi,\nsee below.\n\nRoom 12.\n\nSince Monday.");
    assert_eq!(parts.signature.as_deref(), Some("--\nAnn"));
    assert!(parts.quoted.unwrap().contains("> Since when?"));
}

#[test]
fn an_answer_below_the_quotation_is_the_reply() {
    assert_eq!(reply("Le 03/03/2026 à 10:02, Assistance a écrit :\n> Quel poste ?\n> Merci\n\nLe 12.\n"), "Le 12.");
}

#[test]
fn words_like_attributions_and_heads_inside_a_text_stay() {
    for text in [
        "On the screen I see: error 12.\nOn Monday it was fine.",
        "The colleague wrote:\nplease install the printer.",
        "From: our database, not From: external sources.",
        "Date: 3 March\nPlace: room 12\nPlease book it.",
        "Yesterday at 10:02 it said: disk full",
        "Here is a list:\n- one\n- two\n\n----\n\nAnd a last word.",
        "I sent from my phone, is that right?",
        "Sent from my desk, which is easier.",
        "From my phone it works.",
        "Le 3 mars 2026 à 10:02, paul@shop.example m'a écrit :\nvotre compte est bloqué.\n\nQue dois-je faire ?",
        "Von meinem Handy aus geht es nicht.",
        "Envoyé par mail hier",
        "Envoyé de la boutique mail ce matin",
        "Envoyé depuis mon poste, pas de réponse.",
        "Outlook für Android öffnet sich nicht",
        "Sent from my laptop it fails",
        "Enviado desde la oficina ayer",
        "Le 3 mars 2026 à 10:02, mon collègue m'a écrit :\nil faut relancer le serveur.",
    ] {
        let parts = separate(text);
        assert_eq!(parts.reply, text);
        assert_eq!((parts.quoted, parts.signature), (None, None));
    }
}

#[test]
fn phone_and_program_lines_are_signatures() {
    for line in [
        "Sent from my iPhone",
        "Sent from Outlook for Android<https://aka.ms/x>",
        "Get Outlook for iOS",
        "Sent from Yahoo Mail on Android",
        "Sent with Proton Mail secure email.",
        "Sent from Mail for Windows",
        "Envoyé de mon iPhone",
        "Envoyé depuis mon appareil Galaxy",
        "Envoyé à partir de Outlook pour iOS",
        "Télécharger Outlook pour Android",
        "Envoyé depuis l'application Mail Orange",
        "Envoyé avec la messagerie sécurisée Proton Mail.",
        "Provenance : Courrier pour Windows",
        "Von meinem iPhone gesendet",
        "Gesendet von meinem Samsung Galaxy Smartphone.",
        "Gesendet mit der GMX Mail App",
        "Enviado desde mi iPhone",
        "Inviato da iPhone",
        "Inviato dal mio telefono",
        "Enviado do meu iPhone",
        "Verstuurd vanaf mijn iPhone",
        "Verzonden vanaf mijn Samsung Galaxy",
        "Wysłane z iPhone'a",
        "Отправлено с iPhone",
        "Skickat från min iPhone",
        "Sendt fra min iPhone",
        "Lähetetty iPhonesta",
        "发自我的 iPhone",
        "iPhoneから送信",
        "أرسلت من الـ iPhone",
    ] {
        let parts = separate(&format!("Room 12.\n\n{line}\n"));
        assert_eq!(parts.reply, "Room 12.", "{line}");
        assert_eq!(parts.signature.as_deref(), Some(line));
    }
}

#[test]
fn apologies_of_phones_go_with_their_line() {
    for line in [
        "Sent from my phone, please excuse any typos.",
        "Sent from my Android device with K-9 Mail. Please excuse my brevity.",
        "Envoyé de mon mobile, veuillez excuser les fautes.",
        "Diese Nachricht wurde von meinem Mobiltelefon gesendet.",
        "(sent from a phone)",
    ] {
        assert_eq!(reply(&format!("Room 12.\n\n{line}")), "Room 12.", "{line}");
    }
}

#[test]
fn a_named_writer_with_an_address_needs_no_date() {
    assert_eq!(reply("Room 12.\n\nAnn Lee <ann@shop.example> wrote:\n\nWhich room?"), "Room 12.");
}

#[test]
fn closings_with_a_name_block_go_and_afterthoughts_keep_them() {
    for block in [
        "Regards,\n\nAnn Lee\nShop Ltd, +44 20 7946 0000",
        "Cordialement,\nAnne Le Goff",
        "Mit freundlichen Grüßen\n\nAnna Lee",
        "Cordialement, Anne Le Goff",
        "Saludos cordiales,\nAna",
        "Distinti saluti\nAnna",
        "Com os melhores cumprimentos,\nAna",
        "Met vriendelijke groet,\nAnna",
        "Pozdrawiam\nAnna",
    ] {
        assert_eq!(reply(&format!("The printer is jammed.\n\n{block}\n")), "The printer is jammed.", "{block}");
    }
    let asked = "The printer is jammed.\n\nRegards,\nAnn\n\nP.S. Can you also bring paper?";
    assert_eq!(reply(asked), asked);
    assert_eq!(reply("Cordialement,\nAnne"), "Cordialement,\nAnne");
}

#[test]
fn disclaimers_go() {
    let mail = "Écran noir.\n\nAnne\n\nCe message et toutes les pièces jointes sont établis à l'intention exclusive de leurs destinataires et sont confidentiels.\n\nPensez à l'environnement avant d'imprimer ce message.\n";
    assert_eq!(reply(mail), "Écran noir.\n\nAnne");
}

#[test]
fn sentences_that_begin_like_a_footer_stay() {
    for last in [
        "Questo messaggio è apparso sullo schermo stamattina.",
        "Questa email non arriva al destinatario.",
        "Avant d'imprimer, le pilote affiche une erreur.",
        "Antes de imprimir sale un aviso rojo.",
        "Dit bericht is op mijn scherm verschenen.",
        "Ce message et les suivants ne s'affichent pas.",
        "I sent the strictly confidential report to the wrong person, who is not the intended recipient, and now I cannot call it back from the server.",
    ] {
        let mail = format!("Hello,\n\n{last}");
        assert_eq!(reply(&mail), mail);
    }
}

#[test]
fn requests_below_a_closing_stay() {
    for below in [
        "Please call 020 7946 0999",
        "Rappelez-moi au 06 12 34 56 78",
        "voici la liste :\n- 2 souris\n- 3 claviers",
        "je suis au bureau 12 demain",
        "Ich bin ab 14 Uhr wieder da",
    ] {
        let mail = format!("Broken again.\n\nCordialement,\nAnne\n{below}");
        assert_eq!(reply(&mail), mail);
    }
}

#[test]
fn what_stands_above_a_help_desks_line_is_the_reply() {
    assert_eq!(
        reply("Salle 12.\n\n## Répondez au-dessus de cette ligne ##\n\nVotre demande est ouverte."),
        "Salle 12."
    );
}

#[test]
fn a_forwarded_mail_stays_in_the_reply_and_its_head_is_known() {
    let parts = separate(
        "Can you handle this?\n\n---------- Forwarded message ---------\nFrom: Bo <bo@shop.example>\nDate: Tue, 3 Mar 2026 at 10:02\nSubject: Screen\nTo: <ann@shop.example>\n\nMy screen is black.\n",
    );
    assert_eq!(parts.reply, "Can you handle this?\n\nMy screen is black.");
    let forwarded = parts.forwarded.unwrap();
    assert_eq!(forwarded.from.as_deref(), Some("Bo <bo@shop.example>"));
    assert_eq!(forwarded.subject.as_deref(), Some("Screen"));
    assert_eq!(forwarded.date.as_deref(), Some("Tue, 3 Mar 2026 at 10:02"));
    assert_eq!(forwarded.to.as_deref(), Some("<ann@shop.example>"));
}

#[test]
fn forwards_of_apple_thunderbird_and_outlook_are_known() {
    let apple = "FYI\n\nBegin forwarded message:\n\n> From: Bo <bo@shop.example>\n> Subject: Screen\n> Date: 3 March 2026 at 10:02:11 CET\n> To: ann@shop.example\n> \n> My screen is black.\n";
    let thunderbird = "FYI\n\n-------- Message transféré --------\nSujet : Screen\nDate : Tue, 3 Mar 2026 10:02:11 +0100\nDe : Bo <bo@shop.example>\nPour : ann@shop.example\n\nMy screen is black.\n";
    let outlook = "FYI\n\nDe : Bo <bo@shop.example>\nEnvoyé : mardi 3 mars 2026 10:02\nÀ : ann@shop.example\nObjet : Screen\n\nMy screen is black.\n";
    for mail in [apple, thunderbird, outlook] {
        let parts = separate_under("TR: Screen", mail);
        assert_eq!(parts.reply, "FYI\n\nMy screen is black.");
        assert_eq!(parts.forwarded.unwrap().from.as_deref(), Some("Bo <bo@shop.example>"));
    }
    assert_eq!(separate_under("RE: TR: Screen", outlook).forwarded, None);
    let bare = separate(outlook.strip_prefix("FYI\n\n").unwrap());
    assert_eq!(bare.reply, "My screen is black.");
    assert_eq!(bare.forwarded.unwrap().subject.as_deref(), Some("Screen"));
}

#[test]
fn a_reply_is_empty_only_when_nobody_wrote_anything() {
    assert_eq!(reply("> only\n> quoted\n"), "");
    assert_eq!(reply("Envoyé de mon iPhone"), "");
    assert_eq!(reply("-- \nThe screen is black."), "--\nThe screen is black.");
    assert_eq!(
        reply("On 3 Mar 2026 at 10:02, Desk <help@desk.example> wrote:\nWhich room?\nRoom 12."),
        "Which room?\nRoom 12."
    );
    assert_eq!(reply(""), "");
}

#[test]
fn a_program_that_wraps_quoted_lines_leaves_no_rest_in_the_reply() {
    let mail = "Yes.\n\nOn 3 Mar 2026 at 10:02, Desk <help@desk.example> wrote:\n> We would like to know whether the screen in the second meeting\nroom is the one you mean, and since when.\n> Desk\n";
    assert_eq!(reply(mail), "Yes.");
}

#[test]
fn hostile_text_is_read_in_time_that_grows_with_its_length() {
    let heads = "From: a\n".repeat(100_000);
    let mixed = "From: a\nSent: b\n> c\n".repeat(100_000);
    let attributions = "On 3 Mar 2026 at 10:02, Ann wrote\n".repeat(100_000);
    for text in [
        "x".repeat(20 << 20),
        ">".repeat(5 << 20),
        ">\n".repeat(1_000_000),
        "> a\nb\n".repeat(100_000),
        "--\n".repeat(100_000),
        "Sent from my iPhone\n".repeat(100_000),
        "_____\n\n".repeat(100_000),
        "Regards,\n".repeat(100_000),
        heads,
        mixed,
        attributions,
    ] {
        let start = std::time::Instant::now();
        let parts = separate(&text);
        let beginning: String = text.chars().take(12).collect();
        println!("{beginning:?}, {} bytes: {:?}", text.len(), start.elapsed());
        assert!(start.elapsed().as_secs() < 20, "{beginning:?}: {:?}", start.elapsed());
        assert!(parts.reply.len() + parts.quoted.map_or(0, |quoted| quoted.len()) <= text.len() * 2, "{beginning:?}");
    }
}

mod properties {
    use proptest::prelude::*;

    use super::super::separate_under;

    /// Pieces that mean something to this module, and some that do not.
    const PIECES: &[&str] = &[
        "> older",
        ">> oldest",
        "",
        "Room 12.",
        "On 3 Mar 2026 at 10:02, Desk <help@desk.example> wrote:",
        "a écrit :",
        "From: Desk <help@desk.example>",
        "Sent: 3 March 2026",
        "Envoyé : mardi",
        "Objet : Écran",
        "To: ann@shop.example",
        "-----Original Message-----",
        "---------- Forwarded message ---------",
        "Début du message transféré :",
        "________",
        "-- ",
        "--",
        "Cordialement,",
        "Anne",
        "Envoyé de mon iPhone",
        "```",
        ">:",
        "> ",
        "é",
        "\u{a0}",
        "## Reply above this line ##",
        "Le 3 mars 2026 à 10:02,",
        "Support <",
        "*De :* Support",
        ":",
        "：",
        "\r",
        "This e-mail and any attachments are confidential.",
    ];

    proptest! {
        #[test]
        fn nothing_is_invented_and_nothing_is_lost(chosen in prop::collection::vec(0..PIECES.len(), 0..40), forward in any::<bool>()) {
            let text = chosen.iter().map(|index| PIECES[*index]).collect::<Vec<_>>().join("\n");
            let parts = separate_under(if forward { "Fwd: x" } else { "" }, &text);
            for line in parts.reply.lines().filter(|line| !line.is_empty()) {
                prop_assert!(text.contains(line.trim()), "{line:?} was not written");
            }
            let all = format!("{}\n{}\n{}", parts.reply, parts.quoted.unwrap_or_default(), parts.signature.unwrap_or_default());
            prop_assert_eq!(text.matches("Room 12.").count(), all.matches("Room 12.").count());
        }

        #[test]
        fn any_text_can_be_read(text in any::<String>(), subject in any::<String>()) {
            let _parts = separate_under(&subject, &text);
        }
    }
}
