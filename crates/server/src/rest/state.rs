//! What handlers see of the server: what it stands on, who it is, and what it offers.

use super::answer_budget::AnswerBudget;
use super::cursor;
use super::grant_cache::GrantCache;
use super::meter::Meter;
use super::resource::ResourceRoute;
use super::response_cache::ResponseCache;
use crate::auth::breached::Breached;
use crate::auth::experience_token;
use crate::auth::hasher::Hasher;
use crate::auth::keys;
use crate::auth::seal::Seal;
use crate::auth::token::{Claims, Signer, Subtype, Token};
use crate::clock::{Clock, Ids};
use crate::error::{Error, Result};
use crate::http::allowance::Allowances;
use crate::links::secret;
use crate::mail::Mail;
use crate::rows::settings;
use crate::store::Store;
use crate::work::Worker;
use bytes::Bytes;
use guestlist_api::api_token::ApiToken;
use guestlist_api::id::{ExperienceUserId, ObjectId, OrgId};
use guestlist_api::scope::Operation;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// The state that all requests share.
pub struct App {
    /// The database.
    pub store: Store,
    /// Where passwords are hashed.
    pub hasher: Hasher,
    /// What tokens are signed with.
    pub signer: Signer,
    /// The time.
    pub clock: Clock,
    /// New identifiers.
    pub ids: Ids,
    /// What cursors are sealed with.
    pub(crate) seal: Seal,
    /// What the keys of applications are made with.
    pub(crate) experience_seal: Seal,
    /// What the secrets of links are made with.
    pub(crate) link_seal: Seal,
    /// What mails are sent with.
    pub mail: Mail,
    /// Whoever does what is to be done beside requests.
    pub(crate) worker: Worker,
    /// The organization that this server is.
    pub organization: OrgId,
    /// The `iss` of tokens: the host by which clients reach this server.
    pub issuer: String,
    /// The URL by which they do.
    pub public_url: String,
    /// Whether people may be sent there: whoever runs the server has said so.
    pub public_url_is_for_people: bool,
    /// Passwords that others have lost, if there is a list of them.
    pub breached: Option<Breached>,
    /// How long a session lasts at most after the password was given for it.
    pub max_session: Option<Duration>,
    pub(crate) grants: GrantCache,
    pub(crate) responses: ResponseCache,
    /// Sign-ins that failed, for whichever accounts.
    pub(crate) sign_in_failures: Allowances,
    /// What strangers were refused by a look.
    pub(crate) refusals: Allowances,
    /// Mails that people asked for.
    pub(crate) mail_requests: Allowances,
    pub(crate) answers: AnswerBudget,
    /// Where it is counted what caches save and what is done to credentials, if somebody wants to know.
    pub(crate) meter: Option<Arc<Meter>>,
    pub(crate) catalog: Catalog,
}

/// Passwords that a network may try at many accounts, twenty at fifteen of them, before it has to wait; and
/// then one each two seconds.
const SIGN_INS: (u32, Duration) = (300, Duration::from_secs(2));
/// Requests that those of a network may be refused by a look, for a bad token, none, or a path that leads
/// nowhere, before they are answered later; and then 200 a second, which takes some hundredths of a core.
const REFUSALS: (u32, Duration) = (1000, Duration::from_millis(5));

/// Mails that a network may ask for, at whichever addresses, before no more are sent; and then one each half minute.
const MAILS: (u32, Duration) = (30, Duration::from_secs(30));

/// What the route table offers, as far as handlers ask.
pub(crate) struct Catalog {
    /// Every operation.
    pub(crate) operations: Vec<Operation>,
    /// What can be done with each resource, in the order of the names of the actions.
    pub(crate) routes: HashMap<&'static str, Vec<ResourceRoute>>,
    /// The path of each resource that is not open to anybody.
    pub(crate) paths: BTreeMap<&'static str, &'static str>,
    /// The OpenAPI document.
    pub(crate) openapi: Bytes,
}

/// The identity of a store: made with it. All that changes is which keys sign.
struct Identity {
    /// What tokens are signed with.
    signer: Signer,
    /// What cursors are sealed with.
    seal: Seal,
    /// What the keys of applications are made with.
    experience_seal: Seal,
    /// What the secrets of links are made with.
    link_seal: Seal,
    /// The organization that the server is.
    organization: OrgId,
}

impl Identity {
    /// The identity of `store`.
    ///
    /// # Errors
    /// When the store fails.
    async fn of(store: &Store, ids: &Ids, clock: &Clock) -> Result<Self> {
        let organization = ids.next(clock.now()).to_string();
        let made = Signer::generate()?.1;
        let (first, all, organization) = store
            .write(move |tx| {
                let first = keys::first(tx, &made)?;
                let new = || Ok(organization.clone().into_bytes());
                Ok((first, keys::load(tx)?, settings::get_or_make(tx, "organization", new)?))
            })
            .await?;
        let organization: ObjectId = String::from_utf8(organization)
            .map_err(Error::internal)?
            .parse()
            .map_err(Error::internal)?;
        let seal = Seal::new(first.expose(), cursor::PURPOSE)?;
        let experience_seal = Seal::new(first.expose(), experience_token::PURPOSE)?;
        let link_seal = Seal::new(first.expose(), secret::PURPOSE)?;
        let signer = Signer::of(&all)?;
        let organization = OrgId(organization);
        Ok(Self { signer, seal, experience_seal, link_seal, organization })
    }
}

/// What the state of a service is made of.
pub struct AppParts {
    /// The database.
    pub store: Store,
    /// Where passwords are hashed.
    pub hasher: Hasher,
    /// The time.
    pub clock: Clock,
    /// The `iss` of tokens: the host by which clients reach this server.
    pub issuer: String,
    /// The URL by which they do.
    pub public_url: String,
    /// Whether people may be sent there: whoever runs the server has said so.
    pub public_url_is_for_people: bool,
    /// Passwords that others have lost, if there is a list of them.
    pub breached: Option<Breached>,
    /// What mails are sent with.
    pub mail: Mail,
    /// How long a session lasts at most after the password was given for it.
    pub max_session: Option<Duration>,
    /// Where it is counted what caches save and what is done to credentials, if somebody wants to know.
    pub meter: Option<Arc<Meter>>,
}

impl App {
    /// Puts the state together, of a service that offers what `catalog` says.
    ///
    /// # Errors
    /// When the store fails, or the hasher is a cheap one and the store is not ephemeral.
    pub(crate) async fn new(parts: AppParts, catalog: Catalog) -> Result<Arc<Self>> {
        let AppParts {
            store,
            hasher,
            clock,
            issuer,
            public_url,
            public_url_is_for_people,
            breached,
            mail,
            max_session,
            meter,
        } = parts;
        if hasher.is_cheap() && !store.is_ephemeral() {
            return Err(Error::internal("a store that is kept needs hashes that cost something"));
        }
        let ids = Ids::new()?;
        let Identity { signer, seal, experience_seal, link_seal, organization } =
            Identity::of(&store, &ids, &clock).await?;
        Ok(Arc::new(Self {
            store,
            hasher,
            signer,
            clock,
            ids,
            seal,
            experience_seal,
            link_seal,
            mail,
            worker: Worker::default(),
            organization,
            issuer,
            public_url,
            public_url_is_for_people,
            breached,
            max_session,
            grants: GrantCache::default(),
            responses: ResponseCache::default(),
            sign_in_failures: Allowances::new(SIGN_INS.0, SIGN_INS.1),
            refusals: Allowances::new(REFUSALS.0, REFUSALS.1),
            mail_requests: Allowances::new(MAILS.0, MAILS.1),
            answers: AnswerBudget::default(),
            meter,
            catalog,
        }))
    }

    /// What can be done with a resource, in the order of the names of the actions.
    pub(crate) fn routes_of(&self, resource: &str) -> &[ResourceRoute] {
        self.catalog.routes.get(resource).map(Vec::as_slice).unwrap_or_default()
    }

    /// The token that `record` is the record of.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn mint(&self, record: &ApiToken, session: bool) -> Result<Token> {
        let claims = Claims {
            issuer: &self.issuer,
            id: record.id,
            subtype: if session { Subtype::User } else { Subtype::ApiToken },
            scope: &record.scope,
            issued: record.creation_date,
            expires: record.expiration_date,
        };
        self.signer.mint(&claims, self.clock.now())
    }

    /// `body`, a JSON object, with the token of `record` as the last of its own fields. The token
    /// is never stored: the same record gives the same token again, or a newer key's.
    pub(crate) fn with_token(
        &self,
        body: &[u8],
        record: &ApiToken,
        session: bool,
    ) -> Result<Vec<u8>> {
        with_field(body, "token", self.mint(record, session)?.expose())
    }

    /// `body`, a JSON object, with the password that `user` was made with as the last of its own
    /// fields. It is never stored, either.
    pub(crate) fn with_password(&self, body: &[u8], user: ExperienceUserId) -> Result<Vec<u8>> {
        with_field(body, "password", &self.signer.first_password(user)?)
    }
}

/// `body`, a JSON object, with one more of its own fields.
fn with_field(body: &[u8], name: &str, text: &str) -> Result<Vec<u8>> {
    let mut fields: Map<String, Value> = serde_json::from_slice(body).map_err(Error::internal)?;
    let end = fields.keys().position(|name| name.starts_with('_')).unwrap_or(fields.len());
    fields.shift_insert(end, name.into(), text.into());
    serde_json::to_vec(&fields).map_err(Error::internal)
}
