//! How long an answer is waited for, and for whom. The server does not notice that nobody waits for a
//! statement any more, so it is told: on another connection, as the protocol wants it.

use super::address::{Encryption, Host};
use super::socket::Socket;
use crate::job::Caller;
use bytes::BytesMut;
use postgres_protocol::message::frontend;
use std::io::{self, Error, ErrorKind};
use std::time::Duration;

/// How often it is looked whether somebody still waits.
const LOOK: Duration = Duration::from_millis(100);

/// What a session of the server is called by those who want it to stop.
#[derive(Debug, Clone, Copy)]
pub(super) struct SessionKey {
    pub(super) process: i32,
    pub(super) secret: i32,
}

/// How long the next answer of a connection is waited for.
pub(super) struct Patience {
    host: Host,
    encryption: Encryption,
    /// What its session is called, if the server has said so.
    pub(super) key: Option<SessionKey>,
    longest: Duration,
    /// For whom, if they may leave.
    caller: Option<Caller>,
    /// Whether the server was told to stop.
    told: bool,
}

impl Patience {
    /// With the server at `host`: the socket says how long, until there is more to say.
    pub(super) fn new(host: &Host, encryption: &Encryption) -> Self {
        let (host, encryption) = (host.clone(), encryption.clone());
        Self { host, encryption, key: None, longest: Duration::ZERO, caller: None, told: false }
    }

    /// Waits for an answer on `socket` for `longest` from now on.
    pub(super) fn bound(&mut self, socket: &Socket, longest: Duration) -> io::Result<()> {
        self.longest = longest;
        socket.tcp().set_read_timeout(Some(longest.min(LOOK)))?;
        socket.tcp().set_write_timeout(Some(longest))
    }

    /// Waits for `caller` from now on, or for nobody who may leave.
    pub(super) fn wait_for(&mut self, caller: Option<Caller>) {
        self.caller = caller;
        self.told = false;
    }

    /// Whether nobody waits any more.
    pub(super) fn is_over(&self) -> bool {
        self.caller.as_ref().is_some_and(Caller::is_gone)
    }

    /// Reads some of what the server says. If nobody waits for it any more the server is told to stop,
    /// and says that.
    pub(super) fn read(&mut self, socket: &mut Socket, into: &mut [u8]) -> io::Result<usize> {
        let mut waited = Duration::ZERO;
        loop {
            match socket.read(into) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_silence(&error) && waited + LOOK < self.longest => {
                    waited += LOOK;
                    if self.is_over() && !self.told {
                        self.told = true;
                        self.cancel(socket)?;
                    }
                }
                read => return read,
            }
        }
    }

    /// Has the server stop what it does on `socket`, and waits until it has been told, so that nothing
    /// that is asked next is meant.
    fn cancel(&self, socket: &Socket) -> io::Result<()> {
        let Some(SessionKey { process, secret }) = self.key else { return Ok(()) };
        let mut request = BytesMut::new();
        frontend::cancel_request(process, secret, &mut request);
        let told = socket.beside(&self.host, &self.encryption).and_then(|mut beside| {
            beside.write_all(&request)?;
            Ok(beside.read(&mut [0]))
        });
        match told {
            // Nobody can say when it hears of it.
            Ok(Err(error)) if is_silence(&error) => Err(Error::other("a session was not stopped")),
            // It closes the connection, in order or not.
            Ok(_) => Ok(()),
            Err(error) => {
                tracing::warn!(%error, "what nobody waits for cannot be stopped");
                Ok(())
            }
        }
    }
}

/// Whether `error` is that nothing came in time.
fn is_silence(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
