//! Users that nobody made: a population as an application might have it, for demonstrations and
//! measurements. The same numbers make the same population, down to its ids and times.

use crate::directory::groups::rules::blank_group;
use crate::directory::users::rules::blank_user;
use guestlist_api::experience_group::ExperienceGroup;
use guestlist_api::experience_user::{ExperienceUser, GroupRef};
use guestlist_api::id::{ApplicationId, ExperienceGroupId, ExperienceUserId, ObjectId};
use guestlist_api::text::Tags;
use guestlist_api::time::DateTime;
use std::ops::Range;

/// The most users of one population: beyond that they would be of the future.
pub const MOST: u64 = 10_000_000;

/// When the first user came: 2020-01-01.
const BEGAN: i64 = 1_577_836_800_000;
/// Every so many milliseconds another one came.
const EVERY: i64 = 20_000;
/// Within this time of having come a user last signed in, or changed.
const ACTIVE: u64 = 180 * 24 * 3600 * 1000;

/// Users for each group that has some.
const A_SITE: u64 = 10_000;
/// Groups at the root, which the others are in.
const REGIONS: [&str; 4] = ["North", "East", "South", "West"];

/// Who lives in an application.
#[derive(Debug)]
pub struct Population {
    application: ApplicationId,
    seed: u32,
    count: u64,
    sites: Vec<GroupRef>,
    regions: Vec<GroupRef>,
}

impl Population {
    /// The population of `count` users that `seed` gives, for `application`.
    #[must_use]
    pub fn new(application: ApplicationId, seed: u32, count: u64) -> Self {
        let group = |number: u64, name: String, parent_id| {
            let id = ExperienceGroupId(object_id(BEGAN, seed, 0xff_0000 | number));
            GroupRef { id, name, parent_id }
        };
        let regions: Vec<GroupRef> =
            (0..).zip(REGIONS).map(|(number, name)| group(number, name.into(), None)).collect();
        // Beyond what ids have room for, and more than enough.
        let sites = count.div_ceil(A_SITE).clamp(4, 1000);
        let sites = (0..sites)
            .zip(regions.iter().cycle())
            .map(|(site, region)| {
                let name = format!("{} {}", region.name, site / REGIONS.len() as u64 + 1);
                group(site + REGIONS.len() as u64, name, Some(region.id))
            })
            .collect();
        Self { application, seed, count, sites, regions }
    }

    /// How many users there are.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The groups, parents before children and without their members.
    pub fn groups(&self) -> impl Iterator<Item = ExperienceGroup> {
        self.regions.iter().chain(&self.sites).map(|group| ExperienceGroup {
            parent_id: group.parent_id,
            ancestor_ids: group.parent_id.into_iter().collect(),
            ..blank_group(
                group.id,
                self.application,
                group.name.clone(),
                DateTime::from_millis(BEGAN),
            )
        })
    }

    /// The users from the one to the other, in the order of their coming.
    pub fn users(&self, numbers: Range<u64>) -> impl Iterator<Item = ExperienceUser> {
        numbers.map(|number| self.user(number))
    }

    fn user(&self, number: u64) -> ExperienceUser {
        let mut chance = Chance::new(self.seed, number);
        let came = BEGAN + i64::try_from(number).unwrap_or(0).saturating_mul(EVERY);
        let came = came + i64::try_from(chance.below(EVERY.unsigned_abs())).unwrap_or(0);
        let mut later = |of_a_hundred| {
            let after = i64::try_from(chance.below(ACTIVE)).unwrap_or(0);
            (chance.below(100) < of_a_hundred).then(|| DateTime::from_millis(came + after))
        };
        let (last_login, changed) = (later(70), later(60));
        let first = *chance.one_of(&FIRST_NAMES);
        let last = *chance.one_of(&LAST_NAMES);
        let domain = chance.one_of(&["com", "net", "org"]);
        // The number keeps it from being somebody else's, and the seed from being the one of
        // another population.
        let email = format!("{first}.{last}.{number}@s{}.example.{domain}", self.seed);
        let email = email.to_lowercase();

        let mut tags = Tags::default();
        let mut tag = |name: &str, value: String| tags.0.insert(name.to_owned(), value);
        let plan = match chance.below(100) {
            0..70 => "free",
            70..90 => "basic",
            90..98 => "pro",
            _ => "enterprise",
        };
        tag("plan", plan.into());
        if chance.below(100) < 40 {
            tag("locale", (*chance.one_of(&LOCALES)).into());
        }
        // Some have a tag that nobody else has.
        if number.is_multiple_of(10) {
            tag("badge", format!("B{number:07}"));
        }
        let mut groups = Vec::new();
        if chance.below(100) < 80 {
            groups.push(chance.one_of(&self.sites).clone());
        }
        if chance.below(100) < 1 {
            groups.push(chance.one_of(&self.regions).clone());
        }

        let id = ExperienceUserId(object_id(came, self.seed, number));
        let came = DateTime::from_millis(came);
        ExperienceUser {
            last_updated: changed.unwrap_or(came),
            last_login,
            first_name: Some(first.into()),
            last_name: Some(last.into()),
            user_tags: tags,
            experience_groups: groups,
            ..blank_user(id, self.application, email, came)
        }
    }
}

/// An id as [`crate::clock::Ids`] makes them, of what is said and nothing else.
fn object_id(at: i64, seed: u32, number: u64) -> ObjectId {
    let mut bytes = [0x5e; 12];
    let seconds = u32::try_from(at / 1000).unwrap_or_default();
    bytes[..4].copy_from_slice(&seconds.to_be_bytes());
    bytes[5..9].copy_from_slice(&seed.to_be_bytes());
    bytes[9..].copy_from_slice(&number.to_be_bytes()[5..]);
    ObjectId::from_bytes(bytes)
}

/// Numbers that look like chance and are always the same: splitmix64.
struct Chance(u64);

impl Chance {
    fn new(seed: u32, number: u64) -> Self {
        let mut chance = Self(u64::from(seed) << 32 ^ number);
        // So that neighbours have nothing in common.
        Self(chance.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`. That some are likelier by 2^-40 is nobody's loss.
    fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let place = usize::try_from(self.below(all.len() as u64)).unwrap_or_default();
        &all[place]
    }
}

const FIRST_NAMES: [&str; 64] = [
    "Ada", "Agnes", "Ahmed", "Aiko", "Alan", "Alma", "Amara", "Amir", "Ana", "Anders", "Anya",
    "Astrid", "Ayan", "Bela", "Bruno", "Carla", "Chen", "Chloe", "Dana", "Diego", "Edsger",
    "Elena", "Emil", "Esther", "Fatima", "Felix", "Finn", "Freya", "Goran", "Grace", "Hana",
    "Hugo", "Ida", "Imani", "Ines", "Ivan", "Jonas", "Kaito", "Karim", "Katja", "Kofi", "Lars",
    "Leila", "Lina", "Luca", "Maria", "Mateo", "Mei", "Mina", "Nadia", "Niko", "Noor", "Olga",
    "Omar", "Pablo", "Priya", "Rosa", "Sami", "Sofia", "Tariq", "Tomas", "Uma", "Yara", "Zoe",
];

const LAST_NAMES: [&str; 96] = [
    "Abe",
    "Adeyemi",
    "Ahlberg",
    "Ali",
    "Almeida",
    "Andersson",
    "Baker",
    "Banerjee",
    "Bauer",
    "Becker",
    "Bianchi",
    "Blom",
    "Brandt",
    "Castro",
    "Chang",
    "Chowdhury",
    "Cohen",
    "Costa",
    "Dahl",
    "Das",
    "Diaz",
    "Diop",
    "Dubois",
    "Eriksen",
    "Evans",
    "Farah",
    "Fischer",
    "Fontaine",
    "Fujita",
    "Garcia",
    "Gomez",
    "Gupta",
    "Haddad",
    "Hansen",
    "Hassan",
    "Hoffmann",
    "Horvat",
    "Hughes",
    "Ito",
    "Ivanova",
    "Jansen",
    "Jensen",
    "Johansson",
    "Kaya",
    "Keller",
    "Khan",
    "Kim",
    "Kowalski",
    "Kumar",
    "Larsen",
    "Laurent",
    "Lee",
    "Lopez",
    "Lund",
    "Martin",
    "Mbeki",
    "Mehta",
    "Mendes",
    "Meyer",
    "Molina",
    "Moreau",
    "Murphy",
    "Nakamura",
    "Nguyen",
    "Nielsen",
    "Novak",
    "Okafor",
    "Olsen",
    "Ortiz",
    "Osei",
    "Park",
    "Patel",
    "Petrov",
    "Popescu",
    "Quinn",
    "Rahman",
    "Ramirez",
    "Rossi",
    "Russo",
    "Saito",
    "Santos",
    "Sato",
    "Schmidt",
    "Silva",
    "Singh",
    "Smith",
    "Sousa",
    "Suzuki",
    "Takahashi",
    "Tanaka",
    "Toth",
    "Vargas",
    "Virtanen",
    "Weber",
    "Wong",
    "Yilmaz",
];

const LOCALES: [&str; 12] =
    ["de", "en-GB", "en-US", "es", "fr", "hi", "it", "ja", "ko", "pl", "pt-BR", "sv"];

#[cfg(test)]
mod tests {
    use super::*;
    use guestlist_api::text::Email;
    use std::collections::{BTreeMap, BTreeSet};

    fn population(seed: u32, count: u64) -> Population {
        Population::new(ApplicationId(ObjectId::from_bytes([7; 12])), seed, count)
    }

    fn all(seed: u32, count: u64) -> Vec<ExperienceUser> {
        population(seed, count).users(0..count).collect()
    }

    #[test]
    fn the_same_numbers_make_the_same_users_and_others_make_others() {
        assert_eq!(all(1, 500), all(1, 500));
        assert_eq!(all(1, 500)[300..], population(1, 500).users(300..500).collect::<Vec<_>>());
        let (one, two) = (all(1, 500), all(2, 500));
        let taken: BTreeSet<_> = one.iter().map(|user| &user.email).collect();
        assert!(two.iter().all(|user| !taken.contains(&user.email)));
        assert!(one.iter().zip(&two).all(|(one, two)| one.id != two.id));
        let groups =
            |seed| population(seed, 500).groups().map(|group| group.id).collect::<Vec<_>>();
        assert_eq!(groups(1), groups(1));
        assert!(groups(1).iter().all(|id| !groups(2).contains(id)));
    }

    #[test]
    fn everybody_is_somebody_else_and_could_have_been_posted() {
        let users = all(3, 30_000);
        let unique = |of: fn(&ExperienceUser) -> String| {
            users.iter().map(of).collect::<BTreeSet<_>>().len() == users.len()
        };
        assert!(unique(|user| user.id.to_string()) && unique(|user| user.email.clone()));
        assert!(users.iter().all(|user| Email::parse(&user.email).is_some()));
        assert!(users.is_sorted_by_key(|user| (user.creation_date, user.id)));
        let last = population(3, MOST).user(MOST - 1);
        assert!(last.creation_date < DateTime::from_millis(1_790_000_000_000), "{last:?}");
    }

    #[test]
    fn it_is_as_a_population_is() {
        let users = all(1, 50_000);
        let share = |of: &dyn Fn(&ExperienceUser) -> bool| {
            users.iter().filter(|user| of(user)).count() * 100 / users.len()
        };
        let about = |wanted: usize, found: usize| wanted.abs_diff(found) <= 1;
        assert!(about(70, share(&|user| user.last_login.is_some())));
        assert!(about(80, share(&|user| !user.experience_groups.is_empty())));
        assert!(about(10, share(&|user| user.user_tags.0.contains_key("badge"))));
        assert!(about(40, share(&|user| user.user_tags.0.contains_key("locale"))));
        assert!(about(2, share(&|user| user.user_tags.0["plan"] == "enterprise")));
        let mut members: BTreeMap<&str, usize> = BTreeMap::new();
        for group in users.iter().flat_map(|user| &user.experience_groups) {
            *members.entry(&group.name).or_default() += 1;
        }
        let groups: Vec<_> = population(1, 50_000).groups().collect();
        assert_eq!(members.len(), groups.len());
        assert_eq!((groups.len(), population(1, 1_000_000).groups().count()), (9, 104));
    }
}
