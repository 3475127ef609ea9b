//! The words of the trade as agents read them: states, kinds, channels, reasons, and what happened.

use guichet_domain::entry::EntryKind;
use guichet_domain::outgoing::{DeliveryState, NoticeKind};
use guichet_domain::reason::Reason;
use guichet_domain::ticket::{Kind, State};

use super::reasons::FRENCH;
use super::words::Tongue;
use crate::desk::board::View;
use crate::desk::views::Scope;

impl Tongue {
    /// A state.
    pub fn state_of(self, state: State) -> &'static str {
        match state {
            State::New => self.state_new(),
            State::Open => self.state_open(),
            State::Waiting => self.state_waiting(),
            State::Resolved => self.state_resolved(),
            State::Closed => self.state_closed(),
        }
    }

    /// A kind of request.
    pub fn kind_of(self, kind: Kind) -> &'static str {
        match kind {
            Kind::Incident => self.kind_incident(),
            Kind::ServiceRequest => self.kind_service_request(),
            Kind::Problem => self.kind_problem(),
            Kind::Question => self.kind_question(),
        }
    }

    /// A saved view.
    pub fn view_of(self, view: View) -> &'static str {
        match view {
            View::Mine => self.view_mine(),
            View::Unassigned => self.view_unassigned(),
            View::Ours => self.view_ours(),
            View::Soon => self.view_soon(),
            View::Attention => self.view_attention(),
            View::Closed => self.view_closed(),
            View::All => self.view_all(),
        }
    }

    /// A kind of channel; one the console has no word for by its own name.
    pub fn channel_of(self, kind: &str) -> String {
        match kind {
            "email" => self.channel_email(),
            "chat" => self.channel_chat(),
            "form" => self.channel_form(),
            "phone" => self.channel_phone(),
            "discord" => self.channel_discord(),
            "webhook" => self.channel_webhook(),
            other => other,
        }
        .trim_end()
        .to_owned()
    }

    /// What an entry is.
    pub fn entry_of(self, kind: EntryKind) -> &'static str {
        match kind {
            EntryKind::Inbound => self.entry_inbound(),
            EntryKind::Reply => self.entry_reply(),
            EntryKind::Note => self.entry_note(),
            EntryKind::Notice => self.entry_notice(),
            EntryKind::Event => self.entry_event(),
        }
    }

    /// Where a delivery stands.
    pub fn delivery_of(self, state: DeliveryState) -> &'static str {
        match state {
            DeliveryState::Pending => self.delivery_pending(),
            DeliveryState::Sending => self.delivery_sending(),
            DeliveryState::Sent => self.delivery_sent(),
            DeliveryState::Refused => self.delivery_refused(),
            DeliveryState::Unknown => self.delivery_unknown(),
            DeliveryState::Suppressed => self.delivery_suppressed(),
            DeliveryState::Expired => self.delivery_expired(),
        }
    }

    /// What leaves.
    pub fn notice_of(self, kind: NoticeKind) -> String {
        match kind.as_str() {
            "acknowledgement" => self.notice_acknowledgement().to_owned(),
            "reply" => self.notice_reply().to_owned(),
            "closure" => self.notice_closure().to_owned(),
            "delay" => self.notice_delay().to_owned(),
            "event" => self.notice_event().to_owned(),
            other => other.to_owned(),
        }
    }

    /// A role.
    pub fn role_of(self, role: Scope) -> &'static str {
        match role {
            Scope::Read => self.role_read(),
            Scope::Work => self.role_work(),
            Scope::Lead => self.role_lead(),
            Scope::Admin => self.role_admin(),
        }
    }

    /// What a reason code means.
    pub fn reason_of(self, code: &Reason) -> String {
        let french = (self == Self::Fr).then(|| {
            let known = FRENCH.iter().find(|(known, _)| *known == code.as_str());
            known.map_or(code.as_str(), |(_, words)| words).to_owned()
        });
        french.unwrap_or_else(|| code.explanation().to_owned())
    }

    /// What the desk wrote into a timeline about an act. The stored words are English; in French they are put together anew.
    pub fn event_of(self, text: &str) -> String {
        if self == Self::En {
            return text.to_owned();
        }
        let turned = EVENTS.iter().find_map(|(en, fr)| text.strip_prefix(en).map(|rest| format!("{fr}{rest}")));
        let turned = turned.unwrap_or_else(|| text.to_owned());
        turned.replace(" to L", " à L").replace(", urgency ", ", urgence ").replace(", category ", ", catégorie ")
    }

    /// What the audit trail calls an act.
    pub fn act_of(self, act: &str) -> String {
        let known = ACTS.iter().find(|(known, ..)| *known == act);
        known.map_or(act, |(_, en, fr)| if self == Self::En { en } else { fr }).to_owned()
    }
}

/// Beginnings of what is written into timelines, in French.
const EVENTS: &[(&str, &str)] = &[
    ("unassigned", "retiré de toute attribution"),
    ("assigned to ", "attribué à "),
    ("escalated from ", "escaladé de "),
    ("reopened", "rouvert"),
    ("merged into another ticket", "fusionné dans un autre ticket"),
    ("the merge was taken back", "la fusion a été annulée"),
    ("kind ", "nature "),
    ("category ", "catégorie "),
    ("impact ", "impact "),
    ("delivery ", "envoi "),
];

/// Acts of the audit trail.
const ACTS: &[(&str, &str, &str)] = &[
    ("reply", "replied", "a répondu"),
    ("note", "wrote a note", "a écrit une note"),
    ("assign", "assigned", "a attribué"),
    ("escalate", "escalated", "a escaladé"),
    ("classify", "classified", "a qualifié"),
    ("close", "closed", "a clos"),
    ("reopen", "reopened", "a rouvert"),
    ("merge", "merged", "a fusionné"),
    ("unmerge", "took a merge back", "a annulé une fusion"),
    ("seen", "took the attention off", "a vérifié"),
    ("link", "linked", "a lié"),
    ("unlink", "unlinked", "a délié"),
    ("block", "blocked a sender", "a bloqué un expéditeur"),
    ("unblock", "unblocked a sender", "a débloqué un expéditeur"),
    ("canned", "wrote a canned reply", "a écrit une réponse type"),
    ("canned_gone", "removed a canned reply", "a supprimé une réponse type"),
    ("signed_in", "signed in", "s’est connecté"),
    ("signed_in_by_recovery_code", "signed in by a recovery code", "s’est connecté par un code de secours"),
    ("password", "set a password", "a défini un mot de passe"),
    ("otp_on", "switched one-time codes on", "a activé les codes à usage unique"),
    ("otp_off", "switched one-time codes off", "a désactivé les codes à usage unique"),
    ("second_step", "said of whom a second step is asked", "a défini qui doit passer la deuxième étape"),
    ("first_admin", "became the first admin", "est devenu le premier administrateur"),
    ("invite", "made a link for an agent", "a créé un lien pour un agent"),
    ("agent", "added an agent", "a ajouté un agent"),
    ("agent_change", "changed an agent", "a modifié un agent"),
    ("token", "made a token", "a créé un jeton"),
    ("token_revoke", "revoked a token", "a révoqué un jeton"),
    ("release", "released from quarantine", "a libéré de la quarantaine"),
    ("discard", "discarded from quarantine", "a écarté de la quarantaine"),
    ("retry", "sent again", "a renvoyé"),
    ("cancel", "took out of the outbox", "a retiré de la file d’envoi"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_of_the_core_is_explained_in_french() {
        let missing: Vec<&str> = guichet_domain::reason::EXPLANATIONS
            .iter()
            .map(|(code, _)| *code)
            .filter(|code| !FRENCH.iter().any(|(known, _)| known == code))
            .collect();
        assert!(missing.is_empty(), "add them to reasons_fr.rs: {missing:?}");
    }

    #[test]
    fn what_happened_is_told_in_french() {
        assert_eq!(Tongue::Fr.event_of("escalated from L1 to L2: serveur"), "escaladé de L1 à L2: serveur");
        assert_eq!(Tongue::Fr.event_of("impact high, urgency low: P2"), "impact high, urgence low: P2");
        assert_eq!(Tongue::En.event_of("assigned to ana"), "assigned to ana");
    }
}
