//! Judging arguments by the schema of their job, without its code. As strict as the code is with its callers: nothing unknown,
//! nothing missing, every rule of the signature that a schema can say. What it cannot say, the worker judges.

use djob::{ArgsError, Fault};
use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde_json::Value;

use crate::json;
use crate::pointer::below;

/// A schema, ready to judge.
#[derive(Debug)]
pub struct Judge(Validator);

/// A schema that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidSchema(String);

impl std::fmt::Display for InvalidSchema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "this is no JSON Schema that djob can judge by: {}", self.0)
    }
}

impl std::error::Error for InvalidSchema {}

impl Judge {
    /// A judge by this JSON Schema, of draft 2020-12.
    ///
    /// # Errors
    /// If it is no schema, or refers to another one.
    ///
    /// ```
    /// use djob_contract::Judge;
    /// use serde_json::json;
    ///
    /// let judge = Judge::new(&json!({
    ///     "type": "object",
    ///     "properties": {"to": {"type": "string", "format": "email"}},
    ///     "required": ["to"],
    ///     "additionalProperties": false,
    /// }))?;
    /// assert!(judge.check(r#"{"to":"ada@example.org"}"#).is_ok());
    /// let refused = judge.check(r#"{"to":"ada","cc":"bob"}"#).unwrap_err();
    /// assert_eq!(refused.to_string(), "/cc: is not an argument of the job; /to: must be an e-mail address");
    /// # Ok::<(), djob_contract::InvalidSchema>(())
    /// ```
    pub fn new(schema: &Value) -> Result<Self, InvalidSchema> {
        // Patterns that take no time beyond their length: they are the user's, and what they look at is a stranger's.
        let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
        let built = options.with_pattern_options(PatternOptions::regex()).build(schema);
        built.map(Judge).map_err(|error| InvalidSchema(error.to_string()))
    }

    /// Says whether these arguments, a JSON object, are as the schema asks.
    ///
    /// # Errors
    /// Everything that is wrong, each with its place and its rule, and never with a value.
    pub fn check(&self, args: &str) -> Result<(), ArgsError> {
        let args = json::read(args)?;
        let faults: Vec<Fault> = self.0.iter_errors(&args).flat_map(|error| faults(&error)).collect();
        if faults.is_empty() { Ok(()) } else { Err(ArgsError::new(faults)) }
    }
}

fn faults(error: &ValidationError<'_>) -> Vec<Fault> {
    let at = error.instance_path().to_string();
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            unexpected.iter().map(|name| Fault::new(below(&at, name), "unknown", unknown(&at))).collect()
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            vec![Fault::new(below(&at, name), "missing", "is missing")]
        }
        kind => {
            let (rule, message) = in_words(kind);
            vec![Fault::new(at, rule, message)]
        }
    }
}

fn unknown(at: &str) -> &'static str {
    if at.is_empty() { "is not an argument of the job" } else { "is not a field of it" }
}

/// The rule's name, as `#[validate]` has it where it has one, and the rule in words.
fn in_words(kind: &ValidationErrorKind) -> (&'static str, String) {
    use ValidationErrorKind as Kind;
    match kind {
        Kind::Type { kind } => ("type", format!("must be {}", types(kind))),
        Kind::Minimum { limit } => ("range", format!("must be at least {limit}")),
        Kind::Maximum { limit } => ("range", format!("must be at most {limit}")),
        Kind::ExclusiveMinimum { limit } => ("range", format!("must be more than {limit}")),
        Kind::ExclusiveMaximum { limit } => ("range", format!("must be less than {limit}")),
        Kind::MinLength { limit } => ("length", format!("must have at least {limit} characters")),
        Kind::MaxLength { limit } => ("length", format!("must have at most {limit} characters")),
        Kind::MinItems { limit } => ("length", format!("must have at least {limit} items")),
        Kind::MaxItems { limit } => ("length", format!("must have at most {limit} items")),
        Kind::AdditionalItems { limit } => ("length", format!("must have at most {limit} items")),
        Kind::UniqueItems => ("unique", "must not have an item twice".to_owned()),
        Kind::Pattern { pattern } => ("regex", format!("must match the pattern {pattern}")),
        Kind::Format { format } => (named(format), format!("must be {}", format_in_words(format))),
        Kind::Enum { options } => ("enum", format!("must be one of {options}")),
        Kind::Constant { expected_value } => ("enum", format!("must be {expected_value}")),
        Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } => {
            ("variant", "must be of one of the forms that its type has".to_owned())
        }
        Kind::OneOfMultipleValid { .. } => {
            ("variant", "must be of one of the forms that its type has, and is of several".to_owned())
        }
        other => ("schema", format!("breaks the rule `{}` of its schema", other.keyword())),
    }
}

fn types(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => format!("of the type {one}"),
        TypeKind::Multiple(several) => {
            let names: Vec<String> = several.iter().map(|one| one.to_string()).collect();
            format!("of one of the types {}", names.join(", "))
        }
    }
}

fn named(format: &str) -> &'static str {
    match format {
        "email" => "email",
        "uri" => "url",
        _ => "format",
    }
}

fn format_in_words(format: &str) -> String {
    match format {
        "email" => "an e-mail address".to_owned(),
        "uri" => "a URL".to_owned(),
        "uuid" => "a UUID".to_owned(),
        "date-time" => "a date and a time, such as 2026-12-01T09:00:00Z".to_owned(),
        "date" => "a date, such as 2026-12-01".to_owned(),
        "time" => "a time, such as 09:00:00Z".to_owned(),
        other => format!("of the format {other}"),
    }
}
