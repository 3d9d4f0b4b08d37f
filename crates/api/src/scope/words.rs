//! The vocabulary as a table that the compiler reads from `scopes.txt`, the platform's words, and
//! `scopes-ours.txt`, those for operations of our own; and sets of its words.

use std::cmp::Ordering;

const TEXTS: [&str; 2] = [include_str!("../scopes.txt"), include_str!("../scopes-ours.txt")];
/// How many lists each text has: application, organization, instance, user.
const REALMS: usize = 4;
/// How many lists there are.
const LISTS: usize = TEXTS.len() * REALMS;
/// How many words there are.
pub(super) const COUNT: usize = count(TEXTS[0]) + count(TEXTS[1]);

struct Table {
    words: [&'static str; COUNT],
    /// Where each list begins, and where the last one ends.
    starts: [usize; LISTS + 1],
}

static TABLE: Table = read();

const fn read() -> Table {
    let mut table = Table { words: [""; COUNT], starts: [COUNT; LISTS + 1] };
    let (mut text, mut word, mut list) = (0, 0, 0);
    while text < TEXTS.len() {
        let mut rest = TEXTS[text];
        while let (Some(part), after) = next(rest) {
            if part.as_bytes()[0] == b'[' {
                table.starts[list] = word;
                list += 1;
            } else {
                table.words[word] = part;
                word += 1;
            }
            rest = after;
        }
        text += 1;
        assert!(list == text * REALMS, "a list is missing");
    }
    table
}

/// How many words `text` has.
const fn count(text: &str) -> usize {
    let (mut rest, mut words) = (text, 0);
    while let (Some(part), after) = next(rest) {
        if part.as_bytes()[0] != b'[' {
            words += 1;
        }
        rest = after;
    }
    words
}

/// The first word or heading of `text`, if there is one, and what comes after it.
const fn next(text: &str) -> (Option<&str>, &str) {
    let mut rest = text;
    while !rest.is_empty() {
        let first = rest.as_bytes()[0];
        let length = match first {
            b' ' | b'\n' => 1,
            b'#' | b'[' => length(rest, false),
            _ => length(rest, true),
        };
        let (part, after) = rest.split_at(length);
        if !matches!(first, b' ' | b'\n' | b'#') {
            return (Some(part), after);
        }
        rest = after;
    }
    (None, rest)
}

/// How much of `text` comes before the end of its first line, or of its first word.
const fn length(text: &str, one_word: bool) -> usize {
    let mut length = 0;
    while length < text.len() {
        match text.as_bytes()[length] {
            b'\n' => return length,
            b' ' if one_word => return length,
            _ => length += 1,
        }
    }
    length
}

/// The word at `index`.
pub(super) fn word(index: u16) -> &'static str {
    TABLE.words[usize::from(index)]
}

/// Which of the lists of its text the word at `index` is in.
pub(super) fn list(index: u16) -> usize {
    let before = TABLE.starts[1..LISTS].iter().take_while(|&&start| start <= usize::from(index));
    before.count() % REALMS
}

/// The halves of `text` around its first dot; without one, all of it and nothing.
pub(super) const fn halves(text: &str) -> (&str, &str) {
    let mut dot = 0;
    while dot < text.len() {
        if text.as_bytes()[dot] == b'.' {
            let (before, rest) = text.split_at(dot);
            return (before, rest.split_at(1).1);
        }
        dot += 1;
    }
    (text, "")
}

/// Where the word `resource.action` is.
#[expect(clippy::cast_possible_truncation, reason = "the table is shorter than u16 counts")]
pub(super) const fn find(resource: &str, action: &str) -> Option<u16> {
    let mut list = 0;
    while list < LISTS {
        let (mut low, mut high) = (TABLE.starts[list], TABLE.starts[list + 1]);
        while low < high {
            let middle = usize::midpoint(low, high);
            match compare(TABLE.words[middle], resource, action) {
                Ordering::Equal => return Some(middle as u16),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
            }
        }
        list += 1;
    }
    None
}

/// How `word` is to `resource.action`, which no compiler can put together for a name it is given.
const fn compare(word: &str, resource: &str, action: &str) -> Ordering {
    let (word, resource, action) = (word.as_bytes(), resource.as_bytes(), action.as_bytes());
    let mut at = 0;
    loop {
        let theirs = if at < resource.len() {
            Some(resource[at])
        } else if at == resource.len() {
            Some(b'.')
        } else if at - resource.len() <= action.len() {
            Some(action[at - resource.len() - 1])
        } else {
            None
        };
        let ours = if at < word.len() { Some(word[at]) } else { None };
        match (ours, theirs) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(ours), Some(theirs)) if ours < theirs => return Ordering::Less,
            (Some(ours), Some(theirs)) if ours > theirs => return Ordering::Greater,
            _ => at += 1,
        }
    }
}

/// A set of words: a bit for each, so that the check on every request is a handful of `and`s.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Set([u64; COUNT.div_ceil(64)]);

impl Set {
    pub(super) const EMPTY: Self = Self([0; COUNT.div_ceil(64)]);

    #[must_use]
    pub(super) const fn with(mut self, index: u16) -> Self {
        self.0[index as usize / 64] |= 1 << (index % 64);
        self
    }

    #[must_use]
    pub(super) const fn without(mut self, index: u16) -> Self {
        self.0[index as usize / 64] &= !(1 << (index % 64));
        self
    }

    pub(super) const fn has(&self, index: u16) -> bool {
        self.0[index as usize / 64] >> (index % 64) & 1 == 1
    }

    /// Whether any word is in both.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(ours, theirs)| ours & theirs != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the words of `list` are.
    fn listed(list: usize) -> std::ops::Range<usize> {
        TABLE.starts[list]..TABLE.starts[list + 1]
    }

    #[test]
    fn the_lists_are_whole_sorted_and_apart() {
        let lengths: Vec<usize> = (0..REALMS).map(|list| listed(list).len()).collect();
        assert_eq!(lengths, [322, 40, 84, 54], "the platform has as many");
        for list in 0..LISTS {
            assert!(TABLE.words[listed(list)].is_sorted_by(|a, b| a < b), "list {list}");
        }
        let distinct: std::collections::HashSet<_> = TABLE.words.iter().collect();
        assert_eq!(distinct.len(), COUNT);
    }

    #[test]
    fn every_word_is_found_where_it_is() {
        for (index, word) in (0..).zip(TABLE.words) {
            let (resource, action) = halves(word);
            assert_eq!(find(resource, action), Some(index));
            let of_its_realm = (list(index)..LISTS).step_by(REALMS);
            assert!(of_its_realm.map(listed).any(|list| list.contains(&usize::from(index))));
        }
        for (resource, action) in [("", ""), ("all", ""), ("all", "User."), ("zebra", "get")] {
            assert_eq!(find(resource, action), None);
        }
    }
}
