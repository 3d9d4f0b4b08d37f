use super::{Action, Objection, Operation, check};
use Action::{Read, Refused, Swap, Write};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

fn at(start: u64, end: u64, action: Action<u8>) -> Operation<u8> {
    Operation { action, start, end: Some(end) }
}

fn lost(start: u64, action: Action<u8>) -> Operation<u8> {
    Operation { action, start, end: None }
}

fn swap(from: u8, to: u8) -> Action<u8> {
    Swap { from, to }
}

#[track_caller]
fn good(history: &[Operation<u8>]) {
    assert_eq!(check(&0, history), Ok(()));
}

#[track_caller]
fn bad(history: &[Operation<u8>]) {
    assert!(matches!(check(&0, history), Err(Objection::Contradiction(_))), "{history:?}");
}

#[test]
fn one_after_the_other() {
    good(&[]);
    good(&[at(1, 2, Read(0)), at(3, 4, Write(1)), at(5, 6, Read(1)), at(7, 8, swap(1, 2))]);
    bad(&[at(1, 2, Read(1))]);
    // A write that was answered is lost.
    bad(&[at(1, 2, Write(1)), at(3, 4, Read(0))]);
    bad(&[at(1, 2, Write(1)), at(3, 4, swap(0, 2))]);
    bad(&[at(1, 2, Refused { from: 0 })]);
    good(&[at(1, 2, Refused { from: 1 })]);
}

#[test]
fn at_the_same_time_either_may_be_first() {
    good(&[at(1, 9, Write(1)), at(2, 3, Read(0)), at(4, 5, Read(1))]);
    // But it cannot be undone again.
    bad(&[at(1, 9, Write(1)), at(2, 3, Read(1)), at(4, 5, Read(0))]);
    // Two that compare and set the same: one of them has to be refused.
    bad(&[at(1, 9, swap(0, 1)), at(2, 8, swap(0, 2))]);
    good(&[at(1, 9, swap(0, 1)), at(2, 8, Refused { from: 0 })]);
    bad(&[at(1, 3, Refused { from: 0 }), at(4, 9, swap(0, 1))]);
}

#[test]
fn what_was_not_answered_may_have_happened_late_or_never() {
    good(&[lost(1, Write(1)), at(2, 3, Read(0)), at(4, 5, Read(1))]);
    good(&[lost(1, Write(1)), at(2, 3, Read(0)), at(4, 5, Read(0))]);
    bad(&[lost(1, Write(1)), at(2, 3, Read(1)), at(4, 5, Read(0))]);
    // Not before it was begun.
    bad(&[at(1, 2, Read(1)), lost(3, Write(1))]);
    // It happened once.
    bad(&[lost(1, Write(1)), at(2, 3, Read(1)), at(4, 5, Write(2)), at(6, 7, Read(1))]);
    good(&[lost(1, swap(0, 1)), at(2, 3, Read(1)), at(4, 5, Refused { from: 0 })]);
    bad(&[lost(1, swap(9, 1)), at(2, 3, Read(1))]);
    // Nobody has seen it, but somebody was refused because of it.
    good(&[lost(1, Write(1)), at(2, 3, Refused { from: 0 })]);
}

#[test]
fn what_does_not_fit_is_told() {
    let history = [at(1, 2, Write(1)), at(3, 4, Read(0))];
    let text = check(&0, &history).unwrap_err().to_string();
    assert!(text.contains("1 of 2 have a place, and then it holds 1"), "{text}");
    assert!(text.contains("3..Some(4) Read(0) has none"), "{text}");
}

#[test]
fn long_histories_with_many_unanswered_writes_are_decided() {
    // Four at a time on one register; every tenth is never answered, and is not seen either.
    let mut history = Vec::new();
    for number in 0..4000_u64 {
        let unanswered = number % 10 == 1;
        let action = match number % 3 {
            0 if number % 10 == 2 => continue,
            0 => Read(number.saturating_sub(1)),
            _ => Write(number),
        };
        let (start, end) = (number * 10, number * 10 + if number % 3 == 1 { 35 } else { 5 });
        history.push(Operation { action, start, end: (!unanswered).then_some(end) });
    }
    assert_eq!(check(&0, &history), Ok(()));
    // It was the first of them, and now it is seen.
    history.push(Operation { action: Read(1), start: 50_000, end: Some(50_001) });
    assert_eq!(check(&0, &history), Ok(()));
    history.push(Operation { action: Read(2), start: 50_002, end: Some(50_003) });
    assert!(matches!(check(&0, &history), Err(Objection::Contradiction(_))));
}

/// Tries everything.
fn by_force(value: u8, left: &[Operation<u8>]) -> bool {
    let first = left.iter().filter_map(|operation| operation.end).min();
    let Some(first) = first else { return true };
    (0..left.len()).filter(|index| left[*index].start < first).any(|index| {
        let value = match left[index].action {
            Read(read) if read == value => value,
            Write(written) => written,
            Swap { from, to } if from == value => to,
            Refused { from } if from != value => value,
            _ => return false,
        };
        let mut left = left.to_vec();
        left.remove(index);
        by_force(value, &left)
    })
}

fn action() -> impl Strategy<Value = Action<u8>> {
    let value = 0..4_u8;
    prop_oneof![
        value.clone().prop_map(Read),
        value.clone().prop_map(Write),
        (value.clone(), value.clone()).prop_map(|(from, to)| Swap { from, to }),
        value.prop_map(|from| Refused { from }),
    ]
}

fn history() -> impl Strategy<Value = Vec<Operation<u8>>> {
    let operation = (action(), 0..20_u64, 1..12_u64, 0..4_u8);
    // Starts and ends are different times.
    let timed = operation.prop_map(|(action, start, length, lost)| Operation {
        action,
        start: start * 2,
        end: (lost != 0).then_some(start * 2 + length * 2 + 1),
    });
    proptest::collection::vec(timed, 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_says_what_trying_everything_says(history in history()) {
        prop_assert_eq!(check(&0, &history).is_ok(), by_force(0, &history));
    }
}

/// Both answers have to come often for that to mean something.
#[test]
fn histories_of_both_kinds_are_tried() {
    let mut runner = TestRunner::deterministic();
    let accepted = (0..500).filter(|_| {
        let tree = history().new_tree(&mut runner).unwrap();
        check(&0, &tree.current()).is_ok()
    });
    let accepted = accepted.count();
    assert!((100..400).contains(&accepted), "{accepted} of 500");
}
