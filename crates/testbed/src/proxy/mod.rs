//! A wire between a program and its database that fails when it is told to.

mod commits;
mod message;

use commits::Commits;
use message::{Message, refuse_encryption};
use std::io::{self, BufReader, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// What becomes of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The wire is cut before it is sent: it did not happen.
    Unsent,
    /// It is sent and the wire cut at once: it may have happened.
    Raced,
    /// It is done, and the wire cut instead of the answer: it happened.
    Unanswered,
    /// It is done, and the server says that it ends instead of the answer: it happened.
    Ended,
}

/// Carries connections from a port of the loopback interface to a database server. It reads along,
/// so encryption is refused. All connections end when this is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    target: SocketAddr,
    /// Nobody new gets through.
    closed: bool,
    /// Nothing gets through, in either direction.
    stalled: bool,
    /// What becomes of a commit, and of which: the next is 1.
    doom: Option<(Fate, u32)>,
    doomed: u32,
    /// Both ends of every connection, by number.
    wires: Vec<(u64, TcpStream, TcpStream)>,
    numbers: u64,
    over: bool,
}

impl Proxy {
    /// Starts one.
    ///
    /// # Errors
    /// When there is no port or no thread.
    pub fn start(target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let state = State {
            target,
            closed: false,
            stalled: false,
            doom: None,
            doomed: 0,
            wires: Vec::new(),
            numbers: 0,
            over: false,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let accepting = Arc::clone(&shared);
        thread::Builder::new().name("proxy".to_owned()).spawn(move || {
            for client in listener.incoming() {
                if accepting.state().over {
                    return;
                }
                // One that does not get through has lost its connection, as it is meant to.
                let _ = client.and_then(|client| carry(&accepting, &client));
            }
        })?;
        Ok(Self { address, shared })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Leads new connections to another server.
    pub fn lead_to(&self, target: SocketAddr) {
        self.shared.state().target = target;
    }

    /// Cuts all connections. New ones get through.
    pub fn cut(&self) {
        self.shared.state().cut();
        self.shared.changed.notify_all();
    }

    /// Cuts all connections, and every new one, until [`Proxy::open`].
    pub fn close(&self) {
        self.shared.state().closed = true;
        self.cut();
    }

    /// Holds back what is sent in either direction, with all connections open, until
    /// [`Proxy::open`].
    pub fn stall(&self) {
        self.shared.state().stalled = true;
    }

    /// Lets everything through again.
    pub fn open(&self) {
        let mut state = self.shared.state();
        (state.closed, state.stalled) = (false, false);
        self.shared.changed.notify_all();
    }

    /// Tells every client that nothing more comes, while what it sends still goes through.
    pub fn half_close(&self) {
        for (_, client, _) in &self.shared.state().wires {
            // It may have gone in the meantime.
            let _ = client.shutdown(Shutdown::Write);
        }
    }

    /// Decides what becomes of a commit, once: of the next one when `which` is 1. A decision that
    /// was not carried out yet is forgotten.
    pub fn doom(&self, fate: Fate, which: u32) {
        self.shared.state().doom = Some((fate, which.max(1)));
    }

    /// How many decisions have been carried out.
    #[must_use]
    pub fn doomed(&self) -> u32 {
        self.shared.state().doomed
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.state().over = true;
        self.close();
        // Wakes the thread that accepts, which sees that it is over.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits as long as nothing gets through.
    fn pass(&self) {
        let state = self.state();
        drop(self.changed.wait_while(state, |state| state.stalled && !state.over));
    }

    /// What becomes of a commit that is about to be sent.
    fn judge(&self) -> Option<Fate> {
        let mut state = self.state();
        let (fate, which) = state.doom?;
        state.doom = if which > 1 { Some((fate, which - 1)) } else { None };
        if state.doom.is_some() {
            return None;
        }
        state.doomed += 1;
        Some(fate)
    }
}

impl State {
    fn cut(&mut self) {
        for (_, client, server) in self.wires.drain(..) {
            hang_up(&client, &server);
        }
    }
}

fn hang_up(client: &TcpStream, server: &TcpStream) {
    for end in [client, server] {
        // It may have gone in the meantime.
        let _ = end.shutdown(Shutdown::Both);
    }
}

/// Carries one connection, on two threads.
fn carry(shared: &Arc<Shared>, client: &TcpStream) -> io::Result<()> {
    let (target, closed) = {
        let state = shared.state();
        (state.target, state.closed)
    };
    if closed {
        return Ok(());
    }
    let server = TcpStream::connect(target)?;
    for end in [client, &server] {
        end.set_nodelay(true)?;
    }
    let number = {
        let mut state = shared.state();
        // Cut while it was on its way.
        if state.closed {
            return Ok(());
        }
        let number = state.numbers;
        state.numbers += 1;
        state.wires.push((number, client.try_clone()?, server.try_clone()?));
        number
    };
    let commits = Arc::new(Mutex::new(Commits::default()));
    for forth in [true, false] {
        let wire = Wire {
            shared: Arc::clone(shared),
            client: client.try_clone()?,
            server: server.try_clone()?,
            commits: Arc::clone(&commits),
            number,
        };
        let name = if forth { "proxy-forth" } else { "proxy-back" };
        thread::Builder::new().name(name.to_owned()).spawn(move || {
            let outcome = if forth { wire.forth() } else { wire.back() };
            wire.end(&outcome, forth);
        })?;
    }
    Ok(())
}

struct Wire {
    shared: Arc<Shared>,
    client: TcpStream,
    server: TcpStream,
    commits: Arc<Mutex<Commits>>,
    number: u64,
}

/// How much is sent together at most.
const CHUNK: usize = 1 << 16;

impl Wire {
    fn commits(&self) -> MutexGuard<'_, Commits> {
        self.commits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, mut to: &TcpStream, bytes: &mut Vec<u8>) -> io::Result<()> {
        self.shared.pass();
        to.write_all(bytes)?;
        bytes.clear();
        Ok(())
    }

    /// From the client to the server, until the client has nothing more to say.
    fn forth(&self) -> io::Result<()> {
        let mut reader = BufReader::new(&self.client);
        let mut bytes = Vec::new();
        refuse_encryption(&mut reader, &self.client, &mut bytes)?;
        self.send(&self.server, &mut bytes)?;
        while let Some(message) = Message::read(&mut reader)? {
            let fate = {
                let mut commits = self.commits();
                let fate = commits.sent(&message).then(|| self.shared.judge()).flatten();
                if matches!(fate, Some(Fate::Unanswered | Fate::Ended)) {
                    commits.swallow(&message, fate == Some(Fate::Ended));
                }
                fate
            };
            if fate == Some(Fate::Unsent) {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            message.write(&mut bytes);
            if fate == Some(Fate::Raced) {
                // What makes the server act on it.
                if message.kind == b'E' {
                    Message { kind: b'S', body: Vec::new() }.write(&mut bytes);
                }
                self.send(&self.server, &mut bytes)?;
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            if reader.buffer().is_empty() || bytes.len() > CHUNK {
                self.send(&self.server, &mut bytes)?;
            }
        }
        Ok(())
    }

    /// From the server to the client, until the server has nothing more to say.
    fn back(&self) -> io::Result<()> {
        let mut reader = BufReader::new(&self.server);
        let mut bytes = Vec::new();
        while let Some(message) = Message::read(&mut reader)? {
            {
                let mut commits = self.commits();
                if commits.answered(&message) {
                    if commits.says_that_it_ends() {
                        Message::end_of_server().write(&mut bytes);
                        self.send(&self.client, &mut bytes)?;
                    }
                    return Err(io::ErrorKind::ConnectionReset.into());
                }
                if commits.swallows() {
                    continue;
                }
            }
            message.write(&mut bytes);
            if reader.buffer().is_empty() || bytes.len() > CHUNK {
                self.send(&self.client, &mut bytes)?;
            }
        }
        Ok(())
    }

    fn end(&self, outcome: &io::Result<()>, forth: bool) {
        if outcome.is_ok() {
            // The other direction may go on.
            let to = if forth { &self.server } else { &self.client };
            let _ = to.shutdown(Shutdown::Write);
            return;
        }
        hang_up(&self.client, &self.server);
        self.shared.state().wires.retain(|(number, _, _)| *number != self.number);
    }
}
