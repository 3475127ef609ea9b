//! What signatures are made of, folded (lower case, no accents), in every language met so far.

use std::sync::LazyLock;

use guichet_domain::vocabulary::WordSet;

use super::stems::{Openings, Stems};
use super::words::list;

/// Closings that stand on a line of their own.
pub(super) static CLOSINGS: LazyLock<WordSet> = LazyLock::new(|| {
    list(
        "regards | best regards | kind regards | kindest regards | warm regards | warmest regards | with kind regards | \
     with best regards | best wishes | with best wishes | all the best | sincerely | yours sincerely | \
     sincerely yours | yours faithfully | yours truly | respectfully | br | kr | rgds | cordialement | \
     bien cordialement | tres cordialement | cdt | cdlt | bien cdlt | cordialement votre | bien a vous | bien a toi | \
     salutations | sinceres salutations | meilleures salutations | salutations distinguees | salutations cordiales | \
     respectueusement | amicalement | bonne journee | belle journee | tres bonne journee | bonne fin de journee | \
     bonne soiree | bon week-end | excellente journee | bonne reception | mit freundlichen grussen | \
     mit freundlichem gruss | freundliche grusse | viele grusse | beste grusse | liebe grusse | schone grusse | \
     herzliche grusse | mit besten grussen | mit bestem gruss | besten gruss | freundlichen gruss | mfg | vg | lg | \
     gruss | grusse | mit freundlichen gruessen | viele gruesse | freundliche gruesse | hochachtungsvoll | saludos | \
     un saludo | saludos cordiales | muchos saludos | un cordial saludo | reciba un cordial saludo | atentamente | \
     cordialmente | atte | cordiali saluti | distinti saluti | saluti | un saluto | un cordiale saluto | \
     tanti saluti | buona giornata | buona serata | buon lavoro | cumprimentos | atenciosamente | \
     com os melhores cumprimentos | melhores cumprimentos | os melhores cumprimentos | att | abracos | um abraco | \
     abraco | com cumprimentos | met vriendelijke groet | met vriendelijke groeten | vriendelijke groet | \
     vriendelijke groeten | hartelijke groet | hartelijke groeten | groeten | groet | groetjes | mvg | m.v.g | \
     met groet | hoogachtend | pozdrawiam | serdecznie pozdrawiam | pozdrawiam serdecznie | z powazaniem | \
     z wyrazami szacunku | med vanliga halsningar | vanliga halsningar | med vanlig halsning | vanlig halsning | \
     halsningar | mvh | med vennlig hilsen | vennlig hilsen | med venlig hilsen | venlig hilsen | hilsen | \
     ystavallisin terveisin | terveisin | с уважением | с наилучшими пожеланиями | з повагою | s pozdravem | \
     saygilarimla | cu stima | よろしくお願いいたします。 | よろしくお願いします。 | مع التحية | مع خالص التحية | تحياتي",
    )
});

/// How a phone or a mail program begins its line; a blank or a colon follows, but in scripts without blanks.
pub(super) static DEVICE_OPENINGS: LazyLock<Openings> = LazyLock::new(|| {
    list(
        "diese nachricht wurde von | cet e-mail a ete envoye | cet email a ete envoye | this email was sent from my | sent from | sent via | sent with | sent using | sent by | get outlook for | envoye de | envoye depuis | \
     envoye a partir | envoye avec | envoye via | envoye par | obtenez outlook pour | obtenir outlook pour | \
     telecharger outlook pour | telechargez outlook pour | provenance : courrier | provenance: courrier | \
     gesendet von | gesendet mit | gesendet uber | gesendet aus | \
     holen sie sich outlook | enviado desde | enviado do | enviado da | enviado de | enviado pelo | enviado con | \
     enviado com | enviado a partir | enviado mediante | obtener outlook para | obter o outlook para | \
     obtenha o outlook para | inviato da | inviato dal | inviato con | inviato tramite | scarica outlook per | \
     ottieni outlook per | verzonden vanaf | verstuurd vanaf | verzonden met | verstuurd met | verzonden via | \
     verstuurd via | verzonden vanuit | skickat fran | skickat med | sendt fra | sendt via | \
     sendt med | lahetetty | wyslane z | wyslano z | wyslano przez | отправлено с | отправлено из | надіслано з | \
     odeslano z | trimis de pe | 发自 | 從我的 | 从我的 | iphone から | iphoneから | ipadから | androidから | أرسلت من | \
     تم الإرسال من",
    )
});

/// How it ends it, where the verb comes last.
pub(super) static DEVICE_ENDINGS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    list(
        "gesendet | wurde gesendet | downloaden | herunterladen | beziehen | から送信 | 送信 | 傳送 | gonderildi | versendet | geschickt",
    )
});

/// Lines known by their beginning alone.
pub(super) static DEVICE_WHOLE: LazyLock<Openings> = LazyLock::new(|| {
    list(
        "yahoo mail: search | iphoneから送信 | ipadから送信 | androidから送信 | yahoo mail : | sans virus | garanti sans virus | virus-free | virenfrei | libre de virus | \
     senza virus | virusvrij | livre de virus | sent from outlook | sent from mail for windows | \
     envoye a partir de outlook",
    )
});

/// "my", before a device.
pub(super) static POSSESSIVES: LazyLock<WordSet> = LazyLock::new(|| {
    list("my | mon | ma | meinem | meiner | mein | mi | meu | minha | mio | mijn | min | mojego | moj | моего | мого")
});

/// Makes of devices and mail programs.
pub(super) static MAKES: LazyLock<WordSet> = LazyLock::new(|| {
    list(
        "iphone | iphonea | iphonie | iphonesta | iphonestani | ipad | ipod | android | samsung | galaxy | huawei | xiaomi | \
         redmi | blackberry | nokia | wiko | htc | sony | oppo | windows | outlook | yahoo | gmail | proton | protonmail | \
         orange | sfr | laposte | typeapp | bluemail | aquamail | airmail | mailbird | mailbox | thunderbird | 9 | spark | \
         sparrow | oneplus | pixel | motorola | zimbra | gmx | fairphone | айфона | الايفون | 我的",
    )
});

/// Words for such a thing, which a person's own sentence may hold too.
pub(super) static DEVICES: LazyLock<WordSet> = LazyLock::new(|| {
    list(
        "phone | mobile | cell | cellphone | telephone | portable | smartphone | tablet | tablette | handy | mobilgerat | \
         mobiltelefon | mobilfunkgerat | movil | celular | cellulare | telefono | telefon | telefonu | telefoon | mobiel | \
         appareil | device | handset | mac | webmail | 手机 | هاتفي",
    )
});

/// What shows that a line is a sentence: "Sent from my phone it fails".
pub(super) static SENTENCES: LazyLock<WordSet> = LazyLock::new(|| {
    list(
        "is | are | it | not | no | does | doesn | fails | fail | i | you | we | but | when | because | yesterday | today | twice | \
         again | ne | pas | ca | je | il | ils | nous | vous | est | mais | hier | matin | quand | deux | nicht | geht | \
         kein | keine | es | ich | sie | aber | gestern | heute | funktioniert | si | se | pero | ayer | hoy | non | ma | \
         ieri | oggi | nao | mas | ontem | hoje | niet | het | ik | maar | gisteren | vandaag",
    )
});

/// How a company's or a list's paragraph begins.
pub(super) static FOOTERS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    list(
        "this e-mail and any | this email and any | this message and any | this e-mail is confidential | \
     this email is confidential | this message is confidential | this communication is | confidentiality notice | \
     disclaimer | the information contained in this | please consider the environment | think before you print | \
     if you are not the intended recipient | registered office | ce message et toutes | ce message et les | \
     ce message et ses | ce courriel et | ce mail et | ce message est confidentiel | ce message electronique | \
     les informations contenues dans ce | pensez a l'environnement | pensons a l'environnement | avant d'imprimer | \
     n'imprimez ce | l'absence de virus dans ce | avis de confidentialite | \
     diese e-mail enthalt | diese nachricht enthalt | diese e-mail ist vertraulich | der inhalt dieser e-mail | \
     bitte denken sie an die umwelt | denken sie an die umwelt | este mensaje y | este correo electronico | \
     este mensaje es confidencial | aviso legal | la informacion contenida en este | antes de imprimir | \
     le informazioni contenute in | questo messaggio e | questa e-mail | questa email | ai sensi del | \
     prima di stampare | avviso di riservatezza | esta mensagem e | esta mensagem pode | este e-mail e | \
     aviso de confidencialidade | dit bericht is | dit e-mailbericht | deze e-mail is | de informatie in dit | \
     de inhoud van dit | denk aan het milieu | get outlook for | you received this message because you are subscribed",
    )
});

/// What only a disclaimer says, anywhere in a long paragraph.
pub(super) static CONFIDENTIAL: LazyLock<Stems> = LazyLock::new(|| {
    list(
        "intended solely for | intended only for | intended recipient | strictly confidential | \
     etablis a l'intention exclusive | a l'intention exclusive de | destinataire designe | \
     destinataire de ce message | strictement confidentiel | nicht der richtige adressat | \
     nicht der vorgesehene empfanger | destinatario de este mensaje | uso exclusivo | uso esclusivo | \
     uso exclusivo do destinatario | bestemd voor de geadresseerde | uitsluitend bestemd voor",
    )
});

/// What a phone's line apologises with.
pub(super) static APOLOGIES: LazyLock<Stems> = LazyLock::new(|| {
    list(
        "excuse | brevity | typo | brievete | fautes | concision | tippfehler | kurze | entschuldig | disculp | brevedad | scusa | brevita | desculp | brevidade | excuus | kortheid | tikfout",
    )
});

/// Stems of which a disclaimer or an environment line has at least one.
pub(super) static LEGAL: LazyLock<Vec<&str>> = LazyLock::new(|| {
    list(
        "confiden | vertraulich | riservat | vertrouwelijk | intended | destinatair | destinatari | adressat | empfanger | \
         geadresseerde | addressee | environment | environnement | umwelt | medio ambiente | l'ambiente | o ambiente | milieu | \
         virus | disclaimer | registered | unsubscribe | subscribed | privileged | unauthori | non autorise | par erreur | \
         in error | irrtumlich | por error | per errore | por engano | outlook for | before you print | registered office",
    )
});

/// Stems of a plea not to print.
pub(super) static GREEN: LazyLock<Stems> =
    LazyLock::new(|| list("environment | environnement | umwelt | ambiente | milieu | before you print"));

/// What the footer of a mailing list speaks of.
pub(super) static LISTS: LazyLock<Stems> =
    LazyLock::new(|| list("mailing list | mailman | unsubscribe | liste de diffusion | se desinscrire"));

/// Words only a person uses of themselves.
pub(super) static FIRST_PERSON: LazyLock<WordSet> = LazyLock::new(|| {
    list(
        "i | my | me | je | j | moi | mon | mes | ich | mich | mir | mein | meine | meinen | yo | mi | mis | io | mio | mia | eu | meu | minha | ik | mijn | mij",
    )
});

/// Words of a request that stands below a closing.
pub(super) static REQUESTS: LazyLock<WordSet> = LazyLock::new(|| {
    list(
        "please | pls | thanks | thank | merci | svp | veuillez | bitte | danke | gracias | grazie | prego | obrigado | obrigada | graag | bedankt | call | appelez | rappelez",
    )
});
