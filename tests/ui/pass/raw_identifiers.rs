//! Raw identifiers and underscores do not reach what is stored.

use djob::job;

#[job]
async fn r#type(r#match: i64, #[validate(length(min = 1))] r#struct: &str, _id: u8, _fn: bool) {
    let _ = (r#match, r#struct, _id, _fn);
}

/// Parameters that are called like things in the expansion.
#[job]
async fn names(ctx: u8, __args: u8, #[state] work: &u64, state: i8, pick: &str, _job: String) {
    let _ = (ctx, __args, work, state, pick, _job);
}

fn main() {
    let _ = r#type.perform_later(1, "a", 2, true);
    let _ = TypeJob { r#match: 1, r#struct: String::new(), id: 2, r#fn: true }.perform_later();
    let schema = format!("{:?}", (r#type.def().schema)());
    assert!(schema.contains("\"match\"") && schema.contains("\"fn\"") && !schema.contains("r#"), "{schema}");
    assert_eq!(r#type.def().kind, "type");
    let _ = NamesJob { ctx: 1, args: 1, state: 1, pick: String::new(), job: String::new() };
    let _ = names.perform_later(1, 1, 1, "", String::new());
}
