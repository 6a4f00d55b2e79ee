//! What is left when a function cannot become a job: the function itself, so that neither the
//! editor nor its callers lose it.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;

use crate::input::Function;

/// The function under its own name. Its parameters carry no attributes any more: reading the
/// signature has taken them.
pub(crate) fn function(function: &Function) -> TokenStream {
    let Function { attrs, vis, sig, body } = function;
    quote!(#[allow(dead_code, unused_variables)] #(#attrs)* #vis #sig #body)
}

/// An item that could not be read, without the attributes and doc comments of its parameters: they
/// are illegal outside the macro, and the user would see errors about them beside the real one.
pub(crate) fn item(item: TokenStream) -> TokenStream {
    let mut parameters_seen = false;
    let tokens = item.into_iter().map(|token| match token {
        TokenTree::Group(group) if !parameters_seen && group.delimiter() == Delimiter::Parenthesis => {
            parameters_seen = true;
            let mut bare = Group::new(Delimiter::Parenthesis, without_attributes(group.stream()));
            bare.set_span(group.span());
            TokenTree::Group(bare)
        }
        token => token,
    });
    tokens.collect()
}

fn without_attributes(parameters: TokenStream) -> TokenStream {
    let mut kept = TokenStream::new();
    let mut tokens = parameters.into_iter().peekable();
    while let Some(token) = tokens.next() {
        if is_hash(&token) && tokens.next_if(is_brackets).is_some() {
            continue;
        }
        kept.extend([token]);
    }
    kept
}

fn is_hash(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == '#')
}

fn is_brackets(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_typed_signature_loses_only_its_parameter_attributes() {
        let half = quote!(pub async fn f(#[state] a: &A, #[validate(email)] b: ) { #[allow(x)] g(#[y] z) });
        let left = quote!(pub async fn f(a: &A, b: ) { #[allow(x)] g(#[y] z) });
        assert_eq!(item(half).to_string(), left.to_string());
    }
}
