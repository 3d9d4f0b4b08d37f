//! What takes seconds once it was built: for every save rather than for every commit.

use crate::Tests;
use crate::steps::{Steps, cargo};
use crate::tools;

/// Parts of the names of unit tests that need a PostgreSQL.
const NEED_POSTGRES: [&str; 9] = [
    "_on_postgres",
    "_by_postgresql",
    "tests::postgres",
    "tests::plans::postgres",
    "tests::migrations",
    "tests::moving",
    "tests::pooler",
    "tests::tls",
    "tests::query",
];

/// And of those that take seconds each.
const SLOW: [&str; 7] = [
    "search::whoever_matches_is_found",
    "linear::tests::long_histories",
    "group::a_database_held_by_another_process",
    "versions::no_answer_that_is_kept",
    "model::the_store_is_a_map",
    "cursors::a_walk_neither_skips",
    "fuzz_",
];

/// The format, the lints, and the unit tests that need nothing but this machine's processors.
pub(crate) fn run(steps: &mut Steps) -> anyhow::Result<()> {
    crate::format(steps)?;
    crate::lints(steps)?;
    let mut run;
    if tools::has_nextest() {
        run = cargo(&["nextest", "run", "--workspace", "--no-fail-fast", "--filterset", &filter()]);
        run.args(Tests::Unit.targets());
    } else {
        run = cargo(&["test", "--workspace", "--no-fail-fast"]);
        run.args(Tests::Unit.targets()).arg("--");
        for name in left_out() {
            run.args(["--skip", name]);
        }
    }
    steps.command("unit tests on SQLite", run, crate::TESTS_HINT)?;
    println!(
        "\nleft out: the documentation, the parity page, the licences, doc tests, integration tests, \
         and unit tests\n  that need a PostgreSQL: {}\n  that take seconds: {}\n\
         `cargo xtask check` has all of the unit tests and is for every commit",
        NEED_POSTGRES.join(", "),
        SLOW.join(", "),
    );
    Ok(())
}

fn left_out() -> impl Iterator<Item = &'static str> {
    NEED_POSTGRES.into_iter().chain(SLOW)
}

/// All others, as nextest is told so.
fn filter() -> String {
    let tests: Vec<String> = left_out().map(|name| format!("test({name})")).collect();
    format!("not ({})", tests.join(" + "))
}
