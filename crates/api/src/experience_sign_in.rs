//! `experienceSignIn`: what an application offers to the people who sign in to it. All of it is off until it is
//! switched on.

use crate::experience_link::LinkUrl;
use crate::id::ApplicationId;
use crate::text::{Email, List, Nullable, Text, Whole};
use crate::wire::{Problems, Rule, Wire};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;

/// The shortest password that a person may choose, as far as an application says it: 15 characters, unless
/// there is more than the password (NIST SP 800-63B-4), and there is not.
pub type MinLength = Whole<SHORTEST, 64>;

const SHORTEST: u64 = 15;

crate::words! {
    /// What becomes of passwords that others have lost.
    BreachedPasswords {
        /// People may not choose them.
        Refuse "refuse",
        /// Nobody looks.
        Off "off",
    }
}

/// What an application offers to the people who sign in to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "experienceSignIn")]
pub struct ExperienceSignIn {
    /// The application.
    pub application_id: ApplicationId,
    /// Its settings.
    #[serde(flatten)]
    pub settings: SignInSettings,
}

/// The settings of an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct SignInSettings {
    /// Whether programs of the application ask without an API token.
    pub public_json: bool,
    /// Whether there are pages for people.
    pub pages: bool,
    /// Whether people register by themselves.
    pub register: bool,
    /// Whether people who have forgotten their password are sent a link.
    pub forgot: bool,
    /// The shortest password that people may choose, in characters.
    pub password_min_length: u64,
    /// Whether people may choose a password that others have lost, as far as the server has a list of those.
    pub breached_passwords: BreachedPasswords,
    /// Whom mails are from, if not from whom the server says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail_from: Option<String>,
    /// What people know the application as, if not by its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The languages that people are spoken to in, the usual one first.
    pub locales: Vec<String>,
    /// The page of the application that links in mails lead to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_url: Option<String>,
}

impl Default for SignInSettings {
    fn default() -> Self {
        Self {
            public_json: false,
            pages: false,
            register: false,
            forgot: false,
            password_min_length: SHORTEST,
            breached_passwords: BreachedPasswords::Refuse,
            mail_from: None,
            display_name: None,
            locales: vec!["en".into()],
            link_url: None,
        }
    }
}

impl SignInSettings {
    /// What cannot be switched on yet, as this version has nothing behind it. Whoever adds that takes it out here.
    pub const NOT_YET: &[&str] = &["pages"];

    /// The settings after `patch`, without looking whether they make sense together.
    #[must_use]
    pub fn changed(&self, patch: &ExperienceSignInPatch) -> Self {
        fn said<T: std::ops::Deref<Target = str>>(
            new: Option<&Nullable<T>>,
            old: Option<&String>,
        ) -> Option<String> {
            match new {
                Some(Nullable(new)) => new.as_deref().map(str::to_owned),
                None => old.cloned(),
            }
        }
        let locales = patch.locales.as_ref().map(|list| list.0.iter());
        let locales = locales.map(|all| all.map(|locale| locale.0.clone()).collect());
        Self {
            public_json: patch.public_json.unwrap_or(self.public_json),
            pages: patch.pages.unwrap_or(self.pages),
            register: patch.register.unwrap_or(self.register),
            forgot: patch.forgot.unwrap_or(self.forgot),
            password_min_length: patch
                .password_min_length
                .map_or(self.password_min_length, |length| length.0),
            breached_passwords: patch.breached_passwords.unwrap_or(self.breached_passwords),
            mail_from: said(patch.mail_from.as_ref(), self.mail_from.as_ref()),
            display_name: said(patch.display_name.as_ref(), self.display_name.as_ref()),
            locales: locales.unwrap_or_else(|| self.locales.clone()),
            link_url: said(patch.link_url.as_ref(), self.link_url.as_ref()),
        }
    }

    /// What people reach without a token of the application's backend, as the wire calls it.
    #[must_use]
    pub fn doors(&self) -> Vec<&'static str> {
        let doors = [("publicJson", self.public_json), ("pages", self.pages)];
        doors.into_iter().filter_map(|(name, is_on)| is_on.then_some(name)).collect()
    }

    /// What is switched on, as the wire calls it.
    #[must_use]
    pub fn on(&self) -> Vec<&'static str> {
        let more = [("register", self.register), ("forgot", self.forgot)];
        let more = more.into_iter().filter_map(|(name, is_on)| is_on.then_some(name));
        self.doors().into_iter().chain(more).collect()
    }

    /// What is offered of it, whatever was stored by another server: nothing to people themselves where they may
    /// not be sent to this one, or where it has nothing behind a switch.
    #[must_use]
    pub fn offered(mut self, is_for_people: bool) -> Self {
        let is_there = |name: &str| is_for_people && !Self::NOT_YET.contains(&name);
        self.public_json &= is_there("publicJson");
        self.pages &= is_there("pages");
        let is_reached = !self.doors().is_empty();
        self.register &= is_reached && is_there("register");
        self.forgot &= is_reached && is_there("forgot");
        self
    }

    /// Notes what is switched on and does nothing.
    pub fn check(&self, at: &mut Problems) {
        for (name, is_on) in [("register", self.register), ("forgot", self.forgot)] {
            if is_on && self.doors().is_empty() {
                let why =
                    "cannot be on where neither publicJson nor pages is: nobody would reach it";
                at.nested(name, |at| at.push(Rule::Other(why.into())));
            }
        }
    }
}

/// A language, such as `en` or `de-CH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locale(pub String);

impl Wire for Locale {
    fn read(value: Value, at: &mut Problems) -> Option<Self> {
        let Value::String(text) = value else { return at.refuse(Rule::WrongType) };
        let (language, region) = text.split_once('-').unwrap_or((&text, "XX"));
        let is_good = matches!(language.len(), 2..=3)
            && language.bytes().all(|byte| byte.is_ascii_lowercase())
            && region.len() == 2
            && region.bytes().all(|byte| byte.is_ascii_uppercase());
        if is_good { Some(Self(text)) } else { at.refuse(Rule::Pattern) }
    }
}

impl JsonSchema for Locale {
    fn schema_name() -> Cow<'static, str> {
        "Locale".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[a-z]{2,3}(-[A-Z]{2})?$" })
    }
}

crate::object! {
    /// What changes of what an application offers to people; what is not there stays as it is.
    deny_unknown ExperienceSignInPatch where sound {
        /// Whether programs of the application ask without an API token.
        optional public_json "publicJson": bool,
        /// Whether there are pages for people.
        optional pages "pages": bool,
        /// Whether people register by themselves. It needs `publicJson` or `pages`.
        optional register "register": bool,
        /// Whether people who have forgotten their password are sent a link. It needs `publicJson` or `pages`.
        optional forgot "forgot": bool,
        /// The shortest password that people may choose, in characters. What a backend sets is not measured by it.
        optional password_min_length "passwordMinLength": MinLength,
        /// Whether people may choose a password that others have lost, as far as the server has a list of those.
        optional breached_passwords "breachedPasswords": BreachedPasswords,
        /// Whom mails are from; `null` for whom the server says.
        optional mail_from "mailFrom": Nullable<Email>,
        /// What people know the application as; `null` for its name.
        optional display_name "displayName": Nullable<Text<1, 64>>,
        /// The languages that people are spoken to in, the usual one first.
        optional locales "locales": List<Locale, 20>,
        /// The page of the application that links in mails lead to; `null` for none.
        optional link_url "linkUrl": Nullable<LinkUrl>,
    }
}

fn sound(patch: &ExperienceSignInPatch, at: &mut Problems) {
    // It stands in the head of a mail.
    let name = patch.display_name.as_ref().and_then(|name| name.0.as_deref());
    if name.is_some_and(|name| name.chars().any(char::is_control)) {
        let why = Rule::Other("must not contain control characters".into());
        at.nested("displayName", |at| at.push(why));
    }
    let Some(List(locales)) = &patch.locales else { return };
    if locales.is_empty() {
        let why = Rule::Other("needs one at least".into());
        at.nested("locales", |at| at.push(why));
    }
    if locales
        .iter()
        .enumerate()
        .any(|(index, locale)| locales.iter().take(index).any(|it| it == locale))
    {
        at.nested("locales", |at| at.push(Rule::NotUnique));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::read;
    use serde_json::json;

    fn patch(value: Value) -> Result<ExperienceSignInPatch, Vec<String>> {
        let read = read::<ExperienceSignInPatch>("experienceSignIn", value);
        read.map_err(|all| all.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_is_said_changes_and_all_else_stays() {
        let first = SignInSettings::default();
        assert_eq!(first.changed(&patch(json!({})).unwrap()), first);
        let body = json!({
            "pages": true, "register": true, "passwordMinLength": 20, "mailFrom": "a@b.example",
            "breachedPasswords": "off",
            "displayName": "Ünï", "locales": ["de-CH", "en", "gsw"],
        });
        let second = first.changed(&patch(body.clone()).unwrap());
        let mut all = serde_json::to_value(&first).unwrap();
        all.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        assert_eq!(serde_json::to_value(&second).unwrap(), all);
        let body = json!({ "mailFrom": null, "displayName": null, "locales": ["en"] });
        let third = second.changed(&patch(body).unwrap());
        assert_eq!((third.mail_from, third.display_name), (None, None));
    }

    #[test]
    fn what_was_stored_by_less_is_read() {
        let read: SignInSettings = serde_json::from_value(json!({ "pages": true })).unwrap();
        assert_eq!(read, SignInSettings { pages: true, ..SignInSettings::default() });
    }

    #[test]
    fn what_people_do_not_reach_is_not_offered() {
        let first = SignInSettings { password_min_length: 20, ..SignInSettings::default() };
        let all = SignInSettings {
            public_json: true,
            pages: true,
            register: true,
            forgot: true,
            ..first.clone()
        };
        assert_eq!(all.on(), ["publicJson", "pages", "register", "forgot"]);
        assert_eq!(all.clone().offered(false), first, "all else stays");
        let is_there = |name: &&str| !SignInSettings::NOT_YET.contains(name);
        let there: Vec<_> = all.on().into_iter().filter(is_there).collect();
        assert_eq!(all.offered(true).on(), there);
        let behind_none = SignInSettings { register: true, ..first.clone() };
        assert_eq!(behind_none.offered(true), first);
    }

    #[test]
    fn what_does_nothing_is_refused() {
        for (body, problem) in [
            (json!({ "passwordMinLength": 14 }), "passwordMinLength is less than minimum"),
            (json!({ "passwordMinLength": 65 }), "passwordMinLength is more than maximum"),
            (json!({ "provider": true }), "provider is an additional property"),
            (json!({ "passkeys": true }), "passkeys is an additional property"),
            (json!({ "mailFrom": "nobody" }), "mailFrom must be email format"),
            (json!({ "displayName": "a\nb" }), "displayName must not contain control characters"),
            (json!({ "displayName": "" }), "displayName has less length than allowed"),
            (json!({ "locales": [] }), "locales needs one at least"),
            (json!({ "locales": ["en", "en"] }), "locales must be unique"),
            (json!({ "locales": ["EN"] }), "locales.0 pattern mismatch"),
            (json!({ "locales": ["en-us"] }), "locales.0 pattern mismatch"),
        ] {
            assert_eq!(patch(body).unwrap_err(), [format!("experienceSignIn.{problem}")]);
        }
        for (pages, public_json, is_good) in
            [(false, false, false), (true, false, true), (false, true, true)]
        {
            let defaults = SignInSettings::default();
            let settings =
                SignInSettings { pages, public_json, register: true, forgot: true, ..defaults };
            let mut at = Problems::default();
            settings.check(&mut at);
            assert_eq!(at.count() == 0, is_good);
        }
    }
}
