//! Where each resource is, and what its actions answer.

use crate::call::{Action, Call};
use crate::error::Error;
use crate::request::{Reply, Request};
use crate::resource::action::{
    Bootstrap, ChangePassword, DeleteExperience, RefreshToken, SignIn, SsoDomain,
};
use crate::resource::{Experience, Many, One};
use crate::{Client, blocking};
use guestlist_api::administrator::{Administrator, AdministratorSession};
use guestlist_api::api_token::ApiToken;
use guestlist_api::application::Application;
use guestlist_api::experience::ExperienceBootstrapResult;
use guestlist_api::experience_group::ExperienceGroup;
use guestlist_api::experience_user::ExperienceUser;
use guestlist_api::id::{ApiTokenId, ApplicationId, ExperienceGroupId, ExperienceUserId, UserId};
use guestlist_api::user::{AuthedUser, Me};
use reqwest::Method;
use serde_json::{Value, json};

macro_rules! entrances {
    ($client:ty) => {
        impl $client {
            /// All that an application has for its end users.
            #[must_use]
            pub fn experience(&self, of: ApplicationId) -> Experience<Self> {
                Experience::new(self.clone(), format!("/applications/{of}/experience"))
            }

            /// One user of an application.
            #[must_use]
            pub fn experience_user(
                &self,
                application: ApplicationId,
                user: ExperienceUserId,
            ) -> One<Self, ExperienceUser> {
                let path = format!("/applications/{application}/experience/users/{user}");
                One::new(self.clone(), path)
            }

            /// The users of an application.
            #[must_use]
            pub fn experience_users(&self, of: ApplicationId) -> Many<Self, ExperienceUser> {
                Many::new(self.clone(), format!("/applications/{of}/experience/users"))
            }

            /// One group of an application.
            #[must_use]
            pub fn experience_group(
                &self,
                application: ApplicationId,
                group: ExperienceGroupId,
            ) -> One<Self, ExperienceGroup> {
                let path = format!("/applications/{application}/experience/groups/{group}");
                One::new(self.clone(), path)
            }

            /// The groups of an application.
            #[must_use]
            pub fn experience_groups(&self, of: ApplicationId) -> Many<Self, ExperienceGroup> {
                Many::new(self.clone(), format!("/applications/{of}/experience/groups"))
            }

            /// One application.
            #[must_use]
            pub fn application(&self, application: ApplicationId) -> One<Self, Application> {
                One::new(self.clone(), format!("/applications/{application}"))
            }

            /// The applications.
            #[must_use]
            pub fn applications(&self) -> Many<Self, Application> {
                Many::new(self.clone(), "/applications".into())
            }

            /// One API token of an application.
            #[must_use]
            pub fn application_api_token(
                &self,
                application: ApplicationId,
                token: ApiTokenId,
            ) -> One<Self, ApiToken> {
                One::new(self.clone(), format!("/applications/{application}/tokens/{token}"))
            }

            /// The API tokens of an application.
            #[must_use]
            pub fn application_api_tokens(&self, of: ApplicationId) -> Many<Self, ApiToken> {
                Many::new(self.clone(), format!("/applications/{of}/tokens"))
            }

            /// One API token of the administrator who asks.
            #[must_use]
            pub fn user_api_token(&self, token: ApiTokenId) -> One<Self, ApiToken> {
                One::new(self.clone(), format!("/me/tokens/{token}"))
            }

            /// The API tokens of the administrator who asks.
            #[must_use]
            pub fn user_api_tokens(&self) -> Many<Self, ApiToken> {
                Many::new(self.clone(), "/me/tokens".into())
            }

            /// One administrator of the server. They are made on its command line.
            #[must_use]
            pub fn administrator(&self, administrator: UserId) -> One<Self, Administrator> {
                One::new(self.clone(), format!("/administrators/{administrator}"))
            }

            /// The administrators of the server.
            #[must_use]
            pub fn administrators(&self) -> Many<Self, Administrator> {
                Many::new(self.clone(), "/administrators".into())
            }

            /// One session of an administrator.
            #[must_use]
            pub fn administrator_session(
                &self,
                administrator: UserId,
                session: ApiTokenId,
            ) -> One<Self, AdministratorSession> {
                let path = format!("/administrators/{administrator}/sessions/{session}");
                One::new(self.clone(), path)
            }

            /// The sessions of an administrator.
            #[must_use]
            pub fn administrator_sessions(&self, of: UserId) -> Many<Self, AdministratorSession> {
                Many::new(self.clone(), format!("/administrators/{of}/sessions"))
            }

            /// The administrator who asks.
            #[must_use]
            pub fn me(&self) -> One<Self, Me> {
                One::new(self.clone(), "/me".into())
            }

            /// Signs an administrator in. It is sent once: each answer is a session of its own.
            pub fn sign_in(
                &self,
                email: impl Into<String>,
                password: impl Into<String>,
            ) -> Call<Self, SignIn> {
                let body = json!({ "email": email.into(), "password": password.into() });
                let request = Request::new(Method::POST, "/auth/user").body(body);
                Call::new(self.clone(), request.without_idempotency_key())
            }

            /// Asks where the person with this address signs in, if it is elsewhere.
            pub fn sso_domain(&self, email: impl Into<String>) -> Call<Self, SsoDomain> {
                let request = Request::new(Method::GET, "/auth/ssoDomain");
                Call::new(self.clone(), request.query("email", email))
            }
        }
    };
}

entrances!(Client);
entrances!(blocking::Client);

impl<C: Clone> One<C, Me> {
    /// Changes the password, and begins a new session.
    pub fn change_password(
        &self,
        present: impl Into<String>,
        new: impl Into<String>,
    ) -> Call<C, ChangePassword> {
        let body = json!({ "password": present.into(), "newPassword": new.into() });
        let request = Request::new(Method::PATCH, "/me/changePassword").body(body);
        Call::new(self.client().clone(), request)
    }

    /// Begins another session like the one of the token: of the same scopes, and for as long again.
    /// The token goes on until its own end. An API token is answered as it is.
    pub fn refresh_token(&self) -> Call<C, RefreshToken> {
        Call::new(self.client().clone(), Request::new(Method::GET, "/me/refreshToken"))
    }
}

impl<C> Action<C> for SignIn {
    type Answer = AuthedUser;
    fn answer(_: C, _: &Request, reply: &Reply) -> Result<AuthedUser, Error> {
        reply.json()
    }
}

impl<C> Action<C> for ChangePassword {
    type Answer = AuthedUser;
    fn answer(_: C, _: &Request, reply: &Reply) -> Result<AuthedUser, Error> {
        reply.json()
    }
}

impl<C> Action<C> for RefreshToken {
    type Answer = AuthedUser;
    fn answer(_: C, _: &Request, reply: &Reply) -> Result<AuthedUser, Error> {
        reply.json()
    }
}

impl<C> Action<C> for Bootstrap {
    type Answer = ExperienceBootstrapResult;
    fn answer(_: C, _: &Request, reply: &Reply) -> Result<ExperienceBootstrapResult, Error> {
        reply.json()
    }
}

impl<C> Action<C> for DeleteExperience {
    type Answer = ();
    fn answer(_: C, _: &Request, _: &Reply) -> Result<(), Error> {
        Ok(())
    }
}

impl<C> Action<C> for SsoDomain {
    type Answer = Option<Value>;
    fn answer(_: C, _: &Request, reply: &Reply) -> Result<Option<Value>, Error> {
        reply.json()
    }
}
