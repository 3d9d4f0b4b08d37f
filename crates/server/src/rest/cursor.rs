//! Cursors: where a list goes on, or back, as text that only this server can make. Whoever has one has seen
//! the row that it stands for, so that it is sealed and not hidden.

use crate::auth::seal::Seal;
use crate::error::{Error, Result};
use crate::rows::list::{Position, Start, Value};
use guestlist_api::id::ObjectId;
use guestlist_api::wire::{Problem, Rule};
use sha2::{Digest as _, Sha256};

/// What the secret of a server is used for here.
pub(crate) const PURPOSE: &str = "cursors";

/// The first byte of a cursor: what it is of a page. Another one would be written in another way.
const AFTER: u8 = 1;
const BEFORE: u8 = 2;
const END: u8 = 3;

const NOTHING: u8 = 0;
const TEXT: u8 = 1;
const MOMENT: u8 = 2;

/// Which list a cursor belongs to: all that decides which rows are in it and in what order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ListId([u8; 16]);

impl ListId {
    /// The list that `parts` tell from all others.
    pub(crate) fn of<'p>(parts: impl IntoIterator<Item = &'p str>) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        let mut half = [0; 16];
        half.iter_mut().zip(digest.finalize()).for_each(|(half, byte)| *half = byte);
        Self(half)
    }
}

/// Where a page of `list` starts, unless that is said by a number.
pub(crate) fn write(seal: &Seal, list: ListId, start: &Start) -> Option<String> {
    let (kind, position) = match start {
        Start::Page(_) => return None,
        Start::After(position) => (AFTER, position),
        Start::Before(position) => (BEFORE, position),
        Start::End => return Some(seal.close([&[END][..], &list.0].concat())),
    };
    let mut bytes = vec![kind];
    bytes.extend(list.0);
    bytes.extend(position.id.bytes());
    match &position.value {
        Value::Nothing => bytes.push(NOTHING),
        Value::Text(text) => {
            bytes.push(TEXT);
            bytes.extend(text.as_bytes());
        }
        Value::Moment(millis) => {
            bytes.push(MOMENT);
            bytes.extend(millis.to_be_bytes());
        }
    }
    Some(seal.close(bytes))
}

/// Where the page of `list` starts that `cursor` stands for.
///
/// # Errors
/// [`Error::Invalid`] when this server has not made it, or for another list.
pub(crate) fn read(seal: &Seal, list: ListId, cursor: &str) -> Result<Start> {
    let (of, start) = seal
        .open(cursor)
        .and_then(|bytes| parse(&bytes))
        .ok_or_else(|| wrong("was not given by this server"))?;
    if of != list {
        return Err(wrong("belongs to another list: send what it was given for along with it"));
    }
    Ok(start)
}

/// What is wrong with a cursor.
pub(crate) fn wrong(rule: &'static str) -> Error {
    Error::Invalid(vec![Problem::new("cursor", Rule::Other(rule.into()))])
}

fn parse(bytes: &[u8]) -> Option<(ListId, Start)> {
    let (kind, rest) = bytes.split_first()?;
    let (list, rest) = rest.split_first_chunk()?;
    let start = match *kind {
        AFTER => Start::After(position(rest)?),
        BEFORE => Start::Before(position(rest)?),
        END if rest.is_empty() => Start::End,
        _ => return None,
    };
    Some((ListId(*list), start))
}

fn position(bytes: &[u8]) -> Option<Position> {
    let (id, rest) = bytes.split_first_chunk()?;
    let value = match rest.split_first()? {
        (&NOTHING, []) => Value::Nothing,
        (&TEXT, text) => Value::Text(String::from_utf8(text.to_vec()).ok()?),
        (&MOMENT, millis) => Value::Moment(i64::from_be_bytes(millis.try_into().ok()?)),
        _ => return None,
    };
    Some(Position { value, id: ObjectId::from_bytes(*id) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use guestlist_testbed::Fuzz;
    use proptest::prelude::*;

    #[test]
    fn fuzz_cursor() {
        let seal = Seal::new(b"secret", PURPOSE).unwrap();
        let list = ListId::of(["a"]);
        let id = ObjectId::from_bytes([7; 12]);
        let position = |value| Start::After(Position { value, id });
        let mut fuzz = Fuzz::new("cursor");
        for start in [
            position(Value::Nothing),
            position(Value::Text("Zoë".into())),
            position(Value::Moment(-1)),
            Start::End,
        ] {
            fuzz = fuzz.input(write(&seal, list, &start).unwrap());
        }
        fuzz.run(|bytes| {
            // What is sealed is read for what it is, whoever may have sealed it.
            let sealed = seal.close(bytes.to_vec());
            let inner = read(&seal, list, &sealed).is_ok();
            let Ok(text) = str::from_utf8(bytes) else { return (inner, String::new()) };
            let kind = match read(&seal, list, text) {
                Ok(start) => {
                    assert_eq!(
                        write(&seal, list, &start).as_deref(),
                        Some(text),
                        "only one text is it"
                    );
                    "read".to_owned()
                }
                refused => words(refused),
            };
            (inner, kind)
        });
    }

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Nothing),
            ".{0,20}".prop_map(Value::Text),
            any::<i64>().prop_map(Value::Moment),
        ]
    }

    fn words(outcome: Result<Start>) -> String {
        let Err(Error::Invalid(problems)) = outcome else { panic!("not refused") };
        problems[0].to_string()
    }

    proptest! {
        #[test]
        fn where_a_page_starts_comes_back(
            value in value(),
            id in any::<[u8; 12]>(),
            make in prop::sample::select(&[Start::After, Start::Before, |_| Start::End][..]),
        ) {
            let seal = Seal::new(b"secret", PURPOSE).unwrap();
            let (list, other) = (ListId::of(["a", "b"]), ListId::of(["ab"]));
            let start = make(Position { value, id: ObjectId::from_bytes(id) });
            let cursor = write(&seal, list, &start).unwrap();
            prop_assert_eq!(read(&seal, list, &cursor).unwrap(), start);
            let foreign = "cursor belongs to another list: send what it was given for along with it";
            prop_assert_eq!(words(read(&seal, other, &cursor)), foreign);
        }
    }

    #[test]
    fn of_what_is_sealed_only_cursors_are_places() {
        let seal = Seal::new(b"secret", PURPOSE).unwrap();
        let list = ListId::of(["a"]);
        let head = [&[AFTER][..], &list.0, &[0; 12]].concat();
        let with = |tail: &[u8]| read(&seal, list, &seal.close([&head, tail].concat()));
        assert!(with(&[NOTHING]).is_ok() && with(&[TEXT]).is_ok());
        for tail in [&[][..], &[NOTHING, 0], &[TEXT, 0xff], &[MOMENT, 0], &[3]] {
            assert_eq!(words(with(tail)), "cursor was not given by this server", "{tail:?}");
        }
        let mut other = [&head[..], &[NOTHING]].concat();
        for kind in [0, END, END + 1] {
            other[0] = kind;
            let other = read(&seal, list, &seal.close(other.clone()));
            assert_eq!(words(other), "cursor was not given by this server", "{kind}");
        }
        other[0] = BEFORE;
        assert!(matches!(read(&seal, list, &seal.close(other)), Ok(Start::Before(_))));
    }
}
