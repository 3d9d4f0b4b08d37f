//! When something is tried again, and when it is given up.

use std::time::Duration;

/// The first pause; each is twice the one before it.
const FIRST: Duration = Duration::from_mins(1);
/// The longest.
const LONGEST: Duration = Duration::from_hours(4);
/// How often something is tried, within about 16 hours.
const TRIES: u32 = 12;

/// How long to wait after `tries` that failed; `None` when it is given up. `chance`, of 256, makes those that
/// failed together come apart.
#[must_use]
pub fn pause(tries: u32, chance: u8) -> Option<Duration> {
    if tries >= TRIES {
        return None;
    }
    let doubled = FIRST.saturating_mul(1 << tries.saturating_sub(1)).min(LONGEST);
    Some(doubled + doubled * u32::from(chance) / 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_longest_and_end() {
        let pauses: Vec<_> = (1..).map_while(|tries| pause(tries, 0)).collect();
        assert_eq!(pauses.len(), 11);
        assert_eq!(pauses[..3], [1, 2, 4].map(Duration::from_mins));
        assert!(pauses.is_sorted());
        assert_eq!(pauses.last(), Some(&LONGEST));
        let all: Duration = pauses.iter().sum();
        assert!(all > Duration::from_hours(12) && all < Duration::from_hours(24), "{all:?}");
    }

    #[test]
    fn chance_adds_up_to_a_quarter() {
        for tries in 1..12 {
            let (least, most) = (pause(tries, 0).unwrap(), pause(tries, 255).unwrap());
            assert!(most > least && most <= least + least / 4, "{tries}");
        }
        assert_eq!(pause(u32::MAX, 255), None);
    }
}
