//! The client for programs that are asynchronous.

use crate::config::Config;
use crate::error::Error;
use crate::proxy;
use crate::request::{Key, Reply, Request};
use crate::retry::{Retries, new_key, retry_after};
use crate::token::Token;
use bytes::{Bytes, BytesMut};
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Response, StatusCode, Url};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The version of the platform's API that this client was written for. Guestlist takes any.
const ACCEPT_VERSION: HeaderValue = HeaderValue::from_static("^1.30.0");

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// More than any answer has, and little enough to be held.
const LARGEST_REPLY: usize = 64 << 20;

/// Connections that have done nothing for so long are closed; servers close them after 60 s.
const IDLE: Duration = Duration::from_secs(30);

/// The longest that connecting may take: who does not answer by then is not there.
const CONNECT: Duration = Duration::from_secs(10);

/// A client of one server. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    core: Core,
}

impl Client {
    /// A client that does as `config` says. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Config`] if the URL or the token cannot be used.
    pub fn new(config: Config) -> Result<Self, Error> {
        let core = Core::new(config)?;
        Ok(Self { http: core.connect()?, core })
    }

    /// The same, but with another token. They share connections.
    ///
    /// # Errors
    /// [`Error::Config`] if the token cannot be sent.
    pub fn with_token(&self, token: &Token) -> Result<Self, Error> {
        Ok(Self { http: self.http.clone(), core: self.core.with_token(token)? })
    }

    /// Sends `request`, again if it is safe and may help, and waits for the whole answer.
    ///
    /// # Errors
    /// Each [`Error`]: what the last attempt ended in.
    pub async fn send(&self, request: &Request) -> Result<Reply, Error> {
        self.core.send(&self.http, request).await
    }

    /// The proxy that is asked in place of the server, if the environment names one for it
    /// (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`); never for a loopback address.
    #[must_use]
    pub fn proxy(&self) -> Option<&str> {
        self.core.settings.proxy.as_deref()
    }

    /// Where `request` would go.
    ///
    /// # Errors
    /// [`Error::Config`] if its path cannot be used.
    pub fn url(&self, request: &Request) -> Result<String, Error> {
        self.core.url(request).map(String::from)
    }
}

/// What a client knows, apart from its connections.
#[derive(Debug, Clone)]
pub(crate) struct Core {
    settings: Arc<Settings>,
    authorization: Option<HeaderValue>,
}

#[derive(Debug)]
struct Settings {
    url: String,
    timeout: Duration,
    retries: Retries,
    user_agent: HeaderValue,
    /// Which proxy the environment names for the server.
    proxy: Option<String>,
    any_certificate: bool,
}

/// A request in the form that each attempt sends.
struct Prepared {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Bytes>,
    repeatable: bool,
}

impl Core {
    pub(crate) fn new(config: Config) -> Result<Self, Error> {
        let Config { url, token, timeout, retries, user_agent, any_certificate } = config;
        let bad =
            || Error::Config(format!("{url:?} is not a URL such as https://guests.example.com"));
        let parsed = Url::parse(&url).map_err(|_| bad())?;
        let plain = parsed.query().is_none() && parsed.fragment().is_none();
        if !matches!(parsed.scheme(), "http" | "https") || !parsed.has_host() || !plain {
            return Err(bad());
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            // It would be sent, and shown in errors, beside the token.
            return Err(Error::Config("the URL must not hold a name or a password".into()));
        }
        let proxy = proxy::of(&parsed);
        let url = parsed.as_str().trim_end_matches('/').to_owned();
        let user_agent = HeaderValue::try_from(user_agent)
            .map_err(|_| Error::Config("the user agent is not fit for a header".into()))?;
        let settings = Settings { url, timeout, retries, user_agent, proxy, any_certificate };
        let settings = Arc::new(settings);
        let core = Self { settings, authorization: None };
        match token {
            Some(token) => core.with_token(&token),
            None => Ok(core),
        }
    }

    pub(crate) fn with_token(&self, token: &Token) -> Result<Self, Error> {
        if self.settings.any_certificate {
            return Err(Error::Config("a token is not for whoever shows any certificate".into()));
        }
        let bad = || Error::Config("the token is empty or not fit for a header".into());
        let authorization = Some(token.header().ok_or_else(bad)?);
        Ok(Self { settings: Arc::clone(&self.settings), authorization })
    }

    /// A pool of connections, without one yet.
    pub(crate) fn connect(&self) -> Result<reqwest::Client, Error> {
        let builder = reqwest::Client::builder()
            // A token goes where it was sent, and nowhere else.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .pool_idle_timeout(IDLE)
            .connect_timeout(CONNECT.min(self.settings.timeout));
        // Named or not: what names a proxy for everything does not mean this machine.
        let builder = if self.settings.proxy.is_none() { builder.no_proxy() } else { builder };
        // Reading the certificates of the system takes a while, and not every system has any.
        let builder = if self.settings.any_certificate {
            builder.tls_certs_only([]).tls_danger_accept_invalid_certs(true)
        } else if self.settings.url.starts_with("http:") {
            builder.tls_certs_only([])
        } else {
            builder
        };
        builder.build().map_err(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            Error::Config(format!("cannot begin: {}", cause.unwrap_or_else(|| error.to_string())))
        })
    }

    pub(crate) async fn send(
        &self,
        http: &reqwest::Client,
        request: &Request,
    ) -> Result<Reply, Error> {
        let prepared = self.prepare(request)?;
        let Settings { timeout, retries, .. } = *self.settings;
        let (begun, mut attempt, mut limit) = (Instant::now(), 1, timeout);
        loop {
            let answered = tokio::time::timeout(limit, once(http, &prepared)).await;
            let error = match answered.unwrap_or(Err(Error::Timeout(limit))) {
                Ok(reply) => return Ok(reply),
                Err(Error::Transport(broken)) => {
                    Error::Transport(broken.through(self.settings.proxy.as_deref()))
                }
                Err(error) => error,
            };
            let left = retries.total.saturating_sub(begun.elapsed());
            match retries.pause(attempt, &error, prepared.repeatable, left) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(error),
            }
            attempt += 1;
            limit = retries.total.saturating_sub(begun.elapsed()).min(timeout);
        }
    }

    fn url(&self, request: &Request) -> Result<Url, Error> {
        let bad = || Error::Config(format!("the path of {request:?} cannot be used"));
        if !request.path.starts_with('/') {
            return Err(bad());
        }
        let url = format!("{}{}", self.settings.url, request.path);
        let mut url = Url::parse(&url).map_err(|_| bad())?;
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        Ok(url)
    }

    fn prepare(&self, request: &Request) -> Result<Prepared, Error> {
        let bad = |what: &str| Error::Config(format!("{what} of {request:?} cannot be used"));
        let url = self.url(request)?;
        let mut headers = self.headers(request.body.is_some());
        for (name, value) in &request.headers {
            let name = HeaderName::try_from(name).map_err(|_| bad("a header"))?;
            headers.insert(name, HeaderValue::try_from(value).map_err(|_| bad("a header"))?);
        }
        let reads = matches!(request.method, Method::GET | Method::HEAD | Method::OPTIONS);
        let retries = &self.settings.retries;
        let key = match &request.key {
            Key::Given(key) => Some(key.clone()),
            // Without a second attempt, a key would only cost the server a record.
            Key::Automatic if !reads && retries.writes && retries.attempts > 1 => new_key(),
            Key::Automatic | Key::None => None,
        };
        if let Some(key) = key
            && !headers.contains_key(&IDEMPOTENCY_KEY)
        {
            let key = HeaderValue::try_from(key).map_err(|_| bad("the idempotency key"))?;
            headers.insert(IDEMPOTENCY_KEY, key);
        }
        let repeatable = reads || retries.writes && headers.contains_key(&IDEMPOTENCY_KEY);
        let body = request.body.as_ref().map(serde_json::to_vec).transpose();
        let body = body.map_err(|error| Error::Body(error.to_string()))?.map(Bytes::from);
        Ok(Prepared { method: request.method.clone(), url, headers, body, repeatable })
    }

    /// The headers that every request has.
    fn headers(&self, body: bool) -> HeaderMap {
        const JSON: HeaderValue = HeaderValue::from_static("application/json");
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(header::ACCEPT, JSON);
        headers.insert(HeaderName::from_static("accept-version"), ACCEPT_VERSION);
        headers.insert(header::USER_AGENT, self.settings.user_agent.clone());
        if body {
            headers.insert(header::CONTENT_TYPE, JSON);
        }
        if let Some(authorization) = &self.authorization {
            headers.insert(header::AUTHORIZATION, authorization.clone());
        }
        headers
    }
}

/// One attempt.
async fn once(http: &reqwest::Client, prepared: &Prepared) -> Result<Reply, Error> {
    let mut request = http
        .request(prepared.method.clone(), prepared.url.clone())
        .headers(prepared.headers.clone());
    if let Some(body) = &prepared.body {
        request = request.body(body.clone());
    }
    let mut response = request.send().await?;
    let body = read(&mut response).await?;
    let status = response.status();
    let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    if status.is_success() || status == StatusCode::NOT_MODIFIED {
        let etag = text(header::ETAG).map(str::to_owned);
        return Ok(Reply { status: status.as_u16(), etag, body });
    }
    let wait = text(header::RETRY_AFTER).and_then(|said| retry_after(said, text(header::DATE)));
    Err(Error::refused(status, body, wait))
}

/// The body of `response`, all of it.
async fn read(response: &mut Response) -> Result<Bytes, Error> {
    let first = response.chunk().await?.unwrap_or_default();
    let Some(second) = response.chunk().await? else { return Ok(first) };
    let mut whole = BytesMut::from(first);
    let mut next = Some(second);
    while let Some(chunk) = next {
        if whole.len() + chunk.len() > LARGEST_REPLY {
            let most = LARGEST_REPLY >> 20;
            return Err(Error::Body(format!("the answer is larger than {most} MiB")));
        }
        whole.extend_from_slice(&chunk);
        next = response.chunk().await?;
    }
    Ok(whole.freeze())
}
