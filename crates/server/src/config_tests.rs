use super::*;

fn with_file(text: &str, given: CliArgs, server: &ServerArgs) -> Result<Config> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("some.toml");
    std::fs::write(&path, text).unwrap();
    Config::read(&CliArgs { config: Some(path), ..given }, server)
}

#[test]
fn what_is_given_beats_the_file_which_beats_what_is_usual() {
    let usual = with_file("", CliArgs::default(), &ServerArgs::default()).unwrap();
    assert_eq!(usual.store, StoreUrl::Sqlite(DEFAULT_STORE.into()));
    assert_eq!(usual.listen.to_string(), DEFAULT_LISTEN);
    let file = "store = 'sqlite:/a.db'\nlisten = '127.0.0.1:1'\nhash-workers = 3\nmax-session = 60";
    let filed = with_file(file, CliArgs::default(), &ServerArgs::default()).unwrap();
    assert_eq!((filed.store, filed.hashing.workers), (StoreUrl::Sqlite("/a.db".into()), 3));
    assert_eq!((usual.max_session, filed.max_session), (None, Some(Duration::from_mins(1))));
    let given = CliArgs { store: Some("/b.db".into()), ..CliArgs::default() };
    let server = ServerArgs { listen: Some("localhost:0".into()), ..ServerArgs::default() };
    let config = with_file(file, given, &server).unwrap();
    assert_eq!(config.store, StoreUrl::Sqlite("/b.db".into()));
    assert_eq!(config.listen.to_string(), "127.0.0.1:0");
}

#[test]
fn a_folder_that_is_not_mounted_is_for_whoever_serves() {
    // Who makes a backup, or looks whether the server is well, has to read the file too.
    let file = "breached-passwords = 'lost'";
    let config = with_file(file, CliArgs::default(), &ServerArgs::default()).unwrap();
    let folder = config.breached.unwrap();
    assert!(folder.is_absolute() && folder.ends_with("lost") && !folder.exists());
}

#[test]
fn what_is_wrong_is_named() {
    let wrong = |file: &str| {
        let error = with_file(file, CliArgs::default(), &ServerArgs::default()).unwrap_err();
        format!("{error:#}")
    };
    assert!(wrong("stor = 'x'").contains("unknown field `stor`"));
    assert!(wrong("listen = 'here'").contains("listen: \"here\" is not an address"));
    assert!(
        wrong("metrics-listen = 'here'").contains("metrics-listen: \"here\" is neither a port")
    );
    assert!(wrong("store = 'postgres://x'").contains("store: name a user"));
    assert!(wrong("store = 'mysql://x'").contains("store: there are no stores of the kind"));
    for (name, most) in [
        ("max-connections", 65_535_u64),
        ("max-connections-per-client", 65_535),
        ("hash-workers", 256),
        ("max-session", 31_536_000),
        ("store-readers", 256),
        ("store-writers", 256),
        ("store-read-timeout", 86_400),
        ("store-write-timeout", 86_400),
        ("store-lock-timeout", 86_400),
        ("quota-users", (1 << 53) - 1),
        ("quota-groups", (1 << 53) - 1),
        ("quota-tokens", (1 << 53) - 1),
        ("quota-bytes", (1 << 53) - 1),
        ("quota-answer-bytes", (1 << 53) - 1),
    ] {
        for value in [0, most + 1, most + 100_000_000] {
            let words = wrong(&format!("{name} = {value}"));
            assert_eq!(words, format!("{name} must be from 1 to {most}, not {value}"));
        }
        assert!(wrong(&format!("{name} = -1")).contains(name));
        let text = format!("{name} = {most}");
        with_file(&text, CliArgs::default(), &ServerArgs::default()).unwrap();
    }
    assert!(wrong("trusted-proxies = ['x']").contains("trusted-proxies: \"x\" is not a network"));
    assert!(wrong("client-from = 'forwarded'").contains("name in trusted-proxies"));
    assert!(wrong("client-from = 'proxy-protocol'").contains("name in trusted-proxies"));
    let header = "trusted-proxies = ['::1']\nclient-from = 'x-real-ip'";
    assert!(wrong(header).contains("client-from: \"x-real-ip\" is none of forwarded"));
    assert!(wrong("allowed-origins = ['a.b']").contains("allowed-origins: \"a.b\" is not an"));
    assert!(wrong("public-url = 'guests'").contains("public-url: \"guests\" is not a URL"));
}

#[test]
fn a_path_in_a_file_is_relative_to_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("some.toml");
    let store = |text: &str| {
        std::fs::write(&file, format!("store = '{text}'")).unwrap();
        let given = CliArgs { config: Some(file.clone()), ..CliArgs::default() };
        Config::read(&given, &ServerArgs::default()).unwrap().store
    };
    let below = |path: &str| StoreUrl::Sqlite(directory.path().join(path));
    assert_eq!(store("a.db"), below("a.db"));
    assert_eq!(store("sqlite:b/a.db"), below("b/a.db"));
    assert_eq!(store("/a.db"), StoreUrl::Sqlite("/a.db".into()));
    assert_eq!(store("postgres://a:b@h/d").to_string(), "postgres://a@h:5432/d");
    // What a flag or the environment says is relative to where the command is run.
    let given =
        CliArgs { store: Some("a.db".into()), config: Some(file.clone()), ..CliArgs::default() };
    let config = Config::read(&given, &ServerArgs::default()).unwrap();
    assert_eq!(config.store, StoreUrl::Sqlite("a.db".into()));
}

#[test]
fn an_address_that_is_only_a_port_gets_its_hint() {
    for text in ["8080", ":8080", "*:8080"] {
        let why = address(text).unwrap_err().to_string();
        assert!(why.contains("say 127.0.0.1:8080 for this machine"), "{why}");
    }
    assert!(address("10.0.0.1").unwrap_err().to_string().ends_with("say 10.0.0.1:8080"));
    assert!(address("here").unwrap_err().to_string().ends_with("such as 127.0.0.1:8080"));
}

#[test]
fn a_pool_is_as_large_as_it_says() {
    let file = "store = 'postgres://a:b@h/d'
        store-readers = 3
        store-lock-timeout = 7";
    let config = with_file(file, CliArgs::default(), &ServerArgs::default()).unwrap();
    assert_eq!((config.options.readers, config.options.writers), (3, 8));
    assert_eq!(config.options.lock_deadline, Duration::from_secs(7));
    assert_eq!(config.store.to_string(), "postgres://a@h:5432/d");
}

#[test]
fn a_replica_is_of_a_store_in_postgresql() {
    let file = "store = 'postgres://a:b@h/d'\nstore-replica = 'postgres://a:b@filed/d'";
    let replica = |file: &str, given: Option<&str>| {
        let given = ServerArgs { store_replica: given.map(Into::into), ..Default::default() };
        let config = with_file(file, CliArgs::default(), &given).map_err(|why| why.to_string())?;
        Ok::<_, String>(config.options.replica.map(|address| address.to_string()))
    };
    assert_eq!(replica(file, None).unwrap().unwrap(), "postgres://a@filed:5432/d");
    let said = replica(file, Some("postgres://a:b@said/d"));
    assert_eq!(said.unwrap().unwrap(), "postgres://a@said:5432/d");
    let wrong = replica("", Some("postgres://a:b@said/d")).unwrap_err();
    assert_eq!(wrong, "store-replica: only a store in PostgreSQL has one");
    let wrong = replica(file, Some("postgres://a:b@one,two/d")).unwrap_err();
    assert_eq!(wrong, "store-replica: name one server");
}

#[test]
fn metrics_are_for_this_machine_unless_more_is_said() {
    let listens = |text: &str| {
        let server = ServerArgs { metrics_listen: Some(text.to_owned()), ..ServerArgs::default() };
        let config = with_file("", CliArgs::default(), &server).unwrap();
        config.metrics_listen.unwrap().to_string()
    };
    assert_eq!(
        with_file("", CliArgs::default(), &ServerArgs::default()).unwrap().metrics_listen,
        None
    );
    assert_eq!(listens("9464"), "127.0.0.1:9464");
    assert_eq!(listens("localhost:9464"), "127.0.0.1:9464");
    assert_eq!(listens("0.0.0.0:9464"), "0.0.0.0:9464");
    assert_eq!(listens("[::1]:0"), "[::1]:0");
}

#[test]
fn mail_leaves_one_way_and_from_somebody() {
    let read = |file: &str| with_file(file, CliArgs::default(), &ServerArgs::default());
    let wrong = |file: &str| format!("{:#}", read(file).unwrap_err());
    assert!(read("").unwrap().mail.is_none());
    let (url, from) = ("smtp-url = 'smtps://m.example'\n", "mail-from = 'a@b.example'\n");
    assert!(read(&format!("{url}{from}")).unwrap().mail.is_some());
    assert!(read(&format!("mail-directory = 'm'\n{from}")).unwrap().mail.is_some());
    assert_eq!(wrong(url), "mail-from says whom mails are from, and is missing");
    assert_eq!(wrong(from), "smtp-url says which server takes mails, and is missing");
    assert!(wrong(&format!("{url}{from}mail-directory = 'm'")).contains("leave one out"));
    assert!(
        wrong(&format!("smtp-url = 'm.example'\n{from}")).contains("is no URL of smtps or smtp")
    );
    assert!(wrong(&format!("{url}mail-from = 'x'")).contains("\"x\" is not an address"));
    // What is said to one program goes before what the file says to all.
    let server = ServerArgs { smtp_url: Some("smtps://n.example".into()), ..ServerArgs::default() };
    let file = format!("mail-directory = 'm'\n{from}");
    assert!(with_file(&file, CliArgs::default(), &server).unwrap().mail.is_some());
}
