//! Connections as nobody makes them who means well.

use rustix::net::{AddressFamily, SocketType, bind, connect, socket, sockopt};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

/// A connection with `to` from an address of this machine, which takes in about `room` bytes that nobody
/// has read yet, if that is said.
///
/// # Errors
/// When `from` is another machine's, or nobody listens.
pub fn connect_from(from: Ipv4Addr, to: SocketAddr, room: Option<usize>) -> io::Result<TcpStream> {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    if let Some(room) = room {
        sockopt::set_socket_recv_buffer_size(&socket, room)?;
    }
    bind(&socket, &SocketAddr::from((from, 0)))?;
    connect(&socket, &to)?;
    Ok(socket.into())
}
