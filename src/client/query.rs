//! Addresses of routes with what is asked of them.

/// A path with query parameters, escaped.
#[derive(Debug, Clone)]
pub struct Query(String);

impl Query {
    /// The path alone; escape what comes from outside with [`segment`].
    pub fn of(path: impl Into<String>) -> Self {
        Self(path.into())
    }

    /// Adds a parameter.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        let sign = if self.0.contains('?') { '&' } else { '?' };
        self.0.push(sign);
        self.0.push_str(key);
        self.0.push('=');
        escape(&mut self.0, value);
        self
    }

    /// Adds a parameter when it is given.
    #[must_use]
    pub fn maybe(self, key: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// The whole.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One segment of a path, escaped.
pub fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    escape(&mut out, text);
    out
}

fn escape(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0').to_ascii_uppercase();
            out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_types_cannot_become_another_parameter() {
        let query =
            Query::of("/api/v1/tickets").with("search", "a&b=é").maybe("queue", None).maybe("after", Some("1.P2"));
        assert_eq!(query.as_str(), "/api/v1/tickets?search=a%26b%3D%C3%A9&after=1.P2");
        assert_eq!(segment("../x"), "..%2Fx");
    }
}
