//! As much of an HTTP client as the measurements need: one connection, one request at a time.

use anyhow::{Context as _, Result, ensure};
use guestlist_testbed::connect_from;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// A request, as it is sent.
#[must_use]
pub fn request(method: &str, path: &str, token: &str, body: &str) -> Vec<u8> {
    request_with("", method, path, token, body)
}

/// The same with `more` headers, each with the end of its line.
#[must_use]
pub fn request_with(more: &str, method: &str, path: &str, token: &str, body: &str) -> Vec<u8> {
    let mut text = lines(method, path, token) + more;
    if !body.is_empty() {
        text += "Content-Type: application/json\r\nContent-Length: ";
        text += &body.len().to_string();
        text += "\r\n";
    }
    text += "\r\n";
    text += body;
    text.into_bytes()
}

/// A GET that accepts gzip, as the official clients send it.
#[must_use]
pub fn gzip_request(path: &str, token: &str) -> Vec<u8> {
    (lines("GET", path, token) + "Accept-Encoding: gzip, deflate\r\n\r\n").into_bytes()
}

fn lines(method: &str, path: &str, token: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n\
         Authorization: Bearer {token}\r\n"
    )
}

/// What the head of an answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its status.
    pub status: u16,
    /// Where it ends and the body begins.
    pub end: usize,
    /// The length of the body.
    pub length: usize,
    /// Whether the body is compressed.
    pub gzip: bool,
    /// Whether the connection ends with it.
    pub close: bool,
}

/// The head of an answer, if `read` holds all of it.
///
/// # Errors
/// When it is no head, says no length, or names a coding that is not gzip.
pub fn head(read: &[u8]) -> Result<Option<Head>> {
    let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(&read[..end])?;
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).context("no status")?;
    let (mut length, mut gzip, mut close) = (None, false, false);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            length = Some(value.trim().parse()?);
        } else if name.eq_ignore_ascii_case("content-encoding") {
            ensure!(value.trim() == "gzip", "an answer in the coding {value}");
            gzip = true;
        } else if name.eq_ignore_ascii_case("connection") {
            close = value.trim().eq_ignore_ascii_case("close");
        }
    }
    let length = length.context("an answer without a length")?;
    Ok(Some(Head { status: status.parse()?, end: end + 4, length, gzip, close }))
}

/// An answer.
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Head and body, as they came.
    pub raw: Vec<u8>,
    /// Whether nothing more can be asked on its connection.
    pub close: bool,
    body: usize,
}

impl Answer {
    /// Its body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.raw[self.body..]
    }

    /// Its body, as JSON.
    ///
    /// # Errors
    /// When it is none.
    pub fn json(&self) -> Result<serde_json::Value> {
        Ok(serde_json::from_slice(self.body())?)
    }
}

/// One connection, on which requests are sent one after another.
pub struct Connection(TcpStream);

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens.
    pub fn open(to: SocketAddr) -> Result<Self> {
        Self::over(TcpStream::connect(to)?)
    }

    /// Connects from an address of this machine.
    ///
    /// # Errors
    /// As [`connect_from`].
    pub fn open_from(from: Ipv4Addr, to: SocketAddr) -> Result<Self> {
        Self::over(connect_from(from, to, None)?)
    }

    fn over(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_mins(1)))?;
        Ok(Self(stream))
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// When the connection breaks, or what comes is no answer.
    pub fn send(&mut self, request: &[u8]) -> Result<Answer> {
        self.0.write_all(request)?;
        let (mut raw, mut chunk) = (Vec::new(), vec![0; 64 * 1024]);
        let Head { status, end: body, length, close, .. } = loop {
            if let Some(head) = head(&raw)? {
                break head;
            }
            let read = self.0.read(&mut chunk)?;
            ensure!(read > 0, "the server closed the connection");
            raw.extend_from_slice(&chunk[..read]);
        };
        while raw.len() < body + length {
            let read = self.0.read(&mut chunk)?;
            ensure!(read > 0, "the server closed the connection");
            raw.extend_from_slice(&chunk[..read]);
        }
        Ok(Answer { status, raw, close, body })
    }

    /// Sends a request, and waits for nothing.
    ///
    /// # Errors
    /// When it cannot be sent.
    pub fn leave(mut self, request: &[u8]) -> Result<()> {
        self.0.write_all(request)?;
        std::thread::sleep(Duration::from_millis(50));
        Ok(())
    }

    /// Sends a request that must be answered with `status`.
    ///
    /// # Errors
    /// As [`Connection::send`], and when it is answered with another; the message has the body.
    pub fn expect(&mut self, status: u16, request: &[u8]) -> Result<Answer> {
        let answer = self.send(request)?;
        ensure!(
            answer.status == status,
            "{} rather than {status}: {}",
            answer.status,
            String::from_utf8_lossy(answer.body())
        );
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_says_how_its_body_is_coded() {
        let read = |line: &str| head(format!("HTTP/1.1 200 OK\r\n{line}\r\n\r\nbody").as_bytes());
        let plain = Head { status: 200, end: 38, length: 4, gzip: false, close: false };
        assert_eq!(read("content-length: 4").unwrap(), Some(plain));
        assert!(read("content-length: 4\r\nConnection: close").unwrap().unwrap().close);
        let packed = read("content-length: 4\r\nContent-Encoding: gzip").unwrap().unwrap();
        assert_eq!((packed.gzip, packed.length), (true, 4));
        assert!(read("content-length: 4\r\ncontent-encoding: br").is_err());
        assert!(read("content-encoding: gzip").is_err());
        assert_eq!(head(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n").unwrap(), None);
    }
}
