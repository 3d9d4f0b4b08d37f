//! Values on their way into a statement and out of a row, as each engine has them: SQLite's own
//! conversions, and for PostgreSQL the binary form of the few types that columns have here.

use crate::error::{Error, Result};
use bytes::BytesMut;

/// The type of a value, as PostgreSQL has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueType {
    /// `boolean`
    Truth,
    /// `bytea`
    Bytes,
    /// `bigint`
    Whole,
    /// `text`
    Text,
}

impl ValueType {
    /// How PostgreSQL numbers the type.
    pub(crate) const fn oid(self) -> u32 {
        match self {
            Self::Truth => 16,
            Self::Bytes => 17,
            Self::Whole => 20,
            Self::Text => 25,
        }
    }
}

/// A value the engines can store.
pub trait Param: rusqlite::ToSql + Sync {
    /// What it is to PostgreSQL, also where it is nothing.
    fn value_type(&self) -> ValueType;
    /// Adds its binary form to `out`, or says `false` because it is nothing.
    fn put(&self, out: &mut BytesMut) -> bool;
}

/// A type of which there can be nothing as well as something.
trait Typed: rusqlite::ToSql + Sync {
    const TYPE: ValueType;
    fn put(&self, out: &mut BytesMut) -> bool;
}

impl<T: Typed> Param for T {
    fn value_type(&self) -> ValueType {
        T::TYPE
    }
    fn put(&self, out: &mut BytesMut) -> bool {
        Typed::put(self, out)
    }
}

macro_rules! typed {
    ($($type:ty, $value_type:ident, $value:ident => $bytes:expr;)*) => {$(
        impl Typed for $type {
            const TYPE: ValueType = ValueType::$value_type;
            fn put(&self, out: &mut BytesMut) -> bool {
                let $value = self;
                out.extend_from_slice(&$bytes);
                true
            }
        }
    )*};
}

typed! {
    str, Text, text => *text.as_bytes();
    String, Text, text => *text.as_bytes();
    [u8], Bytes, bytes => *bytes;
    Vec<u8>, Bytes, bytes => **bytes;
    i64, Whole, number => number.to_be_bytes();
    i32, Whole, number => i64::from(*number).to_be_bytes();
    bool, Truth, truth => [u8::from(*truth)];
}

impl<T: Typed + ?Sized> Typed for &T {
    const TYPE: ValueType = T::TYPE;
    fn put(&self, out: &mut BytesMut) -> bool {
        T::put(self, out)
    }
}

impl<T: Typed> Typed for Option<T> {
    const TYPE: ValueType = T::TYPE;
    fn put(&self, out: &mut BytesMut) -> bool {
        self.as_ref().is_some_and(|value| value.put(out))
    }
}

/// A value the engines can give back.
pub trait Column: rusqlite::types::FromSql {
    /// Reads what PostgreSQL sent, in binary, of the type it numbers so; `None` is nothing.
    ///
    /// # Errors
    /// When it is something else.
    fn take(oid: u32, bytes: Option<&[u8]>) -> Result<Self>;
}

const SMALL: u32 = 21;
const INTEGER: u32 = 23;
const NAME: u32 = 19;

fn other<T>(oid: u32) -> Result<T> {
    Err(Error::internal(format!("a column is not of the type that is read, but of type {oid}")))
}

impl Column for i64 {
    fn take(oid: u32, bytes: Option<&[u8]>) -> Result<Self> {
        let wide = || -> Option<Self> {
            Some(match (oid, bytes?) {
                (SMALL, bytes) => i16::from_be_bytes(bytes.try_into().ok()?).into(),
                (INTEGER, bytes) => i32::from_be_bytes(bytes.try_into().ok()?).into(),
                (oid, bytes) if oid == ValueType::Whole.oid() => {
                    Self::from_be_bytes(bytes.try_into().ok()?)
                }
                _ => return None,
            })
        };
        wide().map_or_else(|| other(oid), Ok)
    }
}

impl Column for bool {
    fn take(oid: u32, bytes: Option<&[u8]>) -> Result<Self> {
        match bytes {
            Some([truth]) if oid == ValueType::Truth.oid() => Ok(*truth != 0),
            _ => other(oid),
        }
    }
}

/// The text that PostgreSQL sent as `bytes`, of the type it numbers so.
///
/// # Errors
/// When it is something else.
pub(crate) fn text(oid: u32, bytes: &[u8]) -> Result<&str> {
    if oid == ValueType::Text.oid() || oid == NAME {
        std::str::from_utf8(bytes).map_err(Error::internal)
    } else {
        other(oid)
    }
}

impl Column for String {
    fn take(oid: u32, bytes: Option<&[u8]>) -> Result<Self> {
        bytes.map_or_else(|| other(oid), |bytes| text(oid, bytes).map(str::to_owned))
    }
}

impl Column for Vec<u8> {
    fn take(oid: u32, bytes: Option<&[u8]>) -> Result<Self> {
        match bytes {
            Some(bytes) if oid == ValueType::Bytes.oid() => Ok(bytes.to_vec()),
            _ => other(oid),
        }
    }
}

impl<T: Column> Column for Option<T> {
    fn take(oid: u32, bytes: Option<&[u8]>) -> Result<Self> {
        bytes.map(|bytes| T::take(oid, Some(bytes))).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back<T: Column + Param>(value: &T) -> T {
        let mut bytes = BytesMut::new();
        let some = value.put(&mut bytes);
        T::take(value.value_type().oid(), some.then_some(&*bytes)).unwrap()
    }

    #[test]
    fn what_is_put_is_what_is_taken() {
        assert_eq!(there_and_back(&"é".to_owned()), "é");
        assert_eq!(there_and_back(&i64::MIN), i64::MIN);
        assert_eq!(there_and_back(&vec![0_u8, 255]), [0, 255]);
        assert!(there_and_back(&true) && !there_and_back(&false));
        assert_eq!(there_and_back(&None::<String>), None);
        assert_eq!(there_and_back(&Some(String::new())), Some(String::new()));
    }

    #[test]
    fn another_type_is_no_value() {
        assert!(i64::take(ValueType::Text.oid(), Some(b"12345678")).is_err());
        assert!(String::take(ValueType::Bytes.oid(), Some(b"a")).is_err());
        assert!(String::take(ValueType::Text.oid(), None).is_err());
        assert_eq!(i64::take(INTEGER, Some(&[255; 4])).unwrap(), -1);
    }
}
