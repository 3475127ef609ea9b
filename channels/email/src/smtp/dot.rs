//! Transparency (RFC 5321 section 4.5.2): a message as it stands between DATA and the final dot.

/// Appends `message`, dot-stuffed and with the final dot, to `out`. Every bare CR or LF becomes CRLF: a server that
/// takes one for a line end could else be made to see a second mail inside this one.
pub(super) fn stuff(message: &[u8], out: &mut Vec<u8>) {
    out.reserve(message.len() + 64);
    let mut rest = message;
    while !rest.is_empty() {
        if rest.first() == Some(&b'.') {
            out.push(b'.');
        }
        let end = rest.iter().position(|&byte| byte == b'\r' || byte == b'\n').unwrap_or(rest.len());
        let (line, tail) = rest.split_at(end);
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
        rest = tail.strip_prefix(b"\r\n").or_else(|| tail.get(1..)).unwrap_or_default();
    }
    out.extend_from_slice(b".\r\n");
}

#[cfg(test)]
mod tests {
    use super::stuff;

    fn stuffed(message: &str) -> String {
        let mut out = Vec::new();
        stuff(message.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_that_begins_with_a_dot_gets_another() {
        assert_eq!(stuffed(".\r\n..x\r\na.b\r\n"), "..\r\n...x\r\na.b\r\n.\r\n");
    }

    #[test]
    fn the_last_line_is_ended_before_the_final_dot() {
        assert_eq!(stuffed("end"), "end\r\n.\r\n");
        assert_eq!(stuffed("end\r\n"), "end\r\n.\r\n");
        assert_eq!(stuffed(""), ".\r\n");
    }

    #[test]
    fn no_bare_line_end_can_smuggle_a_second_mail() {
        assert_eq!(stuffed("a\n.\nMAIL FROM:<x>"), "a\r\n..\r\nMAIL FROM:<x>\r\n.\r\n");
        assert_eq!(stuffed("a\r.\r\nb"), "a\r\n..\r\nb\r\n.\r\n");
        assert_eq!(stuffed("a\n\r\nb"), "a\r\n\r\nb\r\n.\r\n");
        assert_eq!(stuffed("\r\n.\r\n"), "\r\n..\r\n.\r\n");
    }
}
