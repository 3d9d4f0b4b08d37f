//! A server that takes mails, as far as a test lets it.

#![expect(clippy::expect_used, reason = "helpers of tests")]

use std::collections::VecDeque;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// What becomes of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailFate {
    /// It is taken.
    Taken,
    /// Its recipient is refused with this code.
    Refused(u16),
    /// It is taken, and the connection ends before anybody is told.
    TakenInSilence,
}

/// A mail that was taken, as it came.
#[derive(Debug, Clone)]
pub struct TakenMail {
    /// Whom the envelope names.
    pub recipients: Vec<String>,
    /// Its headers and its body.
    pub text: String,
}

#[derive(Debug, Default)]
struct State {
    fates: Mutex<VecDeque<MailFate>>,
    taken: Mutex<Vec<TakenMail>>,
    changed: Condvar,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A server for mail on a port of the loopback interface, until the process ends.
#[derive(Debug)]
pub struct MailServer {
    address: SocketAddr,
    state: Arc<State>,
}

impl MailServer {
    /// Starts one, which takes every mail that no fate was given.
    ///
    /// # Panics
    /// When there is no port.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a port");
        let address = listener.local_addr().expect("it has an address");
        let state = Arc::<State>::default();
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                thread::spawn(move || drop(serve(stream, &state)));
            }
        });
        Self { address, state }
    }

    /// How a setting names it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("smtp://{}?tls=none", self.address)
    }

    /// What becomes of the next mails, one after the other.
    pub fn next(&self, fates: &[MailFate]) {
        lock(&self.state.fates).extend(fates);
    }

    /// The mails that were taken, as soon as there are `count`.
    ///
    /// # Panics
    /// When there are not so many within a minute.
    #[must_use]
    pub fn taken(&self, count: usize) -> Vec<TakenMail> {
        let taken = lock(&self.state.taken);
        let wait = Duration::from_mins(1);
        let few = |taken: &mut Vec<TakenMail>| taken.len() < count;
        let waited = self.state.changed.wait_timeout_while(taken, wait, few);
        let taken = waited.unwrap_or_else(PoisonError::into_inner).0;
        assert!(taken.len() >= count, "only {} mails came", taken.len());
        taken.clone()
    }
}

fn serve(stream: TcpStream, state: &State) -> io::Result<()> {
    let mut out = stream.try_clone()?;
    let mut lines = BufReader::new(stream).lines();
    let mut recipients = Vec::new();
    let mut silent = false;
    out.write_all(b"220 mail.example.com\r\n")?;
    while let Some(line) = lines.next().transpose()? {
        let upper = line.to_ascii_uppercase();
        let answer = if upper.starts_with("EHLO") {
            "250-mail.example.com\r\n250 8BITMIME".to_owned()
        } else if upper.starts_with("RCPT") {
            match lock(&state.fates).pop_front().unwrap_or(MailFate::Taken) {
                MailFate::Refused(code) => {
                    format!("{code} 5.1.1 {}: no such person", line.trim_start_matches("RCPT TO:"))
                }
                fate => {
                    silent = fate == MailFate::TakenInSilence;
                    recipients.push(line.trim_start_matches("RCPT TO:").to_owned());
                    "250 yes".to_owned()
                }
            }
        } else if upper == "DATA" {
            out.write_all(b"354 go on\r\n")?;
            let mut text = String::new();
            while let Some(line) = lines.next().transpose()? {
                if line == "." {
                    break;
                }
                text.push_str(line.strip_prefix('.').unwrap_or(&line));
                text.push('\n');
            }
            let recipients = std::mem::take(&mut recipients);
            lock(&state.taken).push(TakenMail { recipients, text });
            state.changed.notify_all();
            if silent {
                return Ok(());
            }
            "250 taken".to_owned()
        } else if upper == "QUIT" {
            out.write_all(b"221 bye\r\n")?;
            return Ok(());
        } else {
            "250 yes".to_owned()
        };
        out.write_all(format!("{answer}\r\n").as_bytes())?;
    }
    Ok(())
}
