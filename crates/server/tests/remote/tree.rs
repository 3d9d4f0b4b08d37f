//! `guestlist group list --tree`.

use super::scene::Scene;
use serde_json::Value;

fn made(scene: &Scene, name: &str, parent: Option<&str>, users: &[&str]) -> String {
    let mut create = vec!["group", "create", "--name", name];
    create.extend(parent.into_iter().flat_map(|parent| ["--parent", parent]));
    create.extend(users.iter().flat_map(|user| ["--user", user]));
    scene.asks(&create).ok().trim_end().to_owned()
}

#[test]
fn groups_are_drawn_below_those_that_they_are_in() {
    let scene = Scene::new();
    assert_eq!(scene.asks(&["group", "list", "--tree"]).ok(), "");
    let (ann, bob) = (scene.user("ann@example.com"), scene.user("bob@example.com"));
    let plant = made(&scene, "Plant", None, &[&ann]);
    let hall = made(&scene, "Hall", Some(&plant), &[&ann, &bob]);
    let line = made(&scene, "Line", Some(&hall), &[]);
    let annex = made(&scene, "Annex", Some(&plant), &[]);
    let office = made(&scene, "Office", None, &[]);
    let drawn = [
        format!("Office (0 users)  {office}"),
        format!("Plant (1 user)  {plant}"),
        format!("├── Annex (0 users)  {annex}"),
        format!("└── Hall (2 users)  {hall}"),
        format!("    └── Line (0 users)  {line}"),
    ];
    // However few are asked for at a time.
    for per_page in ["1", "2", "1000"] {
        let tree = scene.asks(&["group", "list", "--tree", "--per-page", per_page]).ok();
        assert_eq!(tree.lines().collect::<Vec<_>>(), drawn, "{per_page}");
    }
    let desc = scene.asks(&["group", "list", "--tree", "--desc", "--parent", &plant]).ok();
    let below = [
        format!("Hall (2 users)  {hall}"),
        format!("└── Line (0 users)  {line}"),
        format!("Annex (0 users)  {annex}"),
    ];
    assert_eq!(desc.lines().collect::<Vec<_>>(), below);
    let lines = scene.asks(&["group", "list", "--tree", "--json"]).lines();
    let ids: Vec<&str> = lines.iter().map(|group| group["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [&office, &plant, &annex, &hall, &line]);
    assert!(lines.iter().all(|group| group.get("experienceUserIds").is_none()));
    assert_eq!((&lines[3]["directUserCount"], &lines[3]["hasChildren"]), (&2.into(), &true.into()));
    for more in [&["--filter", "name=a"][..], &["--page", "1"], &["--cursor", "a"]] {
        let both = [&["group", "list", "--tree"], more].concat();
        scene.asks(&both).failed(2, &["cannot be used with"]);
    }
}

#[test]
fn the_groups_in_one_are_listed_without_their_members() {
    let scene = Scene::new();
    let ann = scene.user("ann@example.com");
    let root = made(&scene, "Root", None, &[&ann]);
    let leaf = made(&scene, "Leaf", Some(&root), &[&ann]);
    let names = |arguments: &[&str]| {
        let lines = scene.asks(&[&["group", "list", "--json"], arguments].concat()).lines();
        lines.iter().map(|group| group["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&["--root"]), ["Root"]);
    assert_eq!(names(&["--parent", &root]), ["Leaf"]);
    assert_eq!(names(&[]), ["Root", "Leaf"]);
    scene.asks(&["group", "list", "--root", "--parent", &root]).failed(2, &["cannot be used with"]);
    // A table has their number, and needs no more.
    let table = scene.asks(&["group", "list", "--parent", &root]).ok();
    let rows: Vec<Vec<&str>> =
        table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[1..], [vec![leaf.as_str(), "Leaf", "1", &root]]);
    let one = |arguments: &[&str]| -> Value {
        scene.asks(&[&["group", "get", &leaf, "--json"], arguments].concat()).json()
    };
    assert_eq!(one(&["--exclude-members"])["directUserCount"], 1);
    assert_eq!(one(&[])["experienceUserIds"][0], *ann);
    let list = ["group", "list", "--json", "--exclude-members"];
    assert!(scene.asks(&list).lines().iter().all(|group| group["directUserCount"] == 1));
}
