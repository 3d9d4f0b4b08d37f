//! What the log has of credentials: one event for each thing that is done to one. Its name is one of
//! [`Action::ALL`], and `docs/reference/log.md` has a line for each. It says who did what to whom by
//! ids; no address of a person, no password and no token is in it.
//!
//! A handler notes what it does inside its transaction (`Call::note`), and it is
//! logged when that is committed.

use crate::tokens::rows::Principal;
use guestlist_api::id::{ApiTokenId, ApplicationId, ExperienceUserId, UserId};
use std::fmt;
use std::net::IpAddr;

/// The target of all these events.
pub const TARGET: &str = "guestlist::audit";

macro_rules! actions {
    ($($(#[$doc:meta])* $action:ident $name:literal,)*) => {
        /// What was done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Action {
            $($(#[$doc])* $action,)*
        }

        impl Action {
            /// All that there are.
            pub const ALL: &[Self] = &[$(Self::$action),*];

            /// How the log calls it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$action => $name,)*
                }
            }
        }
    };
}

actions! {
    /// An administrator signed in.
    SignedIn "sign_in.succeeded",
    /// An address or a password was wrong, or its administrator is disabled.
    SignInFailed "sign_in.failed",
    /// Somebody has to wait, because too many failed.
    SignInThrottled "sign_in.throttled",
    /// Somebody with a token of an administrator gave a wrong present password.
    PasswordRefused "password.refused",
    /// The same has to wait.
    PasswordThrottled "password.throttled",
    /// An administrator changed their own password.
    PasswordChanged "password.changed",
    /// An administrator was given a new password by another.
    PasswordReset "password.reset",
    /// An administrator changed the address that they sign in with.
    AddressChanged "address.changed",
    /// There is a new administrator.
    AdministratorMade "administrator.made",
    /// An administrator may do nothing any more.
    AdministratorDisabled "administrator.disabled",
    /// An administrator may do things again.
    AdministratorEnabled "administrator.enabled",
    /// An administrator is gone.
    AdministratorRemoved "administrator.removed",
    /// A session goes on in a new one.
    SessionBegun "session.begun",
    /// A session was ended.
    SessionEnded "session.ended",
    /// All sessions of an administrator were ended.
    SessionsEnded "sessions.ended",
    /// All sessions and API tokens of an administrator from before a moment were ended.
    CutOff "credentials.cut_off",
    /// There is a new API token.
    TokenMade "token.made",
    /// An API token was switched on.
    TokenActivated "token.activated",
    /// An API token was switched off.
    TokenDeactivated "token.deactivated",
    /// An API token is gone.
    TokenRevoked "token.revoked",
    /// An API token is gone, and with it what it made, what that made, and so on.
    TokenRevokedWithChildren "token.revoked_with_children",
    /// The API tokens of an administrator were switched off.
    TokensDeactivated "tokens.deactivated",
    /// A user of an application signed in.
    UserSignedIn "user_sign_in.succeeded",
    /// What a user of an application gave to sign in was wrong.
    UserSignInFailed "user_sign_in.failed",
    /// Whoever says that they are a user has to wait, because too many failed.
    UserSignInThrottled "user_sign_in.throttled",
    /// There is a new token for a user of an application, who need not be there.
    UserTokenMade "user_token.made",
    /// All tokens of a user of an application have ended.
    UserTokensEnded "user_tokens.ended",
    /// There is a new key for the tokens of the users of an application.
    UserKeyMade "user_key.made",
    /// A key of an application is gone, and all tokens that it has signed.
    UserKeyWithdrawn "user_key.withdrawn",
    /// What an application offers to people who sign in to it is another.
    SignInChanged "sign_in_settings.changed",
    /// A link was made for a user of an application, or for somebody who is to become one.
    UserLinkMade "user_link.made",
    /// An invitation was taken back.
    UserLinkRevoked "user_link.revoked",
    /// A link was used by a user of an application.
    UserLinkUsed "user_link.used",
    /// Somebody wanted to use a link that is not good.
    UserLinkRefused "user_link.refused",
    /// There is a new signing key.
    KeyMade "key.made",
    /// A signing key is gone.
    KeyRetired "key.retired",
}

/// Something that was done, and to what.
#[derive(Debug, Clone)]
pub struct Entry {
    action: Action,
    administrator: Option<UserId>,
    application: Option<ApplicationId>,
    user: Option<ExperienceUserId>,
    token: Option<ApiTokenId>,
    key: Option<String>,
}

impl Entry {
    /// `action`, to nobody that is known yet.
    #[must_use]
    pub const fn of(action: Action) -> Self {
        Self { action, administrator: None, application: None, user: None, token: None, key: None }
    }

    /// How the log calls what was done.
    pub(crate) const fn event(&self) -> &'static str {
        self.action.name()
    }

    /// To whom.
    #[must_use]
    pub fn to(self, owner: Principal) -> Self {
        match owner {
            Principal::User(user) => Self { administrator: Some(user), ..self },
            Principal::Application(application) => Self { application: Some(application), ..self },
        }
    }

    /// To an administrator.
    #[must_use]
    pub fn to_administrator(self, user: UserId) -> Self {
        self.to(Principal::User(user))
    }

    /// To a user of an application, if it is known whom.
    #[must_use]
    pub fn to_user(self, application: ApplicationId, user: Option<ExperienceUserId>) -> Self {
        Self { application: Some(application), user, ..self }
    }

    /// To which token or session.
    #[must_use]
    pub fn token(self, token: ApiTokenId) -> Self {
        Self { token: Some(token), ..self }
    }

    /// To which signing key.
    #[must_use]
    pub fn key(self, kid: String) -> Self {
        Self { key: Some(kid), ..self }
    }

    /// Logs that it was done `by` somebody.
    pub fn log(&self, by: &By<'_>) {
        let Self { action, administrator, application, user, token, key } = self;
        // What is not known is left out.
        tracing::info!(
            target: TARGET,
            event = action.name(),
            administrator = told(*administrator).as_deref(),
            application = told(*application).as_deref(),
            user = told(*user).as_deref(),
            token = told(*token).as_deref(),
            key = key.as_deref(),
            by = by.who.map_or_else(|| by.otherwise.to_owned(), |who| name(&who)),
            with = told(by.token).as_deref(),
            operation = by.operation,
            request_id = by.request_id,
            peer = told(by.peer).as_deref(),
            outcome = by.unknown.then_some("unknown"),
            "audit"
        );
    }
}

/// Who did something.
#[derive(Debug, Clone, Copy, Default)]
pub struct By<'a> {
    /// Whom their token speaks for.
    pub who: Option<Principal>,
    /// What they are if they showed none.
    pub otherwise: &'a str,
    /// Their token.
    pub token: Option<ApiTokenId>,
    /// What they asked for.
    pub operation: Option<&'a str>,
    /// The name of the request.
    pub request_id: Option<&'a str>,
    /// Where it came from.
    pub peer: Option<IpAddr>,
    /// Whether nobody knows if it was done, as the store was lost in the commit.
    pub unknown: bool,
}

impl By<'_> {
    /// Whoever has the store.
    pub const OPERATOR: Self = Self {
        who: None,
        otherwise: "operator",
        token: None,
        operation: None,
        request_id: None,
        peer: None,
        unknown: false,
    };
}

fn told(what: Option<impl fmt::Display>) -> Option<String> {
    what.map(|what| what.to_string())
}

fn name(who: &Principal) -> String {
    match who {
        Principal::User(user) => format!("administrator {user}"),
        Principal::Application(application) => format!("application {application}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::guide;
    use std::collections::BTreeSet;

    #[test]
    fn each_name_has_a_line_of_the_field_guide() {
        let guide = include_str!("../../../docs/reference/log.md");
        let (_, table) = guide.split_once("| `event` |").unwrap();
        let lines = table.lines().skip(2).take_while(|line| line.starts_with('|'));
        let told: Vec<_> = lines.filter_map(|line| line.split('`').nth(1)).collect();
        let names: Vec<_> = Action::ALL.iter().map(|action| action.name()).collect();
        assert_eq!(told, names);
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }

    #[test]
    fn the_fields_of_a_credential_are_those_of_the_field_guide() {
        let events = guide::events(|| Entry::of(Action::KeyMade).log(&By::OPERATOR));
        let mut told = guide::fields("Credentials");
        told.insert(0, "event".into());
        assert_eq!(events[0].names, told);
    }
}
