//! The JSON Schema of a job's arguments: what the signature and its `#[validate]` rules say, for those who have no code of it.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::Number;

/// The schema of these arguments, of draft 2020-12.
pub fn of<A: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(bound));
    settings.into_generator().into_root_schema_for::<A>()
}

/// Says the bounds of Rust's wide integers, too: their format names them, and nobody else knows those names.
fn bound(schema: &mut Schema) {
    let format = schema.get("format").and_then(|format| format.as_str()).unwrap_or_default();
    let (min, max): (Number, Number) = match format {
        "int32" => (i32::MIN.into(), i32::MAX.into()),
        "int64" | "int" => (i64::MIN.into(), i64::MAX.into()),
        "uint32" => (0.into(), u32::MAX.into()),
        "uint64" | "uint" => (0.into(), u64::MAX.into()),
        _ => return,
    };
    for (key, limit) in [("minimum", min), ("maximum", max)] {
        if schema.get(key).is_none() {
            schema.insert(key.to_owned(), limit.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(schemars::JsonSchema)]
    #[allow(dead_code)]
    struct Args {
        wide: i32,
        #[validate(range(min = 1))]
        seats: Option<u64>,
        name: String,
    }

    #[test]
    fn the_bounds_of_integers_are_said_and_those_of_the_user_stay() {
        let schema = serde_json::to_value(of::<Args>()).unwrap();
        let of = |name: &str, key: &str| schema["properties"][name][key].clone();
        assert_eq!((of("wide", "minimum"), of("wide", "maximum")), (i32::MIN.into(), i32::MAX.into()));
        assert_eq!((of("seats", "minimum"), of("seats", "maximum")), (1.into(), u64::MAX.into()));
        assert!(of("name", "minimum").is_null());
    }
}
