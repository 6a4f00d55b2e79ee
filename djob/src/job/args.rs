//! Arguments on their way into the database and back: validated, bounded, and refused without being repeated.

use std::borrow::Cow;
use std::fmt;

use serde::de::DeserializeOwned;
use validator::{Validate, ValidationErrors, ValidationErrorsKind};

/// The most bytes the arguments of one job may take as JSON.
pub const ARGS_MAX: usize = 256 * 1024;
/// The deepest nesting of arrays and objects in arguments.
pub const DEPTH_MAX: usize = 64;

/// One thing that is wrong with a job's arguments: where, and which rule was broken. Never the value itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Fault {
    /// A JSON pointer to the argument, such as `/email`; empty for the arguments as a whole.
    pub pointer: String,
    /// The short name of the broken rule, such as `email`, `length`, `type` or `missing`.
    pub rule: Cow<'static, str>,
    /// The rule in words.
    pub message: String,
}

impl Fault {
    /// A fault at this place, against this rule, in these words. They must not repeat the value.
    pub fn new(
        pointer: impl Into<String>,
        rule: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Fault { pointer: pointer.into(), rule: rule.into(), message: message.into() }
    }

    /// The argument's name, as the function has it; `None` for the arguments as a whole.
    pub fn field(&self) -> Option<&str> {
        self.pointer.split('/').nth(1)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "arguments" } else { &self.pointer };
        write!(f, "{place}: {}", self.message)
    }
}

/// Why arguments were refused: every fault, sorted by place.
///
/// Its text names the places and the rules and never repeats a value, so that it may be shown and logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgsError {
    faults: Vec<Fault>,
}

impl ArgsError {
    /// These faults, which are sorted by place.
    pub fn new(faults: impl IntoIterator<Item = Fault>) -> Self {
        let mut faults = Vec::from_iter(faults);
        faults.sort();
        ArgsError { faults }
    }

    pub(crate) fn one(fault: Fault) -> Self {
        ArgsError { faults: vec![fault] }
    }

    /// The same of arguments that are of an older version.
    pub(crate) fn at_version(mut self, version: u16) -> Self {
        for fault in &mut self.faults {
            fault.message = format!("version {version}: {}", fault.message);
        }
        self
    }

    /// Everything that is wrong.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }
}

impl fmt::Display for ArgsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, fault) in self.faults.iter().enumerate() {
            write!(f, "{}{fault}", if n == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl std::error::Error for ArgsError {}

/// Validates `args` and writes them as JSON: the only road into the database.
pub(crate) fn encode<A>(args: &A) -> Result<String, ArgsError>
where
    A: serde::Serialize + DeserializeOwned + Validate,
{
    args.validate().map_err(|errors| broken_rules(&errors))?;
    let json = serde_json::to_string(args).map_err(|error| {
        ArgsError::one(Fault::new(
            "",
            "json",
            format!("cannot be written as JSON: {}", without_values(&error)),
        ))
    })?;
    check(&json)?;
    // JSON has no NaN and no infinity: serde_json writes `null`, which would only be noticed when the job runs.
    if json.contains("null") {
        decode_unchecked::<A>(&json)?;
    }
    Ok(json)
}

/// Reads arguments back and validates them again: rows can be edited, and code can be older than they are.
pub(crate) fn decode<A: DeserializeOwned + Validate>(json: &str) -> Result<A, ArgsError> {
    let args: A = decode_unchecked(json)?;
    args.validate().map_err(|errors| broken_rules(&errors))?;
    Ok(args)
}

/// Checks what does not depend on the job: size, depth, an object at the top, no NUL. Not whether it is JSON in all else.
///
/// # Errors
/// If a limit is broken.
///
/// ```
/// assert!(djob::limits::check(r#"{"user_id":7}"#).is_ok());
/// assert!(djob::limits::check("[7]").is_err());
/// ```
pub fn check(json: &str) -> Result<(), ArgsError> {
    let refuse = |rule, message| Err(ArgsError::one(Fault::new("", rule, message)));
    if json.len() > ARGS_MAX {
        let message = format!(
            "take {} bytes as JSON; the limit is {ARGS_MAX}: store the data and pass its key",
            json.len()
        );
        return refuse("size", message);
    }
    if !json.starts_with('{') {
        return refuse("type", "must be a JSON object with one key for each argument".to_owned());
    }
    if depth(json) > DEPTH_MAX {
        return refuse("depth", format!("are nested more than {DEPTH_MAX} levels deep"));
    }
    if json.contains("\\u0000") && has_nul(json) {
        return refuse("nul", "hold a NUL character, which no database here can store as text".to_owned());
    }
    Ok(())
}

/// The deepest nesting of brackets outside of strings.
fn depth(json: &str) -> usize {
    let (mut deepest, mut depth, mut quoted, mut escaped) = (0_usize, 0_usize, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Whether a `\u0000` in the text is an escape of its own, not the tail of an escaped backslash.
fn has_nul(json: &str) -> bool {
    json.match_indices("\\u0000").any(|(at, _)| {
        let backslashes = json.as_bytes()[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
        backslashes % 2 == 0
    })
}

pub(crate) fn decode_unchecked<A: DeserializeOwned>(json: &str) -> Result<A, ArgsError> {
    // serde would build a struct from an array as well: `[7]` for `{"user_id": 7}`.
    if !json.trim_start().starts_with('{') {
        return Err(ArgsError::one(Fault::new(
            "",
            "type",
            "must be a JSON object with one key for each argument",
        )));
    }
    serde_json::from_str(json).map_err(|_| place_of_error::<A>(json))
}

/// Decodes once more, slower, to learn where the error is.
fn place_of_error<A: DeserializeOwned>(json: &str) -> ArgsError {
    let mut reader = serde_json::Deserializer::from_str(json);
    let read = serde_path_to_error::deserialize::<_, A>(&mut reader);
    let Err(error) = read else {
        return ArgsError::one(Fault::new("", "json", "hold something after the end of the JSON object"));
    };
    let pointer = pointer(error.path());
    let message = without_values(error.inner());
    let rule = match message.split([' ', ':']).next() {
        Some("missing") => "missing",
        Some("unknown") => "unknown",
        Some("duplicate") => "duplicate",
        _ if error.inner().is_data() => "type",
        _ => "json",
    };
    ArgsError::one(Fault::new(pointer, rule, message))
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path.iter() {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => {
                pointer.push_str(&format!("/{}", key.replace('~', "~0").replace('/', "~1")))
            }
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

/// What serde says, less the value it quotes: `invalid type: string "ada", expected i64` loses `"ada"`.
fn without_values(error: &serde_json::Error) -> String {
    if !error.is_data() {
        return format!("not valid JSON at line {}, column {}", error.line(), error.column());
    }
    let text = error.to_string();
    let text = text.rfind(" at line ").map_or(text.as_str(), |end| &text[..end]);
    let head = text.split(": ").next().unwrap_or(text);
    match (head, text.rfind(", expected ")) {
        ("invalid type" | "invalid value" | "invalid length", Some(at)) => format!("{head}{}", &text[at..]),
        (head, Some(at)) if head.starts_with("unknown variant") => format!("unknown variant{}", &text[at..]),
        (head, _) if head.starts_with("unknown field") => "unknown field".to_owned(),
        (head, _) if head.starts_with("missing field") || head.starts_with("duplicate field") => {
            head.to_owned()
        }
        _ => "does not fit the argument's type".to_owned(),
    }
}

/// Every broken rule of `#[validate(..)]`, sorted, without the rejected values that `ValidationErrors` carries.
fn broken_rules(errors: &ValidationErrors) -> ArgsError {
    let mut faults = Vec::new();
    collect(errors, "", &mut faults);
    ArgsError::new(faults)
}

fn collect(errors: &ValidationErrors, prefix: &str, faults: &mut Vec<Fault>) {
    for (field, kind) in errors.errors() {
        let pointer = if field == "__all__" { prefix.to_owned() } else { format!("{prefix}/{field}") };
        match kind {
            ValidationErrorsKind::Field(errors) => {
                faults.extend(
                    errors.iter().map(|error| Fault::new(&pointer, error.code.clone(), in_words(error))),
                );
            }
            ValidationErrorsKind::Struct(inner) => collect(inner, &pointer, faults),
            ValidationErrorsKind::List(items) => {
                items.iter().for_each(|(index, inner)| collect(inner, &format!("{pointer}/{index}"), faults));
            }
        }
    }
}

fn in_words(error: &validator::ValidationError) -> String {
    if let Some(message) = &error.message {
        return message.to_string();
    }
    let limit =
        |name: &str| error.params.get(name).map(|value| value.to_string().trim_end_matches(".0").to_owned());
    let bounds = match (limit("equal"), limit("min"), limit("max")) {
        (Some(equal), ..) => format!("exactly {equal}"),
        (_, Some(min), Some(max)) => format!("{min} to {max}"),
        (_, Some(min), None) => format!("at least {min}"),
        (_, None, Some(max)) => format!("at most {max}"),
        _ => "another number of".to_owned(),
    };
    match error.code.as_ref() {
        "email" => "must be an e-mail address".to_owned(),
        "url" => "must be a URL".to_owned(),
        "length" => format!("must have {bounds} characters or elements"),
        "range" => format!("must be {bounds}"),
        "required" => "must not be missing".to_owned(),
        "regex" => "must match its pattern".to_owned(),
        rule => format!("breaks the rule `{rule}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Serialize, serde::Deserialize, Validate)]
    struct Args {
        #[validate(range(min = 1))]
        id: i64,
        #[validate(email)]
        email: String,
        #[validate(length(min = 2, max = 5))]
        #[serde(default)]
        locale: Option<String>,
        #[serde(default)]
        ratio: f64,
    }

    fn args() -> Args {
        Args { id: 1, email: "ada@example.org".into(), locale: None, ratio: 0.5 }
    }

    fn refusal(json: &str) -> String {
        decode::<Args>(json).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn good_arguments_survive_the_round_trip() {
        let json = encode(&args()).unwrap();
        assert_eq!(json, r#"{"id":1,"email":"ada@example.org","locale":null,"ratio":0.5}"#);
        assert_eq!(decode::<Args>(&json).unwrap().email, "ada@example.org");
    }

    #[test]
    fn every_broken_rule_is_named_and_no_value_is_repeated() {
        let bad = Args { id: 0, email: "s3cret".into(), locale: Some("x".into()), ..args() };
        let error = encode(&bad).unwrap_err();
        assert_eq!(
            error.to_string(),
            "/email: must be an e-mail address; /id: must be at least 1; /locale: must have 2 to 5 characters or elements"
        );
        assert_eq!(error.faults()[0].rule, "email");
    }

    #[test]
    fn a_row_that_breaks_the_contract_is_refused_with_its_place() {
        for (json, message) in [
            (r#"{"email":"a@b.org"}"#, "arguments: missing field `id`"),
            (r#"{"id":"s3cret","email":"a@b.org"}"#, "/id: invalid type, expected i64"),
            (r#"{"id":1e999,"email":"a@b.org"}"#, "/id: not valid JSON at line 1, column 11"),
            (r#"{"id":1,"id":2,"email":"a@b.org"}"#, "arguments: duplicate field `id`"),
            (r#"{"id":1,"email":"s3cret"}"#, "/email: must be an e-mail address"),
            (r#"[1,"a@b.org"]"#, "arguments: must be a JSON object with one key for each argument"),
            (
                r#"{"id":1,"email":"a@b.org"} {}"#,
                "arguments: hold something after the end of the JSON object",
            ),
            ("", "arguments: must be a JSON object with one key for each argument"),
        ] {
            assert!(refusal(json).starts_with(message), "{json}: {}", refusal(json));
            assert!(!refusal(json).contains("s3cret"), "{json}: {}", refusal(json));
        }
    }

    #[test]
    fn numbers_that_json_cannot_hold_are_refused_before_they_are_stored() {
        let error = encode(&Args { ratio: f64::NAN, ..args() }).unwrap_err();
        assert_eq!(error.to_string(), "/ratio: invalid type, expected f64");
    }

    #[test]
    fn nul_depth_and_size_have_limits() {
        let nul = Args { locale: Some("a\0b".into()), ..args() };
        assert_eq!(encode(&nul).unwrap_err().faults()[0].rule, "nul");
        let escaped = Args { locale: Some("\\u00".into()), ..args() };
        assert!(encode(&escaped).is_ok());
        let deep = format!("{}{}", "{\"a\":".repeat(65), "}".repeat(65));
        assert_eq!(check(&deep).unwrap_err().faults()[0].rule, "depth");
        let bracket_in_text = format!("{{\"a\":\"{}\"}}", "[".repeat(100));
        assert!(check(&bracket_in_text).is_ok());
        let large = format!("{{\"a\":\"{}\"}}", "x".repeat(ARGS_MAX));
        assert_eq!(check(&large).unwrap_err().faults()[0].rule, "size");
    }

    #[test]
    fn a_hundred_thousand_levels_end_in_an_error_and_not_in_a_crash() {
        assert!(!refusal(&"{\"id\":".repeat(100_000)).is_empty());
    }
}
