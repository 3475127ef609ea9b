//! Folder names on the wire: modified UTF-7 (RFC 3501 section 5.1.3), quoted.

use data_encoding::{Encoding, Specification};

use super::error::Error;

/// The argument a command needs to name `folder`, quotes included.
///
/// Refuses names with a line end or NUL: they would let a configuration value become a command.
pub fn argument(folder: &str) -> Result<String, Error> {
    if folder.chars().any(|c| matches!(c, '\r' | '\n' | '\0')) {
        return Err(Error::BadFolderName { folder: folder.escape_debug().to_string() });
    }
    let mut quoted = String::from("\"");
    for c in encode(folder).chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    Ok(quoted)
}

/// `name` in modified UTF-7: printable ASCII as it is, `&` as `&-`, all else as UTF-16 in a base64 of its own.
pub fn encode(name: &str) -> String {
    let mut encoded = String::new();
    let mut other: Vec<u8> = Vec::new();
    for c in name.chars() {
        if matches!(c, ' '..='~') {
            flush(&mut other, &mut encoded);
            encoded.push(c);
            if c == '&' {
                encoded.push('-');
            }
        } else {
            let mut units = [0; 2];
            other.extend(c.encode_utf16(&mut units).iter().flat_map(|unit| unit.to_be_bytes()));
        }
    }
    flush(&mut other, &mut encoded);
    encoded
}

fn flush(other: &mut Vec<u8>, encoded: &mut String) {
    if other.is_empty() {
        return;
    }
    encoded.push('&');
    encoded.push_str(&base64().encode(other));
    encoded.push('-');
    other.clear();
}

fn base64() -> Encoding {
    let mut specification = Specification::new();
    specification.symbols.push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,");
    specification.encoding().unwrap_or(data_encoding::BASE64_NOPAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_ampersands_and_other_scripts_are_written_as_the_standard_says() {
        assert_eq!(encode("Traités"), "Trait&AOk-s");
        assert_eq!(encode("R&D"), "R&-D");
        assert_eq!(encode("~peter/mail/台北/日本語"), "~peter/mail/&U,BTFw-/&ZeVnLIqe-");
        assert_eq!(encode("Fait 🙂"), "Fait &2D3eQg-");
    }

    #[test]
    fn quotes_are_escaped_and_line_ends_refused() {
        assert_eq!(argument("a\"b\\c").unwrap(), r#""a\"b\\c""#);
        assert!(argument("INBOX\r\nA1 DELETE x").is_err());
    }
}
