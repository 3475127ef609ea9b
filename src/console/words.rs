//! The console's words in English and French.
//!
//! To add one: a line in the table; both languages stand on it, so none can be forgotten, and a test looks for lines whose two
//! sides are the same.

use guichet_domain::language::Language;

/// A language the console speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tongue {
    /// English.
    En,
    /// French.
    Fr,
}

impl Tongue {
    /// The tag, for `lang`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Fr => "fr",
        }
    }

    /// The language in the words of the trade.
    pub const fn language(self) -> Language {
        match self {
            Self::En => Language::En,
            Self::Fr => Language::Fr,
        }
    }

    /// The language with this tag.
    pub fn parse(tag: &str) -> Option<Self> {
        match tag.get(..2).unwrap_or_default().to_ascii_lowercase().as_str() {
            "fr" => Some(Self::Fr),
            "en" => Some(Self::En),
            _ => None,
        }
    }

    /// The first language of an `Accept-Language` that the console speaks, by the browser's order; English when none.
    pub fn accepted(header: &str) -> Self {
        let mut wanted: Vec<(f32, &str)> = header
            .split(',')
            .map(|part| {
                let (tag, rest) = part.split_once(';').unwrap_or((part, ""));
                let weight = rest.trim().strip_prefix("q=").and_then(|weight| weight.parse().ok()).unwrap_or(1.0);
                (weight, tag.trim())
            })
            .collect();
        wanted.sort_by(|one, other| other.0.total_cmp(&one.0));
        wanted.iter().filter(|(weight, _)| *weight > 0.0).find_map(|(_, tag)| Self::parse(tag)).unwrap_or(Self::En)
    }
}

macro_rules! words {
    ($($name:ident: $en:literal, $fr:literal;)*) => {
        impl Tongue {
            $(#[doc = $en] pub const fn $name(self) -> &'static str {
                match self {
                    Self::En => $en,
                    Self::Fr => $fr,
                }
            })*
        }

        #[cfg(test)]
        const ALL: &[(&str, &str, &str)] = &[$((stringify!($name), $en, $fr)),*];
    };
}

words! {
    skip: "Skip to the content", "Aller au contenu";
    // Signing in.
    sign_in: "Sign in", "Se connecter";
    sign_out: "Sign out", "Se déconnecter";
    name: "Name", "Identifiant";
    password: "Password", "Mot de passe";
    wrong: "The name, the password or the code is wrong.", "L’identifiant, le mot de passe ou le code est incorrect.";
    wait_minutes: "Too many failures. Wait this many minutes, then try again:", "Trop d’échecs. Patientez ce nombre de minutes avant de réessayer :";
    code: "Code", "Code";
    code_title: "Second step", "Deuxième étape";
    code_hint: "The six digits your authenticator shows, or a recovery code.", "Les six chiffres de votre application d’authentification, ou un code de secours.";
    go_on: "Continue", "Continuer";
    welcome: "Welcome", "Bienvenue";
    welcome_first: "Choose the name and the password of the first administrator.", "Choisissez l’identifiant et le mot de passe du premier administrateur.";
    welcome_agent: "Choose your password.", "Choisissez votre mot de passe.";
    welcome_over: "This link was used or is over. Ask for another one.", "Ce lien a servi ou n’est plus valable. Demandez-en un autre.";
    password_hint: "At least 12 characters; a few words are best.", "Au moins 12 caractères ; quelques mots font l’affaire.";
    name_hint: "Lower-case letters, digits, dots, dashes and underscores.", "Minuscules, chiffres, points, tirets et tirets bas.";
    password_again: "The same again", "Une seconde fois";
    passwords_differ: "The two passwords differ.", "Les deux mots de passe diffèrent.";
    colon: ": ", "\u{a0}: ";
    // Around.
    tickets: "Tickets", "Tickets";
    views: "Views", "Vues";
    search: "Search", "Rechercher";
    search_hint: "Reference, address or words", "Référence, adresse ou mots";
    quarantine: "Quarantine", "Quarantaine";
    outbox: "Outbox", "File d’envoi";
    canned: "Canned replies", "Réponses types";
    blocked: "Blocked senders", "Expéditeurs bloqués";
    agents: "Agents", "Équipe";
    trail: "Audit trail", "Journal d’audit";
    account: "My account", "Mon compte";
    shortcuts: "Keyboard shortcuts", "Raccourcis clavier";
    desk_tools: "Desk", "Service";
    administration: "Administration", "Administration";
    // Views.
    view_mine: "Mine", "Les miens";
    view_unassigned: "Unassigned", "Non attribués";
    view_ours: "Waiting for us", "À nous de répondre";
    view_soon: "Breaching soon", "Échéance proche";
    view_attention: "Needs attention", "À vérifier";
    view_closed: "Closed", "Clos";
    view_all: "All", "Tous";
    // The list.
    nothing_here: "Nothing here.", "Rien ici.";
    nothing_ours: "Nothing waits for us.", "Rien ne nous attend.";
    filters: "Filters", "Filtres";
    apply: "Apply", "Appliquer";
    clear: "Clear", "Effacer";
    any: "Any", "Tous";
    anybody: "Anybody", "Tout le monde";
    nobody: "Nobody", "Personne";
    state: "State", "État";
    source: "Source", "Source";
    channel: "Channel", "Canal";
    category: "Category", "Catégorie";
    priority: "Priority", "Priorité";
    tier: "Tier", "Niveau";
    assignee: "Assigned to", "Attribué à";
    sort: "Order", "Ordre";
    sort_due: "Breaches first", "Échéance d’abord";
    sort_updated: "Last changed first", "Dernière activité d’abord";
    next_page: "Next page", "Page suivante";
    first_page: "First page", "Première page";
    show_new: "new – show", "nouveau(x) – afficher";
    subject: "Subject", "Objet";
    requester: "Requester", "Demandeur";
    due: "Due", "Échéance";
    updated: "Last activity", "Dernière activité";
    verified: "verified", "vérifié";
    unverified: "unverified", "non vérifié";
    unread: "unread", "non lu";
    no_subject: "(no subject)", "(sans objet)";
    overdue: "overdue", "dépassée";
    promise_kept: "answered", "répondu";
    you: "you", "vous";
    machine: "machine", "automate";
    viewing: "is viewing", "consulte";
    replying: "is replying", "répond";
    requester_writes: "The requester is writing…", "Le demandeur écrit…";
    search_recent: "Of very frequent words the latest five hundred messages are searched.", "Pour des mots très fréquents, la recherche porte sur les cinq cents derniers messages.";
    // States and words of the trade.
    state_new: "new", "nouveau";
    state_open: "open", "en cours";
    state_waiting: "waiting for requester", "en attente du demandeur";
    state_resolved: "resolved", "résolu";
    state_closed: "closed", "clos";
    kind: "Kind", "Nature";
    kind_incident: "incident", "incident";
    kind_service_request: "service request", "demande de service";
    kind_problem: "problem", "problème";
    kind_question: "question", "question";
    impact: "Impact", "Impact";
    urgency: "Urgency", "Urgence";
    spoken_language: "Language", "Langue";
    opened: "Opened", "Ouvert";
    promised: "Answer promised", "Réponse promise";
    answered: "First answer", "Première réponse";
    resolved: "Resolved", "Résolu";
    window_ends: "Answers reopen until", "Une réponse rouvre jusqu’au";
    reopened_times: "Reopened", "Rouvert";
    follows: "Follows", "Fait suite à";
    linked: "Named ticket", "Ticket cité";
    // Channels.
    channel_email: "e-mail", "e-mail";
    channel_chat: "chat", "chat";
    channel_form: "form", "formulaire";
    channel_phone: "phone", "téléphone";
    channel_discord: "Discord", "Discord";
    channel_webhook: "webhook", "webhook";
    // The timeline.
    timeline: "Timeline", "Historique";
    older: "Older entries", "Entrées plus anciennes";
    entry_inbound: "wrote", "a écrit";
    entry_reply: "answered", "a répondu";
    entry_note: "internal note", "note interne";
    entry_notice: "automatic message", "message automatique";
    entry_event: "event", "événement";
    only_agents: "Only agents see this", "Visible des agents seulement";
    whole_text: "Whole text", "Texte complet";
    formatted: "As formatted by the sender", "Mise en forme de l’expéditeur";
    images_off: "Remote pictures are never loaded.", "Les images distantes ne sont jamais chargées.";
    files: "Files", "Fichiers";
    why: "Why", "Pourquoi";
    no_words: "(no text)", "(sans texte)";
    to: "to", "à";
    by: "by", "par";
    // Deliveries.
    delivery_pending: "queued", "en file";
    delivery_sending: "leaving", "en cours d’envoi";
    delivery_sent: "sent", "envoyé";
    delivery_refused: "refused", "refusé";
    delivery_unknown: "unknown whether it arrived", "arrivée inconnue";
    delivery_suppressed: "not sent", "non envoyé";
    delivery_expired: "given up", "abandonné";
    notice_acknowledgement: "acknowledgement", "accusé de réception";
    notice_reply: "reply", "réponse";
    notice_closure: "closure notice", "avis de clôture";
    notice_delay: "delay notice", "avis de retard";
    notice_event: "event to a program", "événement pour un programme";
    tries: "tries", "essais";
    // Composer.
    reply: "Reply", "Répondre";
    reply_to: "Reply to", "Réponse à";
    note: "Note", "Note";
    note_hint: "For agents only: the requester never sees it.", "Pour les agents seulement : le demandeur ne la voit jamais.";
    send: "Send", "Envoyer";
    send_close: "Send & close", "Envoyer et clore";
    send_ask: "Send & wait for an answer", "Envoyer et attendre la réponse";
    add_note: "Add note", "Ajouter la note";
    save_draft: "Save draft", "Garder le brouillon";
    insert: "Insert", "Insérer";
    draft_kept: "Draft kept", "Brouillon conservé";
    newer: "Something new on this ticket – show", "Du nouveau sur ce ticket – afficher";
    your_words: "Your reply", "Votre réponse";
    your_note: "Your note", "Votre note";
    nobody_to_write_to: "The request named nobody to write to: write a note.", "La demande ne nomme personne à qui écrire : ajoutez une note.";
    closed_no_reply: "The ticket is closed. Reopen it to reply.", "Le ticket est clos. Rouvrez-le pour répondre.";
    // Acts.
    act_on: "Work on it", "Traiter";
    take: "Assign to me", "Me l’attribuer";
    assign: "Assign", "Attribuer";
    escalate: "Escalate", "Escalader";
    escalate_to: "To tier", "Au niveau";
    reason: "Reason", "Motif";
    classify: "Classify", "Qualifier";
    save: "Save", "Enregistrer";
    close: "Close", "Clore";
    resolution: "Resolution (told to the requester)", "Résolution (communiquée au demandeur)";
    close_silent: "Close without telling", "Clore sans prévenir";
    reopen: "Reopen", "Rouvrir";
    merge: "Merge", "Fusionner";
    merge_into: "Merge into ticket", "Fusionner dans le ticket";
    merge_hint: "Its later messages go there. Can be taken back for ten minutes.", "Ses messages suivants y arriveront. Réversible pendant dix minutes.";
    unmerge: "Take the merge back", "Annuler la fusion";
    merged_here: "was merged into this ticket.", "a été fusionné dans ce ticket.";
    merge_over: "The time to take this merge back is over.", "Le délai d’annulation de la fusion est écoulé.";
    link: "Link", "Lier";
    link_with: "Link with ticket", "Lier au ticket";
    unlink: "Unlink", "Délier";
    links: "Linked tickets", "Tickets liés";
    block: "Spam: block and close", "Indésirable : bloquer et clore";
    block_hint: "The sender’s next messages are kept in quarantine; the ticket is closed without a word.", "Les prochains messages de l’expéditeur iront en quarantaine ; le ticket est clos sans réponse.";
    seen: "Seen: needs no more attention", "Vu : plus rien à vérifier";
    more_acts: "More", "Plus";
    others: "Other tickets of the requester", "Autres tickets du demandeur";
    participants: "Takes part", "Participants";
    details: "Details", "Détails";
    history: "History and reasons", "Historique et motifs";
    // Stale.
    stale_title: "Something came meanwhile", "Du nouveau entre-temps";
    stale_hint: "Nothing was sent. Your words are kept below: read what came, then send or change them.", "Rien n’a été envoyé. Votre texte est conservé ci-dessous : lisez ce qui est arrivé, puis envoyez-le ou modifiez-le.";
    refused_title: "This was not done", "Cela n’a pas été fait";
    // Done.
    done_reply: "The reply is on its way.", "La réponse est en route.";
    done_close: "Closed.", "Clos.";
    done_note: "Note added.", "Note ajoutée.";
    done_assign: "Assigned.", "Attribué.";
    done_escalate: "Escalated.", "Escaladé.";
    done_classify: "Saved.", "Enregistré.";
    done_reopen: "Reopened.", "Rouvert.";
    done_merge: "Merged.", "Fusionné.";
    done_unmerge: "The merge was taken back.", "La fusion est annulée.";
    done_link: "Linked.", "Lié.";
    done_block: "Blocked and closed.", "Bloqué et clos.";
    done_draft: "Draft kept.", "Brouillon conservé.";
    done_saved: "Saved.", "C’est enregistré.";
    // Quarantine, outbox.
    quarantine_hint: "Kept whole, with a reason; nothing is thrown away by itself.", "Conservé entier, avec un motif ; rien n’est jeté de soi-même.";
    release: "Release", "Libérer";
    discard: "Discard", "Écarter";
    held: "held", "retenu";
    released: "released", "libéré";
    discarded: "discarded", "écarté";
    original: "Original", "Original";
    retry: "Send again", "Renvoyer";
    cancel: "Take out", "Retirer";
    attempts: "Attempts", "Tentatives";
    queued_at: "Queued", "Mis en file";
    // Canned.
    canned_title: "Title", "Intitulé";
    canned_text: "Text", "Texte";
    canned_variables: "Variables: {{requester}}, {{reference}}, {{subject}}, {{agent}}, {{desk}}.", "Variables : {{requester}}, {{reference}}, {{subject}}, {{agent}}, {{desk}}.";
    add: "Add", "Ajouter";
    change: "Change", "Modifier";
    remove: "Remove", "Supprimer";
    canned_search: "Find a canned reply", "Trouver une réponse type";
    // Blocked.
    block_add: "Block an address, or @ and a domain", "Bloquer une adresse, ou @ et un domaine";
    unblock: "Unblock", "Débloquer";
    // Agents.
    role: "Role", "Rôle";
    role_read: "reads", "lecture";
    role_work: "agent", "agent";
    role_lead: "lead", "responsable";
    role_admin: "admin", "administrateur";
    display_name: "Name shown to requesters", "Nom montré aux demandeurs";
    email: "E-mail address", "Adresse e-mail";
    disabled: "disabled", "désactivé";
    disable: "End access", "Retirer l’accès";
    enable: "Give access back", "Rendre l’accès";
    invite: "Make a link to choose a password", "Créer un lien pour choisir un mot de passe";
    invite_made: "Pass this link on; it works once, within three days:", "Transmettez ce lien ; il sert une fois, dans les trois jours :";
    otp_reset: "Switch one-time codes off (lost device)", "Désactiver les codes à usage unique (appareil perdu)";
    tokens: "Tokens of programs", "Jetons des programmes";
    token_made: "Keep this token now; it is not shown again:", "Notez ce jeton maintenant ; il ne sera plus montré :";
    token_for: "For", "Pour";
    days: "Days", "Jours";
    scope: "May", "Droits";
    revoke: "Revoke", "Révoquer";
    revoked: "revoked", "révoqué";
    last_used: "Last used", "Dernier usage";
    never: "never", "jamais";
    add_agent: "Add an agent", "Ajouter un agent";
    second_step_for: "A second step is asked of", "Une deuxième étape est demandée";
    second_nobody: "nobody", "à personne";
    second_lead: "leads and admins", "aux responsables et administrateurs";
    second_everybody: "everybody", "à tout le monde";
    // Trail.
    when: "When", "Quand";
    who: "Who", "Qui";
    what: "What", "Quoi";
    where_from: "From where", "D’où";
    on_what: "On what", "Sur quoi";
    decisions: "Decisions", "Décisions";
    // Account.
    preferences: "Preferences", "Préférences";
    language_auto: "As the browser says", "Selon le navigateur";
    theme: "Colours", "Couleurs";
    theme_auto: "As the system says", "Selon le système";
    theme_light: "Light", "Clair";
    theme_dark: "Dark", "Sombre";
    shortcuts_on: "Single keys do things (j, k, r, …)", "Des touches seules agissent (j, k, r, …)";
    sound_on: "A sound when something new waits for us", "Un son quand du nouveau nous attend";
    change_password: "Change the password", "Changer le mot de passe";
    password_now: "Present password", "Mot de passe actuel";
    password_new: "New password", "Nouveau mot de passe";
    otp: "One-time codes", "Codes à usage unique";
    otp_on: "They are on.", "Ils sont actifs.";
    otp_off: "They are off.", "Ils sont inactifs.";
    otp_set_up: "Set them up", "Les activer";
    otp_end: "Switch them off", "Les désactiver";
    otp_hint: "Enter this key in your authenticator program, then type the code it shows.", "Saisissez cette clé dans votre application d’authentification, puis tapez le code affiché.";
    otp_required: "The desk asks for one-time codes: set them up to go on.", "Le service exige des codes à usage unique : activez-les pour continuer.";
    otp_link: "Open it in an authenticator on this device", "Ouvrir dans une application de cet appareil";
    recovery: "Recovery codes: each works once when your device is lost. They are shown this once.", "Codes de secours : chacun sert une fois si votre appareil est perdu. Ils ne sont montrés que maintenant.";
    sessions_end: "Sign out everywhere else", "Se déconnecter partout ailleurs";
    // Shortcuts.
    key_next: "next ticket", "ticket suivant";
    key_previous: "previous ticket", "ticket précédent";
    key_open: "open the ticket", "ouvrir le ticket";
    key_reply: "reply", "répondre";
    key_note: "note", "note";
    key_assign: "assign", "attribuer";
    key_escalate: "escalate", "escalader";
    key_close: "close", "clore";
    key_search: "search; in a reply, at the beginning of a line: canned replies", "rechercher ; dans une réponse, en début de ligne : réponses types";
    key_help: "this page", "cette page";
    key_send: "send", "envoyer";
    keys_switch: "They can be switched off in your account.", "Ils se désactivent dans votre compte.";
    // Trouble.
    not_found: "There is nothing here.", "Il n’y a rien ici.";
    forbidden: "Your role does not allow this.", "Votre rôle ne le permet pas.";
    foreign: "This request did not come from the console itself. Go back and try again.", "Cette demande ne vient pas de la console elle-même. Revenez en arrière et réessayez.";
    trouble: "It did not work. Try again; if it stays so, tell the operator.", "Cela n’a pas fonctionné. Réessayez ; si cela persiste, prévenez l’exploitant.";
    busy: "Too much at once. Try again in a moment.", "Trop de demandes à la fois. Réessayez dans un instant.";
    back: "Back to the tickets", "Retour aux tickets";
    connection_lost: "Connection lost – trying again", "Connexion perdue – nouvel essai";
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is spelt alike in both languages.
    const ALIKE: &[&str] = &[
        "code",
        "tickets",
        "administration",
        "source",
        "kind_incident",
        "kind_question",
        "impact",
        "channel_email",
        "channel_chat",
        "channel_discord",
        "channel_webhook",
        "note",
        "original",
        "role_work",
        "key_note",
    ];

    #[test]
    fn every_word_is_there_in_both_languages() {
        for (name, en, fr) in ALL {
            assert!(!en.trim().is_empty() && !fr.trim().is_empty(), "{name} is empty");
            assert!(en != fr || ALIKE.contains(name), "{name} was not translated: {en}");
        }
    }

    #[test]
    fn the_browsers_first_language_that_is_spoken_counts() {
        assert_eq!(Tongue::accepted("de-DE,fr-CA;q=0.8,en;q=0.9"), Tongue::En);
        assert_eq!(Tongue::accepted("fr-FR,fr;q=0.9,en;q=0.1"), Tongue::Fr);
        assert_eq!(Tongue::accepted("fr;q=0, de"), Tongue::En);
        assert_eq!(Tongue::accepted(""), Tongue::En);
    }
}
