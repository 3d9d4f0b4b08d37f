//! When a link is good.

use guestlist_api::experience_link::LinkPurpose;
use guestlist_api::time::DateTime;

/// What a link is compared by of a user: as they were when it was made, and as they are when it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Their address, as addresses are compared.
    pub email: String,
    /// When their password last changed.
    pub password_updated: Option<DateTime>,
}

/// A link that there is, as far as it matters whether it is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What it is for.
    pub purpose: LinkPurpose,
    /// When it ends.
    pub expires: DateTime,
    /// Its user when it was made; `None` if it makes one.
    pub owner: Option<Owner>,
}

impl Standing {
    /// Whether it is good for `purpose` at `now`, if its user is `owner`: for one that makes a user, whoever has
    /// the address.
    ///
    /// Another address ends all links of a user, as their mail went to the old one. So does another password,
    /// whoever has set it: it may be the owner, who takes the account back from somebody who has asked for a
    /// change of the address meanwhile. To have read a mail stays what it is.
    #[must_use]
    pub fn is_good(&self, purpose: LinkPurpose, now: DateTime, owner: Option<&Owner>) -> bool {
        let same = match (&self.owner, owner) {
            (None, None) => true,
            (Some(then), Some(now)) => {
                let password = then.password_updated == now.password_updated;
                then.email == now.email && (password || purpose == LinkPurpose::Verify)
            }
            _ => false,
        };
        same && self.purpose == purpose && now < self.expires
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use LinkPurpose::{ChangeAddress, Invite, Register, Reset, Verify};
    use proptest::prelude::*;

    const ALL: [LinkPurpose; 5] = [Register, Invite, Reset, Verify, ChangeAddress];

    /// What happens to one address and to the user who has it.
    #[derive(Debug, Clone, Copy)]
    enum Event {
        Wait(i64),
        /// A link of that purpose, for so many milliseconds.
        Make(usize, i64),
        /// The link, for that purpose.
        Use(usize, usize),
        /// By others.
        Password,
        Address,
        Join,
        Leave,
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            prop_oneof![Just(1_i64), 0_i64..50].prop_map(Event::Wait),
            (0..ALL.len(), 1_i64..100).prop_map(|(of, ttl)| Event::Make(of, ttl)),
            (0..12_usize, 0..ALL.len()).prop_map(|(link, of)| Event::Use(link, of)),
            (0..12_usize, 0..ALL.len()).prop_map(|(link, of)| Event::Use(link, of)),
            Just(Event::Password),
            Just(Event::Address),
            Just(Event::Join),
            Just(Event::Leave),
        ]
    }

    /// Who somebody is, counted: the user, its address and its password.
    type Counted = (u32, u32, u32);

    /// A link, and what it was made for.
    struct Link {
        standing: Standing,
        made_for: Option<Counted>,
        /// Whether it was used, or another took its place, or its user went.
        removed: bool,
    }

    /// One user at most, at an address of theirs.
    struct Model {
        now: i64,
        user: Option<Counted>,
        count: u32,
        links: Vec<Link>,
    }

    impl Model {
        fn at(&self) -> DateTime {
            DateTime::from_millis(self.now)
        }

        fn next(&mut self) -> u32 {
            self.count += 1;
            self.count
        }

        /// As a store has it: a password is known by when it was set.
        fn owner(&self) -> Option<Owner> {
            self.user.map(|(_, address, password)| Owner {
                email: format!("{address}@b"),
                password_updated: Some(DateTime::from_millis(password.into())),
            })
        }

        fn remove(&mut self, which: impl Fn(&Link) -> bool) {
            for link in &mut self.links {
                link.removed |= which(link);
            }
        }

        fn join(&mut self) {
            self.user = Some((self.next(), self.next(), self.next()));
        }

        fn change(&mut self, password: bool) {
            let next = self.next();
            if let Some((_, address, of_password)) = &mut self.user {
                *(if password { of_password } else { address }) = next;
            }
        }

        fn make(&mut self, purpose: LinkPurpose, ttl: i64) {
            let makes_one = matches!(purpose, Register | Invite);
            // One who is there needs no other, and nobody else has a password.
            if makes_one == self.user.is_some() {
                return;
            }
            self.remove(|other| other.standing.purpose == purpose);
            let expires = DateTime::from_millis(self.now + ttl);
            let standing = Standing { purpose, expires, owner: self.owner() };
            self.links.push(Link { standing, made_for: self.user, removed: false });
        }

        fn try_it(&mut self, index: usize, purpose: LinkPurpose) {
            let (now, owner) = (self.at(), self.owner());
            let Some(link) = self.links.get_mut(index).filter(|link| !link.removed) else { return };
            if !link.standing.is_good(purpose, now, owner.as_ref()) {
                return;
            }
            link.removed = true;
            match purpose {
                Register | Invite => self.join(),
                Verify => {}
                Reset | ChangeAddress => {
                    self.change(purpose == Reset);
                    self.remove(|link| link.made_for.is_some());
                }
            }
        }

        fn meet(&mut self, event: Event) {
            match event {
                Event::Wait(millis) => self.now += millis,
                Event::Make(of, ttl) => self.make(ALL[of], ttl),
                Event::Use(link, of) => self.try_it(link, ALL[of]),
                Event::Password => self.change(true),
                Event::Address => self.change(false),
                Event::Join if self.user.is_none() => self.join(),
                Event::Join => {}
                Event::Leave => {
                    self.user = None;
                    self.remove(|link| link.made_for.is_some());
                }
            }
        }

        /// What should be said of `link`, if it is there.
        fn is_good(&self, link: &Link, purpose: LinkPurpose) -> bool {
            let same = match (link.made_for, self.user) {
                (None, None) => true,
                (Some(then), Some(now)) => {
                    (then.0, then.1) == (now.0, now.1) && (purpose == Verify || then.2 == now.2)
                }
                _ => false,
            };
            same && purpose == link.standing.purpose && self.at() < link.standing.expires
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn a_link_is_good_for_its_purpose_until_it_ends_or_its_user_is_another(
            events in prop::collection::vec(event(), 0..60),
        ) {
            let mut model = Model { now: 1_782_000_000_000, user: None, count: 0, links: Vec::new() };
            for event in events {
                model.meet(event);
                for link in model.links.iter().filter(|link| !link.removed) {
                    for purpose in ALL {
                        let told =
                            link.standing.is_good(purpose, model.at(), model.owner().as_ref());
                        prop_assert_eq!(told, model.is_good(link, purpose), "{:?}", link.standing);
                    }
                }
            }
        }
    }
}
