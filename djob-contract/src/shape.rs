//! A JSON Schema as the shapes of values it takes: the part of the language that schemars writes. What is not understood stays
//! as it is, and is only ever compared as a whole.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Which values a schema takes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// Every value.
    Any,
    /// No value.
    Never,
    Null,
    Bool,
    /// This value alone.
    Const(Value),
    Integer(Range),
    Number(Range),
    Text(Text),
    List(Box<List>),
    Object(Box<Object>),
    /// What any of these takes.
    Union(Vec<Shape>),
    /// A definition by its name: types may contain themselves.
    Named(String),
    /// Not understood.
    Opaque(Value),
}

/// From the least to the greatest, with what else is asked of a number.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Range {
    pub(crate) min: f64,
    pub(crate) max: f64,
    /// Keywords that are compared as a whole.
    pub(crate) others: Map<String, Value>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Text {
    pub(crate) min: u64,
    pub(crate) max: u64,
    pub(crate) pattern: Option<String>,
    pub(crate) format: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct List {
    /// The shapes of the first items.
    pub(crate) first: Vec<Shape>,
    /// The shape of all others.
    pub(crate) rest: Shape,
    pub(crate) min: u64,
    pub(crate) max: u64,
    pub(crate) unique: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Object {
    pub(crate) fields: BTreeMap<String, Field>,
    /// The shape of fields that are not named; `None` if nothing is said about them.
    pub(crate) others: Option<Shape>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    pub(crate) shape: Shape,
    pub(crate) required: bool,
}

/// Says something about a value to people, and takes nothing away from what is allowed.
const ANNOTATIONS: [&str; 11] = [
    "$schema",
    "$id",
    "$comment",
    "$defs",
    "definitions",
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
];

/// A schema with the definitions it refers to.
#[derive(Clone, Debug)]
pub(crate) struct Shapes {
    pub(crate) root: Shape,
    named: BTreeMap<String, Shape>,
}

impl Shapes {
    pub(crate) fn of(schema: &Value) -> Self {
        let defs = |key: &str| schema.get(key).and_then(Value::as_object).into_iter().flatten();
        let named = defs("$defs").map(|(name, schema)| (format!("#/$defs/{name}"), read(schema)));
        let older = defs("definitions").map(|(name, schema)| (format!("#/definitions/{name}"), read(schema)));
        Shapes { root: read(schema), named: named.chain(older).collect() }
    }

    /// The shape itself, if this is the name of one. What is named and not defined takes anything, for all anybody knows.
    pub(crate) fn resolve<'a>(&'a self, mut shape: &'a Shape) -> &'a Shape {
        // A definition that is only another name for itself would go round for ever.
        for _ in 0..=self.named.len() {
            match shape {
                Shape::Named(name) if name == "#" => shape = &self.root,
                Shape::Named(name) => match self.named.get(name) {
                    Some(named) => shape = named,
                    None => return shape,
                },
                _ => return shape,
            }
        }
        shape
    }
}

fn read(schema: &Value) -> Shape {
    match schema {
        Value::Bool(true) => Shape::Any,
        Value::Bool(false) => Shape::Never,
        Value::Object(keywords) => read_keywords(keywords),
        other => Shape::Opaque(other.clone()),
    }
}

fn read_keywords(keywords: &Map<String, Value>) -> Shape {
    let mut keywords: Map<String, Value> = keywords
        .iter()
        .filter(|(key, _)| !is_annotation(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let whole = keywords.clone();
    let opaque = || Shape::Opaque(Value::Object(whole.clone()));
    if keywords.is_empty() {
        return Shape::Any;
    }
    if let Some(only) = alone(&mut keywords) {
        return only;
    }
    let Some(types) = keywords.remove("type") else { return opaque() };
    let Some(types) = names(&types) else { return opaque() };
    // A list of values says more than their type.
    if let Some(values) = keywords.remove("enum").as_ref().and_then(Value::as_array) {
        return if keywords.is_empty() {
            union(values.iter().cloned().map(Shape::Const).collect())
        } else {
            opaque()
        };
    }
    if let Some(value) = keywords.remove("const") {
        return if keywords.is_empty() { Shape::Const(value) } else { opaque() };
    }
    let shapes = types.iter().map(|name| of_type(name, &mut keywords)).collect::<Option<Vec<_>>>();
    match shapes {
        // Every keyword must have been understood by one of the types.
        Some(shapes) if keywords.is_empty() => union(shapes),
        _ => opaque(),
    }
}

/// Also extensions (`x-`) say nothing about what is allowed.
fn is_annotation(key: &str) -> bool {
    ANNOTATIONS.contains(&key) || key.starts_with("x-")
}

/// A keyword that stands for the whole schema.
fn alone(keywords: &mut Map<String, Value>) -> Option<Shape> {
    let (key, value) = keywords.iter().next().filter(|_| keywords.len() == 1)?;
    let all = |value: &Value| Some(value.as_array()?.iter().map(read).collect::<Vec<_>>());
    match key.as_str() {
        "$ref" => Some(Shape::Named(value.as_str()?.to_owned())),
        "const" => Some(Shape::Const(value.clone())),
        "enum" => Some(union(value.as_array()?.iter().cloned().map(Shape::Const).collect())),
        "anyOf" | "oneOf" => Some(union(all(value)?)),
        "allOf" => {
            all(value)?.into_iter().next().filter(|_| value.as_array().is_some_and(|all| all.len() == 1))
        }
        _ => None,
    }
}

fn names(types: &Value) -> Option<Vec<String>> {
    match types {
        Value::String(name) => Some(vec![name.clone()]),
        Value::Array(names) => names.iter().map(|name| Some(name.as_str()?.to_owned())).collect(),
        _ => None,
    }
}

/// The shape of one type; takes out the keywords it understands.
fn of_type(name: &str, keywords: &mut Map<String, Value>) -> Option<Shape> {
    Some(match name {
        "null" => Shape::Null,
        "boolean" => Shape::Bool,
        "integer" => Shape::Integer(range(keywords)?),
        "number" => Shape::Number(range(keywords)?),
        "string" => Shape::Text(Text {
            min: whole(keywords.remove("minLength"), 0)?,
            max: whole(keywords.remove("maxLength"), u64::MAX)?,
            pattern: text(keywords.remove("pattern"))?,
            format: text(keywords.remove("format"))?,
        }),
        "array" => Shape::List(Box::new(list(keywords)?)),
        "object" => Shape::Object(Box::new(object(keywords)?)),
        _ => return None,
    })
}

/// Absent, or a whole number.
fn whole(value: Option<Value>, otherwise: u64) -> Option<u64> {
    value.map_or(Some(otherwise), |value| value.as_u64())
}

fn text(value: Option<Value>) -> Option<Option<String>> {
    value.map_or(Some(None), |value| Some(Some(value.as_str()?.to_owned())))
}

fn range(keywords: &mut Map<String, Value>) -> Option<Range> {
    // The width of Rust's own types; schemars says the bounds of the small ones only.
    let format = text(keywords.remove("format"))?;
    let (low, high) = width(format.as_deref().unwrap_or_default());
    let number = |value: Option<Value>, otherwise: f64| value.map_or(Some(otherwise), |value| value.as_f64());
    let min = number(keywords.remove("minimum"), f64::NEG_INFINITY)?.max(low);
    let max = number(keywords.remove("maximum"), f64::INFINITY)?.min(high);
    let mut others = Map::new();
    for key in ["exclusiveMinimum", "exclusiveMaximum", "multipleOf"] {
        others.extend(keywords.remove(key).map(|value| (key.to_owned(), value)));
    }
    Some(Range { min, max, others })
}

/// The least and the greatest number of a format of schemars'. As `f64`, which rounds the widest ones in the same way on
/// both sides of a comparison.
pub(crate) fn width(format: &str) -> (f64, f64) {
    let signed = |bits: i32| (-2_f64.powi(bits - 1), 2_f64.powi(bits - 1) - 1.0);
    let unsigned = |bits: i32| (0.0, 2_f64.powi(bits) - 1.0);
    match format {
        "int8" => signed(8),
        "int16" => signed(16),
        "int32" => signed(32),
        "int64" | "int" => signed(64),
        "uint8" => unsigned(8),
        "uint16" => unsigned(16),
        "uint32" => unsigned(32),
        "uint64" | "uint" => unsigned(64),
        "uint128" => unsigned(128),
        "int128" => signed(128),
        _ => (f64::NEG_INFINITY, f64::INFINITY),
    }
}

fn list(keywords: &mut Map<String, Value>) -> Option<List> {
    let first = match keywords.remove("prefixItems") {
        Some(shapes) => shapes.as_array()?.iter().map(read).collect(),
        None => vec![],
    };
    Some(List {
        first,
        rest: keywords.remove("items").as_ref().map_or(Shape::Any, read),
        min: whole(keywords.remove("minItems"), 0)?,
        max: whole(keywords.remove("maxItems"), u64::MAX)?,
        unique: keywords.remove("uniqueItems").is_some_and(|unique| unique == Value::Bool(true)),
    })
}

fn object(keywords: &mut Map<String, Value>) -> Option<Object> {
    let required = match keywords.remove("required") {
        Some(names) => self::names(&names)?,
        None => vec![],
    };
    let mut fields = BTreeMap::new();
    if let Some(properties) = keywords.remove("properties") {
        for (name, schema) in properties.as_object()? {
            let required = required.contains(name);
            fields.insert(name.clone(), Field { shape: read(schema), required });
        }
    }
    for name in required {
        fields.entry(name).or_insert(Field { shape: Shape::Any, required: true });
    }
    Some(Object { fields, others: keywords.remove("additionalProperties").as_ref().map(read) })
}

/// One of these; what is a choice itself is taken apart.
fn union(shapes: Vec<Shape>) -> Shape {
    let mut all = vec![];
    for shape in shapes {
        match shape {
            Shape::Union(inner) => all.extend(inner),
            other => all.push(other),
        }
    }
    if all.len() == 1 { all.swap_remove(0) } else { Shape::Union(all) }
}
