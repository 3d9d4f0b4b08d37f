//! The socket of a connection, and how it is noticed that nobody is at its other end.

use super::address::{Encryption, Host};
use super::wire::malformed;
use super::{end_point, tls};
use bytes::BytesMut;
use postgres_protocol::message::frontend;
use rustix::net::sockopt;
use rustls::{ClientConnection, StreamOwned};
use std::io::{self, Error, ErrorKind, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

/// How long to wait for a connection to be made.
pub(super) const CONNECTING: Duration = Duration::from_secs(5);

/// A socket, encrypted or not.
pub(super) enum Socket {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Socket {
    pub(super) fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => &stream.sock,
        }
    }

    pub(super) fn open(host: &Host, encryption: &Encryption) -> io::Result<Self> {
        let mut stream = Err(Error::new(ErrorKind::NotFound, "the host has no address"));
        for place in (host.name.as_str(), host.port).to_socket_addrs()? {
            stream = TcpStream::connect_timeout(&place, CONNECTING);
            if stream.is_ok() {
                break;
            }
        }
        Self::begin(stream?, host, encryption)
    }

    /// Another one to the same machine, which is one of those that `host` names.
    pub(super) fn beside(&self, host: &Host, encryption: &Encryption) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&self.tcp().peer_addr()?, CONNECTING)?;
        Self::begin(stream, host, encryption)
    }

    fn begin(mut stream: TcpStream, host: &Host, encryption: &Encryption) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        notice_silence(&stream)?;
        stream.set_read_timeout(Some(CONNECTING))?;
        stream.set_write_timeout(Some(CONNECTING))?;
        if *encryption == Encryption::Disable {
            return Ok(Self::Plain(stream));
        }
        let mut question = BytesMut::new();
        frontend::ssl_request(&mut question);
        stream.write_all(&question)?;
        let mut answer = [0];
        stream.read_exact(&mut answer)?;
        match (answer, encryption) {
            ([b'S'], encryption) => {
                tls::wrap(stream, &host.name, encryption).map(Box::new).map(Self::Tls)
            }
            ([b'N'], Encryption::Prefer) => Ok(Self::Plain(stream)),
            ([b'N'], _) => Err(Error::new(
                ErrorKind::Unsupported,
                "the server has no TLS: turn it on there, or say sslmode=disable",
            )),
            _ => Err(malformed()),
        }
    }

    /// Whether the other end is on this machine, so that nobody is in between.
    pub(super) fn is_on_this_machine(&self) -> bool {
        self.tcp().peer_addr().is_ok_and(|peer| peer.ip().to_canonical().is_loopback())
    }

    /// Whether anybody on the way to another machine can read what is said.
    pub(super) fn is_exposed(&self) -> bool {
        matches!(self, Self::Plain(_)) && !self.is_on_this_machine()
    }

    /// What a login can be tied to.
    pub(super) fn end_point(&self) -> Option<Vec<u8>> {
        match self {
            Self::Plain(_) => None,
            Self::Tls(stream) => end_point::of(&stream.conn),
        }
    }

    pub(super) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.write_all(bytes),
            Self::Tls(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
        }
    }

    pub(super) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(into),
            Self::Tls(stream) => stream.read(into),
        }
    }
}

/// How long the other machine may be silent, whatever is waited for. A process that ends closes its
/// connections; a machine that vanishes does not.
const SILENCE: Duration = Duration::from_secs(15);

/// Makes an error of a machine that is not there any more. One that is there and at work answers for
/// its process, however long that takes.
fn notice_silence(stream: &TcpStream) -> io::Result<()> {
    let third = SILENCE / 3;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, third)?;
    sockopt::set_tcp_keepintvl(stream, third)?;
    sockopt::set_tcp_keepcnt(stream, 2)?;
    // For what was sent and never arrived, where the system has it.
    #[cfg(target_os = "linux")]
    sockopt::set_tcp_user_timeout(stream, u32::try_from(SILENCE.as_millis()).unwrap_or(u32::MAX))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_machine_that_has_vanished_is_noticed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let host = Host { name: "127.0.0.1".into(), port };
        let socket = Socket::open(&host, &Encryption::Disable).unwrap();
        let tcp = socket.tcp();
        assert!(sockopt::socket_keepalive(tcp).unwrap());
        let asked = sockopt::tcp_keepcnt(tcp).unwrap() * sockopt::tcp_keepintvl(tcp).unwrap();
        assert_eq!(sockopt::tcp_keepidle(tcp).unwrap() + asked, SILENCE);
        #[cfg(target_os = "linux")]
        assert_eq!(u128::from(sockopt::tcp_user_timeout(tcp).unwrap()), SILENCE.as_millis());
    }
}
