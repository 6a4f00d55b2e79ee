//! JSON pointers, one step at a time.

/// The pointer to a field or an item below another place.
pub(crate) fn below(at: &str, name: &str) -> String {
    format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"))
}
