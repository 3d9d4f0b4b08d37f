//! One application or one user, taken out of a backup into a store that is served.

use super::moving::{People, Postgres, serve};
use super::program::Place;
use crate::client::Client;
use serde_json::{Value, json};

/// A store with one application, and a token that may do everything in it.
struct Guests {
    place: Place,
    store: String,
    application: String,
    token: String,
    _database: Option<Postgres>,
}

impl Guests {
    fn on(database: Option<Postgres>) -> Self {
        let place = Place::new();
        let store = database.as_ref().map_or_else(|| "a.db".to_owned(), |of| of.url.clone());
        let people = People::new(&place, &store, "60");
        let application = people.application().to_owned();
        Self { place, store, application, token: people.token.clone(), _database: database }
    }

    fn checksum(&self) -> Value {
        let sums = self.place.run(&["checksum", "--json", "--store", &self.store]).json();
        // What only grows, and what is of nobody, is in others.
        let tables = sums["tables"].as_array().unwrap().iter();
        let own = tables.filter(|of| {
            !["settings", "answers", "api_tokens"].contains(&of["table"].as_str().unwrap())
        });
        own.cloned().collect()
    }

    fn back_up(&self) {
        self.place.run(&["backup", "backups", "--store", &self.store]).ok();
    }

    fn extract(&self, more: &[&str]) -> super::program::Done {
        let of = ["--application", &self.application, "--to", &self.store];
        self.place.run(&[&["backup", "extract", "backups"], &of[..], more, &["--json"]].concat())
    }

    fn users(&self) -> String {
        format!("/applications/{}/experience/users", self.application)
    }

    fn well(&self) {
        let doctor = self.place.run(&["doctor", "--json", "--store", &self.store]);
        let report: Value = serde_json::from_str(&doctor.stdout).unwrap();
        for finding in report["findings"].as_array().unwrap() {
            let machine = ["disk", "file system", "limits", "postgres"];
            assert!(machine.contains(&finding["check"].as_str().unwrap()), "{report}");
        }
    }
}

fn both() -> [Guests; 2] {
    [Guests::on(None), Guests::on(Some(Postgres::new()))]
}

fn some_user(client: &Client, guests: &Guests) -> Value {
    let page = client.get(&guests.token, &format!("{}?perPage=100", guests.users())).expect(200);
    let items = page.json()["items"].as_array().unwrap().clone();
    let grouped = |of: &&Value| of["experienceGroups"].as_array().is_some_and(|of| of.len() > 1);
    items.iter().find(grouped).unwrap().clone()
}

#[test]
fn a_user_who_was_deleted_is_back_as_it_was() {
    for guests in both() {
        guests.back_up();
        let before = guests.checksum();
        let serving = serve(&guests.place, &guests.store);
        let (client, token) = (&serving.client, &guests.token);
        let user = some_user(client, &guests);
        let id = user["id"].as_str().unwrap();
        let path = format!("{}/{id}", guests.users());
        let was = client.get(token, &path).expect(200).json();
        let again = ["--user", id, "--keep-tokens"];
        guests.extract(&again).failed("there is a user");
        client.call(token, "DELETE", &path, &json!({})).expect(200);
        client.get(token, &path).expect(404);
        // Nobody else may have taken the address.
        let namesake = json!({ "email": user["email"], "password": "Never-l0gged" });
        let other = client.call(token, "POST", &guests.users(), &namesake).expect(201).json();
        guests.extract(&again).failed("already exists");
        let other = format!("{}/{}", guests.users(), other["id"].as_str().unwrap());
        client.call(token, "DELETE", &other, &json!({})).expect(200);
        let extracted = guests.extract(&again).json();
        assert_eq!(extracted, json!({ "rows": 1, "groupsGone": [] }));
        assert_eq!(client.get(token, &path).expect(200).json(), was);
        serving.stop();
        assert_eq!(guests.checksum(), before, "{}", guests.store);
        guests.well();
    }
}

#[test]
fn a_user_is_in_the_groups_that_are_left() {
    let guests = Guests::on(None);
    guests.back_up();
    let serving = serve(&guests.place, &guests.store);
    let (client, token) = (&serving.client, &guests.token);
    let user = some_user(client, &guests);
    let path = format!("{}/{}", guests.users(), user["id"].as_str().unwrap());
    client.call(token, "DELETE", &path, &json!({})).expect(200);
    let group = &user["experienceGroups"][0];
    let groups = format!("/applications/{}/experience/groups", guests.application);
    let gone = format!("{groups}/{}", group["id"].as_str().unwrap());
    client.call(token, "DELETE", &gone, &json!({})).expect(200);
    let extracted =
        guests.extract(&["--user", user["id"].as_str().unwrap(), "--end-tokens"]).json();
    assert_eq!(extracted["groupsGone"], json!([group["name"]]));
    let now = client.get(token, &path).expect(200).json();
    assert!(now["tokenCutoff"].is_string(), "{now}");
    let left = user["experienceGroups"].as_array().unwrap().len() - 1;
    assert_eq!(now["experienceGroups"].as_array().unwrap().len(), left);
    serving.stop();
    guests.well();
}

#[test]
fn an_application_that_was_deleted_is_back_as_it_was() {
    for guests in both() {
        guests.back_up();
        let before = guests.checksum();
        guests.extract(&["--keep-tokens"]).failed("there is an application");
        let serving = serve(&guests.place, &guests.store);
        let (client, token) = (&serving.client, &guests.token);
        let path = format!("/applications/{}", guests.application);
        client.call(token, "DELETE", &path, &json!({})).expect(200);
        let extracted = guests.extract(&["--keep-tokens"]).json();
        assert!(extracted["rows"].as_u64().unwrap() > 200, "{extracted}");
        // The token is good again, and nothing was served before all was there.
        client.get(token, &guests.users()).expect(200);
        serving.stop();
        assert_eq!(guests.checksum(), before, "{}", guests.store);
        guests.well();
        let nobody = ["backup", "extract", "backups", "--application", "eeeeeeeeeeeeeeeeeeeeeeee"];
        let nobody = [&nobody[..], &["--to", &guests.store, "--keep-tokens"]].concat();
        guests.place.run(&nobody).failed("was not found");
    }
}
