//! Passwords that others have lost, in a folder of whoever runs the server: the range files of Have I Been Pwned, as
//! its own downloader writes them. A file has the rest of each digest (SHA-1) that begins as the file is called.

use anyhow::{Result, bail};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use guestlist_api::secret::Password;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};

/// The digits that a file is called by.
const PREFIX: usize = 5;

/// Such a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breached {
    folder: PathBuf,
}

impl Breached {
    /// The range files in `folder`.
    ///
    /// # Errors
    /// When there are none.
    pub fn open(folder: PathBuf) -> Result<Self> {
        let breached = Self { folder };
        if let Err(error) = breached.file("00000") {
            bail!(
                "breached-passwords: {} has no range files, such as 00000.txt: {error}",
                breached.folder.display()
            );
        }
        Ok(breached)
    }

    fn file(&self, prefix: &str) -> io::Result<File> {
        let at = |name: String| File::open(self.folder.join(name));
        at(format!("{prefix}.txt")).or_else(|_| at(prefix.to_owned()))
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether `password` is among them. It reads a file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn contains(&self, password: &Password) -> io::Result<bool> {
        let digits = digits(password);
        let (prefix, rest) = digits.split_at(PREFIX);
        for line in BufReader::new(self.file(prefix)?).lines() {
            let line = line?;
            let (digits, count) = line.split_once(':').unwrap_or((&line, "1"));
            if digits.eq_ignore_ascii_case(rest) {
                // What is there none of only makes all files as long.
                return Ok(count.trim() != "0");
            }
        }
        Ok(false)
    }
}

/// What stands for `password` in the files: the first of it is the name of one.
pub(crate) fn digits(password: &Password) -> String {
    let mut digits = String::with_capacity(40);
    for byte in digest(&SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes()).as_ref() {
        // Writing into a text does not fail.
        let _ = write!(digits, "{byte:02X}");
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn password(text: &str) -> Password {
        Password::new(text.to_owned()).unwrap()
    }

    #[test]
    fn what_others_have_lost_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let open = || Breached::open(directory.path().to_owned());
        let why = open().unwrap_err().to_string();
        assert!(why.contains("has no range files, such as 00000.txt"), "{why}");
        fs::write(at("00000.txt"), "").unwrap();
        // "password", as everybody knows.
        let rest = "1E4C9B93F3F0682250B6CF8331B7EE68FD8";
        fs::write(at("5BAA6.txt"), format!("0{}:3\r\n{rest}:52256179\r\n", &rest[1..])).unwrap();
        let breached = open().unwrap();
        assert!(breached.contains(&password("password")).unwrap());
        // Without an ending, and in small letters; none is none.
        fs::remove_file(at("5BAA6.txt")).unwrap();
        for (count, found) in [("1", true), ("0", false)] {
            fs::write(at("5BAA6"), format!("{}:{count}\n", rest.to_lowercase())).unwrap();
            assert_eq!(breached.contains(&password("password")).unwrap(), found);
        }
        assert!(breached.contains(&password("another one")).is_err(), "its file is not there");
    }
}
