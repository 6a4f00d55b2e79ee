//! The shape that djob's tables should have, read off the migrations themselves, so that the two cannot differ.

/// What the migrations make.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) tables: Vec<String>,
    /// `table.column`, and how it is defined.
    pub(super) columns: Vec<(String, String)>,
    /// A table, and what its primary key is made of.
    pub(super) keys: Vec<(String, String)>,
    /// An index, its table, and the statement that makes it.
    pub(super) indexes: Vec<(String, String, String)>,
    pub(super) functions: Vec<String>,
}

impl Shape {
    /// Reads migrations as they are written here: a table's columns have a line each, an index has one line.
    pub(super) fn of(migrations: &str) -> Self {
        let mut shape = Shape::default();
        let mut table: Option<String> = None;
        for line in migrations.lines() {
            let text = line.split("--").next().unwrap_or_default().trim();
            match &table {
                Some(_) if text.starts_with(')') => table = None,
                Some(name) => shape.within(name, text.trim_end_matches(',')),
                None => table = shape.outside(text),
            }
        }
        shape
    }

    /// A line outside of any table; returns the table that begins with it.
    fn outside(&mut self, text: &str) -> Option<String> {
        let text = text.replace("if not exists ", "");
        let words: Vec<&str> = text.split([' ', '(']).collect();
        match words.as_slice() {
            ["create", "table", name, ..] => {
                self.tables.push((*name).to_owned());
                return text.ends_with('(').then(|| (*name).to_owned());
            }
            ["create", "index", name, "on", table, ..] => {
                let statement = text.trim_end_matches(';').to_owned();
                self.indexes.push(((*name).to_owned(), (*table).to_owned(), statement));
            }
            ["create", "function" | "procedure", name, ..] => self.functions.push((*name).to_owned()),
            _ => {}
        }
        None
    }

    /// A line within a table: a column, a key or an index.
    fn within(&mut self, table: &str, text: &str) {
        let words: Vec<&str> = text.split(' ').collect();
        match words.as_slice() {
            [] | [""] => {}
            ["primary", "key", ..] => {
                let columns = text.trim_start_matches("primary key ").trim_matches(['(', ')']);
                self.keys.push((table.to_owned(), columns.to_owned()));
            }
            ["key", name, ..] => {
                let statement = format!("alter table {table} add {text}");
                self.indexes.push(((*name).to_owned(), table.to_owned(), statement));
            }
            [column, ..] => {
                if text.contains(" primary key") {
                    self.keys.push((table.to_owned(), (*column).to_owned()));
                }
                let definition = text.split_whitespace().collect::<Vec<_>>().join(" ");
                self.columns.push((format!("{table}.{column}"), definition));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_columns_keys_and_indexes_are_read_off_a_migration() {
        let shape = Shape::of(
            "-- A comment (with brackets.\n\
             create table if not exists djob_a (\n    id  uuid primary key,   -- why\n    n   int not null default 0, -- n\n\
             \n    key djob_a_n (n, id)\n) engine = InnoDB;\n\
             create index djob_a_m on djob_a (m) where n > 0;\n\
             create table djob_b partition of djob_a default;\n\
             create table djob_c (\n    x   text,\n    primary key (x, y)\n);\n\
             create function djob_f(\n    y int\n) returns int as $$\nbegin\nend $$;\n\
             create procedure djob_p(in y int)\nbegin\n    select y;\nend;\n",
        );
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(shape.tables, owned(&["djob_a", "djob_b", "djob_c"]));
        let keys: Vec<(&str, &str)> = shape.keys.iter().map(|(table, of)| (&**table, &**of)).collect();
        assert_eq!(keys, [("djob_a", "id"), ("djob_c", "x, y")]);
        assert_eq!(shape.functions, owned(&["djob_f", "djob_p"]));
        assert_eq!(shape.columns[1], ("djob_a.n".to_owned(), "n int not null default 0".to_owned()));
        let columns: Vec<&str> = shape.columns.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(columns, ["djob_a.id", "djob_a.n", "djob_c.x"]);
        let statements: Vec<&str> = shape.indexes.iter().map(|(.., statement)| statement.as_str()).collect();
        assert_eq!(
            statements,
            [
                "alter table djob_a add key djob_a_n (n, id)",
                "create index djob_a_m on djob_a (m) where n > 0"
            ]
        );
    }
}
