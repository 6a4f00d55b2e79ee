//! The names of djob's tables.

/// Where djob's tables are: a schema (PostgreSQL) and a prefix, `djob_` unless somebody says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naming {
    schema: Option<String>,
    prefix: String,
}

impl Default for Naming {
    fn default() -> Self {
        Naming { schema: None, prefix: "djob_".to_owned() }
    }
}

/// A schema or prefix with other letters than `a-z 0-9 _`, or too long.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} cannot be part of a table's name: a lower-case letter or _ first, then up to 31 of a-z 0-9 _")]
pub struct InvalidTableName(String);

impl Naming {
    /// Tables `prefix..` in `schema`. Both are checked here, since they become part of statements.
    pub fn new(schema: Option<&str>, prefix: &str) -> Result<Self, InvalidTableName> {
        for part in schema.into_iter().chain([prefix]) {
            let lawful = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
            let starts = part.as_bytes().first().is_some_and(|byte| !byte.is_ascii_digit());
            if !starts || part.len() > 32 || !part.as_bytes().iter().all(lawful) {
                return Err(InvalidTableName(part.to_owned()));
            }
        }
        Ok(Naming { schema: schema.map(str::to_owned), prefix: prefix.to_owned() })
    }

    /// The schema, if one was set.
    pub fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// The name of a table as statements use it, given its plain name (`jobs`).
    pub fn table(&self, name: &str) -> String {
        match &self.schema {
            Some(schema) => format!("{schema}.{}{name}", self.prefix),
            None => format!("{}{name}", self.prefix),
        }
    }

    /// The channel on which PostgreSQL tells of new jobs; one for each set of tables.
    pub fn channel(&self) -> String {
        self.table("wake").replace('.', "_")
    }

    /// Where the migrations that were applied are written down.
    pub(crate) fn migrations_table(&self) -> String {
        let schema = self.schema.iter().map(|schema| format!("{schema}.")).collect::<String>();
        format!("{schema}_{}migrations", self.prefix)
    }

    /// A migration's text with the prefix put in (the schema is set for the session that migrates).
    pub(crate) fn migration(&self, text: &str) -> String {
        let parts: Vec<String> =
            text.split("'djob_wake'").map(|part| part.replace("djob_", &self.prefix)).collect();
        parts.join(&format!("'{}'", self.channel()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_change_a_statement_are_refused() {
        for bad in ["", "a;", "A", "1a", "a\"b", "a b", &"x".repeat(33)] {
            assert!(Naming::new(None, bad).is_err(), "{bad}");
            assert!(Naming::new(Some(bad), "djob_").is_err(), "{bad}");
        }
        assert_eq!(Naming::new(Some("jobs"), "x_").unwrap().table("claims"), "jobs.x_claims");
    }
}
