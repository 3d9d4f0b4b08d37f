//! Which ways of logging in a server may ask for.
//!
//! In two of them whoever is at the other end learns the password, or something that it can be
//! guessed from: in clear, and as MD5 with a salt that the server chose. So these two are for a
//! server that has proven its name, for one on this machine, and for whom `require_auth` names them.
//! SCRAM tells a server little, and has it prove that it knew the password.

/// A way to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// The server asks for nothing.
    None,
    /// The password in clear.
    Password,
    Md5,
    ScramSha256,
    /// One that libpq knows and that is not spoken here.
    Unspoken,
}

impl Method {
    /// The method that libpq calls `word`.
    fn named(word: &str) -> Option<Self> {
        Some(match word {
            "none" => Self::None,
            "password" => Self::Password,
            "md5" => Self::Md5,
            "scram-sha-256" => Self::ScramSha256,
            "gss" | "sspi" | "oauth" => Self::Unspoken,
            _ => return None,
        })
    }

    /// What to say to whoever uses it.
    const fn shown(self) -> &'static str {
        match self {
            Self::None => "no password (none)",
            Self::Password => "the password in clear (password)",
            Self::Md5 => "the password as MD5 (md5)",
            Self::ScramSha256 => "scram-sha-256",
            Self::Unspoken => "a way to log in that is not spoken here",
        }
    }

    /// Whether whoever asks for it can find out the password, or try guesses at it.
    const fn gives_away(self) -> bool {
        matches!(self, Self::Password | Self::Md5)
    }
}

/// Which ways of logging in the address allows: libpq's `require_auth`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum RequireAuth {
    /// Nothing is said.
    #[default]
    Unsaid,
    /// One of these.
    One(Vec<Method>),
    /// None of these.
    Not(Vec<Method>),
}

impl RequireAuth {
    /// Reads a list such as `scram-sha-256,md5`, or one such as `!password,!none`.
    ///
    /// # Errors
    /// When it is something else; the words say what is wrong.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self::Unsaid);
        }
        let negated = text.starts_with('!');
        let (mut words, mut methods) = (Vec::new(), Vec::new());
        for word in text.split(',') {
            if word.starts_with('!') != negated {
                return Err("require_auth names both what is allowed and what (!) is not".into());
            }
            let word = word.strip_prefix('!').unwrap_or(word);
            let method = Method::named(word).ok_or_else(|| {
                format!(
                    "require_auth has {word:?}, which is none of scram-sha-256, md5, password and \
                     none"
                )
            })?;
            if words.contains(&word) {
                return Err(format!("require_auth has {word} twice"));
            }
            words.push(word);
            methods.push(method);
        }
        if !negated && methods.iter().all(|method| *method == Method::Unspoken) {
            return Err(format!("require_auth allows {text} alone, which is not spoken here"));
        }
        Ok(if negated { Self::Not(methods) } else { Self::One(methods) })
    }

    fn allows(&self, method: Method) -> bool {
        match self {
            Self::Unsaid => true,
            Self::One(methods) => methods.contains(&method),
            Self::Not(methods) => !methods.contains(&method),
        }
    }

    /// Whether somebody has thought of `method` and found it good.
    fn names(&self, method: Method) -> bool {
        matches!(self, Self::One(methods) if methods.contains(&method))
    }

    /// Why a server that asks for `method` is refused, if it is. It is `trusted` when it has proven
    /// its name or is on this machine.
    pub(super) fn refusal(&self, method: Method, trusted: bool) -> Option<String> {
        let shown = method.shown();
        if !self.allows(method) {
            return Some(format!(
                "the server asks for {shown}, which require_auth in the address does not allow"
            ));
        }
        (method.gives_away() && !trusted && !self.names(method)).then(|| {
            format!(
                "the server asks for {shown}, and has not proven who it is: say \
                 sslmode=verify-full, or have it ask for scram-sha-256. Where nobody else can be in \
                 between, require_auth in the address can name the method"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gives_the_password_away_is_for_whoever_is_trusted() {
        let said = |text| RequireAuth::parse(text).unwrap();
        for (text, trusted, allowed) in [
            ("", true, [true, true, true, true]),
            ("", false, [true, false, false, true]),
            ("scram-sha-256", true, [false, false, false, true]),
            ("scram-sha-256,none", false, [true, false, false, true]),
            ("password", false, [false, true, false, false]),
            ("md5,scram-sha-256", false, [false, false, true, true]),
            ("!password,!md5", true, [true, false, false, true]),
            ("!none", false, [false, false, false, true]),
            ("!none", true, [false, true, true, true]),
            ("!gss,!sspi,!oauth", true, [true, true, true, true]),
            ("gss,md5", true, [false, false, true, false]),
        ] {
            let methods = [Method::None, Method::Password, Method::Md5, Method::ScramSha256];
            let taken = methods.map(|method| said(text).refusal(method, trusted).is_none());
            assert_eq!(taken, allowed, "{text:?} {trusted}");
        }
    }

    #[test]
    fn what_require_auth_cannot_mean_is_named() {
        let wrong = |text| RequireAuth::parse(text).unwrap_err();
        assert!(wrong("scram-sha-256,!md5").contains("both"), "libpq does not mix them either");
        assert!(wrong("!md5,password").contains("both"));
        assert!(wrong("scram").contains("\"scram\", which is none of"));
        assert!(wrong("md5,").contains("\"\""));
        assert!(wrong("md5,md5").contains("md5 twice"));
        assert!(wrong("gss").contains("gss alone"));
    }
}
