//! JSON as strangers write it: every key once, within djob's limits, and never repeated in an error.

use std::cell::RefCell;
use std::fmt;

use djob::{ArgsError, Fault, limits};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::pointer::below;

/// Reads a JSON object.
pub(crate) fn read(json: &str) -> Result<Value, ArgsError> {
    let json = json.trim();
    limits::check(json)?;
    let path = RefCell::new(vec![]);
    let mut reader = serde_json::Deserializer::from_str(json);
    let read = Place(&path).deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    read.map_err(|error| ArgsError::new([fault(&error, &path.borrow())]))
}

fn fault(error: &serde_json::Error, path: &[String]) -> Fault {
    if error.is_data() {
        return Fault::new(pointer(path), "duplicate", "is there twice: keep one");
    }
    let place = format!("not valid JSON at line {}, column {}", error.line(), error.column());
    // A number beyond all bounds is told apart by its place: what stands there is not repeated.
    Fault::new(pointer(path), "json", place)
}

fn pointer(path: &[String]) -> String {
    path.iter().fold(String::new(), |at, step| below(&at, step))
}

/// A value at its place. The path is left as it is where something goes wrong.
struct Place<'a>(&'a RefCell<Vec<String>>);

impl Place<'_> {
    fn enter(&self, step: String) {
        self.0.borrow_mut().push(step);
    }

    fn leave(&self) {
        self.0.borrow_mut().pop();
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = vec![];
        loop {
            self.enter(list.len().to_string());
            let Some(item) = items.next_element_seed(Place(self.0))? else { break };
            self.leave();
            list.push(item);
        }
        self.leave();
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            self.enter(key.clone());
            let value = entries.next_value_seed(Place(self.0))?;
            if map.insert(key, value).is_some() {
                return Err(A::Error::custom("duplicate"));
            }
            self.leave();
        }
        Ok(map.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(json: &str) -> String {
        read(json).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn an_object_is_read_as_it_is() {
        let json = r#"{"a":[1,-2,3.5,"x",null,true],"b":{"c":18446744073709551615}}"#;
        assert_eq!(read(json).unwrap().to_string(), json);
    }

    #[test]
    fn what_is_wrong_is_named_by_its_place() {
        for (json, message) in [
            (r#"{"a":{"b":1,"b":2}}"#, "/a/b: is there twice: keep one"),
            (r#"{"a":[0,{"b":"s3cret" 1}]}"#, "/a/1: not valid JSON at line 1, column 23"),
            (r#"{"a":1e999}"#, "/a: not valid JSON at line 1, column 10"),
            (r#"{"a":NaN}"#, "/a: not valid JSON at line 1, column 6"),
            (r#"{"a":"\ud800"}"#, "/a: not valid JSON at line 1, column 13"),
            (r#"{"a":1} {}"#, "arguments: not valid JSON at line 1, column 9"),
            ("[1]", "arguments: must be a JSON object with one key for each argument"),
            ("", "arguments: must be a JSON object with one key for each argument"),
        ] {
            assert!(refusal(json).starts_with(message), "{json}: {}", refusal(json));
        }
    }

    #[test]
    fn a_hundred_thousand_levels_end_in_an_error() {
        assert_eq!(
            refusal(&"{\"a\":".repeat(100_000)),
            "arguments: take 500000 bytes as JSON; the limit is 262144: store the data and pass its key"
        );
        assert_eq!(refusal(&"{\"a\":".repeat(1000)), "arguments: are nested more than 64 levels deep");
    }
}
