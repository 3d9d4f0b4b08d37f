//! A change of one row says beforehand what it asks first, and what it changes. If it did otherwise it
//! would be right all the same, and share no commit.

use super::{APPLICATION, Own, USER, populate};
use crate::directory::users::rows as users;
use crate::rows::tenant::AuthorizedApp;
use crate::rows::{Param, Tx};
use bytes::BytesMut;
use guestlist_store::{Change, Each, Engine, Environment, Query, Result, Scope};
use std::iter;

/// An engine that notes what is asked, and what is changed without waiting for it.
struct Noting<'c> {
    session: &'c mut dyn Engine,
    asked: Vec<(String, Vec<u8>)>,
    changed: Vec<Scope>,
}

impl Engine for Noting<'_> {
    fn query(&mut self, query: &Query<'_>, each: &mut Each<'_>) -> Result<bool> {
        self.asked.push(asked(query.sql, query.params));
        self.session.query(query, each)
    }

    fn run(&mut self, change: &Change<'_>) -> Result<u64> {
        assert!(change.deferred && change.conflict.is_none(), "{}", change.sql);
        self.changed.push(change.scope);
        self.session.run(change)
    }

    fn environment(&self) -> Environment {
        self.session.environment()
    }
}

fn asked(sql: &str, params: &[&dyn Param]) -> (String, Vec<u8>) {
    let mut bytes = BytesMut::new();
    for param in params {
        assert!(param.put(&mut bytes));
    }
    (sql.to_owned(), bytes.to_vec())
}

#[test]
fn a_change_of_a_user_does_what_it_says() {
    let within = AuthorizedApp::allowed(APPLICATION);
    let change = users::row_change(within, USER);
    let done = Own::on_sqlite().undone(move |tx| {
        populate(tx)?;
        let mut noting = Noting { session: tx.engine(), asked: Vec::new(), changed: Vec::new() };
        let tx = &mut Tx::new(&mut noting);
        let (tenant, before) = users::lock_within(tx, within, USER)?;
        let mut after = before.clone();
        after.first_name = Some("Ada".into());
        users::put(tx, tenant, &before, &after, None)?;
        Ok((noting.asked, noting.changed))
    });
    let statements = iter::once(&change.lock).chain(&change.ahead);
    let said = statements.map(|statement| asked(statement.sql(), &statement.params()));
    assert_eq!(done.unwrap(), (said.collect(), vec![change.scope]));
    assert!(change.lock.sql().ends_with(" FOR UPDATE"));
}
