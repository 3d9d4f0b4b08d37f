//! One connection: what is to be sent, and what has been sent and is not yet answered.

use super::address::{Address, Encryption, Host};
use super::patience::{Patience, SessionKey};
use super::require_auth::Method;
use super::socket::{CONNECTING, Socket};
use super::statements::{Encoded, Statements};
use super::wire::{self, ColumnOf, Refusal, malformed};
use crate::value::Param;
use bytes::BytesMut;
use fallible_iterator::FallibleIterator as _;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{
    ChannelBinding, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, ScramSha256,
};
use postgres_protocol::message::backend::{DataRowBody, Message};
use postgres_protocol::message::frontend;
use std::io::{self, Error, ErrorKind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Bytes that may be on their way at once, both ways: below what sockets hold, so that neither side
/// waits for the other to read.
pub(super) const ON_THE_WAY: usize = 8 * 1024;

/// Why a connection did not do what it was asked.
#[derive(Debug)]
pub(super) enum Failure {
    /// It is of no more use.
    Lost(Error),
    /// The server said no.
    Refused(Refusal),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Lost(error)
    }
}

pub(super) type ConnectionResult<T> = Result<T, Failure>;

/// A connection that is ready for statements.
pub(super) struct Connection {
    socket: Socket,
    pub(super) patience: Patience,
    out: BytesMut,
    read: BytesMut,
    chunk: Box<[u8]>,
    statements: Statements,
    /// How often it was asked to say that it is ready, and how often it has.
    syncs: u64,
    ready: u64,
    /// Whether it is of no more use.
    given_up: bool,
    /// Whether the server only follows another.
    is_standby: bool,
    /// Whether the server has warned of something.
    warned: bool,
}

/// A statement that was sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct InFlight {
    slot: usize,
    /// How often the server has to be ready before it answers.
    after: u64,
}

impl Connection {
    /// Connects to the first server that can be written to, or to any where the address says that
    /// it may follow, and says who it is; then runs `setup`,
    /// statements without parameters.
    pub(super) fn open(
        address: &Address,
        setup: &str,
        patience: Duration,
    ) -> ConnectionResult<Self> {
        let mut outcome = Err(Error::from(ErrorKind::NotFound).into());
        for host in &address.hosts {
            outcome = Self::to(host, address, setup, patience);
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }

    fn to(
        host: &Host,
        address: &Address,
        setup: &str,
        patience: Duration,
    ) -> ConnectionResult<Self> {
        let mut link = Self {
            socket: Socket::open(host, &address.encryption)?,
            patience: Patience::new(host, &address.encryption),
            out: BytesMut::with_capacity(1024),
            read: BytesMut::with_capacity(16 * 1024),
            chunk: vec![0; 16 * 1024].into(),
            statements: Statements::default(),
            syncs: 0,
            ready: 0,
            given_up: false,
            is_standby: false,
            warned: false,
        };
        let names = [
            ("user", &*address.user),
            ("database", &address.database),
            ("application_name", address.application),
            ("client_encoding", "UTF8"),
        ];
        frontend::startup_message(names, &mut link.out)?;
        link.log_in(address)?;
        if link.is_standby && !address.may_follow {
            return Err(Error::other("the server only follows another").into());
        }
        link.command(setup)?;
        link.patience.bound(&link.socket, patience)?;
        Ok(link)
    }

    fn log_in(&mut self, address: &Address) -> ConnectionResult<()> {
        let (password, mut scram) = (address.password.as_bytes(), None);
        // A server that was asked for a proof has to prove as well that it knew the password.
        let mut proven = true;
        let verified = matches!(address.encryption, Encryption::VerifyFull(_));
        let trusted = verified || self.socket.is_on_this_machine();
        let mut asked = false;
        let allow = |method| match address.require_auth.refusal(method, trusted) {
            Some(why) => Err(Failure::from(Error::new(ErrorKind::PermissionDenied, why))),
            None => Ok(true),
        };
        let until = Instant::now() + CONNECTING;
        self.send()?;
        while Instant::now() < until {
            match self.receive()? {
                Message::ErrorResponse(body) => {
                    return Err(Failure::Refused(wire::refusal(body.fields())?));
                }
                Message::ReadyForQuery(_) if proven => return Ok(()),
                Message::AuthenticationCleartextPassword => {
                    asked = allow(Method::Password)?;
                    frontend::password_message(password, &mut self.out)?;
                }
                Message::AuthenticationMd5Password(body) => {
                    asked = allow(Method::Md5)?;
                    let hash = md5_hash(address.user.as_bytes(), password, body.salt());
                    frontend::password_message(hash.as_bytes(), &mut self.out)?;
                }
                Message::AuthenticationSasl(body) => {
                    asked = allow(Method::ScramSha256)?;
                    let offers = |wanted| body.mechanisms().any(|name| Ok(name == wanted));
                    let (mechanism, binding) = match self.socket.end_point() {
                        Some(point) if offers(SCRAM_SHA_256_PLUS)? => {
                            (SCRAM_SHA_256_PLUS, ChannelBinding::tls_server_end_point(point))
                        }
                        _ if !offers(SCRAM_SHA_256)? => return Err(cannot_log_in()),
                        // A server that has offered more knows then that it was left out.
                        Some(_) => (SCRAM_SHA_256, ChannelBinding::unrequested()),
                        None => (SCRAM_SHA_256, ChannelBinding::unsupported()),
                    };
                    let begun = ScramSha256::new(password, binding);
                    frontend::sasl_initial_response(mechanism, begun.message(), &mut self.out)?;
                    (scram, proven) = (Some(begun), false);
                }
                Message::AuthenticationSaslContinue(body) => {
                    let scram = scram.as_mut().ok_or_else(malformed)?;
                    scram.update(body.data())?;
                    frontend::sasl_response(scram.message(), &mut self.out)?;
                }
                Message::AuthenticationSaslFinal(body) => {
                    scram.take().ok_or_else(malformed)?.finish(body.data())?;
                    proven = true;
                }
                Message::AuthenticationOk if !asked => asked = allow(Method::None)?,
                Message::AuthenticationOk => {}
                Message::BackendKeyData(body) => {
                    let (process, secret) = (body.process_id(), body.secret_key());
                    self.patience.key = Some(SessionKey { process, secret });
                }
                _ => return Err(cannot_log_in()),
            }
            self.send()?;
        }
        Err(Error::from(ErrorKind::TimedOut).into())
    }

    /// Warns where nobody has chosen that whoever is on the way can read all that is said.
    pub(super) fn warn_if_exposed(&self, address: &Address) {
        if address.encryption == Encryption::Prefer && self.socket.is_exposed() {
            tracing::warn!(
                at = %address,
                "the way to the database is not encrypted, because the server has no TLS: turn it on \
                 there and say sslmode=verify-full, or say sslmode=disable if nobody else is on the way"
            );
        }
    }

    /// Runs `sql`, statements without parameters whose rows are nobody's business.
    pub(super) fn command(&mut self, sql: &str) -> ConnectionResult<()> {
        self.settle()?;
        frontend::query(sql, &mut self.out)?;
        self.syncs += 1;
        self.settle()
    }

    /// Waits until the server is ready and nothing is on its way. What it refuses is told after
    /// that.
    pub(super) fn settle(&mut self) -> ConnectionResult<()> {
        self.settle_with(|_| {})
    }

    /// The text that `sql` finds, which prepares nothing and depends on nothing that was said before.
    pub(super) fn ask(&mut self, sql: &str) -> ConnectionResult<Option<String>> {
        self.settle()?;
        frontend::query(sql, &mut self.out)?;
        self.syncs += 1;
        let mut found = None;
        self.settle_with(|row| {
            let place = row.ranges().next().ok().flatten().flatten();
            let text = place.and_then(|place| row.buffer().get(place));
            found = text.map(|text| String::from_utf8_lossy(text).into_owned());
        })?;
        Ok(found)
    }

    /// As [`Connection::settle`], with whatever rows come meanwhile.
    fn settle_with(&mut self, mut each: impl FnMut(&DataRowBody)) -> ConnectionResult<()> {
        let mut refused = None;
        self.send()?;
        while self.ready < self.syncs {
            match self.receive()? {
                Message::ReadyForQuery(_) => self.ready += 1,
                Message::ErrorResponse(body) => {
                    refused = refused.or(Some(wire::refusal(body.fields())?));
                }
                Message::DataRow(row) => each(&row),
                _ => {}
            }
        }
        refused.map_or(Ok(()), |refusal| Err(Failure::Refused(refusal)))
    }

    /// Bytes that are to be sent.
    pub(super) fn waiting(&self) -> usize {
        self.out.len()
    }

    /// `sql` with `params`, as they are sent.
    pub(super) fn bind(&mut self, sql: &str, params: &[&dyn Param]) -> ConnectionResult<Encoded> {
        Ok(self.statements.bind(sql, params)?)
    }

    /// Whether the server has prepared what `bound` runs.
    pub(super) fn is_prepared(&self, bound: &Encoded) -> bool {
        self.statements.is_prepared(bound)
    }

    /// Puts `bound`, whose parameters are like `params`, behind what is to be sent.
    pub(super) fn run(
        &mut self,
        bound: &Encoded,
        params: &[&dyn Param],
    ) -> ConnectionResult<InFlight> {
        let slot = self.statements.write(bound, params, &mut self.out)?;
        Ok(InFlight { slot, after: self.syncs })
    }

    /// As [`Connection::run`], for `sql` that has no parameters.
    pub(super) fn run_plain(&mut self, sql: &str) -> ConnectionResult<InFlight> {
        let bound = self.bind(sql, &[])?;
        self.run(&bound, &[])
    }

    /// Has the answers sent to what is behind.
    pub(super) fn flush(&mut self) -> ConnectionResult<()> {
        frontend::flush(&mut self.out);
        self.send()
    }

    /// Ends what belongs together. It goes with the next to be sent.
    pub(super) fn sync(&mut self) -> ConnectionResult<()> {
        frontend::sync(&mut self.out);
        self.syncs += 1;
        // Now the server does as it is told, whatever happened before.
        self.statements.write_forgotten(&mut self.out)?;
        Ok(())
    }

    /// Sends what is to be sent.
    pub(super) fn send(&mut self) -> ConnectionResult<()> {
        if !self.out.is_empty() {
            self.socket.write_all(&self.out)?;
            self.out.clear();
        }
        Ok(())
    }

    /// The answer to `sent`, which is the first to be answered: its rows go to `each`, and these
    /// are the words it ends with.
    pub(super) fn answer(
        &mut self,
        sent: InFlight,
        mut each: impl FnMut(&Arc<[ColumnOf]>, DataRowBody),
    ) -> ConnectionResult<Box<str>> {
        let mut columns = self.columns(sent);
        loop {
            let message = self.receive()?;
            if self.ready < sent.after {
                // What is still said to those before.
                self.ready += u64::from(matches!(message, Message::ReadyForQuery(_)));
                continue;
            }
            match message {
                Message::DataRow(row) => each(&columns, row),
                Message::CommandComplete(body) => return Ok(body.tag()?.into()),
                Message::EmptyQueryResponse => return Ok("".into()),
                Message::ParseComplete => {
                    self.statements.prepared(sent.slot);
                }
                Message::RowDescription(body) => {
                    columns = wire::columns(&body)?.into();
                    self.statements.described(sent.slot, &columns);
                }
                Message::ErrorResponse(body) => {
                    self.statements.forget_unsure();
                    return Err(Failure::Refused(wire::refusal(body.fields())?));
                }
                Message::ReadyForQuery(_) => return Err(malformed().into()),
                _ => {}
            }
        }
    }

    /// It is not to be used any more.
    pub(super) fn give_up(&mut self) {
        self.given_up = true;
    }

    /// Whether the server has warned of something since this was asked last.
    pub(super) fn take_warning(&mut self) -> bool {
        std::mem::take(&mut self.warned)
    }

    /// Whether it can be used.
    pub(super) fn is_good(&self) -> bool {
        !self.given_up
    }

    pub(super) fn columns(&self, sent: InFlight) -> Arc<[ColumnOf]> {
        self.statements.columns(sent.slot)
    }

    /// Prepares all statements anew: what they refer to is not what it was.
    pub(super) fn forget_all(&mut self) {
        self.statements.forget_all();
    }

    /// The next message that is about something.
    fn receive(&mut self) -> io::Result<Message> {
        loop {
            match wire::next(&mut self.read)? {
                Some(Message::NotificationResponse(_)) => {}
                Some(Message::ParameterStatus(body)) => {
                    if body.name()? == "in_hot_standby" {
                        self.is_standby = body.value()? == "on";
                    }
                }
                Some(Message::NoticeResponse(body)) => self.warned |= wire::warns(&body),
                Some(message) => return Ok(message),
                None => {
                    let count = self.patience.read(&mut self.socket, &mut self.chunk)?;
                    if count == 0 {
                        return Err(ErrorKind::UnexpectedEof.into());
                    }
                    self.read.extend_from_slice(self.chunk.get(..count).unwrap_or_default());
                }
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.out.clear();
        frontend::terminate(&mut self.out);
        drop(self.send()); // tidiness: the server notices a closed socket as well
    }
}

fn cannot_log_in() -> Failure {
    let words = "the server asks for a way to log in that is not spoken here";
    Error::new(ErrorKind::Unsupported, words).into()
}
