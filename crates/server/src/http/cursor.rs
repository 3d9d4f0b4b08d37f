//! Cursors: where a list goes on, as text that only this server can make. Whoever has one has seen
//! the row that it stands for, so that it is sealed and not hidden.

use crate::auth::seal::Seal;
use crate::error::{Error, Result};
use crate::store::list::{Position, Value};
use guestlist_api::id::ObjectId;
use guestlist_api::wire::{Problem, Rule};
use sha2::{Digest as _, Sha256};

/// What the secret of a server is used for here.
pub(super) const PURPOSE: &str = "cursors";

/// The first byte of a cursor: another one would be written in another way.
const VERSION: u8 = 1;

const NOTHING: u8 = 0;
const TEXT: u8 = 1;
const MOMENT: u8 = 2;

/// Which list a cursor belongs to: all that decides which rows are in it and in what order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ListId([u8; 16]);

impl ListId {
    /// The list that `parts` tell from all others.
    pub(super) fn of<'p>(parts: impl IntoIterator<Item = &'p str>) -> Self {
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

/// `position` in `list`.
pub(super) fn write(seal: &Seal, list: ListId, position: &Position) -> String {
    let mut bytes = vec![VERSION];
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
    seal.close(bytes)
}

/// The position in `list` that `cursor` is.
///
/// # Errors
/// [`Error::Invalid`] when this server has not made it, or for another list.
pub(super) fn read(seal: &Seal, list: ListId, cursor: &str) -> Result<Position> {
    let (of, position) = seal
        .open(cursor)
        .and_then(|bytes| parse(&bytes))
        .ok_or_else(|| wrong("was not given by this server"))?;
    if of != list {
        return Err(wrong("belongs to another list: send what it was given for along with it"));
    }
    Ok(position)
}

/// What is wrong with a cursor.
pub(super) fn wrong(rule: &'static str) -> Error {
    Error::Invalid(vec![Problem::new("cursor", Rule::Other(rule.into()))])
}

fn parse(bytes: &[u8]) -> Option<(ListId, Position)> {
    let (version, rest) = bytes.split_first()?;
    let (list, rest) = rest.split_first_chunk()?;
    let (id, rest) = rest.split_first_chunk()?;
    let value = match rest.split_first()? {
        (&NOTHING, []) => Value::Nothing,
        (&TEXT, text) => Value::Text(String::from_utf8(text.to_vec()).ok()?),
        (&MOMENT, millis) => Value::Moment(i64::from_be_bytes(millis.try_into().ok()?)),
        _ => return None,
    };
    let position = Position { value, id: ObjectId::from_bytes(*id) };
    (*version == VERSION).then_some((ListId(*list), position))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Nothing),
            ".{0,20}".prop_map(Value::Text),
            any::<i64>().prop_map(Value::Moment),
        ]
    }

    fn words(outcome: Result<Position>) -> String {
        let Err(Error::Invalid(problems)) = outcome else { panic!("not refused") };
        problems[0].to_string()
    }

    proptest! {
        #[test]
        fn a_position_comes_back(value in value(), id in any::<[u8; 12]>()) {
            let seal = Seal::new(b"secret", PURPOSE).unwrap();
            let (list, other) = (ListId::of(["a", "b"]), ListId::of(["ab"]));
            let position = Position { value, id: ObjectId::from_bytes(id) };
            let cursor = write(&seal, list, &position);
            prop_assert_eq!(read(&seal, list, &cursor).unwrap(), position);
            let foreign = "cursor belongs to another list: send what it was given for along with it";
            prop_assert_eq!(words(read(&seal, other, &cursor)), foreign);
        }
    }

    #[test]
    fn of_what_is_sealed_only_cursors_are_positions() {
        let seal = Seal::new(b"secret", PURPOSE).unwrap();
        let list = ListId::of(["a"]);
        let head = [&[VERSION][..], &list.0, &[0; 12]].concat();
        let with = |tail: &[u8]| read(&seal, list, &seal.close([&head, tail].concat()));
        assert!(with(&[NOTHING]).is_ok() && with(&[TEXT]).is_ok());
        for tail in [&[][..], &[NOTHING, 0], &[TEXT, 0xff], &[MOMENT, 0], &[3]] {
            assert_eq!(words(with(tail)), "cursor was not given by this server", "{tail:?}");
        }
        let mut later = [&head[..], &[NOTHING]].concat();
        later[0] = VERSION + 1;
        let later = read(&seal, list, &seal.close(later));
        assert_eq!(words(later), "cursor was not given by this server");
    }
}
