//! What went wrong, from the server's words first and its codes second: codes lie more often than words.

use std::sync::LazyLock;

use regex::Regex;

use super::marks::{ADDRESS, pattern};

/// What went wrong, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// SPF, DKIM or DMARC.
    AuthFailure,
    /// The sending address or network has a bad name.
    BadReputation,
    /// The sending host is refused.
    Blocked,
    /// The content cannot be taken as it is.
    ContentError,
    /// Nothing went wrong.
    Delivered,
    /// Bigger than this recipient may get.
    ExceedLimit,
    /// Given up after trying for long.
    Expired,
    /// A complaint.
    Feedback,
    /// Refused by the recipient's own filter, after the address was taken.
    Filtered,
    /// The mailbox has moved.
    HasMoved,
    /// No such domain.
    HostUnknown,
    /// No room in the mailbox.
    MailboxFull,
    /// A program behind the mailbox failed.
    MailerError,
    /// Bigger than the server takes.
    MesgTooBig,
    /// DNS, routing, connection.
    NetworkError,
    /// The server is no relay for us.
    NoRelaying,
    /// The domain takes no mail at all.
    NotAccept,
    /// The mail breaks a rule of its format.
    NotCompliant,
    /// Taken back for a moment.
    OnHold,
    /// Refused by a policy.
    PolicyViolation,
    /// The sender address is refused.
    Rejected,
    /// The sending host has no reverse name.
    RequirePtr,
    /// Not authenticated, not permitted.
    SecurityError,
    /// Taken for spam.
    SpamDetected,
    /// The mailbox is disabled.
    Suspend,
    /// A protocol mistake.
    SyntaxError,
    /// The receiving system is out of order.
    SystemError,
    /// Too many at once.
    TooManyConn,
    /// Not said.
    Undefined,
    /// No such mailbox.
    UserUnknown,
    /// A virus.
    VirusDetected,
}

impl Reason {
    /// The stable word: stored, shown to agents, used in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::AuthFailure => "authfailure",
            Reason::BadReputation => "badreputation",
            Reason::Blocked => "blocked",
            Reason::ContentError => "contenterror",
            Reason::Delivered => "delivered",
            Reason::ExceedLimit => "exceedlimit",
            Reason::Expired => "expired",
            Reason::Feedback => "feedback",
            Reason::Filtered => "filtered",
            Reason::HasMoved => "hasmoved",
            Reason::HostUnknown => "hostunknown",
            Reason::MailboxFull => "mailboxfull",
            Reason::MailerError => "mailererror",
            Reason::MesgTooBig => "mesgtoobig",
            Reason::NetworkError => "networkerror",
            Reason::NoRelaying => "norelaying",
            Reason::NotAccept => "notaccept",
            Reason::NotCompliant => "notcompliantrfc",
            Reason::OnHold => "onhold",
            Reason::PolicyViolation => "policyviolation",
            Reason::Rejected => "rejected",
            Reason::RequirePtr => "requireptr",
            Reason::SecurityError => "securityerror",
            Reason::SpamDetected => "spamdetected",
            Reason::Suspend => "suspend",
            Reason::SyntaxError => "syntaxerror",
            Reason::SystemError => "systemerror",
            Reason::TooManyConn => "toomanyconn",
            Reason::Undefined => "undefined",
            Reason::UserUnknown => "userunknown",
            Reason::VirusDetected => "virusdetected",
        }
    }

    /// What a diagnostic says; `Undefined` when neither its words nor the status tell.
    pub fn of(diagnostic: &str, status: Option<&str>) -> Reason {
        Reason::of_words(diagnostic).or_else(|| status.and_then(Reason::of_status)).unwrap_or(Reason::Undefined)
    }

    /// What the words say, without their codes.
    pub(super) fn of_words(diagnostic: &str) -> Option<Reason> {
        // A mailbox called `mailbox-full@` says nothing about its quota.
        let words_alone = ADDRESSES.replace_all(diagnostic, "@");
        WORDS.iter().find(|(_, words)| words.is_match(&words_alone)).map(|(reason, _)| *reason)
    }

    fn of_status(status: &str) -> Option<Reason> {
        let (_, detail) = status.split_once('.')?;
        Some(match detail {
            "1.0" | "1.1" | "1.3" | "1.10" => Reason::UserUnknown,
            "1.2" => Reason::HostUnknown,
            "1.6" => Reason::HasMoved,
            "1.7" | "1.8" => Reason::Rejected,
            "2.1" => Reason::Suspend,
            "2.2" => Reason::MailboxFull,
            "2.3" => Reason::ExceedLimit,
            "3.4" => Reason::MesgTooBig,
            "4.1" | "4.7" => Reason::Expired,
            "4.4" => Reason::HostUnknown,
            "7.25" => Reason::RequirePtr,
            "7.26" => Reason::AuthFailure,
            _ => match detail.split('.').next()? {
                "3" => Reason::SystemError,
                "4" => Reason::NetworkError,
                "5" => Reason::SyntaxError,
                "6" => Reason::ContentError,
                "7" => Reason::SecurityError,
                _ => return None,
            },
        })
    }
}

static ADDRESSES: LazyLock<Regex> = LazyLock::new(|| pattern(&format!("<?{ADDRESS}>?")));

/// In this order: the first that matches is the reason. What is surely not the address's fault stands before what may be.
static WORDS: LazyLock<Vec<(Reason, Regex)>> =
    LazyLock::new(|| PHRASES.iter().map(|(reason, phrases)| (*reason, pattern(&phrases.join("|")))).collect());

const PHRASES: [(Reason, &[&str]); 31] = [
    (
        Reason::MailboxFull,
        &[
            r"(?:mail ?box|mail ?folder|inbox)[^\n]{0,30} (?:is )?(?:full|out of (?:storage|space))",
            r"full mailbox",
            r"over ?quota",
            r"quota (?:is )?(?:exceeded|violation|exhausted)",
            r"exceed(?:s|ed|ing) (?:their |its |the |allowed )?(?:quota|size: )",
            r"mailbox exceeds",
            r"too much mail",
            r"over (?:disk|the maximum) (?:quota|allowed quota)",
            r"space not enough",
            r"mailbox full",
            r"out of storage",
        ],
    ),
    (
        Reason::NoRelaying,
        &[
            r"relay(?:ing)? (?:access )?(?:denied|not permitted|prohibited)",
            r"insecure mail relay",
            r"no relaying",
            r"not permitted to relay",
        ],
    ),
    (
        Reason::AuthFailure,
        &[
            r"\bspf\b",
            r"\bdmarc\b",
            r"\bdkim\b (?:check|fail|sign)",
            r"does not have authentication information",
            r"unauthenticated email",
        ],
    ),
    (Reason::BadReputation, &[r"reputation"]),
    (Reason::RequirePtr, &[r"reverse dns", r"\bptr\b", r"mismatches client ip", r"without a valid sender domain"]),
    (
        Reason::VirusDetected,
        &[r"virus detected", r"infected with", r"contains? a virus", r"virus (?:found|detected)", r"mcspamsignature"],
    ),
    (
        Reason::NotCompliant,
        &[r"multiple[^\n]{0,20} addresses in from", r"duplicate header", r"no resent-from", r"not rfc ?\d+ compliant"],
    ),
    (
        Reason::Rejected,
        &[
            r"sender address rejected",
            r"domain of sender",
            r"sender (?:was |is )?rejected",
            r"unroutable sender",
            r"purported +responsible",
            r"not accepting mail from",
            r"may not have permission to post",
            r"not a registered gateway user",
            r"does not exist e2110",
        ],
    ),
    (
        Reason::Blocked,
        &[
            r"blocked (?:using|ip|by|- see)",
            r"black ?list(?:ed)? by",
            r"ip address blacklisted",
            r"client host rejected: (?:blocked|may not)",
            r"banned sending",
            r"spamhaus",
            r"dnsbl",
            r"use the smtp server of your isp",
            r"service refuse(?:d|\.)?[^\n]*(?:ofr_999|lpn001)",
            r"unfortunately, messages from",
            r"e-?mail is redundant",
            r"server refused to talk to me",
        ],
    ),
    (
        Reason::SecurityError,
        &[
            r"authentication required",
            r"authrequired",
            r"unauthenticated senders",
            r"\.\.\. access denied",
            r"potentially? security",
        ],
    ),
    (
        Reason::SpamDetected,
        &[
            r"scored as spam",
            r"- spam\b",
            r"blacklisted url",
            r"message content rejected",
            r"unsolicited",
            r"ofr_506",
            r"mail rejet",
            r"detected as spam",
        ],
    ),
    (Reason::PolicyViolation, &[r"polic(?:y|ies)", r"because its content presents", r"lpn000"]),
    (Reason::HasMoved, &[r"no longer on server", r"not our customer", r"has moved to", r"user has moved"]),
    (
        Reason::MesgTooBig,
        &[r"message too (?:big|large)", r"mail size limit exceeded", r"exceeds (?:the )?maximum (?:message|mail) size"],
    ),
    (Reason::ExceedLimit, &[r"message (?:size|length) exceeds"]),
    (Reason::UserUnknown, &[r"inactive email address", r"account[^\n]{0,30} does not exist"]),
    (
        Reason::Suspend,
        &[
            r"(?:account|mailbox|user|address)[^\n]{0,60} (?:is |was |has been )?(?:disabled|inactive|locked|suspended|discontinued|deactivated)",
            r"account is locked",
            r"mailbox disabled",
        ],
    ),
    (Reason::TooManyConn, &[r"too many (?:recipients|connections|sessions)", r"rate limit", r"frequency limited"]),
    (
        Reason::NotAccept,
        &[
            r"does(?:n't| not) (?:accept|receive) (?:any )?e?-?mail",
            r"null mx",
            r"no smtp service$",
            r"indicated no smtp",
            r"couldn't find a mail exchanger",
            r"unexpected name server reply",
        ],
    ),
    (
        Reason::Expired,
        &[
            r"message expired, connection",
            r"retry timeout",
            r"envelope expired",
            r"in the queue too long",
            r"timed out during user open",
            r"has not been collected after",
            r"delivery failed \d+ attempts",
            r"did not accept our requests",
            r"was aborted after",
            r"cannot send message for",
            r"could not send mail for past",
        ],
    ),
    (
        Reason::NetworkError,
        &[
            r"too many hops",
            r"dns (?:error|query failed)",
            r"name service error",
            r"lost connection",
            r"host name lookup failure",
            r"network error",
            r"mail ?loop",
            r"message looping",
            r"host not found, try again",
            r"routing loop",
            r"connection reset",
        ],
    ),
    (
        Reason::HostUnknown,
        &[
            r"host (?:is )?unknown",
            r"unknown host",
            r"domain (?:does not exist|is not reachable|not found)",
            r"unrout(?:e)?able address",
            r"host [^\n]{0,60} not found",
            r"host not found",
            r"no such (?:domain|host)",
            r"bad (?:system|host) name",
            r"^[^\n]*\b55\d [\w.-]+\.\w+ does not exist",
        ],
    ),
    (
        Reason::Expired,
        &[r"timed out", r"time ?out", r"expired", r"could not find a gateway", r"after \d+ days?", r"socket error"],
    ),
    (Reason::Filtered, &[r"recipient preferences", r"domain filter", r"550 ?:\s+user unknown"]),
    (
        Reason::UserUnknown,
        &[
            r"user (?:is )?(?:un|not )known",
            r"unknown (?:or illegal )?(?:user|recipient|address|mailbox)",
            r"no such (?:user|recipient|mailbox|person|address)",
            r"user (?:name )?not (?:found|exist|known)",
            r"recipient (?:name )?(?:is )?(?:unknown|not (?:found|recognized|known))",
            r"recip(?:ient)?notfound",
            r"no mailbox here",
            r"invalid (?:recipient|address|mailbox|user|final delivery userid)",
            r"address(?:ee)? (?:was )?rejected",
            r"(?:recipient|address|mailbox|user)[^\n]{0,40} does ?n[o']t exist",
            r"not listed in",
            r"does(?:n't| not) have an? [\w.]+ account",
            r"mailbox (?:unavailable|not found|not available)",
            r"not a valid user",
            r"no longer valid",
            r"unknown or illegal",
            r"recipient rejected",
            r"destinataire invalide",
            r"bad destination",
            r"possibly incorrect",
            r"no user by that name",
            r"not exactly match",
            r"final email delivery point",
            r"\b5\d\d @ rejected",
        ],
    ),
    (
        Reason::SystemError,
        &[
            r"service (?:is )?(?:currently )?unavailable",
            r"system config",
            r"\bldap\b",
            r"internal (?:server )?error",
            r"service refused",
            r"duplicated message-id",
        ],
    ),
    (
        Reason::MailerError,
        &[
            r"command died",
            r"pipe to \|",
            r"procmail",
            r"mailer error",
            r"permission denied",
            r"local configuration error",
        ],
    ),
    (Reason::SyntaxError, &[r"improper sequence", r"syntax error", r"command (?:not|un)"]),
    (Reason::ContentError, &[r"headers too large", r"bad (?:header|content)"]),
    (Reason::OnHold, &[r"temporary failure", r"try again later"]),
    (Reason::Blocked, &[r"^(?:smtp; ?)?5\d\d rejected\.?$", r"blocked"]),
];
