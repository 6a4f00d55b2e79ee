//! Arrays as PostgreSQL sends them, read in place: a claim row has seven, of thousands of elements each.

use sqlx::postgres::{PgRow, PgValueFormat};
use sqlx::{Row as _, ValueRef as _};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::storage::StorageError;

type Result<T> = std::result::Result<T, StorageError>;

/// 2000-01-01, where PostgreSQL's time begins, in microseconds since 1970.
const Y2K: i64 = 946_684_800_000_000;

/// The elements of an array that have not been read yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Array<'r> {
    rest: &'r [u8],
    len: usize,
}

impl<'r> Array<'r> {
    /// The array in this column.
    pub(super) fn of(row: &'r PgRow, column: usize) -> Result<Self> {
        let value = row.try_get_raw(column)?;
        if value.is_null() || value.format() != PgValueFormat::Binary {
            return Err(garbled("there is no binary array"));
        }
        Self::new(value.as_bytes().map_err(|_| garbled("an array has no bytes"))?)
    }

    /// Reads the head: dimensions, whether there are nulls, the elements' type; then each dimension's length and start.
    fn new(bytes: &'r [u8]) -> Result<Self> {
        let mut array = Array { rest: bytes, len: 0 };
        let dimensions = array.number()?;
        array.take(8)?;
        match dimensions {
            0 => {}
            1 => {
                array.len =
                    usize::try_from(array.number()?).map_err(|_| garbled("an array has no length"))?;
                array.take(4)?;
            }
            _ => return Err(garbled("an array has several dimensions")),
        }
        Ok(array)
    }

    /// How many elements it has, or had at first.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The next element's bytes, if it is not null.
    fn next(&mut self) -> Result<Option<&'r [u8]>> {
        match self.number()? {
            -1 => Ok(None),
            len => {
                self.take(usize::try_from(len).map_err(|_| garbled("an element has no length"))?).map(Some)
            }
        }
    }

    /// The next element, which is this many bytes long.
    fn fixed<const N: usize>(&mut self) -> Result<[u8; N]> {
        let bytes = self.next()?.and_then(|bytes| bytes.try_into().ok());
        bytes.ok_or_else(|| garbled("an element is missing or has another type"))
    }

    /// The next element, a `uuid`.
    pub(super) fn uuid(&mut self) -> Result<Uuid> {
        self.fixed().map(Uuid::from_bytes)
    }

    /// The next element, a `smallint`.
    pub(super) fn smallint(&mut self) -> Result<i16> {
        self.fixed().map(i16::from_be_bytes)
    }

    /// The next element, a `timestamptz`.
    pub(super) fn time(&mut self) -> Result<Timestamp> {
        self.fixed().map(|bytes| Timestamp::from_micros(i64::from_be_bytes(bytes).saturating_add(Y2K)))
    }

    /// The next element, a `text` or `json`.
    pub(super) fn text(&mut self) -> Result<Option<&'r str>> {
        self.next()?.map(std::str::from_utf8).transpose().map_err(|_| garbled("a text is not UTF-8"))
    }

    fn number(&mut self) -> Result<i32> {
        let (number, rest) =
            self.rest.split_first_chunk().ok_or_else(|| garbled("an array ends too early"))?;
        self.rest = rest;
        Ok(i32::from_be_bytes(*number))
    }

    fn take(&mut self, bytes: usize) -> Result<&'r [u8]> {
        let (taken, rest) =
            self.rest.split_at_checked(bytes).ok_or_else(|| garbled("an array ends too early"))?;
        self.rest = rest;
        Ok(taken)
    }
}

fn garbled(what: &str) -> StorageError {
    StorageError::garbled(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An array of texts as the server sends it.
    fn sent(texts: &[Option<&str>]) -> Vec<u8> {
        let len = |number: usize| i32::try_from(number).unwrap().to_be_bytes();
        let mut bytes = [len(1), len(0), len(25), len(texts.len()), len(1)].concat();
        for text in texts {
            bytes.extend(text.map_or((-1_i32).to_be_bytes(), |text| len(text.len())));
            bytes.extend(text.unwrap_or_default().as_bytes());
        }
        bytes
    }

    #[test]
    fn elements_and_nulls_are_read_in_their_order() {
        let bytes = sent(&[Some("a"), None, Some("")]);
        let mut array = Array::new(&bytes).unwrap();
        assert_eq!(array.len(), 3);
        let texts = [array.text().unwrap(), array.text().unwrap(), array.text().unwrap()];
        assert_eq!(texts, [Some("a"), None, Some("")]);
    }

    #[test]
    fn an_array_without_elements_is_empty() {
        assert_eq!(Array::new(&[0; 12]).unwrap().len(), 0);
    }

    #[test]
    fn whatever_is_cut_off_or_of_another_type_is_an_error_and_not_a_panic() {
        let bytes = sent(&[Some("abc")]);
        for end in 0..bytes.len() {
            let cut = Array::new(&bytes[..end]).and_then(|mut array| array.text());
            assert!(cut.is_err(), "{end} bytes of {}", bytes.len());
        }
        assert!(Array::new(&bytes).unwrap().uuid().is_err());
        assert!(Array::new(&sent(&[None])).unwrap().smallint().is_err());
    }
}
