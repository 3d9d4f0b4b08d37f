//! A password that a person chooses. What a backend sets is the backend's to judge.

use crate::auth::breached::Breached;
use crate::error::{Error, Result};
use guestlist_api::experience_sign_in::{BreachedPasswords, SignInSettings};
use guestlist_api::secret::Password;
use guestlist_api::wire::{Problem, Rule};

/// Refuses `password`, which is called `field`, where an application with these `settings` does not let people choose
/// it: it is too short, or among those that others have lost, as far as the server knows any.
///
/// # Errors
/// [`Error::Invalid`].
pub async fn check(
    breached: Option<&Breached>,
    settings: &SignInSettings,
    (field, password): (&str, &Password),
) -> Result<()> {
    let refuse = |rule| Err(Error::Invalid(vec![Problem::new(field, rule)]));
    let least = settings.password_min_length;
    let length = String::from_utf8_lossy(password.as_bytes()).chars().count();
    if (length as u64) < least {
        return refuse(Rule::TooShort.because(format!("it has to have {least} characters")));
    }
    if let Some(breached) = breached
        && settings.breached_passwords == BreachedPasswords::Refuse
        && is_breached(breached, password).await?
    {
        let why = "is known to those who guess, as others have lost it: choose another";
        return refuse(Rule::Other(why.into()));
    }
    Ok(())
}

async fn is_breached(breached: &Breached, password: &Password) -> Result<bool> {
    let (folder, password) = (breached.clone(), password.clone());
    let looked = tokio::task::spawn_blocking(move || folder.contains(&password));
    Ok(looked.await.map_err(Error::internal)?.unwrap_or_else(|error| {
        // Nobody is kept from a new password by it.
        let folder = breached.folder().display();
        tracing::error!(%folder, %error, "breached passwords cannot be looked up");
        false
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::breached::digits;
    use std::fs;

    #[tokio::test]
    async fn what_people_choose_is_long_and_not_known_to_those_who_guess() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("00000.txt"), "").unwrap();
        let breached = Breached::open(directory.path().to_owned()).unwrap();
        let settings = SignInSettings::default();
        let check = async |settings: &SignInSettings, breached: Option<&Breached>, text: &str| {
            let password = Password::new(text.to_owned()).unwrap();
            match check(breached, settings, ("body.password", &password)).await {
                Err(Error::Invalid(problems)) => Some(problems[0].to_string()),
                done => done.map(|()| None).unwrap(),
            }
        };
        let short = "body.password has less length than allowed: it has to have 15 characters";
        assert_eq!(check(&settings, None, "fourteen-chars").await.as_deref(), Some(short));
        // Characters, not bytes.
        assert_eq!(check(&settings, None, "ääääääääääääää").await.as_deref(), Some(short));
        assert_eq!(check(&settings, None, "fifteen-charact").await, None);
        let lost = directory.path();
        let text = "a long password that was lost";
        let digits = digits(&Password::new(text.to_owned()).unwrap());
        let (name, rest) = digits.split_at(5);
        fs::write(lost.join(format!("{name}.txt")), format!("{rest}:7\r\n")).unwrap();
        let known =
            "body.password is known to those who guess, as others have lost it: choose another";
        assert_eq!(check(&settings, Some(&breached), text).await.as_deref(), Some(known));
        assert_eq!(check(&settings, None, text).await, None);
        let off = SignInSettings { breached_passwords: BreachedPasswords::Off, ..settings.clone() };
        assert_eq!(check(&off, Some(&breached), text).await, None);
        // A file that is not there keeps nobody out.
        assert_eq!(check(&settings, Some(&breached), "another long password").await, None);
    }
}
