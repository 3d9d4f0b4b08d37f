//! What was found, as pages.

use crate::oha::Seen;
use crate::process::Watched;
use crate::stats::{Spread, number};
use std::fmt::Write as _;

/// What a figure should be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bound {
    /// At least the first, better the second.
    AtLeast(f64, f64),
    /// At most the first, better the second.
    AtMost(f64, f64),
    /// Shown for what it is.
    None,
}

/// A line of the table of targets.
#[derive(Debug, Clone)]
pub(crate) struct Goal {
    pub(crate) what: String,
    /// What Guestlist did, and what it is compared with.
    pub(crate) ours: String,
    pub(crate) base: String,
    /// What the bound is about.
    pub(crate) figure: Spread,
    pub(crate) unit: &'static str,
    pub(crate) bound: Bound,
}

impl Goal {
    fn verdict(&self) -> &'static str {
        let figure = self.figure.median;
        let (met, better) = match self.bound {
            Bound::AtLeast(target, stretch) => (figure >= target, figure >= stretch),
            Bound::AtMost(target, stretch) => (figure <= target, figure <= stretch),
            Bound::None => return "",
        };
        match (met, better) {
            (_, true) => "stretch",
            (true, _) => "met",
            _ => "**not met**",
        }
    }

    fn line(&self) -> String {
        let Self { what, ours, base, figure, unit, bound } = self;
        let bound = match bound {
            Bound::AtLeast(target, stretch) => {
                format!("at least {}{unit} | {}{unit}", number(*target), number(*stretch))
            }
            Bound::AtMost(target, stretch) => {
                format!("at most {}{unit} | {}{unit}", number(*target), number(*stretch))
            }
            Bound::None => " | ".into(),
        };
        let verdict = self.verdict();
        format!("| {what} | {ours} | {base} | {figure}{unit} | {bound} | {verdict} |\n")
    }
}

/// The table of targets.
pub(crate) fn goals(goals: &[Goal]) -> String {
    let mut text = String::from(
        "| What | Guestlist | Compared with | Figure | Target | Stretch | |\n\
         |---|---|---|---|---|---|---|\n",
    );
    text.extend(goals.iter().map(Goal::line));
    text
}

/// A subject.
#[derive(Debug)]
pub(crate) struct Page {
    /// The name of its file.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// What is measured and how, in a few sentences.
    pub(crate) about: String,
    pub(crate) goals: Vec<Goal>,
    series: Vec<String>,
    pub(crate) tables: Vec<String>,
    pub(crate) notes: Vec<String>,
    /// What was answered as it should not be, for which the command fails.
    pub(crate) failures: Vec<String>,
}

impl Page {
    pub(crate) fn new(name: &'static str, title: &'static str, about: &str) -> Self {
        let (goals, series) = (Vec::new(), Vec::new());
        let (tables, notes, failures) = (Vec::new(), Vec::new(), Vec::new());
        Self { name, title, about: about.to_owned(), goals, series, tables, notes, failures }
    }

    /// A line of figures: what the rounds of one load saw.
    pub(crate) fn series(&mut self, name: &str, rounds: &[Seen], watched: &[Watched]) {
        let of = |field: fn(&Seen) -> f64| Spread::of(rounds.iter().map(field));
        let mut line = format!(
            "| {name} | {} | {} | {} | {} |",
            of(|seen| seen.rate),
            of(|seen| seen.p50),
            of(|seen| seen.p99),
            of(|seen| seen.p999),
        );
        if watched.is_empty() {
            line += " | |";
        } else {
            let cores = Spread::of(watched.iter().map(|watched| watched.cores)).median;
            let memory = Spread::of(watched.iter().map(|watched| watched.memory)).max;
            // Writing to a String cannot fail.
            let _ = write!(line, " {cores:.2} | {memory:.0} |");
        }
        println!("{line}");
        self.series.push(line);
    }

    /// A target, and what became of it.
    pub(crate) fn goal(&mut self, goal: Goal) {
        print!("{}", goal.line());
        self.goals.push(goal);
    }

    /// The page, for `machine`.
    pub(crate) fn text(&self, machine: &str, command: &str) -> String {
        let mut text = format!(
            "# {}\n\n{}\n\nEverything below is written by `cargo xtask bench {command}`.\n\n",
            self.title, self.about
        );
        if !self.goals.is_empty() {
            text += &goals(&self.goals);
            text.push('\n');
        }
        if !self.series.is_empty() {
            text += "| Load | Requests/s | p50, ms | p99, ms | p99.9, ms | Processors busy | Private MiB |\n\
                     |---|---|---|---|---|---|---|\n";
            for line in &self.series {
                text += line;
                text.push('\n');
            }
            text.push('\n');
        }
        for table in &self.tables {
            text += table;
            text.push('\n');
        }
        for note in &self.notes {
            text += &format!("{note}\n\n");
        }
        text += machine;
        text.push('\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goal(figure: f64, bound: Bound) -> Goal {
        let (what, ours, base) = ("GET".into(), "1".into(), "2".into());
        Goal { what, ours, base, figure: Spread::of([figure]), unit: "", bound }
    }

    #[test]
    fn a_target_that_is_not_met_is_shown_with_what_it_is() {
        let line = goal(0.5, Bound::AtLeast(0.65, 0.8)).line();
        assert!(line.contains("at least 0.65 | 0.80 | **not met** |"), "{line}");
        assert_eq!(goal(0.65, Bound::AtLeast(0.65, 0.8)).verdict(), "met");
        assert_eq!(goal(0.8, Bound::AtLeast(0.65, 0.8)).verdict(), "stretch");
        assert_eq!(goal(2.1, Bound::AtMost(2.0, 1.3)).verdict(), "**not met**");
        assert_eq!(goal(2.0, Bound::AtMost(2.0, 1.3)).verdict(), "met");
        assert_eq!(goal(1.3, Bound::AtMost(2.0, 1.3)).verdict(), "stretch");
        assert_eq!(goal(1.0, Bound::None).verdict(), "");
    }
}
