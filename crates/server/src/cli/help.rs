//! Which of the options that many commands share stand in the help of which.
//!
//! They are understood everywhere, so that a command that has no use for one can say what to do
//! instead; its help names those that it looks at.

use super::Cli;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory as _};

/// Families, and commands of them, that open the store itself.
const ON_A_STORE: [&str; 14] = [
    "quickstart",
    "serve",
    "admin",
    "backup",
    "checksum",
    "doctor",
    "key",
    "mend",
    "application create",
    "application list",
    "token create",
    "token list",
    "token revoke",
    "user seed",
];
/// Those that make tokens, or a server for which they are made.
const NAMES_THE_SERVER: [&str; 4] = ["doctor", "quickstart", "serve", "token create"];
/// Those that have one way to print.
const PLAIN: [&str; 3] = ["openapi", "completions", "manual"];
/// Those that say themselves what a store is to them.
const OF_A_SERVER: [&str; 9] =
    ["admin", "application", "token", "user", "group", "experience", "sign-in", "me", "login"];

/// Whether the command or the family at `path` looks at `option`.
fn acts(option: &str, path: &str) -> bool {
    let among = |commands: &[&str]| {
        let below = |a: &str, b: &str| a.strip_prefix(b).is_some_and(|rest| rest.starts_with(' '));
        commands.iter().any(|one| *one == path || below(one, path) || below(path, one))
    };
    match option {
        "store" => among(&ON_A_STORE),
        "config" => among(&ON_A_STORE) || path == "health",
        "public_url" => among(&NAMES_THE_SERVER),
        "json" => !path.is_empty() && !among(&PLAIN),
        // What a family shares is about a server.
        "url" | "profile" | "curl" => path != "user seed",
        _ => true,
    }
}

/// The program with all of its commands.
pub(super) fn command() -> Command {
    shown(Cli::command(), "", Vec::new())
}

/// `command`, which is at `path`, with the options that it shares with those above it.
fn shown(mut command: Command, path: &str, mut shared: Vec<Arg>) -> Command {
    let has = |command: &Command, arg: &Arg| {
        command.get_arguments().any(|own| own.get_id() == arg.get_id())
    };
    for arg in &shared {
        if !has(&command, arg) {
            command = command.arg(arg.clone().hide(!acts(arg.get_id().as_str(), path)));
        }
    }
    let own: Vec<Arg> = command
        .get_arguments()
        .filter(|arg| arg.is_global_set() && !shared.iter().any(|a| a.get_id() == arg.get_id()))
        .cloned()
        .collect();
    for arg in own {
        let hidden = !acts(arg.get_id().as_str(), path);
        command = command.mut_arg(arg.get_id().clone(), |arg| arg.hide(hidden));
        shared.push(arg);
    }
    let names: Vec<String> =
        command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    for name in names {
        let below = format!("{path} {name}");
        let shared = shared.clone();
        command = command.mut_subcommand(name, |command| shown(command, below.trim(), shared));
    }
    command
}

/// Refuses an option that was given to a command that has no use for it.
pub(super) fn check(matches: &ArgMatches) -> Result<(), clap::Error> {
    let (mut path, mut leaf) = (String::new(), matches);
    while let Some((name, below)) = leaf.subcommand() {
        if !path.is_empty() {
            path.push(' ');
        }
        path.push_str(name);
        leaf = below;
    }
    let family = path.split(' ').next().unwrap_or_default();
    for (option, flag) in
        [("store", "--store"), ("config", "--config"), ("public_url", "--public-url")]
    {
        let given = leaf.value_source(option) == Some(ValueSource::CommandLine);
        let told = option == "store" && OF_A_SERVER.contains(&family);
        if given && !told && !acts(option, &path) {
            let why = format!("{flag} means nothing to `guestlist {path}`: leave it out");
            return Err(command().error(ErrorKind::ArgumentConflict, why));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The long help of the command at `path`.
    fn help(path: &str) -> String {
        let mut command = command();
        command.build();
        let mut at = &mut command;
        for name in path.split_whitespace() {
            at = at.find_subcommand_mut(name).unwrap();
        }
        at.render_long_help().to_string()
    }

    #[test]
    fn an_option_is_in_the_help_of_what_looks_at_it() {
        command().debug_assert();
        for (path, there, absent) in [
            ("", vec![], vec!["--store", "--public-url", "--config", "--json"]),
            ("serve", vec!["--store", "--public-url", "--listen", "--json"], vec!["--url"]),
            (
                "user list",
                vec!["--url", "--curl", "--json"],
                vec!["--store", "--public-url", "--config"],
            ),
            ("user seed", vec!["--store", "--count"], vec!["--url", "--curl", "--public-url"]),
            ("application get", vec!["--url"], vec!["--store"]),
            ("application list", vec!["--url", "--store"], vec!["--public-url"]),
            ("token create", vec!["--scope", "--public-url", "--store", "--url"], vec![]),
            ("openapi", vec![], vec!["--store", "--json"]),
            ("move", vec!["--from", "--json"], vec!["--store", "--config"]),
        ] {
            let help = help(path);
            let has = |flag: &&str| {
                help.contains(&format!("{flag} ")) || help.contains(&format!("{flag}\n"))
            };
            for flag in there {
                assert!(has(&flag), "{path} has no {flag}: {help}");
            }
            for flag in absent {
                assert!(!has(&flag), "{path} has {flag}: {help}");
            }
        }
    }

    #[test]
    fn the_options_of_a_command_come_before_those_it_shares() {
        let help = help("user list");
        let at = |flag: &str| help.find(flag).unwrap_or_else(|| panic!("{flag}: {help}"));
        assert!(at("--sort") < at("--url") && at("--group") < at("--json"), "{help}");
    }

    #[test]
    fn an_option_that_means_nothing_is_refused() {
        let check = |arguments: &[&str]| {
            let matches = command().try_get_matches_from(arguments).unwrap();
            super::check(&matches).map_err(|error| error.to_string())
        };
        let list = ["guestlist", "user", "list", "--public-url", "https://x"];
        assert!(check(&list).unwrap_err().contains("--public-url means nothing to"));
        assert!(check(&["guestlist", "--store", "x", "move", "--abandon"]).is_err());
        check(&["guestlist", "--store", "x", "application", "list"]).unwrap();
        check(&["guestlist", "user", "list", "--store", "x"]).unwrap();
    }

    #[test]
    fn the_name_of_a_key_may_begin_with_a_hyphen() {
        for name in ["-oE4b", "--4b", "oE4b"] {
            let arguments = ["guestlist", "key", "retire", name, "--store", "x"];
            let matches = command().try_get_matches_from(arguments).unwrap();
            let leaf = matches.subcommand_matches("key").unwrap();
            let leaf = leaf.subcommand_matches("retire").unwrap();
            assert_eq!(leaf.get_one::<String>("kid").unwrap(), name);
            assert_eq!(leaf.get_one::<String>("store").unwrap(), "x");
        }
    }
}
