//! What is measured, and beside what.

mod applications;
mod backup;
mod compare;
mod footprint;
mod hashing;
mod lists;
mod neighbours;
mod postgres;
mod reads;
mod sign_in;
mod writes;

use crate::measure::{Bench, Subject};
use crate::report::Page;
use anyhow::{Result, bail};

pub(crate) fn measure(bench: &Bench, subject: Subject) -> Result<Page> {
    match subject {
        Subject::Get => reads::get(bench),
        Subject::Patch => writes::patch(bench),
        Subject::Create => hashing::create(bench),
        Subject::Delete => writes::delete(bench),
        Subject::List => lists::list(bench),
        Subject::Login => sign_in::login(bench),
        Subject::Applications => applications::applications(bench),
        Subject::Footprint => footprint::footprint(bench),
        Subject::Neighbours => neighbours::neighbours(bench),
        Subject::Postgres => postgres::postgres(bench),
        Subject::Backup => backup::backup(bench),
        Subject::Compare => compare::compare(bench),
        Subject::All => bail!("all subjects are not one"),
    }
}
