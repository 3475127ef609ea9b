//! What stands below a person's words: name block, phone line, disclaimer.
//!
//! Only what is surely a signature goes. A name left in the reply costs nothing; a sentence taken out of it may cost
//! the ticket its point.

use guichet_domain::language::fold;

use super::line::trim;

/// Lines a `--` block may have when its blank is missing, so that it could also be a divider.
const LONGEST_LOOSE_BLOCK: usize = 30;
/// Lines that may stand below a closing such as "Kind regards".
const LONGEST_NAME_BLOCK: usize = 12;

/// Which of these lines, all of one person and in one piece, are a signature. One entry a line.
pub(super) fn find(lines: &[&str]) -> Vec<bool> {
    let mut found = vec![false; lines.len()];
    let mut end = lines.len();
    if let Some(start) = delimiter(lines) {
        end = start;
    }
    loop {
        let before = end;
        end = trim_blank(lines, end);
        if let Some(start) = footer(lines, end) {
            end = start;
        }
        if end == before {
            break;
        }
    }
    for index in 0..end {
        if !lines.get(index).is_some_and(|line| is_device_line(line)) {
            continue;
        }
        let below = lines.iter().take(end).skip(index + 1).filter(|line| !trim(line).is_empty()).count();
        if below == 0 {
            end = index;
            break;
        }
        mark(&mut found, index, index + 1);
    }
    if let Some(start) = closing(lines, end) {
        end = start;
    }
    mark(&mut found, end, lines.len());
    found
}

fn mark(found: &mut [bool], start: usize, end: usize) {
    found.iter_mut().take(end).skip(start).for_each(|slot| *slot = true);
}

fn trim_blank(lines: &[&str], mut end: usize) -> usize {
    while end > 0 && lines.get(end - 1).is_some_and(|line| trim(line).is_empty()) {
        end -= 1;
    }
    end
}

/// `-- ` on a line of its own, outside a block of code.
fn delimiter(lines: &[&str]) -> Option<usize> {
    let mut in_code = false;
    for (index, line) in lines.iter().enumerate() {
        if line.starts_with("```") {
            in_code = !in_code;
        }
        if in_code || line.len() > 8 {
            continue;
        }
        let exact = matches!(*line, "-- " | "--\u{a0}");
        let loose = trim(line) == "--";
        let below = lines.iter().skip(index + 1).filter(|line| !trim(line).is_empty()).count();
        if exact || (loose && below <= LONGEST_LOOSE_BLOCK) {
            return Some(index);
        }
    }
    None
}

/// A mailing list's or a company's paragraph at the very end. Returns where it starts.
fn footer(lines: &[&str], end: usize) -> Option<usize> {
    let mut start = end;
    while start > 0 && end - start < 40 && !lines.get(start - 1).is_some_and(|line| trim(line).is_empty()) {
        start -= 1;
    }
    let paragraph = lines.get(start..end)?;
    let first = paragraph.first()?;
    if paragraph.iter().map(|line| line.len()).sum::<usize>() > 8_000 {
        return None;
    }
    let fenced =
        trim(first).len() >= 2 && trim(first).chars().all(|character| matches!(character, '_' | '*' | '-' | '='));
    let opening = if fenced { paragraph.get(1).unwrap_or(first) } else { first };
    let opening = fold(trim(opening).trim_start_matches(['*', '_', '-', '=', ' ', '[', '(', '\u{26a0}', '\u{fe0f}']))
        .into_owned();
    if FOOTERS.iter().any(|words| opening.starts_with(words)) {
        return Some(start);
    }
    let all = fold(&paragraph.join(" ")).into_owned();
    let is_list = fenced
        && ["mailing list", "mailman", "unsubscribe", "liste de diffusion", "se desinscrire"]
            .iter()
            .any(|words| all.contains(words));
    let is_confidential = CONFIDENTIAL.iter().any(|words| all.contains(words)) && all.len() > 120;
    (is_list || is_confidential).then_some(start)
}

/// `Sent from my phone`, in whichever words.
fn is_device_line(line: &str) -> bool {
    let line = trim(line);
    if line.len() < 8 || line.len() > 240 {
        return false;
    }
    // The address of a link does not count as words.
    let shown = line.split(['<', '(', '[']).next().unwrap_or_default();
    let folded = fold(trim(shown).trim_matches(|character: char| "-_*. ".contains(character))).into_owned();
    if folded.is_empty() || folded.contains([',', '?', ';']) || folded.contains(". ") {
        return DEVICE_WHOLE.iter().any(|whole| folded.starts_with(whole));
    }
    if DEVICE_WHOLE.iter().any(|whole| folded.starts_with(whole)) && folded.len() < 100 {
        return true;
    }
    let words: Vec<&str> =
        folded.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let Some(rest) = DEVICE_OPENINGS.iter().find_map(|opening| folded.strip_prefix(opening)) else {
        return DEVICE_ENDINGS.iter().any(|ending| folded.ends_with(ending))
            && names_device(&words)
            && words.len() <= 9;
    };
    let possessed = rest.split_whitespace().next().is_some_and(|word| POSSESSIVES.contains(&word));
    let count = rest.split_whitespace().count();
    (possessed && (2..=6).contains(&count)) || (names_device(&words) && count <= 9)
}

fn names_device(words: &[&str]) -> bool {
    words
        .iter()
        .any(|word| DEVICES.iter().any(|device| word == device || (device.len() > 5 && word.starts_with(device))))
}

/// A closing on a line of its own, with only a name block below it. Never the first line with text: somebody may
/// write nothing but "Cordialement".
fn closing(lines: &[&str], end: usize) -> Option<usize> {
    let mut below = 0;
    let mut start = None;
    for index in (0..end).rev() {
        let line = trim(lines.get(index)?);
        if line.is_empty() {
            continue;
        }
        if is_closing(line) {
            start = Some(index);
        } else if start.is_some() || !fits_name_block(line) {
            break;
        }
        below += 1;
        if below > LONGEST_NAME_BLOCK {
            break;
        }
    }
    let start = start?;
    lines.iter().take(start).any(|line| !trim(line).is_empty()).then_some(start)
}

fn is_closing(line: &str) -> bool {
    if line.len() > 80 {
        return false;
    }
    let folded = fold(line);
    let bare = folded.trim_end_matches([',', '.', '!', ' ', ';', '-']);
    if CLOSINGS.contains(&bare) {
        return true;
    }
    // "Cordialement, Jean Dupont" and "Bonne journée et cordialement".
    let with_name = folded.split_once(',').is_some_and(|(words, name)| {
        CLOSINGS.contains(&words.trim())
            && name.split_whitespace().count() <= 4
            && !name.contains(['?', '!'])
            && line
                .split_once(',')
                .is_some_and(|(_, name)| name.split_whitespace().all(|word| word.starts_with(char::is_uppercase)))
    });
    with_name
        || bare
            .split_once(" et ")
            .is_some_and(|(first, second)| CLOSINGS.contains(&first) && CLOSINGS.contains(&second))
}

/// A name, a role, a number, an address: short, and no sentence.
fn fits_name_block(line: &str) -> bool {
    let words = line.split_whitespace().count();
    let sentence = words >= 6 && line.ends_with(['.', '!', '…']);
    let folded = fold(line);
    let afterthought = ["p.s", "ps ", "ps:", "ps.", "nb ", "nb:", "n.b"].iter().any(|start| folded.starts_with(start));
    line.len() <= 110 && words <= 14 && !line.contains(['?', '？']) && !sentence && !afterthought
}

const CLOSINGS: &[&str] = &[
    "regards",
    "best regards",
    "kind regards",
    "kindest regards",
    "warm regards",
    "warmest regards",
    "with kind regards",
    "with best regards",
    "best wishes",
    "with best wishes",
    "all the best",
    "sincerely",
    "yours sincerely",
    "sincerely yours",
    "yours faithfully",
    "yours truly",
    "respectfully",
    "br",
    "kr",
    "rgds",
    "cordialement",
    "bien cordialement",
    "tres cordialement",
    "cdt",
    "cdlt",
    "bien cdlt",
    "cordialement votre",
    "bien a vous",
    "bien a toi",
    "salutations",
    "sinceres salutations",
    "meilleures salutations",
    "salutations distinguees",
    "salutations cordiales",
    "respectueusement",
    "amicalement",
    "bonne journee",
    "belle journee",
    "tres bonne journee",
    "bonne fin de journee",
    "bonne soiree",
    "bon week-end",
    "excellente journee",
    "bonne reception",
    "mit freundlichen grussen",
    "mit freundlichem gruss",
    "freundliche grusse",
    "viele grusse",
    "beste grusse",
    "liebe grusse",
    "schone grusse",
    "herzliche grusse",
    "mit besten grussen",
    "mit bestem gruss",
    "besten gruss",
    "freundlichen gruss",
    "mfg",
    "vg",
    "lg",
    "gruss",
    "grusse",
    "mit freundlichen gruessen",
    "viele gruesse",
    "freundliche gruesse",
    "hochachtungsvoll",
    "saludos",
    "un saludo",
    "saludos cordiales",
    "muchos saludos",
    "un cordial saludo",
    "reciba un cordial saludo",
    "atentamente",
    "cordialmente",
    "atte",
    "cordiali saluti",
    "distinti saluti",
    "saluti",
    "un saluto",
    "un cordiale saluto",
    "tanti saluti",
    "buona giornata",
    "buona serata",
    "buon lavoro",
    "cumprimentos",
    "atenciosamente",
    "com os melhores cumprimentos",
    "melhores cumprimentos",
    "os melhores cumprimentos",
    "att",
    "abracos",
    "um abraco",
    "abraco",
    "com cumprimentos",
    "met vriendelijke groet",
    "met vriendelijke groeten",
    "vriendelijke groet",
    "vriendelijke groeten",
    "hartelijke groet",
    "hartelijke groeten",
    "groeten",
    "groet",
    "groetjes",
    "mvg",
    "m.v.g",
    "met groet",
    "hoogachtend",
    "pozdrawiam",
    "serdecznie pozdrawiam",
    "pozdrawiam serdecznie",
    "z powazaniem",
    "z wyrazami szacunku",
    "med vanliga halsningar",
    "vanliga halsningar",
    "med vanlig halsning",
    "vanlig halsning",
    "halsningar",
    "mvh",
    "med vennlig hilsen",
    "vennlig hilsen",
    "med venlig hilsen",
    "venlig hilsen",
    "hilsen",
    "ystavallisin terveisin",
    "terveisin",
    "с уважением",
    "с наилучшими пожеланиями",
    "з повагою",
    "s pozdravem",
    "saygilarimla",
    "cu stima",
    "よろしくお願いいたします。",
    "よろしくお願いします。",
    "مع التحية",
    "مع خالص التحية",
    "تحياتي",
];

const DEVICE_OPENINGS: &[&str] = &[
    "sent from ",
    "sent via ",
    "sent with ",
    "sent using ",
    "sent by ",
    "get outlook for ",
    "envoye de ",
    "envoye depuis ",
    "envoye a partir ",
    "envoye avec ",
    "envoye via ",
    "envoye par ",
    "obtenez outlook pour ",
    "obtenir outlook pour ",
    "telecharger outlook pour ",
    "telechargez outlook pour ",
    "provenance : courrier",
    "provenance: courrier",
    "gesendet von ",
    "gesendet mit ",
    "gesendet uber ",
    "gesendet aus ",
    "von meinem ",
    "von meiner ",
    "outlook fur ",
    "holen sie sich outlook",
    "enviado desde ",
    "enviado do ",
    "enviado da ",
    "enviado de ",
    "enviado pelo ",
    "enviado con ",
    "enviado com ",
    "enviado a partir ",
    "enviado mediante ",
    "obtener outlook para ",
    "obter o outlook para ",
    "obtenha o outlook para ",
    "inviato da ",
    "inviato dal ",
    "inviato con ",
    "inviato tramite ",
    "scarica outlook per ",
    "ottieni outlook per ",
    "verzonden vanaf ",
    "verstuurd vanaf ",
    "verzonden met ",
    "verstuurd met ",
    "verzonden via ",
    "verstuurd via ",
    "verzonden vanuit ",
    "outlook voor ",
    "skickat fran ",
    "skickat med ",
    "sendt fra ",
    "sendt via ",
    "sendt med ",
    "lahetetty ",
    "wyslane z ",
    "wyslano z ",
    "wyslano przez ",
    "отправлено с ",
    "отправлено из ",
    "надіслано з ",
    "odeslano z ",
    "trimis de pe ",
    "发自",
    "從我的",
    "从我的",
    "iphone から",
    "iphoneから",
    "ipadから",
    "androidから",
    "أرسلت من ",
    "تم الإرسال من ",
];
const DEVICE_ENDINGS: &[&str] =
    &["gesendet", "downloaden", "から送信", "送信", "傳送", "gonderildi", "versendet", "geschickt"];
const DEVICE_WHOLE: &[&str] = &[
    "yahoo mail: search",
    "yahoo mail : ",
    "sans virus",
    "garanti sans virus",
    "virus-free",
    "virenfrei",
    "libre de virus",
    "senza virus",
    "virusvrij",
    "livre de virus",
    "sent from outlook",
    "sent from mail for windows",
    "envoye a partir de outlook",
];
const POSSESSIVES: &[&str] = &[
    "my",
    "mon",
    "ma",
    "meinem",
    "meiner",
    "mein",
    "mi",
    "meu",
    "minha",
    "mio",
    "mijn",
    "min",
    "mojego",
    "moj",
    "моего",
    "мого",
];
const DEVICES: &[&str] = &[
    "iphone",
    "ipad",
    "ipod",
    "android",
    "samsung",
    "galaxy",
    "huawei",
    "xiaomi",
    "redmi",
    "blackberry",
    "nokia",
    "wiko",
    "htc",
    "sony",
    "windows",
    "outlook",
    "mail",
    "email",
    "mailbox",
    "yahoo",
    "gmail",
    "proton",
    "protonmail",
    "orange",
    "sfr",
    "laposte",
    "typeapp",
    "bluemail",
    "aquamail",
    "mailbird",
    "thunderbird",
    "9",
    "phone",
    "mobile",
    "telephone",
    "portable",
    "smartphone",
    "tablet",
    "tablette",
    "handy",
    "movil",
    "celular",
    "cellulare",
    "telefono",
    "telefon",
    "telefoon",
    "mobiel",
    "appareil",
    "device",
    "mac",
    "spark",
    "sparrow",
    "oneplus",
    "pixel",
    "motorola",
    "moto",
    "zimbra",
    "webmail",
    "messagerie",
    "courrier",
    "iphonea",
    "iphonie",
    "fairphone",
    "telefonu",
    "gmx",
    "web",
    "айфона",
    "iphonesta",
    "iphonestani",
    "oppo",
    "posta",
    "correo",
    "correio",
    "handset",
    "の",
    "我的",
    "手机",
    "هاتفي",
    "الايفون",
];
const FOOTERS: &[&str] = &[
    "this e-mail and any",
    "this email and any",
    "this message and any",
    "this e-mail is confidential",
    "this email is confidential",
    "this message is confidential",
    "this communication is",
    "confidentiality notice",
    "disclaimer",
    "the information contained in this",
    "please consider the environment",
    "think before you print",
    "if you are not the intended recipient",
    "registered office",
    "ce message et toutes",
    "ce message et les",
    "ce message et ses",
    "ce courriel et",
    "ce mail et",
    "ce message est confidentiel",
    "ce message electronique",
    "les informations contenues dans ce",
    "pensez a l'environnement",
    "pensons a l'environnement",
    "avant d'imprimer",
    "n'imprimez ce",
    "merci de ne pas imprimer",
    "l'absence de virus dans ce",
    "avis de confidentialite",
    "diese e-mail enthalt",
    "diese nachricht enthalt",
    "diese e-mail ist vertraulich",
    "der inhalt dieser e-mail",
    "bitte denken sie an die umwelt",
    "denken sie an die umwelt",
    "este mensaje y",
    "este correo electronico",
    "este mensaje es confidencial",
    "aviso legal",
    "la informacion contenida en este",
    "antes de imprimir",
    "le informazioni contenute in",
    "questo messaggio e",
    "questa e-mail",
    "questa email",
    "ai sensi del",
    "prima di stampare",
    "avviso di riservatezza",
    "esta mensagem e",
    "esta mensagem pode",
    "este e-mail e",
    "aviso de confidencialidade",
    "dit bericht is",
    "dit e-mailbericht",
    "deze e-mail is",
    "de informatie in dit",
    "de inhoud van dit",
    "denk aan het milieu",
    "get outlook for",
    "you received this message because you are subscribed",
];
const CONFIDENTIAL: &[&str] = &[
    "intended solely for",
    "intended only for",
    "intended recipient",
    "strictly confidential",
    "etablis a l'intention exclusive",
    "a l'intention exclusive de",
    "destinataire designe",
    "destinataire de ce message",
    "strictement confidentiel",
    "nicht der richtige adressat",
    "nicht der vorgesehene empfanger",
    "destinatario de este mensaje",
    "uso exclusivo",
    "uso esclusivo",
    "uso exclusivo do destinatario",
    "bestemd voor de geadresseerde",
    "uitsluitend bestemd voor",
];

/// Whether a line is empty or one that a phone or a mail program signs with, so that no person wrote it.
pub(super) fn is_phone_line(line: &str) -> bool {
    trim(line).is_empty() || is_device_line(line)
}
