//! How the users of an application sign in, as its backend asks.

use crate::call::{Action, Call};
use crate::error::Error;
use crate::request::{Reply, Request};
use crate::resource::{Experience, One};
use actions::{
    Authenticate, EndTokens, ListKeys, MakeToken, MakeTokenFor, RotateKey, VerifyGroup,
    VerifyToken, WithdrawKey,
};
use guestlist_api::experience_auth::{
    Authenticated, ExperienceUserToken, GroupMembership, TokenOrNone, TokensEnded, VerifiedToken,
};
use guestlist_api::experience_key::{ExperienceKey, ExperienceKeys};
use guestlist_api::experience_sign_in::ExperienceSignIn;
use guestlist_api::experience_user::ExperienceUser;
use guestlist_api::id::ExperienceGroupId;
use reqwest::Method;
use serde_json::{Map, Value, json};
use std::net::IpAddr;
use std::time::Duration;

/// What is done about the users of an application who sign in, and their tokens.
pub(crate) mod actions {
    /// Signs a user of an application in, and answers an
    /// [`Authenticated`](crate::api::experience_auth::Authenticated).
    #[derive(Debug)]
    pub struct Authenticate(());
    /// Looks at a token of a user, and answers a
    /// [`VerifiedToken`](crate::api::experience_auth::VerifiedToken).
    #[derive(Debug)]
    pub struct VerifyToken(());
    /// Makes a token for a user, and answers an
    /// [`ExperienceUserToken`](crate::api::experience_auth::ExperienceUserToken).
    #[derive(Debug)]
    pub struct MakeToken(());
    /// Makes a token for a user who may not be there, and answers a
    /// [`TokenOrNone`](crate::api::experience_auth::TokenOrNone).
    #[derive(Debug)]
    pub struct MakeTokenFor(());
    /// Ends the tokens of a user, and answers a
    /// [`TokensEnded`](crate::api::experience_auth::TokensEnded).
    #[derive(Debug)]
    pub struct EndTokens(());
    /// Asks whether a user is in a group, and answers a
    /// [`GroupMembership`](crate::api::experience_auth::GroupMembership).
    #[derive(Debug)]
    pub struct VerifyGroup(());
    /// Reads the keys of an application, and answers
    /// [`ExperienceKeys`](crate::api::experience_key::ExperienceKeys).
    #[derive(Debug)]
    pub struct ListKeys(());
    /// Makes the next key of an application, and answers an
    /// [`ExperienceKey`](crate::api::experience_key::ExperienceKey).
    #[derive(Debug)]
    pub struct RotateKey(());
    /// Withdraws a key of an application.
    #[derive(Debug)]
    pub struct WithdrawKey(());
}

impl<C: Clone> Experience<C> {
    fn call<A>(&self, method: Method, what: &str, body: Option<Value>) -> Call<C, A> {
        let request = Request::new(method, format!("{}/{what}", self.path()));
        let request = body.into_iter().fold(request, Request::body);
        Call::new(self.client().clone(), request)
    }

    /// As [`Experience::call`], for a token. A server stores no answer with one, so that it is sent once.
    fn token<A>(&self, what: &str, body: Value) -> Call<C, A> {
        self.call(Method::POST, what, Some(body)).without_idempotency_key()
    }

    /// Signs a user in by an address and a password.
    pub fn authenticate(
        &self,
        email: impl Into<String>,
        password: impl Into<String>,
    ) -> Call<C, Authenticate> {
        let (email, password) = (email.into(), password.into());
        let body = json!({ "mode": "emailPassword", "email": email, "password": password });
        self.token("authenticate", body)
    }

    /// Signs a user in by a token.
    pub fn authenticate_by_token(&self, token: impl Into<String>) -> Call<C, Authenticate> {
        let body = json!({ "mode": "token", "token": token.into() });
        self.token("authenticate", body)
    }

    /// Tells whether a token of a user is good, and whose it is.
    pub fn verify_token(&self, token: impl Into<String>) -> Call<C, VerifyToken> {
        self.call(Method::POST, "verifyToken", Some(json!({ "token": token.into() })))
    }

    /// Makes a token for the user with this address or id, if there is one.
    pub fn make_token_for(&self, email_or_id: impl Into<String>) -> Call<C, MakeTokenFor> {
        self.token("tokens", json!({ "emailOrId": email_or_id.into() }))
    }

    /// What the application offers to the people who sign in to it.
    #[must_use]
    pub fn sign_in(&self) -> One<C, ExperienceSignIn> {
        One::new(self.client().clone(), format!("{}/signIn", self.path()))
    }

    /// Reads the keys that sign the tokens of users.
    pub fn keys(&self) -> Call<C, ListKeys> {
        self.call(Method::GET, "keys", None)
    }

    /// Makes the key that signs after the present one, if there is none yet.
    pub fn rotate_key(&self) -> Call<C, RotateKey> {
        self.call(Method::POST, "keys", Some(json!({})))
    }

    /// Withdraws a key, none of whose tokens is good any more.
    pub fn withdraw_key(&self, kid: &str) -> Call<C, WithdrawKey> {
        self.call(Method::DELETE, &format!("keys/{kid}"), None)
    }
}

impl<C: Clone> One<C, ExperienceUser> {
    /// Makes a token for the user, who need not be there.
    pub fn make_token(&self) -> Call<C, MakeToken> {
        let request = Request::new(Method::POST, format!("{}/tokens", self.path()));
        Call::new(self.client().clone(), request.body(json!({})).without_idempotency_key())
    }

    /// Ends all tokens of the user.
    pub fn end_tokens(&self) -> Call<C, EndTokens> {
        let request = Request::new(Method::DELETE, format!("{}/tokens", self.path()));
        Call::new(self.client().clone(), request)
    }

    /// Tells whether the user is in a group, or in one that this is in.
    pub fn verify_group(&self, group: ExperienceGroupId) -> Call<C, VerifyGroup> {
        let path = format!("{}/groups/{group}/verify", self.path());
        Call::new(self.client().clone(), Request::new(Method::GET, path))
    }
}

macro_rules! answers {
    ($($action:ty: $answer:ty;)*) => {$(
        impl<C> Action<C> for $action {
            type Answer = $answer;
            fn answer(_: C, _: &Request, reply: &Reply) -> Result<$answer, Error> {
                reply.json()
            }
        }
    )*};
}

answers! {
    Authenticate: Authenticated;
    VerifyToken: VerifiedToken;
    MakeToken: ExperienceUserToken;
    MakeTokenFor: TokenOrNone;
    EndTokens: TokensEnded;
    VerifyGroup: GroupMembership;
    ListKeys: ExperienceKeys;
    RotateKey: ExperienceKey;
}

impl<C> Action<C> for WithdrawKey {
    type Answer = ();
    fn answer(_: C, _: &Request, _: &Reply) -> Result<(), Error> {
        Ok(())
    }
}

/// What can be said of a token that is made.
macro_rules! tokens {
    ($($action:ty;)*) => {$(
        impl<C> Call<C, $action> {
            /// How long the new token lasts; for ever, unless said.
            pub fn max_age(self, lasts: Duration) -> Self {
                // A time of less than a millisecond is not none.
                let millis = u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX).max(1);
                self.field("maxAge", millis)
            }

            /// What the new token has in it besides.
            pub fn extra_data(self, extra: Map<String, Value>) -> Self {
                self.field("extraData", extra)
            }

            /// Every token from before is not good any more.
            pub fn invalidate_existing_tokens(self) -> Self {
                self.field("invalidateExistingTokens", true)
            }
        }
    )*};
}

tokens! {
    Authenticate;
    MakeToken;
    MakeTokenFor;
}

macro_rules! for_others {
    ($($action:ty;)*) => {$(
        impl<C> Call<C, $action> {
            /// It counts as a sign-in of the user.
            pub fn treat_as_login(self) -> Self {
                self.field("treatAsLogin", true)
            }

            /// Who acts for the user with it.
            pub fn actor(self, actor: impl Into<String>) -> Self {
                self.field("actor", actor.into())
            }
        }
    )*};
}

for_others! {
    MakeToken;
    MakeTokenFor;
}

impl<C> Call<C, Authenticate> {
    /// From where they sign in, and what their browser is known by, as far as the backend knows.
    pub fn coming_from(self, address: Option<IpAddr>, device: Option<&str>) -> Self {
        let mut client = Map::new();
        client.extend(address.map(|address| ("address".to_owned(), address.to_string().into())));
        client.extend(device.map(|device| ("device".to_owned(), device.into())));
        self.field("client", client)
    }

    /// No new token is answered.
    pub fn without_token(self) -> Self {
        self.field("generateToken", false)
    }

    /// By a token and its user's address, and the password too if there is one: all has to be right.
    pub fn of_user(self, email: impl Into<String>, password: Option<&str>) -> Self {
        let mode = if password.is_some() { "tokenEmailPassword" } else { "tokenEmail" };
        let call = self.field("mode", mode).field("email", email.into());
        match password {
            Some(password) => call.field("password", password),
            None => call,
        }
    }
}

impl<C> Call<C, VerifyToken> {
    /// The address that its user has to have.
    pub fn email(self, email: impl Into<String>) -> Self {
        self.field("email", email.into())
    }
}

impl<C> Call<C, RotateKey> {
    /// It signs at once, as where the present one is known to others.
    pub fn immediately(self) -> Self {
        self.field("immediately", true)
    }
}
