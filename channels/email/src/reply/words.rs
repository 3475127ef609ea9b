//! The words mail programs write around a quotation, folded (lower case, no accents), in every language met so far.
//!
//! To add a language: its verb in `WROTE`, the first word of its attributions in `INTRODUCTIONS`, its header labels in
//! `label`, and its separators in `ORIGINAL` and `FORWARDED`; then one line in the tests of this module.

use std::sync::LazyLock;

use guichet_domain::vocabulary::WordSet;

use super::stems::Stems;

/// The entries of a list written in one string.
pub(super) fn list<C: FromIterator<&'static str>>(entries: &'static str) -> C {
    entries.split('|').map(str::trim).collect()
}

/// "wrote", where it stands as a word of its own.
pub(super) static WROTE: LazyLock<WordSet> = LazyLock::new(|| {
    list(
        "wrote | writes | ecrit | schrieb | schreibt | geschrieben | escribio | escribe | scritto | scrisse | scrive | \
     escreveu | escrito | schreef | geschreven | schrijft | napisal | napisala | napisano | pisze | пишет | написал | \
     написала | написав | пише | skrev | skriver | kirjoitti | irta | napsal | napsala | napisao | yazdi | scris | \
     εγραψε | viet | escrigue | escriure | rasyt | rakstija | kirjutas | כתב | כתבה | كتب",
    )
});

/// "wrote" in the scripts that put no blank between words.
pub(super) static WROTE_UNSPACED: LazyLock<Stems> =
    LazyLock::new(|| list("写道 | 寫道 | 来信 | 書きました | 書いた | のメール | のメッセージ | 작성 | 님이 | เขียน"));

/// What a person says who tells of a mail in a text of their own; no program does.
pub(super) static WROTE_TO_ME: LazyLock<Stems> = LazyLock::new(|| {
    list(
        "m'a ecrit | m'ecrit | nous a ecrit | wrote me | wrote to me | wrote us | wrote to us | mir geschrieben | schrieb mir | \
         schrieb uns | uns geschrieben | me escribio | nos escribio | mi ha scritto | ci ha scritto | me escreveu | \
         nos escreveu | schreef mij | schreef me | schreef ons | mij geschreven",
    )
});

/// Words an attribution line begins with.
pub(super) static INTRODUCTIONS: LazyLock<WordSet> = LazyLock::new(|| {
    list(
        "on | le | am | el | il | em | op | w | dnia | den | pa | in | a | at | no | na | ma | dne | la | pe | ke | ti | \
     to | su | при | в | mnt | 在 | 于 | 於 | tir | ons | tor | fre | lor | son | man | mon | tue | wed | thu | fri | \
     sat | sun | lun | mar | mer | mie | jeu | jue | ven | vie | sam | sab | dim | dom | gio | seg | ter | qua | \
     qui | sex | mo | di | mi | do | fr | sa | so | пн | вт | ср | чт | пт | сб | вс | нд | пон | wt | sr | czw | \
     pt | sob | niedz | wo | vr | za | zo | monday | tuesday | wednesday | thursday | friday | saturday | sunday | \
     lors | ai",
    )
});

/// What stands between dashes above a quoted mail.
pub(super) static ORIGINAL: LazyLock<Vec<&str>> = LazyLock::new(|| {
    list(
        "original message | original email | original e-mail | original appointment | reply message | message d'origine | \
     message original | message initial | message precedent | mail original | courriel original | \
     ursprungliche nachricht | originalnachricht | urspr. nachricht | urspruengliche nachricht | original-nachricht | \
     mensaje original | mensaje anterior | messaggio originale | messaggio originario | messaggio precedente | \
     mensagem original | oorspronkelijk bericht | oorspronkelijke bericht | origineel bericht | originele bericht | \
     wiadomosc oryginalna | oryginalna wiadomosc | исходное сообщение | оригинальное сообщение | оригинал сообщения | \
     початкове повідомлення | оригінальне повідомлення | originalmeddelande | ursprungligt meddelande | \
     opprinnelig melding | original melding | oprindelig meddelelse | oprindelig besked | original meddelelse | \
     alkuperainen viesti | 原始邮件 | 原始郵件 | 原邮件 | 元のメッセージ | 元のメール | original message from | puvodni zprava | \
     eredeti uzenet | orijinal mesaj | 원본 메시지 | 원본 메일 | mesajul original | αρχικο μηνυμα",
    )
});

/// What stands between dashes above a forwarded mail.
pub(super) static FORWARDED: LazyLock<Vec<&str>> = LazyLock::new(|| {
    list(
        "forwarded message | forwarded email | forwarded by | forwarded from | message transfere | message reexpedie | \
     courriel transfere | mail transfere | transfere par | reachemine par | weitergeleitete nachricht | \
     weitergeleitete mail | weitergeleitet von | mensaje reenviado | reenviado por | messaggio inoltrato | \
     inoltrato da | mensagem encaminhada | mensagem reencaminhada | encaminhado por | doorgestuurd bericht | \
     doorgestuurde bericht | doorgestuurd door | przekazana wiadomosc | wiadomosc przekazana | przeslana wiadomosc | \
     пересланное сообщение | перенаправленное сообщение | пересылаемое сообщение | переслане повідомлення | \
     перенаправлене повідомлення | vidarebefordrat meddelande | vidarebefordrat brev | videresendt melding | \
     videresendt meddelelse | videresendt besked | valitetty viesti | edelleenlahetetty viesti | 转发邮件 | 转发的邮件 | \
     转发邮件信息 | 轉寄的郵件 | 転送メッセージ | 転送されたメッセージ | preposlana zprava | tovabbitott uzenet | iletilen mesaj | 전달된 메시지 | \
     mesaj redirectionat",
    )
});

/// What Apple programs write above a forwarded mail, with no dashes.
pub(super) static FORWARD_OPENINGS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    list(
        "begin forwarded message | debut du message reexpedie | debut du message transfere | \
     anfang der weitergeleiteten nachricht | anfang der weitergeleiteten e-mail | inicio del mensaje reenviado | \
     inizio messaggio inoltrato | inizio del messaggio inoltrato | inicio da mensagem reenviada | \
     inicio da mensagem encaminhada | begin doorgestuurd bericht | poczatek przekazywanej wiadomosci | \
     poczatek przekazanej wiadomosci | начало переадресованного сообщения | начало пересылаемого сообщения | \
     vidarebefordrat brev | pavidarebefordrat brev | start pa videresendt besked | videresendt melding | \
     valitetty viesti alkaa | 开始转发的邮件 | 下面是被转发的邮件 | 転送されたメッセージ | 以下转发的邮件",
    )
});

/// The line a help desk puts above its own text; ours and those of others.
pub(super) static ABOVE_THIS_LINE: LazyLock<Stems> = LazyLock::new(|| {
    list(
        "reply above this line | reply above. do not | type your reply above | write your reply above | \
     respond above this line | answer above this line | repondez au-dessus de cette ligne | \
     repondre au-dessus de cette ligne | repondez au dessus de cette ligne | ecrivez au-dessus de cette ligne | \
     antworten sie oberhalb dieser | antworten sie bitte oberhalb dieser | antworten sie uber dieser linie | \
     bitte oberhalb dieser linie | responda por encima de esta linea | escriba por encima de esta linea | \
     rispondi sopra questa riga | rispondere sopra questa riga | responda acima desta linha | \
     antwoord boven deze regel | reageer boven deze regel",
    )
});

/// First words of a subject that say "this is forwarded".
pub(super) static FORWARD_PREFIXES: LazyLock<WordSet> = LazyLock::new(|| {
    list(
        "fwd | fw | tr | wg | rv | i | enc | doorst | pd | vb | vl | vs fwd | пересл | 转发 | 轉寄 | 転送 | ilt | tr fwd | \
     reenv | inoltra | transfert | res fwd",
    )
});

/// What a line of a quoted mail's head is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    From,
    Date,
    To,
    Subject,
    /// Copies, importance, attachments: part of a head, telling nothing we keep.
    Other,
}

/// What a folded word before a colon stands for in the head of a quoted mail.
pub(super) fn label(word: &str) -> Option<Label> {
    Some(match word {
        "from" | "de" | "von" | "da" | "van" | "od" | "fra" | "fran" | "от" | "от кого" | "від" | "lahettaja"
        | "发件人" | "寄件者" | "寄件人" | "差出人" | "送信者" | "felado" | "gonderen" | "kimden" | "expediteur"
        | "remitente" | "absender" | "mittente" | "afzender" | "remetente" | "nadawca" | "avsandare" | "avsender"
        | "afsender" | "보낸 사람" | "de la" | "από" | "απο" | "из" | "من" | "מאת" => Label::From,
        "sent"
        | "date"
        | "envoye"
        | "envoye le"
        | "date d'envoi"
        | "gesendet"
        | "gesendet am"
        | "datum"
        | "enviado"
        | "enviado el"
        | "enviado em"
        | "enviada em"
        | "enviado a"
        | "fecha"
        | "data"
        | "inviato"
        | "inviato il"
        | "verzonden"
        | "verzonden op"
        | "wyslano"
        | "skickat"
        | "sendt"
        | "dato"
        | "lahetetty"
        | "paivays"
        | "paivamaara"
        | "отправлено"
        | "дата"
        | "надіслано"
        | "发送时间"
        | "日期"
        | "时间"
        | "寄件日期"
        | "時間"
        | "送信日時"
        | "日時"
        | "日付"
        | "elkuldve"
        | "odeslano"
        | "message du"
        | "gonderildi"
        | "gonderilme tarihi"
        | "tarih"
        | "보낸 날짜"
        | "보냄"
        | "trimis"
        | "date/heure"
        | "transmis le"
        | "transmis"
        | "recu"
        | "received"
        | "ημερομηνια"
        | "التاريخ" => Label::Date,
        "to" | "a" | "pour" | "an" | "para" | "aan" | "do" | "komu" | "till" | "til" | "vastaanottaja" | "кому"
        | "收件人" | "收件者" | "宛先" | "받는 사람" | "destinataire" | "destinatario" | "cimzett" | "kime"
        | "adresat" | "empfanger" | "προς" | "إلى" | "אל" => Label::To,
        "subject" | "objet" | "sujet" | "betreff" | "asunto" | "oggetto" | "assunto" | "onderwerp" | "temat"
        | "amne" | "emne" | "aihe" | "тема" | "主题" | "主旨" | "件名" | "제목" | "targy" | "predmet" | "konu"
        | "subiect" | "θεμα" | "الموضوع" | "נושא" => Label::Subject,
        "cc" | "copie" | "copie a" | "kopie" | "copia" | "kopia" | "kopi" | "копия" | "копія" | "抄送" | "副本"
        | "bcc" | "cci" | "cco" | "ccn" | "dw" | "kopio" | "reply-to" | "reply to" | "repondre a" | "antwort an"
        | "antwoord aan" | "responder a" | "rispondi a" | "importance" | "priority" | "priorite" | "wichtigkeit"
        | "prioritat" | "importancia" | "importanza" | "urgentie" | "prioriteit" | "attachments" | "pieces jointes"
        | "anlagen" | "adjuntos" | "allegati" | "anexos" | "bijlagen" | "resent-from" | "organization"
        | "organisation" | "sensitivity" | "in kopie" | "回复" => Label::Other,
        _ => return None,
    })
}
