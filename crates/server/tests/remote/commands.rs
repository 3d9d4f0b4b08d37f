//! Each command, what it prints, and how it ends.

use super::scene::{EMAIL, PASSWORD, Scene};
use serde_json::json;

const ABSENT: &str = "ffffffffffffffffffffffff";

#[test]
fn a_user_is_made_shown_changed_listed_and_deleted() {
    let scene = Scene::new();
    let group = scene.asks(&["group", "create", "--name", "Staff"]).ok();
    let group = group.trim_end();
    let create = ["user", "create", "--email", "ann@example.com", "--first-name", "Ann", "--json"];
    let more = ["--tag", "plan=gold", "--tag", "team=a=b", "--group", group];
    let made = scene.asks_with(&[&create[..], &more].concat(), "a password\n").json();
    let id = made["id"].as_str().unwrap();
    assert_eq!(made["userTags"], json!({ "plan": "gold", "team": "a=b" }));
    assert_eq!(made["experienceGroups"][0]["id"], group);
    assert_eq!(scene.asks(&["user", "get", id, "--json"]).json(), made);
    assert_eq!(made["_etag"].as_str().map(|tag| tag.starts_with('"')), Some(true));

    let shown = scene.asks(&["user", "get", id]).ok();
    assert!(shown.lines().any(|line| line.split_whitespace().eq(["email", "ann@example.com"])));
    let etag = shown.lines().last().unwrap().strip_prefix("ETag: ").unwrap();
    assert_eq!(made["_etag"], etag);

    let patch = ["user", "patch", id, "--json", "--if-match", etag];
    let by_flag = ["--last-name", "Lee", "--data", r#"{"lastName":"No","firstName":"Anne"}"#];
    let changed = scene.asks(&[&patch[..], &by_flag].concat()).json();
    assert_eq!((&changed["firstName"], &changed["lastName"]), (&json!("Anne"), &json!("Lee")));
    assert_eq!(changed["passwordLastUpdated"], made["passwordLastUpdated"]);
    scene
        .asks(&[&patch[..], &by_flag].concat())
        .failed(5, &["has changed since it was read", "`guestlist user get`"]);
    let patched = scene.asks_with(&["user", "patch", id, "--password", "--json"], "another one");
    assert_ne!(patched.json()["passwordLastUpdated"], made["passwordLastUpdated"]);

    scene.user("bob@example.com");
    let table = scene.asks(&["user", "list"]).ok();
    let rows: Vec<Vec<&str>> =
        table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["ID", "EMAIL", "NAME", "GROUPS"]);
    assert_eq!(rows[1], [id, "ann@example.com", "Anne", "Lee", "Staff"]);
    assert_eq!(rows.len(), 3);
    assert_eq!(scene.asks(&["user", "delete", id]).ok(), format!("deleted {id}\n"));
    scene.asks(&["user", "get", id]).failed(3, &["Experience user was not found"]);
}

#[test]
fn a_list_is_walked_to_its_end_or_read_by_the_page() {
    let scene = Scene::new();
    for number in 0..5 {
        scene.user(&format!("u{number}@example.com"));
    }
    let emails = |arguments: &[&str]| {
        let lines = scene.asks(&[&["user", "list", "--json"], arguments].concat()).lines();
        lines.iter().map(|user| user["email"].as_str().unwrap()[..2].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(emails(&[]), ["u0", "u1", "u2", "u3", "u4"]);
    assert_eq!(emails(&["--per-page", "2"]), ["u0", "u1", "u2", "u3", "u4"]);
    let two = ["user", "list", "--json", "--per-page", "2", "--sort", "email", "--desc"];
    let of = |users: &[serde_json::Value]| {
        users.iter().map(|user| user["email"].as_str().unwrap()[..2].to_owned()).collect::<Vec<_>>()
    };
    let (page, cursor) = scene.asks(&[&two[..], &["--page", "1"]].concat()).more();
    assert_eq!(of(&page), ["u2", "u1"]);
    let (last, previous, next) = scene.asks(&[&two[..], &["--cursor", &cursor]].concat()).beside();
    assert_eq!((of(&last), next), (vec!["u0".to_owned()], None));
    let back = |cursor: &str| scene.asks(&[&two[..], &["--cursor", cursor]].concat()).beside();
    let (page, previous, next) = back(&previous.unwrap());
    assert_eq!((of(&page), next), (vec!["u2".to_owned(), "u1".to_owned()], Some(cursor)));
    let (first, previous, _) = back(&previous.unwrap());
    assert_eq!((of(&first), previous), (vec!["u4".to_owned(), "u3".to_owned()], None));
    let (page, cursor) = scene.asks(&["user", "list", "--json", "--per-page=3", "--page=0"]).more();
    assert_eq!(of(&page), ["u0", "u1", "u2"]);
    let (page, previous, _) = scene.asks(&["user", "list", "--json", "--cursor", &cursor]).beside();
    assert_eq!((of(&page), previous.is_some()), (vec!["u3".to_owned(), "u4".to_owned()], true));
    scene
        .asks(&[&two[..], &["--cursor", &cursor]].concat())
        .failed(1, &["cursor belongs to another list"]);
    let past = ["--filter", "email=u?@*", "--group", "none", "--page", "9"];
    let (page, previous, next) =
        scene.asks(&[&["user", "list", "--json"], &past[..]].concat()).beside();
    assert_eq!((page.len(), previous.is_some(), next), (0, true, None));
    assert_eq!(emails(&["--filter", "email=u3*"]), ["u3"]);
    assert_eq!(emails(&["--search", "U3 .com"]), ["u3"]);
    assert_eq!(emails(&["--search", "exa", "--filter", "email=*2*"]), ["u2"]);
    assert_eq!(
        scene.asks(&["user", "list", "--filter", "email=x"]).ok(),
        "ID  EMAIL  NAME  GROUPS\n"
    );
    scene
        .asks(&["user", "list", "--filter", "ann"])
        .failed(2, &["is not FIELD=PATTERN, such as email=*@example.com"]);
    scene.asks(&["group", "list", "--filter", "ann"]).failed(2, &["such as name=a*"]);
    scene.asks(&["user", "list", "--sort", "shoes"]).failed(1, &["sortField must be one of: "]);
}

#[test]
fn a_body_comes_from_a_file_or_from_standard_input() {
    let scene = Scene::new();
    let body = r#"{"email":"ann@example.com","password":"a password","userTags":{"a":"b"}}"#;
    std::fs::write(scene.path("body.json"), body).unwrap();
    let made = scene.asks(&["user", "create", "--data", "@body.json", "--json"]).json();
    assert_eq!(made["userTags"], json!({ "a": "b" }));
    let body = body.replace("ann", "bob");
    let made = scene.asks_with(&["user", "create", "--data", "-", "--tag", "c=d", "--json"], &body);
    assert_eq!(made.json()["userTags"], json!({ "c": "d" }));
    scene
        .asks_with(&["user", "create", "--data", "-"], "{}")
        .failed(2, &["must have the password"]);
    scene.asks(&["user", "create", "--data", "[]"]).failed(2, &["--data is not a JSON object"]);
    scene.asks(&["user", "create", "--data", "@none.json"]).failed(1, &["cannot read none.json"]);
    scene.asks(&["user", "create", "--email", "c@d"]).failed(2, &["Password is missing"]);
    let bad = scene.asks_with(&["user", "create", "--email", "nobody"], "short");
    bad.failed(1, &["experienceUser.email must be email", "\n  experienceUser.password has less"]);
    let taken = scene.asks_with(&["user", "create", "--email", "ANN@example.com"], "a password");
    taken.failed(5, &["already exists"]);
}

#[test]
fn groups() {
    let scene = Scene::new();
    let user = scene.user("ann@example.com");
    let root =
        scene.asks(&["group", "create", "--name", "Root", "--user", &user, "--tag", "a=b"]).ok();
    let root = root.trim_end();
    let leaf = ["group", "create", "--name", "Leaf", "--parent", root, "--json"];
    let leaf = scene.asks(&leaf).json()["id"].as_str().unwrap().to_owned();
    let counted = scene.asks(&["group", "get", &leaf, "--counts", "--json"]).json();
    assert_eq!(
        (&counted["ancestorIds"], &counted["totalDeviceCount"]),
        (&json!([root]), &json!(0))
    );
    let table = scene.asks(&["group", "list", "--sort", "name", "--desc"]).ok();
    let rows: Vec<Vec<&str>> =
        table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[1..], [vec![root, "Root", "1"], vec![&leaf, "Leaf", "0", root]]);
    let moved = scene.asks(&["group", "patch", &leaf, "--root", "--json"]).json();
    assert_eq!(moved["parentId"], json!(null));
    scene.asks(&["group", "patch", &leaf]).failed(2, &["there is nothing to change"]);
    scene.asks(&["group", "delete", root]).ok();
    assert_eq!(scene.asks(&["group", "list", "--json"]).lines().len(), 1);
}

#[test]
fn me() {
    let scene = Scene::new();
    scene.run(&["login", "--email", EMAIL, "--url", &scene.url], &[], PASSWORD).ok();
    assert_eq!(scene.bare(&["me", "get", "--json"]).json()["email"], EMAIL);
    let changed = scene.bare(&["me", "patch", "--first-name", "Ada", "--json"]).json();
    assert_eq!(changed["fullName"], "Ada");
    // A token does not know the password, as a session does that has just begun.
    let token = scene.bare(&["token", "create", "--mine", "--name", "mine"]).ok();
    let env = [("GUESTLIST_URL", scene.url.as_str()), ("GUESTLIST_TOKEN", token.trim_end())];
    let moved = ["me", "patch", "--email", "ada@example.com", "--json"];
    scene.run(&moved, &env, "").failed(4, &["Give the present password", "--with-password"]);
    let proven = [&moved[..], &["--with-password"]].concat();
    scene.run(&proven, &env, "wrong-password").failed(4, &["The present password is wrong"]);
    assert_eq!(scene.run(&proven, &env, PASSWORD).json()["email"], "ada@example.com");
    let shown = scene.run(&[&proven[..], &["--curl"]].concat(), &env, "").ok();
    assert!(shown.contains("GUESTLIST_PASSWORD"), "{shown}");
    scene.bare(&["me", "patch", "--email", EMAIL, "--json"]).json();
    let change =
        |stdin: &str| scene.run(&["me", "change-password", "--sign-out-everywhere"], &[], stdin);
    change(PASSWORD).failed(2, &["New password is missing", "line 2"]);
    change(&format!("{PASSWORD}\nAn0ther-password\nnotes")).failed(2, &["head -n 2"]);
    let token = change(&format!("{PASSWORD}\nAn0ther-password\n")).ok();
    scene.bare(&["me", "get"]).failed(4, &["Invalid access token"]);
    let env = [("GUESTLIST_TOKEN", token.trim_end())];
    assert_eq!(scene.run(&["me", "get", "--json"], &env, "").json()["firstName"], "Ada");
    assert_eq!(days_of(token.trim_end()), Some(30));
    let again = scene.run(&["me", "refresh-token"], &env, "").ok();
    assert_eq!(days_of(again.trim_end()), Some(30));
    let env = [("GUESTLIST_TOKEN", again.trim_end())];
    assert_eq!(scene.run(&["me", "get", "--json"], &env, "").json()["firstName"], "Ada");
}

/// For how many days a token was made, if it ends.
pub(crate) fn days_of(token: &str) -> Option<i64> {
    use base64::Engine as _;
    let middle = token.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(middle).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    Some((claims["exp"].as_i64()? - claims["iat"].as_i64().unwrap()) / 86_400)
}

#[test]
fn a_secret_is_one_line_of_standard_input() {
    let scene = Scene::new();
    let id = scene.user("ann@example.com");
    let notes = "a password\nlogin: ann\n";
    let login = ["login", "--url", &scene.url];
    for arguments in [
        &["user", "create", "--email", "bob@example.com"][..],
        &["user", "patch", &id, "--password"],
        &[&login[..], &["--email", EMAIL]].concat(),
        &[&login[..], &["--with-token"]].concat(),
    ] {
        scene.asks_with(arguments, notes).failed(2, &["more lines than are read", "head -n 1"]);
    }
    assert_eq!(scene.asks(&["user", "list", "--json"]).lines().len(), 1);
}

#[test]
fn a_list_is_the_same_of_a_store_and_of_a_server() {
    let scene = Scene::new();
    scene.run(&["login", "--email", EMAIL, "--url", &scene.url], &[], PASSWORD).ok();
    scene.bare(&["application", "create", "--name", "a second"]).ok();
    let store = ["--store", &scene.store];
    for list in
        [&["application", "list"][..], &["token", "list", "--application", &scene.application]]
    {
        let of_server = scene.bare(&[list, &["--json"]].concat()).lines();
        let of_store = scene.bare(&[list, &["--json"], &store].concat()).lines();
        assert_eq!(of_server, of_store);
        assert!(!of_store.is_empty());
        let tables = [scene.bare(list).ok(), scene.bare(&[list, &store].concat()).ok()];
        assert_eq!(tables[0], tables[1]);
    }
}

#[test]
fn whoever_stops_reading_is_no_failure() {
    let scene = Scene::new();
    for number in 0..3 {
        scene.user(&format!("u{number}@example.com"));
    }
    for more in ["", " --json"] {
        // The reader is gone before anything is asked for.
        let program = env!("CARGO_BIN_EXE_guestlist");
        let script =
            format!("{{ {program} user list{more}; echo $? >code; }} 2>said | true; cat code said");
        assert_eq!(scene.sh(&script, &scene.environment()).ok(), "0\n", "{more}");
    }
}

#[test]
fn what_is_shown_for_curl_works_when_it_is_pasted_into_a_shell() {
    let scene = Scene::new();
    let name = "it's $HOME `id` \"é\" \\";
    let create = ["user", "create", "--email", "ann@example.com", "--first-name", name, "--curl"];
    let shown = scene.asks(&create).ok();
    assert!(!shown.contains(&scene.token) && shown.contains("$GUESTLIST_TOKEN"), "{shown}");
    let env = [("GUESTLIST_TOKEN", scene.token.as_str()), ("GUESTLIST_PASSWORD", "a password")];
    let made = scene.sh(&shown, &env).json();
    assert_eq!(made["firstName"], name, "{shown}");
    let id = made["id"].as_str().unwrap();
    for (arguments, code) in [
        (vec!["user", "get", id], 0),
        (vec!["user", "list", "--filter", "email=*[a]*"], 0),
        (vec!["user", "patch", id, "--last-name", "Lee", "--if-match", "\"other\""], 0),
        (vec!["user", "delete", id], 0),
    ] {
        let shown = scene.asks(&[&arguments[..], &["--curl"]].concat()).ok();
        let answer = scene.sh(&shown, &env);
        assert_eq!(answer.code, code, "{shown}: {}", answer.err);
        let answer = answer.json();
        match arguments[1] {
            "get" => assert_eq!(answer["id"], id),
            "list" => assert_eq!(answer["count"], 0),
            "patch" => assert_eq!(answer["type"], "PreconditionFailed"),
            _ => assert_eq!(answer["success"], true),
        }
    }
    // It is a request that is shown, not sent: no token is needed, and nothing is asked for.
    let env = [("GUESTLIST_URL", "http://127.0.0.1:1"), ("GUESTLIST_APPLICATION", ABSENT)];
    scene.run(&["user", "get", ABSENT, "--curl"], &env, "").ok();
}

#[test]
fn an_experience_begins_and_ends() {
    let scene = Scene::new();
    let counts = || {
        (
            scene.asks(&["user", "list", "--json"]).lines().len(),
            scene.asks(&["group", "list", "--json"]).lines().len(),
        )
    };
    let shown = scene.asks(&["experience", "bootstrap"]).ok();
    let fields: Vec<Vec<&str>> =
        shown.lines().map(|line| line.split_whitespace().collect()).collect();
    assert!(fields.contains(&vec!["email", "example.user@example.com"]), "{shown}");
    assert!(fields.iter().any(|field| field[0] == "password" && field[1].len() == 32), "{shown}");
    let bootstrap = ["experience", "bootstrap", "--json"];
    let made = scene.asks(&[&bootstrap[..], &["--replace", "--no-user"]].concat()).json();
    assert_eq!((made, counts()), (json!({ "resourceSuffix": "" }), (1, 1)));
    let made = scene.asks(&[&bootstrap[..], &["--no-group"]].concat()).json();
    assert_ne!(made["resourceSuffix"], "");
    assert_eq!(counts(), (2, 1));

    let delete = ["experience", "delete"];
    let with = |flags: &[&str]| scene.asks(&[&delete[..], flags].concat());
    let all = format!("all users and all groups of {}", scene.application);
    with(&[]).failed(2, &[&all, "--yes"]);
    with(&["--keep-users", "--keep-groups", "--yes"]).failed(2, &["nothing to delete"]);
    assert_eq!(counts(), (2, 1));
    let done = with(&["--keep-users", "--yes"]).ok();
    assert_eq!(done, format!("deleted all groups of {}\n", scene.application));
    assert_eq!(counts(), (2, 0));
    assert_eq!(with(&["--yes", "--json"]).json(), json!({ "success": true }));
    assert_eq!(counts(), (0, 0));
    let gone = with(&["--yes", "--application", ABSENT]);
    gone.failed(3, &["was not found", "`guestlist application list`"]);
}

#[test]
fn a_command_says_by_its_code_how_it_ended() {
    let scene = Scene::new();
    scene.asks(&["user", "list"]).ok();
    scene.asks(&["user", "list", "--per-page", "0"]).failed(1, &["perPage is less than minimum"]);
    scene.asks(&["user", "get"]).failed(2, &["required arguments"]);
    scene.asks(&["user", "get", "nonsense"]).failed(2, &["24 hexadecimal digits"]);
    scene.asks(&["user", "list", "--url", "nowhere"]).failed(2, &["is not a URL"]);
    scene.asks(&["user", "get", ABSENT]).failed(3, &["was not found", "`guestlist user list`"]);
    scene.asks(&["me", "get"]).failed(4, &["needs the scope me.get"]);
    let env = [("GUESTLIST_URL", "http://127.0.0.1:1"), ("GUESTLIST_TOKEN", "x")];
    let unreachable = scene.run(&["me", "get"], &env, "");
    unreachable.failed(6, &["cannot connect", "Is there a server at http://127.0.0.1:1?"]);
    scene.run(&["me", "get"], &env[..1], "").failed(2, &["there is no token"]);
    let without = scene.run(&["user", "list"], &env, "");
    without.failed(2, &["say which application"]);
}

#[test]
fn the_store_is_meant_when_it_is_named_or_nothing_is() {
    let scene = Scene::new();
    let url = scene.url.as_str();
    // A flag beats the environment, either way.
    let listed = scene.asks(&["application", "list", "--store", &scene.store, "--json"]).json();
    assert_eq!(listed["id"], scene.application.as_str());
    let env = [("GUESTLIST_STORE", "none.db"), ("GUESTLIST_TOKEN", scene.token.as_str())];
    let listed = scene
        .run(&["application", "get", &scene.application, "--url", url, "--json"], &env, "")
        .json();
    assert_eq!(listed["id"], scene.application.as_str());
    // The setting of a store beats that of a server.
    let both = [("GUESTLIST_STORE", scene.store.as_str()), ("GUESTLIST_URL", "http://127.0.0.1:1")];
    scene.run(&["application", "list"], &both, "").ok();
    std::fs::write(scene.path("guestlist.toml"), format!("store = '{}'", scene.store)).unwrap();
    scene.run(&["application", "list"], &both[1..], "").ok();
    std::fs::remove_file(scene.path("guestlist.toml")).unwrap();
    scene.run(&["application", "list"], &both[1..], "").failed(2, &["there is no token"]);
    scene.bare(&["application", "list"]).failed(1, &["there is no store at"]);
    let flags = ["--store", &scene.store, "--url", url];
    scene.bare(&[&["token", "list"], &flags[..]].concat()).failed(2, &["give one of them"]);
    let store = ["--store", &scene.store];
    scene.bare(&[&["user", "list"], &store[..]].concat()).failed(2, &["rather than --store"]);
    let get = ["application", "get", &scene.application];
    scene.bare(&[&get[..], &store].concat()).failed(2, &["this is asked of a server"]);
    let more = ["application", "create", "--name", "x", "--data", "{}"];
    scene.bare(&[&more[..], &store].concat()).failed(2, &["on a store"]);
}
