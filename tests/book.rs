//! The book and the README: every Rust snippet is a documentation test, and every link leads somewhere.

macro_rules! pages {
    ($($name:ident = $file:literal;)*) => {
        $(#[doc = include_str!(concat!("../", $file))] mod $name {})*

        /// The pages whose snippets are tested.
        #[cfg(test)]
        const PAGES: &[(&str, &str)] = &[$(($file, include_str!(concat!("../", $file)))),*];
    };
}

pages! {
    readme = "README.md";
    introduction = "book/src/introduction.md";
    first_job = "book/src/first-job.md";
    concepts = "book/src/concepts.md";
    enqueueing = "book/src/enqueueing.md";
    arguments = "book/src/arguments.md";
    the_attribute = "book/src/the-attribute.md";
}
