//! What was noticed, held against what may be.

use super::attackers::{Answers, NONE, Scene};
use super::probe::{Asked, Noticed};
use crate::report::{Bound, Goal, Page};
use crate::stats::{Spread, float, number};

/// The rounds of a scene.
pub(super) struct Seen<'a> {
    pub(super) scene: &'a Scene,
    pub(super) noticed: Vec<Noticed>,
    /// What those who did their worst were answered.
    pub(super) answers: Answers,
    /// How much the store grew meanwhile, in MiB.
    pub(super) grew: f64,
}

impl Seen<'_> {
    fn of(&self, what: impl Fn(&Noticed) -> f64) -> Spread {
        Spread::of(self.noticed.iter().map(what))
    }

    fn p99(&self, what: Asked) -> Spread {
        self.of(|noticed| noticed.p99(what))
    }

    /// One line for each answer that was not a 200.
    fn failures(&self, place: &str) -> Vec<String> {
        let unexpected = self.noticed.iter().flat_map(|noticed| &noticed.unexpected);
        unexpected
            .map(|((what, answer), count)| {
                format!(
                    "{place}, beside {}: {} was answered {answer}, {count} times",
                    self.scene.name,
                    what.name()
                )
            })
            .collect()
    }
}

/// What the other tenant may notice.
struct Criteria {
    /// The slowest hundredth of what it reads and of what it changes, in milliseconds.
    get: f64,
    patch: f64,
    /// The least share of its sign-ins that are answered well, within a second.
    signed_in: f64,
}

impl Criteria {
    /// A multiple of what is quiet, or so little that nobody minds.
    fn of(quiet: &Seen<'_>) -> Self {
        let p99 = |what| quiet.p99(what).median;
        let (get, patch) = (p99(Asked::Get), p99(Asked::Patch));
        Self { get: (3.0 * get).max(20.0), patch: (5.0 * patch).max(100.0), signed_in: 0.95 }
    }

    /// What of it was not so.
    fn missed(&self, seen: &Seen<'_>) -> Vec<&'static str> {
        let failed: u64 = seen.noticed.iter().map(Noticed::failed).sum();
        [
            (seen.p99(Asked::Get).median > self.get, "GET"),
            (seen.p99(Asked::Patch).median > self.patch, "PATCH"),
            (seen.of(Noticed::signed_in).median < self.signed_in, "sign-in"),
            (failed > 0, "failures"),
        ]
        .into_iter()
        .filter_map(|(missed, name)| missed.then_some(name))
        .collect()
    }
}

/// A line for the terminal.
pub(super) fn line(scene: &Scene, noticed: &Noticed, answers: &Answers) -> String {
    let p99 = |what: Asked| format!("{} {}", what.name(), number(noticed.p99(what)));
    format!(
        "{}: p99 in ms: {}; {:.0} % signed in within a second; {} of {} failed; they were answered {}",
        scene.name,
        Asked::ALL.map(p99).join(", "),
        100.0 * noticed.signed_in(),
        noticed.failed(),
        noticed.asked(),
        answered(answers),
    )
}

/// How often which status was the answer.
fn answered(answers: &Answers) -> String {
    let each = answers.iter().map(|(status, count)| {
        let status = if *status == NONE { "nothing".to_owned() } else { status.to_string() };
        format!("{status} × {count}")
    });
    each.collect::<Vec<_>>().join(", ")
}

/// Puts what was `seen` in a place into `page`; the first of it is where nobody does anything.
pub(super) fn report(page: &mut Page, place: &str, seen: &[Seen<'_>]) {
    let Some((quiet, worst)) = seen.split_first() else { return };
    let criteria = Criteria::of(quiet);
    let mut table = format!("## {place}\n\n| Beside |");
    table.extend(Asked::ALL.map(|what| format!(" {} |", what.name())));
    table += " signed in within 1 s | failed | answers to them | store grew by, MiB | |\n|---|";
    table += &"---|".repeat(Asked::ALL.len() + 5);
    table.push('\n');
    for seen in seen {
        table += &format!("| {} |", seen.scene.name);
        table.extend(Asked::ALL.map(|what| format!(" {} |", number(seen.p99(what).median))));
        let failed: u64 = seen.noticed.iter().map(Noticed::failed).sum();
        let asked: u64 = seen.noticed.iter().map(Noticed::asked).sum();
        let signed_in = 100.0 * seen.of(Noticed::signed_in).median;
        let verdict = match criteria.missed(seen) {
            missed if missed.is_empty() => "met".to_owned(),
            missed => format!("**not met**: {}", missed.join(", ")),
        };
        let answers = answered(&seen.answers);
        table += &format!(" {signed_in:.0} % | {failed} of {asked} | {answers} |");
        table += &format!(" {:.1} | {verdict} |\n", seen.grew);
        page.failures.extend(seen.failures(place));
    }
    page.tables.push(table);
    goals(page, place, &criteria, (quiet, worst));
}

/// What was worst of all scenes.
fn goals(
    page: &mut Page,
    place: &str,
    criteria: &Criteria,
    (quiet, worst): (&Seen<'_>, &[Seen<'_>]),
) {
    let by = |figure: &dyn Fn(&Seen<'_>) -> Spread| {
        worst.iter().map(figure).max_by(|one, other| one.median.total_cmp(&other.median))
    };
    for (what, most) in [(Asked::Get, criteria.get), (Asked::Patch, criteria.patch)] {
        let Some(figure) = by(&|seen| seen.p99(what)) else { continue };
        let quiet = quiet.p99(what).median;
        page.goal(Goal {
            what: format!("{} p99 beside the worst neighbour, {place}", what.name()),
            ours: format!("{} ms", number(figure.median)),
            base: format!("alone {} ms", number(quiet)),
            figure,
            unit: " ms",
            bound: Bound::AtMost(most, quiet),
        });
    }
    let late = by(&|seen| seen.of(|noticed| 1.0 - noticed.signed_in()));
    let failed = by(&|seen| Spread::of([float(seen.noticed.iter().map(Noticed::failed).sum())]));
    let most = 1.0 - criteria.signed_in;
    for (what, figure, bound) in [
        ("sign-ins that failed or took over a second", late, Bound::AtMost(most, 0.0)),
        ("requests that failed", failed, Bound::AtMost(0.0, 0.0)),
    ] {
        let Some(figure) = figure else { continue };
        page.goal(Goal {
            what: format!("{what} beside the worst neighbour, {place}"),
            ours: String::new(),
            base: String::new(),
            figure,
            unit: "",
            bound,
        });
    }
}
