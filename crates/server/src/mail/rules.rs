//! How much mail somebody gets at most, whoever asks for it.

use guestlist_api::time::DateTime;

const MINUTE: i64 = 60 * 1000;
/// An hour, in milliseconds.
pub const HOUR: i64 = 60 * MINUTE;
/// As far back as mails count.
pub const DAY: i64 = 24 * HOUR;

/// So many mails within so long, in milliseconds.
const MOST: [(usize, i64); 3] = [(1, MINUTE), (5, HOUR), (10, DAY)];

/// As many of the newest mails as count.
pub const COUNTED: i64 = 10;

/// Mails of an application within an hour beyond which people cannot ask for more: one each second.
pub const MANY: i64 = 3600;

/// The seconds until another mail may go to whoever was sent some at these moments, the newest first; 0 if one may
/// now.
#[must_use]
pub fn wait(sent: &[DateTime], now: DateTime) -> u32 {
    let left = MOST.iter().filter_map(|&(count, span)| {
        let oldest = sent.get(count.checked_sub(1)?)?;
        Some(oldest.millis() + span - now.millis())
    });
    let left = left.max().unwrap_or_default();
    u32::try_from(left.clamp(0, DAY)).map_or(u32::MAX, |left| left.div_ceil(1000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(millis: i64) -> DateTime {
        DateTime::from_millis(1_800_000_000_000 + millis)
    }

    #[test]
    fn whoever_has_just_been_sent_one_waits_for_a_minute() {
        assert_eq!(wait(&[], at(0)), 0);
        assert_eq!(wait(&[at(0)], at(0)), 60);
        assert_eq!(wait(&[at(0)], at(MINUTE - 1)), 1);
        assert_eq!(wait(&[at(0)], at(MINUTE)), 0);
        // Of a clock that went back.
        assert_eq!(wait(&[at(9 * DAY)], at(0)), 24 * 3600);
    }

    proptest! {
        /// However they are asked for, no more are sent than may be.
        #[test]
        fn no_more_are_sent_than_may_be(pauses in prop::collection::vec(0..2 * HOUR, 0..200)) {
            let (mut sent, mut now) = (Vec::new(), 0);
            for pause in pauses {
                now += pause;
                let counted = usize::try_from(COUNTED).unwrap();
                if wait(&sent[..sent.len().min(counted)], at(now)) == 0 {
                    sent.insert(0, at(now));
                }
                for (count, span) in MOST {
                    let within = sent.iter().filter(|sent| sent.millis() > at(now - span).millis());
                    prop_assert!(within.count() <= count);
                }
            }
        }
    }
}
