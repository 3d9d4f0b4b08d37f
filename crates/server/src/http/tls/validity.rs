//! From when to when a certificate is good.

use guestlist_api::time::DateTime;
use rustls::pki_types::{CertificateDer, UnixTime};
use std::time::Duration;
use webpki::{EndEntityCert, Error, KeyUsage};

/// From when to when a certificate is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) begins: DateTime,
    pub(super) ends: DateTime,
}

impl Validity {
    /// That of `certificate`.
    ///
    /// # Errors
    /// When it is no certificate that clients understand.
    pub(super) fn of(certificate: &CertificateDer<'_>) -> Result<Self, Error> {
        let certificate = EndEntityCert::try_from(certificate)?;
        // Whoever verifies it at another time is told when it was good, before anything else.
        let refused = |seconds| {
            let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
            let usage = KeyUsage::server_auth();
            certificate.verify_for_usage(&[], &[], &[], at, usage, None, None).err()
        };
        let begins = match refused(0) {
            Some(Error::CertNotValidYet { not_before, .. }) => not_before,
            Some(why @ (Error::BadDer | Error::BadDerTime | Error::InvalidCertValidity)) => {
                return Err(why);
            }
            _ => UnixTime::since_unix_epoch(Duration::ZERO),
        };
        let ends = match refused(u64::MAX) {
            Some(Error::CertExpired { not_after, .. }) => not_after,
            other => return Err(other.unwrap_or(Error::BadDerTime)),
        };
        Ok(Self { begins: date(begins), ends: date(ends) })
    }

    /// Whether it is good at `now`.
    ///
    /// # Errors
    /// When it is not: the words say of it since when.
    pub(super) fn check(&self, now: DateTime) -> Result<(), String> {
        if now < self.begins {
            return Err(format!("is good only from {} on", self.begins));
        }
        if self.ends < now {
            return Err(format!("has ended on {}", self.ends));
        }
        Ok(())
    }
}

fn date(time: UnixTime) -> DateTime {
    DateTime::from_millis(
        i64::try_from(time.as_secs()).map_or(i64::MAX, |secs| secs.saturating_mul(1000)),
    )
}
