//! What a client shows to be let in.

use reqwest::header::HeaderValue;
use std::fmt;
use zeroize::Zeroizing;

/// An access token: of an application, of an administrator, or of a session. It is never shown,
/// and its memory is overwritten when it goes.
#[derive(Clone)]
pub struct Token(Zeroizing<String>);

impl Token {
    /// The token that is written `text`; white space around it is not part of it.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        let text = Zeroizing::new(text.into());
        Self(Zeroizing::new(text.trim().to_owned()))
    }

    /// The text of it, to be kept where secrets are kept.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The value of `Authorization`, if the token consists of what a header can carry.
    pub(crate) fn header(&self) -> Option<HeaderValue> {
        let text = Zeroizing::new(format!("Bearer {}", self.expose()));
        let mut value = HeaderValue::from_str(&text).ok().filter(|_| !self.0.is_empty())?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_never_shown() {
        let token = Token::new(" abc\n");
        assert_eq!(format!("{token:?}"), "Token");
        let header = token.header().unwrap();
        assert_eq!(header.as_bytes(), b"Bearer abc");
        assert_eq!(format!("{header:?}"), "Sensitive");
    }

    #[test]
    fn what_no_header_can_carry_is_no_token() {
        assert!(Token::new("a\nb").header().is_none());
        assert!(Token::new("").header().is_none());
    }
}
