//! `experienceAuth` and `experienceUserTokens`.

use super::marks;
use super::password::{self, RightPassword, Weak};
use super::rows;
use super::tokens::{self, Shown, Wanted};
use crate::audit::{Action, Entry};
use crate::directory::groups::forest;
use crate::directory::users::rows as users;
use crate::error::{Error, Result};
use crate::rest::call::Call;
use crate::rest::input::{BodyParam, In, bodies};
use crate::rest::outcome::{Created, Okay};
use crate::rest::route::Routes;
use crate::rows::Tx;
use crate::rows::convert::key;
use crate::rows::tenant::{AuthorizedApp, Tenant};
use crate::tokens::grant::Grant;
use guestlist_api::application::OneApplication;
use guestlist_api::experience_auth::{
    AuthMode, Authenticated, EmailOrId, ExperienceCredentials, ExperienceUserToken,
    ExperienceUserTokenFor, ExperienceUserTokenPost, ExtraData, GroupMembership, OneUserAndGroup,
    TokenOrNone, TokensEnded, VerifiedToken, VerifyToken,
};
use guestlist_api::experience_user::{ExperienceUser, OneExperienceUser};
use guestlist_api::id::ExperienceUserId;
use guestlist_api::scope::Operation;

pub(crate) fn routes() -> [Routes; 5] {
    [
        Routes::at("/applications/{applicationId}/experience/authenticate").post(
            Operation::application("experienceAuth.authenticate").credential(),
            "Sign a user in",
            authenticate,
        ),
        Routes::at("/applications/{applicationId}/experience/verifyToken").post(
            Operation::application("experienceAuth.verifyToken").read(),
            "Tell whether a token of a user is good, and whose it is",
            verify_token,
        ),
        Routes::at("/applications/{applicationId}/experience/users/{experienceUserId}/tokens")
            .post(
                Operation::application("experienceUserTokens.post").credential(),
                "Make a token for a user",
                make_token,
            )
            .delete(
                Operation::application("experienceUserTokens.delete").credential(),
                "End all tokens of a user",
                end_tokens,
            ),
        Routes::at("/applications/{applicationId}/experience/tokens").post(
            Operation::application("experienceUserTokens.postForEmailOrId").credential(),
            "Make a token for a user with this address or id, if there is one",
            make_token_for,
        ),
        Routes::at(
            "/applications/{applicationId}/experience/users/{experienceUserId}/groups/{experienceGroupId}/verify",
        )
        .get(
            Operation::application("experienceAuth.verifyGroup").read(),
            "Tell whether a user is in a group, or in one that this is in",
            verify_group,
        ),
    ]
}

bodies! {
    ExperienceCredentials = "credentials",
    ExperienceUserTokenFor = "experienceUserToken",
    ExperienceUserTokenPost = "experienceUserToken",
    VerifyToken = "token",
}

/// The user `id`, locked; nothing is told of one who is not there.
fn lock(
    tx: &mut Tx<'_>,
    within: AuthorizedApp,
    id: ExperienceUserId,
) -> Result<(Tenant, ExperienceUser)> {
    let tenant = within.require(tx)?;
    match users::lock(tx, tenant, id) {
        Err(Error::NotFound(_)) => Err(Error::BadCredentials),
        user => Ok((tenant, user?)),
    }
}

/// Who somebody is by all that they gave, which has to be of one user.
#[derive(Clone)]
struct Given {
    user: ExperienceUserId,
    email: Option<String>,
    password: Option<RightPassword>,
    token: Option<Shown>,
}

impl Given {
    /// # Errors
    /// [`Error::BadCredentials`], whatever is wrong.
    async fn of(
        call: &Call<Grant>,
        within: AuthorizedApp,
        body: &mut ExperienceCredentials,
    ) -> Result<(Self, Option<Weak>)> {
        let email = body.email.take().map(|email| email.to_string());
        let token = match &body.token {
            Some(token) => tokens::examine(call, within, token).await?,
            None => None,
        };
        if token.is_none() && body.mode != AuthMode::EmailPassword {
            call.log(&Entry::of(Action::UserSignInFailed).to_user(within.id(), None));
            return Err(Error::BadCredentials);
        }
        let (password, weak) = match (body.password.take(), &email) {
            (Some(password), Some(email)) => {
                let client = body.client.as_ref();
                let address = client.and_then(|client| client.address).map(|address| address.0);
                let device = client.and_then(|client| client.device.as_deref());
                let from = (email.as_str(), address, device);
                let (right, weak) = password::check(call, within, from, password.0).await?;
                (Some(right), weak)
            }
            _ => (None, None),
        };
        let of_password = password.as_ref().map(|password| password.user);
        let of_token = token.as_ref().map(|token| token.verified.user);
        let user = of_password.or(of_token).filter(|&user| of_token.is_none_or(|of| of == user));
        let Some(user) = user else {
            call.log(&Entry::of(Action::UserSignInFailed).to_user(within.id(), of_token));
            return Err(Error::BadCredentials);
        };
        Ok((Self { user, email, password, token }, weak))
    }
}

/// What refuses is not told, neither by the answer nor by the work.
async fn authenticate(
    call: Call<Grant>,
    input: In<OneApplication, (), ExperienceCredentials>,
) -> Result<Okay<Authenticated>> {
    let (app, mut body, now) =
        (call.authorized_app(input.path.application_id)?, input.body, call.now);
    let (given, weak) = Given::of(&call, app, &mut body).await?;
    let user = given.user;
    let methods: &[&str] = if given.password.is_some() { &["pwd"] } else { &[] };
    let wanted = Wanted {
        token: body.generate_token.unwrap_or(true),
        max_age: tokens::millis(body.max_age.as_ref()),
        alone: body.invalidate_existing_tokens.unwrap_or(false),
        login: true,
    };
    let request = call.clone();
    let signed_in = call.write_unkept(move |tx| {
        let (tenant, before) = lock(tx, app, given.user)?;
        let cutoffs = rows::cutoffs(tx, tenant, &before)?;
        let is_theirs = given.email.as_ref().is_none_or(|email| key(email) == key(&before.email));
        let is_good = match &given.token {
            // Looking at a password may have taken long.
            Some(token) => token.is_good(cutoffs, now) && token.has_key(tx, tenant)?,
            None => true,
        };
        if !(is_theirs && is_good) {
            return Err(Error::BadCredentials);
        }
        if wanted.alone {
            // But for who signs in now.
            marks::forget(tx, tenant, &before.email)?;
        }
        if let Some(password) = &given.password {
            password.confirm(tx, tenant, now)?;
        }
        request.note(Entry::of(Action::UserSignedIn).to_user(app.id(), Some(before.id)));
        tokens::issue(&request, tx, (app, tenant), (&before, cutoffs), &wanted)
    });
    let signed_in = signed_in.await;
    if matches!(signed_in, Err(Error::BadCredentials)) {
        call.log(&Entry::of(Action::UserSignInFailed).to_user(app.id(), Some(user)));
    }
    let (user, draft) = signed_in?;
    if let Some(weak) = weak {
        weak.strengthen(&call, app);
    }
    let extra = body.extra_data.as_ref();
    let token = draft.map(|draft| draft.sign(&call, &user, (methods, None, extra))).transpose()?;
    let (token, expires) = token.map_or((None, None), |(token, end)| (Some(token), end));
    Okay::plain(&Authenticated { experience_user: user, token, expires })
}

/// The token that `body` asks for, for the user that `find` finds, if it does.
async fn make(
    call: &Call<Grant>,
    app: AuthorizedApp,
    body: ExperienceUserTokenPost,
    find: impl Fn(&mut Tx<'_>, Tenant) -> Result<Option<ExperienceUserId>> + Send + 'static,
) -> Result<Option<ExperienceUserToken>> {
    let wanted = Wanted {
        token: true,
        max_age: tokens::millis(body.max_age.as_ref()),
        alone: body.invalidate_existing_tokens.unwrap_or(false),
        login: body.treat_as_login.unwrap_or(false),
    };
    let request = call.clone();
    let made = call.write_unkept(move |tx| {
        let tenant = app.require(tx)?;
        let Some(id) = find(tx, tenant)? else { return Ok(None) };
        let before = match users::lock(tx, tenant, id) {
            Err(Error::NotFound(_)) => return Ok(None),
            before => before?,
        };
        let cutoffs = rows::cutoffs(tx, tenant, &before)?;
        if wanted.alone {
            marks::forget(tx, tenant, &before.email)?;
        }
        request.note(Entry::of(Action::UserTokenMade).to_user(app.id(), Some(id)));
        tokens::issue(&request, tx, (app, tenant), (&before, cutoffs), &wanted).map(Some)
    });
    let Some((user, draft)) = made.await? else { return Ok(None) };
    let says = (&[][..], body.actor.as_deref(), body.extra_data.as_ref());
    let draft = draft.ok_or_else(|| Error::internal("no token was made"))?;
    let (token, expires) = draft.sign(call, &user, says)?;
    Ok(Some(ExperienceUserToken { token, expires }))
}

async fn make_token(
    call: Call<Grant>,
    input: In<OneExperienceUser, (), ExperienceUserTokenPost>,
) -> Result<Created<ExperienceUserToken>> {
    let (app, id) =
        (call.authorized_app(input.path.application_id)?, input.path.experience_user_id);
    let made = make(&call, app, input.body, move |_, _| Ok(Some(id))).await?;
    Created::plain(&made.ok_or(Error::NotFound("Experience user"))?)
}

async fn make_token_for(
    call: Call<Grant>,
    input: In<OneApplication, (), ExperienceUserTokenFor>,
) -> Result<Okay<TokenOrNone>> {
    let app = call.authorized_app(input.path.application_id)?;
    let (who, body) = input.body.split();
    let find = move |tx: &mut Tx<'_>, tenant| match &who {
        EmailOrId::Id(id) => Ok(Some(*id)),
        EmailOrId::Email(email) => Ok(rows::by_email(tx, tenant, email)?.map(|known| known.user)),
    };
    let made = make(&call, app, body, find).await?;
    let (token, expires) = made.map_or((None, None), |made| (Some(made.token), made.expires));
    Okay::plain(&TokenOrNone { token, expires })
}

async fn end_tokens(call: Call<Grant>, input: In<OneExperienceUser>) -> Result<Okay<TokensEnded>> {
    let (app, id) =
        (call.authorized_app(input.path.application_id)?, input.path.experience_user_id);
    let wanted = Wanted { token: false, max_age: None, alone: true, login: false };
    let request = call.clone();
    call.do_once(move |tx| {
        let (tenant, before) = users::lock_within(tx, app, id)?;
        request.check(&before)?;
        let cutoffs = rows::cutoffs(tx, tenant, &before)?;
        let (after, _) = tokens::issue(&request, tx, (app, tenant), (&before, cutoffs), &wanted)?;
        marks::forget(tx, tenant, &before.email)?;
        request.note(Entry::of(Action::UserTokensEnded).to_user(app.id(), Some(id)));
        let cutoff = after.token_cutoff.unwrap_or(request.now);
        Ok(TokensEnded { success: true, token_cutoff: cutoff }.into())
    })
    .await
}

/// Why a token is not good is not told: whoever shows it is not always whose it is.
async fn verify_token(
    call: Call<Grant>,
    input: In<OneApplication, (), VerifyToken>,
) -> Result<Okay<VerifiedToken>> {
    let (app, body, now) = (call.authorized_app(input.path.application_id)?, input.body, call.now);
    let Some(shown) = tokens::examine(&call, app, &body.token).await? else {
        return Okay::plain(&VerifiedToken::default());
    };
    let id = shown.verified.user;
    let found = call.read(move |tx| {
        let tenant = app.require(tx)?;
        match users::get(tx, tenant, id) {
            Err(Error::NotFound(_)) => Ok(None),
            user => {
                let user = user?;
                let cutoffs = rows::cutoffs(tx, tenant, &user)?;
                Ok(Some((user, cutoffs)))
            }
        }
    });
    let has = |user: &ExperienceUser| {
        body.email.as_ref().is_none_or(|email| key(&email.to_string()) == key(&user.email))
    };
    let found = found.await?.filter(|(user, cutoffs)| shown.is_good(*cutoffs, now) && has(user));
    let Some((user, _)) = found else { return Okay::plain(&VerifiedToken::default()) };
    let claims = shown.verified.claims;
    let extra = claims.get("extraData").and_then(|extra| extra.as_object()).cloned();
    Okay::plain(&VerifiedToken {
        active: true,
        experience_user: Some(user),
        extra_data: extra.map(ExtraData),
        claims: Some(ExtraData(claims)),
    })
}

async fn verify_group(
    call: Call<Grant>,
    input: In<OneUserAndGroup>,
) -> Result<Okay<GroupMembership>> {
    let OneUserAndGroup { application_id, experience_user_id, experience_group_id } = input.path;
    let app = call.authorized_app(application_id)?;
    let found = call.read(move |tx| {
        let user = users::get_within(tx, app, experience_user_id)?;
        let line = forest::ancestry(tx, &app.id().to_string(), Some(experience_group_id))?;
        if line.is_empty() {
            return Err(Error::NotFound("Experience group"));
        }
        let is_in = |id| user.experience_groups.iter().any(|group| group.id == id);
        Ok(line.into_iter().rev().find(|&id| is_in(id)))
    });
    let through = found.await?;
    Okay::plain(&GroupMembership { member: through.is_some(), through })
}
