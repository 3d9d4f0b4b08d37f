//! Whose turn it is, whoever sends what and however long it takes.

use super::*;
use proptest::prelude::*;

/// What is slow in these tests.
const SLOW: Duration = Duration::from_millis(5);

fn flow(number: u8) -> Flow {
    Flow::new(1, [number; 12])
}

/// Takes the next job, and others with it; how long each takes is up to `time`.
fn together<J: Copy>(turns: &mut Turns<J>, time: impl Fn(J) -> (u8, u64)) -> Vec<J> {
    let (mut held, mut taken) = (Held::new(), Vec::new());
    while let Some(job) = turns.take(&mut held) {
        let (flow, millis) = time(job);
        held.took(self::flow(flow), Duration::from_millis(millis));
        taken.push(job);
    }
    turns.release(&mut held);
    taken
}

#[test]
fn flows_take_turns_whatever_one_of_them_sends() {
    let mut turns = Turns::new(9, 99);
    for (flow, job) in [(1, "a1"), (1, "a2"), (1, "a3"), (2, "b1"), (3, "c1"), (2, "b2")] {
        turns.push(self::flow(flow), job).unwrap();
    }
    let mut held = Held::new();
    let order: Vec<_> = std::iter::from_fn(|| turns.take(&mut held)).collect();
    assert_eq!(order, ["a1", "b1", "c1", "a2", "b2", "a3"]);
}

#[test]
fn a_flow_is_on_no_more_threads_than_its_share() {
    let mut turns = Turns::new(2, 99);
    for job in 0..5 {
        turns.push(flow(1), job).unwrap();
    }
    let mut threads = [Held::new(), Held::new(), Held::new()];
    assert_eq!(turns.take(&mut threads[0]), Some(0));
    assert_eq!(turns.take(&mut threads[1]), Some(1));
    assert_eq!(turns.take(&mut threads[2]), None);
    // A thread that works for it may take more for the same transaction.
    assert_eq!(turns.take(&mut threads[0]), Some(2));
    turns.push(flow(2), 7).unwrap();
    assert_eq!(turns.take(&mut threads[2]), Some(7));
    assert!(!turns.has_turn());
    turns.release(&mut threads[1]);
    assert_eq!(turns.take(&mut threads[1]), Some(3));
    // Whoever owns the store may have them all.
    (0..3).for_each(|job| turns.push(Flow::OWN, job).unwrap());
    let mut threads = [Held::new(), Held::new(), Held::new()];
    assert!(threads.iter_mut().all(|held| turns.take(held).is_some()));
}

#[test]
fn a_flow_may_not_fill_the_queue() {
    let mut turns = Turns::new(1, 2);
    assert!(turns.push(flow(1), 1).is_ok() && turns.push(flow(1), 2).is_ok());
    assert_eq!(turns.push(flow(1), 3), Err(3));
    assert!(turns.push(flow(2), 4).is_ok());
    // What the owner of the store does has no share, and no bound.
    assert!((0..9).all(|job| turns.push(Flow::OWN, job).is_ok()));
    assert_eq!(turns.len(), 12);
    assert_eq!(turns.drain().len(), 12);
    assert_eq!((turns.len(), turns.has_turn()), (0, false));
}

/// One in which flow 1 is slow: its jobs are below 100 and take so many milliseconds.
fn with_a_slow_flow(jobs: std::ops::Range<u64>) -> Turns<u64> {
    let mut turns = Turns::new(usize::MAX, 999).timed(SLOW);
    turns.push(flow(1), 60).unwrap();
    together(&mut turns, |job| (1, job));
    jobs.for_each(|job| turns.push(flow(1), job).unwrap());
    turns
}

#[test]
fn a_slow_flow_is_taken_one_job_at_a_time_and_others_have_as_much_time() {
    let mut turns = with_a_slow_flow(20..23);
    // The others take two milliseconds.
    let time = |job| if job < 100 { (1, job) } else { (2, 2) };
    (100..130).for_each(|job| turns.push(flow(2), job).unwrap());
    // It has had its 60 ms, so it is the others' turn.
    assert_eq!(together(&mut turns, time), (100..130).collect::<Vec<_>>());
    assert_eq!(together(&mut turns, time), [20]);
    // 20 ms are owed.
    turns.push(flow(2), 100).unwrap();
    assert_eq!(together(&mut turns, time), [100]);
    (101..110).for_each(|job| turns.push(flow(3), job).unwrap());
    let time = |job| if job < 100 { (1, job) } else { (3, 2) };
    assert_eq!(together(&mut turns, time), (101..110).collect::<Vec<_>>());
    turns.push(flow(2), 100).unwrap();
    assert_eq!(together(&mut turns, time), [21]);
    // It is not taken behind others, and has what they leave.
    assert_eq!(together(&mut turns, time), [100]);
    assert_eq!(together(&mut turns, time), [22]);
    assert_eq!(together(&mut turns, time), [0; 0]);
}

#[test]
fn slow_flows_take_turns_with_each_other() {
    let mut turns = with_a_slow_flow(20..22);
    turns.push(flow(2), 160).unwrap();
    let time = |job| if job < 100 { (1, job) } else { (2, job - 100) };
    assert_eq!(together(&mut turns, time), [160]);
    (120..122).for_each(|job| turns.push(flow(2), job).unwrap());
    let order: Vec<_> = (0..4).flat_map(|_| together(&mut turns, time)).collect();
    assert_eq!(order, [20, 120, 21, 121]);
}

#[test]
fn a_flow_that_is_slow_once_is_not_a_slow_flow_and_one_that_was_is_not_for_long() {
    let mut turns = Turns::new(usize::MAX, 99).timed(SLOW);
    let slow = |turns: &Turns<u64>| turns.flows.get(&flow(1)).is_some_and(|flow| flow.slow);
    let mut run = |jobs: &[u64]| {
        for job in jobs {
            turns.push(flow(1), *job).unwrap();
            together(&mut turns, |job| (1, job));
        }
        slow(&turns)
    };
    assert!(!run(&[0, 0, 39, 0, 0]));
    assert!(run(&[30, 30, 30, 30]));
    assert!(run(&[100_000]));
    assert!(!run(&[0; 12]));
    // Nor is anything remembered of it after that.
    run(&[0; 20]);
    assert_eq!(turns.flows.len(), 0);
}

#[test]
fn the_owner_of_the_store_is_never_slow() {
    let mut turns = Turns::new(usize::MAX, 99).timed(SLOW);
    let mut held = Held::new();
    for job in 0..4 {
        turns.push(Flow::OWN, job).unwrap();
    }
    assert_eq!(turns.take(&mut held), Some(0));
    held.took(Flow::OWN, 100 * SLOW);
    turns.release(&mut held);
    assert_eq!(std::iter::from_fn(|| turns.take(&mut held)).count(), 3);
}

#[test]
fn of_flows_that_are_gone_few_are_remembered() {
    let mut turns = Turns::new(usize::MAX, 99).timed(SLOW);
    for number in 0..2000_u16 {
        let [high, low] = number.to_be_bytes();
        let (flow, mut held) = (Flow::new(high + 1, [low; 12]), Held::new());
        turns.push(flow, ()).unwrap();
        assert_eq!(turns.take(&mut held), Some(()));
        held.took(flow, 100 * SLOW);
        turns.release(&mut held);
        assert!(turns.flows.len() <= REMEMBERED);
    }
}

proptest! {
    /// Whatever is pushed, taken and released, and however long it takes: nothing is lost, nobody is
    /// on too many threads, and what may be taken is taken.
    #[test]
    fn nothing_is_lost_and_nobody_has_more_than_a_share(
        steps in proptest::collection::vec((0_u8..5, 0_u8..4, 0_u64..90), 0..200)
    ) {
        const SHARE: usize = 2;
        let mut turns = Turns::new(SHARE, 1000).timed(SLOW);
        let mut held: Vec<_> = (0..4).map(|_| Held::new()).collect();
        let (mut sent, mut taken) = (0, 0);
        for (what, number, millis) in steps {
            let thread = &mut held[usize::from(number)];
            match what {
                0 | 1 => {
                    turns.push(flow(number), number).unwrap();
                    sent += 1;
                }
                2 | 3 => {
                    let may = turns.may_be_taken(thread);
                    let job = turns.take(thread);
                    prop_assert!(job.is_none() || may);
                    if let Some(job) = job {
                        thread.took(flow(job), Duration::from_millis(millis));
                        taken += 1;
                    }
                }
                _ => turns.release(thread),
            }
            for number in 0..4 {
                let on = held.iter().filter(|held| held.has(flow(number))).count();
                prop_assert!(on <= SHARE);
                let known = turns.flows.get(&flow(number));
                let waits = known.is_some_and(|flow| !flow.jobs.is_empty());
                let slow = known.is_some_and(|flow| flow.slow);
                let more = waits && on < if slow { 1 } else { SHARE };
                let places = |turns: &VecDeque<Flow>| {
                    turns.iter().filter(|next| **next == flow(number)).count()
                };
                prop_assert_eq!(places(&turns.quick), usize::from(more && !slow));
                prop_assert_eq!(places(&turns.slow), usize::from(more && slow));
            }
            prop_assert_eq!(turns.len(), sent - taken);
        }
        for held in &mut held {
            turns.release(held);
        }
        while turns.take(&mut held[0]).is_some() {
            taken += 1;
            turns.release(&mut held[0]);
        }
        prop_assert_eq!(sent, taken);
        prop_assert!(turns.flows.values().all(|flow| flow.threads == 0));
    }
}
