//! When a token of a user is good. One issued before a cutoff is not, to the millisecond; and none is issued
//! before a cutoff that is there.

use guestlist_api::time::DateTime;

/// How far ahead of the time a token may be issued, in milliseconds, so that it is not before a cutoff that
/// somebody has set by another clock.
const AHEAD: i64 = 60_000;

/// The moments from which on tokens of a user are good.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cutoffs {
    /// Of the user.
    pub user: Option<DateTime>,
    /// Of all users of the application.
    pub application: Option<DateTime>,
}

impl Cutoffs {
    /// The one that counts.
    #[must_use]
    pub fn effective(self) -> Option<DateTime> {
        self.user.max(self.application)
    }

    /// When a token that is made at `now` is issued. `None` when it would be too far ahead: a token that is
    /// handed out is good.
    #[must_use]
    pub fn issued(self, now: DateTime) -> Option<DateTime> {
        let issued = self.effective().map_or(now, |cutoff| cutoff.max(now));
        (issued <= now.plus_millis(AHEAD)).then_some(issued)
    }

    /// The cutoff of the user that no token made until `now` is good after.
    #[must_use]
    pub fn cut(self, now: DateTime) -> DateTime {
        // Where none is made, as the application's is too far ahead, that stays for the application to say.
        let latest = self.effective().filter(|_| self.issued(now).is_some()).or(self.user);
        latest.map_or(now, |latest| latest.max(now)).plus_millis(1)
    }
}

/// The life of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Since when.
    pub issued: DateTime,
    /// Until when; `None` is for ever.
    pub expires: Option<DateTime>,
}

impl Span {
    /// One that begins at `issued` and lasts `millis`, and ends with a second.
    #[must_use]
    pub fn new(issued: DateTime, millis: Option<i64>) -> Self {
        let end = |millis| {
            let seconds = issued.plus_millis(millis).plus_millis(999).millis().div_euclid(1000);
            DateTime::from_millis(seconds * 1000)
        };
        Self { issued, expires: millis.map(end) }
    }

    /// Whether it is good at `now`.
    #[must_use]
    pub fn is_good(self, cutoffs: Cutoffs, now: DateTime) -> bool {
        self.expires.is_none_or(|end| now < end)
            && cutoffs.effective().is_none_or(|cutoff| self.issued >= cutoff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What happens to the tokens of a user.
    #[derive(Debug, Clone, Copy)]
    enum Event {
        Wait(i64),
        Mint(Option<i64>),
        MintAlone,
        End,
        CutUser(i64),
        CutApplication(i64),
    }

    fn event() -> impl Strategy<Value = Event> {
        let ahead = prop_oneof![-5_i64..5, 59_990_i64..60_010, 0_i64..200_000];
        prop_oneof![
            prop_oneof![Just(0_i64), 0_i64..3, 0_i64..100_000].prop_map(Event::Wait),
            prop_oneof![Just(None), (1_i64..3000).prop_map(Some)].prop_map(Event::Mint),
            Just(Event::MintAlone),
            Just(Event::End),
            ahead.clone().prop_map(Event::CutUser),
            ahead.prop_map(Event::CutApplication),
        ]
    }

    /// The tokens of a user, and what is to become of them.
    struct Model {
        now: DateTime,
        cutoffs: Cutoffs,
        /// Each token, and whether something has ended it.
        tokens: Vec<(Span, bool)>,
    }

    impl Model {
        /// Ends the tokens of which `which` is so.
        fn end(&mut self, which: impl Fn(&Span) -> bool) {
            for (token, ended) in &mut self.tokens {
                *ended |= which(token);
            }
        }

        /// A cutoff so far ahead. One that is taken back lets tokens live again: here none is.
        fn cut(&mut self, before: Option<DateTime>, ahead: i64) -> Option<DateTime> {
            let at = before.max(Some(self.now.plus_millis(ahead)));
            self.end(|token| Some(token.issued) < at);
            at
        }

        fn meet(&mut self, event: Event) {
            let (now, cutoffs) = (self.now, self.cutoffs);
            match event {
                Event::Wait(millis) => self.now = now.plus_millis(millis),
                Event::Mint(age) => match cutoffs.issued(now) {
                    Some(issued) => {
                        let token = Span::new(issued, age);
                        assert!(issued >= now && token.is_good(cutoffs, now));
                        self.tokens.push((token, false));
                    }
                    None => assert!(cutoffs.effective() > Some(now.plus_millis(AHEAD))),
                },
                Event::MintAlone => {
                    let alone = Cutoffs { user: Some(cutoffs.cut(now)), ..cutoffs };
                    if let Some(issued) = alone.issued(now) {
                        self.cutoffs = alone;
                        self.end(|_| true);
                        self.tokens.push((Span::new(issued, None), false));
                    }
                }
                Event::End => {
                    self.cutoffs.user = Some(cutoffs.cut(now));
                    self.end(|_| true);
                }
                Event::CutUser(ahead) => self.cutoffs.user = self.cut(cutoffs.user, ahead),
                Event::CutApplication(ahead) => {
                    self.cutoffs.application = self.cut(cutoffs.application, ahead);
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn a_token_is_good_until_it_expires_or_is_cut_off(
            events in prop::collection::vec(event(), 0..60),
        ) {
            let now = DateTime::from_millis(1_782_000_000_000);
            let mut model = Model { now, cutoffs: Cutoffs::default(), tokens: Vec::new() };
            for event in events {
                model.meet(event);
                for (token, ended) in &model.tokens {
                    let good = !ended && token.expires.is_none_or(|end| model.now < end);
                    let told = token.is_good(model.cutoffs, model.now);
                    prop_assert_eq!(told, good, "{:?} {:?}", event, token);
                }
            }
        }
    }

    #[test]
    fn a_token_lasts_as_long_as_was_asked_and_to_the_end_of_the_second() {
        let issued = DateTime::from_millis(1_782_000_000_400);
        for (millis, end) in [(1, 601), (600, 600), (601, 1600), (3_600_000, 3_600_600)] {
            let span = Span::new(issued, Some(millis));
            let end = end / 1000 * 1000 + 600;
            assert_eq!(span.expires, Some(issued.plus_millis(end)), "{millis}");
        }
        assert_eq!(Span::new(issued, None).expires, None);
    }
}
