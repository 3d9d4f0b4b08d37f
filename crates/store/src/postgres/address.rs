//! Where a PostgreSQL database is, and how it is reached.
//!
//! `tokio_postgres::Config` reads such URLs too, but knows neither `sslmode=verify-full` nor
//! `sslrootcert`, takes options that nothing here would heed, and does not wipe the password.

use super::require_auth::RequireAuth;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use zeroize::Zeroizing;

/// Whether the way to the database is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// Never.
    Disable,
    /// If the server can, without asking who it is.
    Prefer,
    /// Always, without asking who it is.
    Require,
    /// Always, and the server proves its name to these roots, or to those of the system.
    VerifyFull(Option<PathBuf>),
}

/// One of the servers that a database may be on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) port: u16,
}

/// Where a PostgreSQL database is, and how it is reached. What is shown of it has no password.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// At least one. They are tried in this order, for the one that is written to.
    pub(crate) hosts: Vec<Host>,
    pub(crate) user: String,
    pub(crate) password: Zeroizing<String>,
    pub(crate) database: String,
    pub(crate) encryption: Encryption,
    pub(crate) require_auth: RequireAuth,
    /// Whether a server that only follows another will do.
    pub(crate) may_follow: bool,
    /// Who connects, as the server lists its connections.
    pub(crate) application: &'static str,
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, port } = self;
        if name.contains(':') { write!(f, "[{name}]:{port}") } else { write!(f, "{name}:{port}") }
    }
}

impl FromStr for Host {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, port) = match text.strip_prefix('[').map(|v6| v6.split_once(']')) {
            Some(Some((name, port))) => (name, port.strip_prefix(':')),
            Some(None) => return Err("the host has no closing bracket"),
            None => text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port))),
        };
        let port = port.map_or(Ok(5432), str::parse);
        let port = port.map_err(|_| "the port is not a number from 1 to 65535")?;
        Ok(Self { name: if name.is_empty() { "localhost".into() } else { name.into() }, port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<String> = self.hosts.iter().map(ToString::to_string).collect();
        write!(f, "postgres://{}@{}/{}", self.user, hosts.join(","), self.database)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

impl Address {
    /// Reads `postgres://user:password@host:port/database?sslmode=…&sslrootcert=…&require_auth=…`,
    /// where there may be several `host:port` with commas between them.
    ///
    /// # Errors
    /// When it is something else; the words say what is wrong, and never the password.
    pub fn parse(url: &str) -> Result<Self, String> {
        let known = |name: &str| ["postgres", "postgresql"].contains(&name);
        let (_, rest) = url
            .split_once("://")
            .filter(|(name, _)| known(&name.to_ascii_lowercase()))
            .ok_or("give postgres://user:password@host:port/database")?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, place) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let user = decode(user).ok_or("the user is not written as in a URL")?;
        if user.is_empty() {
            return Err("name a user: postgres://user:password@host:port/database".into());
        }
        let hosts = place.split(',').map(str::parse).collect::<Result<_, _>>()?;
        let database = decode(database).ok_or("the database is not written as in a URL")?;
        let password = decode(password).ok_or("the password is not written as in a URL")?;
        let (encryption, require_auth) = options(query)?;
        Ok(Self {
            hosts,
            database: if database.is_empty() { user.clone() } else { database },
            user,
            password: Zeroizing::new(password),
            encryption,
            require_auth,
            may_follow: false,
            application: "",
        })
    }

    /// The same, for those who connect as `application`.
    pub(crate) fn by(&self, application: &'static str) -> Self {
        Self { application, ..self.clone() }
    }

    /// Reads the address of a standby: one server, for what one has does not say what another has.
    ///
    /// # Errors
    /// As [`Address::parse`].
    pub fn of_replica(url: &str) -> Result<Self, String> {
        let address = Self::parse(url)?;
        match address.hosts.as_slice() {
            [_] => Ok(Self { may_follow: true, ..address }),
            _ => Err("name one server".into()),
        }
    }
}

/// How the way is encrypted, and what the server may ask for.
fn options(query: &str) -> Result<(Encryption, RequireAuth), String> {
    let (mut mode, mut roots) = ("prefer".to_owned(), None);
    let mut require_auth = RequireAuth::default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decode(value).ok_or_else(|| format!("{name} is not written as in a URL"))?;
        match name {
            "sslmode" => mode = value,
            "sslrootcert" => roots = Some(PathBuf::from(value)),
            "require_auth" => require_auth = RequireAuth::parse(&value)?,
            // Said where other tools need to be told; there is no other way here.
            "target_session_attrs" if matches!(value.as_str(), "read-write" | "primary") => {}
            "target_session_attrs" => {
                return Err("target_session_attrs is neither read-write nor primary".into());
            }
            _ => return Err(format!("{name} is none of sslmode, sslrootcert and require_auth")),
        }
    }
    let encryption = match (mode.as_str(), roots) {
        ("verify-full", roots) => Encryption::VerifyFull(roots),
        (_, Some(_)) => return Err("sslrootcert needs sslmode=verify-full".into()),
        ("disable", None) => Encryption::Disable,
        ("prefer", None) => Encryption::Prefer,
        ("require", None) => Encryption::Require,
        _ => return Err("sslmode is none of disable, prefer, require and verify-full".into()),
    };
    Ok((encryption, require_auth))
}

/// `text` without its percent signs.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_other_tools_read_it() {
        let address = Address::parse(
            "postgresql://ada:p%40ss%2F%C3%A9@db.example.com:6432/guests?sslmode=verify-full&sslrootcert=/etc/ca.pem",
        )
        .unwrap();
        assert_eq!(address.hosts, [Host { name: "db.example.com".into(), port: 6432 }]);
        assert_eq!((&*address.user, &**address.password), ("ada", "p@ss/é"));
        assert_eq!(address.database, "guests");
        assert_eq!(address.encryption, Encryption::VerifyFull(Some("/etc/ca.pem".into())));
        let short = Address::parse("postgres://ada@[::1]").unwrap();
        assert_eq!(short.hosts, [Host { name: "::1".into(), port: 5432 }]);
        assert_eq!(short.database, "ada");
        assert_eq!(short.encryption, Encryption::Prefer);
        assert_eq!(short.require_auth, RequireAuth::Unsaid);
        let said = Address::parse("postgres://ada@h/d?require_auth=scram-sha-256%2Cmd5").unwrap();
        assert_eq!(Ok(said.require_auth), RequireAuth::parse("scram-sha-256,md5"));
    }

    #[test]
    fn several_servers_can_be_named() {
        let url = "postgres://ada@one,[::2]:6432,three:7432/d?target_session_attrs=read-write";
        let address = Address::parse(url).unwrap();
        assert_eq!(address.to_string(), "postgres://ada@one:5432,[::2]:6432,three:7432/d");
        assert!(Address::parse("postgres://ada@one,two:x/d").is_err());
        assert!(Address::parse("postgres://ada@one/d?target_session_attrs=any").is_err());
    }

    #[test]
    fn a_replica_is_one_server() {
        assert!(Address::of_replica("postgres://ada@one/d").unwrap().may_follow);
        assert_eq!(Address::of_replica("postgres://ada@one,two/d").unwrap_err(), "name one server");
    }

    #[test]
    fn the_password_is_never_shown() {
        let address = Address::parse("postgres://ada:secret@h/d").unwrap();
        assert_eq!(
            format!("{address} {address:?}"),
            "postgres://ada@h:5432/d Address(postgres://ada@h:5432/d)"
        );
        for wrong in
            ["postgres://:secret@h/d", "postgres://a:secret%@h", "postgres://a:secret@h:x/d"]
        {
            let words = Address::parse(wrong).unwrap_err();
            assert!(!words.contains("secret"), "{words}");
        }
    }

    #[test]
    fn what_is_not_known_is_named() {
        let wrong = |query: &str| Address::parse(&format!("postgres://a@h/d?{query}")).unwrap_err();
        assert!(wrong("sslmod=require").contains("sslmod is none of"));
        assert!(wrong("sslmode=allow").contains("sslmode is none of"));
        assert!(wrong("sslmode=require&sslrootcert=x").contains("needs sslmode=verify-full"));
        assert!(wrong("require_auth=scram").contains("scram-sha-256, md5, password and none"));
    }
}
