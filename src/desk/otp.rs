//! One-time codes by the clock (RFC 6238: SHA-1, six digits, thirty seconds), as every authenticator program makes them.

use data_encoding::BASE32_NOPAD;
use guichet_domain::token::same;
use guichet_domain::{Ids, Moment};
use ring::hmac;

/// Seconds of one code.
const STEP: i64 = 30;
/// How many steps a clock may be off, either way.
const DRIFT: i64 = 1;

/// A new secret: 160 random bits in base32.
pub fn draw(ids: &dyn Ids) -> String {
    let mut bytes = [0; 20];
    ids.random(&mut bytes);
    BASE32_NOPAD.encode(&bytes)
}

/// The code of a secret at an instant; `None` when the secret cannot be read.
pub fn code_at(secret: &str, at: Moment) -> Option<String> {
    code(secret, at.secs().div_euclid(STEP))
}

/// The step a code is of, when it is of now or a neighbouring step, and of none that was taken (`last`) before.
pub fn step_of(secret: &str, typed: &str, last: i64, now: Moment) -> Option<i64> {
    let typed: String = typed.chars().filter(char::is_ascii_digit).collect();
    let today = now.secs().div_euclid(STEP);
    let fits = |step: &i64| code(secret, *step).is_some_and(|code| same(code.as_bytes(), typed.as_bytes()));
    (today - DRIFT..=today + DRIFT).find(fits).filter(|step| *step > last)
}

/// The address by which authenticator programs take a secret over.
pub fn address(secret: &str, desk: &str, agent: &str) -> String {
    let plain = |text: &str| -> String {
        let keep = |byte: u8| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        };
        text.bytes().map(keep).collect()
    };
    let (desk, agent) = (plain(desk), plain(agent));
    format!("otpauth://totp/{desk}:{agent}?secret={secret}&issuer={desk}")
}

fn code(secret: &str, step: i64) -> Option<String> {
    let secret = BASE32_NOPAD.decode(secret.as_bytes()).ok()?;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &secret);
    let mark = hmac::sign(&key, &step.to_be_bytes());
    let bytes = mark.as_ref();
    let from = usize::from(bytes.last()? & 0x0f);
    let four: [u8; 4] = bytes.get(from..from + 4)?.try_into().ok()?;
    Some(format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of the RFC's own examples.
    const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    #[test]
    fn codes_are_those_of_the_rfc() {
        for (secs, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            assert_eq!(code_at(SECRET, Moment::from_secs(secs)).unwrap(), code);
        }
    }

    #[test]
    fn a_code_is_taken_once_and_only_about_its_time() {
        let now = Moment::from_secs(1_111_111_109);
        let step = step_of(SECRET, "081 804", 0, now).unwrap();
        assert_eq!(step_of(SECRET, "081804", step, now), None);
        assert!(step_of(SECRET, "081804", 0, Moment::from_secs(1_111_111_139)).is_some());
        assert_eq!(step_of(SECRET, "081804", 0, Moment::from_secs(1_111_111_199)), None);
        assert_eq!(step_of(SECRET, "", 0, now), None);
    }
}
