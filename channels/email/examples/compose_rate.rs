//! How long a mail takes to be written: `compose_rate MAILS BYTES`, for a plain notice, one with HTML, and one in
//! letters beyond ASCII.
//!
//! ```text
//! cargo run --release -p guichet-email --example compose_rate -- 20000 2048
//! ```

use std::error::Error;
use std::io::Write;
use std::time::Instant;

use guichet_domain::Moment;
use guichet_email::compose::{AutoSubmitted, NamedAddress, OutgoingMail, compose};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |usual: u32| arguments.next().map_or(Ok(usual), |text| text.parse::<u32>());
    let (mails, bytes) = (number(20_000)?, usize::try_from(number(2048)?)?);
    let ascii = "We have received your request and will answer soon.\n".repeat(bytes / 52 + 1);
    let french = "Nous avons bien reçu votre demande, elle sera traitée.\n".repeat(bytes / 57 + 1);
    let html = format!("<html><body><p>{}</p></body></html>", french.replace('\n', "<br>\n"));
    let forms = [("ASCII", ascii, None), ("French", french.clone(), None), ("French and HTML", french, Some(html))];
    for (what, text, html) in forms {
        let mail = notice(text, html);
        let size = compose(&mail)?.len();
        let started = Instant::now();
        for _ in 0..mails {
            std::hint::black_box(compose(std::hint::black_box(&mail))?);
        }
        let each = started.elapsed() / mails;
        writeln!(std::io::stdout(), "{what}: {size} bytes in {:.1} µs", each.as_secs_f64() * 1e6)?;
    }
    Ok(())
}

fn notice(text: String, html: Option<String>) -> OutgoingMail {
    OutgoingMail {
        from: NamedAddress::named("Service informatique", "support@desk.example"),
        to: NamedAddress::named("Zoé Müller", "zoe@example.org"),
        reply_to: Some(NamedAddress::named("Service informatique", "support+abc.def@desk.example")),
        subject: "[GT-482-109-3755] L'imprimante du troisième étage".into(),
        text,
        html,
        attachments: Vec::new(),
        message_id: "ack.1@desk.example".into(),
        in_reply_to: Some("<m9@example.org>".into()),
        references: (0..9).map(|number| format!("<m{number}@example.org>")).collect(),
        date: Moment::from_secs(1_795_340_045),
        auto_submitted: Some(AutoSubmitted::Replied),
        loop_token: Some("v1.abcdefghijklmnop".into()),
        language: Some("fr".into()),
        headers: vec![("X-Guichet-Ticket".into(), "GT-482-109-3755".into())],
    }
}
