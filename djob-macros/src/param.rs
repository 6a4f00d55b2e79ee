//! One parameter of a job: the context, shared state, or an argument that is stored.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, FnArg, Meta, Pat, PatIdent, PatType, Token, Type, TypeReference, parse_quote_spanned};

use crate::errors::Errors;
use crate::name;

pub(crate) struct Param {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) kind: Kind,
    /// For an argument: the attributes of its field.
    pub(crate) attrs: Vec<Attribute>,
}

pub(crate) enum Kind {
    Context,
    /// The `T` of `#[state] x: &T`.
    State(Type),
    Argument {
        key: Ident,
        stored: Type,
        borrowed: bool,
    },
}

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    Context,
    State,
}

impl Param {
    /// Reads one parameter and takes its attributes, which are illegal on the function itself.
    pub(crate) fn read(input: &mut FnArg, errors: &mut Errors) -> Option<Self> {
        let typed = match input {
            FnArg::Receiver(receiver) => {
                errors.at(receiver, SELF);
                return None;
            }
            FnArg::Typed(typed) => typed,
        };
        let (mark, attrs) = marks(std::mem::take(&mut typed.attrs), errors);
        let ident = plain_name(&typed.pat, errors)?;
        let mark = mark.or_else(|| is_context(&typed.ty).then_some(Mark::Context));
        let kind = match mark {
            Some(mark) => unstored(mark, &attrs, typed, errors)?,
            None => argument(&ident, &typed.ty, &attrs, errors)?,
        };
        Some(Param { ident, ty: (*typed.ty).clone(), kind, attrs })
    }

    pub(crate) fn is_context(&self) -> bool {
        matches!(self.kind, Kind::Context)
    }

    pub(crate) fn key(&self) -> Option<&Ident> {
        match &self.kind {
            Kind::Argument { key, .. } => Some(key),
            _ => None,
        }
    }

    /// What the `#[validate(..)]` attributes name: `email`, `length`, ..
    pub(crate) fn validators(&self) -> impl Iterator<Item = Ident> {
        nested(&self.attrs, "validate").into_iter().filter_map(|meta| meta.path().get_ident().cloned())
    }

    /// Whether a `#[serde(..)]` attribute of this argument names `word`.
    pub(crate) fn serde(&self, word: &str) -> Option<Meta> {
        nested(&self.attrs, "serde").into_iter().find(|meta| meta.path().is_ident(word))
    }
}

const SELF: &str = "a job is a free function: `self` would have to be stored in the queue; take its data as \
    arguments and what is shared as `#[state]`";

/// Separates our own marks from the attributes that belong to the field.
fn marks(attrs: Vec<Attribute>, errors: &mut Errors) -> (Option<Mark>, Vec<Attribute>) {
    let (mut marks, mut others) = (vec![], vec![]);
    for attr in attrs {
        match attr.path() {
            path if path.is_ident("state") => marks.push((Mark::State, attr)),
            path if path.is_ident("ctx") => marks.push((Mark::Context, attr)),
            path if path.is_ident("cfg") || path.is_ident("cfg_attr") => errors.at(&attr, CFG),
            _ => others.push(attr),
        }
    }
    for (_, attr) in &marks {
        if !matches!(attr.meta, Meta::Path(_)) {
            let path = attr.path().to_token_stream();
            errors.at(attr, format!("`#[{path}]` takes no value: write it alone"));
        }
    }
    if let [_, (_, second), ..] = &marks[..] {
        errors.at(second, "a parameter has one role: keep one of `#[state]` and `#[ctx]`");
    }
    (marks.first().map(|(mark, _)| *mark), others)
}

const CFG: &str = "the arguments of a job must not depend on `cfg`: the program that enqueues and the worker may be \
    built differently; make the argument an `Option`";

fn plain_name(pat: &Pat, errors: &mut Errors) -> Option<Ident> {
    match pat {
        Pat::Ident(PatIdent { ident, subpat: None, by_ref: None, .. }) => Some(ident.clone()),
        _ => {
            errors.at(
                pat,
                "a parameter of a job needs a plain name, because the name is the key under which it is stored; \
                destructure it inside the body",
            );
            None
        }
    }
}

fn is_context(ty: &Type) -> bool {
    match ty {
        Type::Reference(reference) => is_context(&reference.elem),
        Type::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == "JobContext"),
        _ => false,
    }
}

fn unstored(mark: Mark, attrs: &[Attribute], typed: &PatType, errors: &mut Errors) -> Option<Kind> {
    let role = match mark {
        Mark::Context => "the context",
        Mark::State => "state",
    };
    for attr in attrs.iter().filter(|attr| !attr.path().is_ident("doc")) {
        errors.at(attr, format!("{role} is not stored, so this attribute would have no effect: remove it"));
    }
    match (mark, &*typed.ty) {
        (Mark::Context, ty) if shared(ty).is_some() => Some(Kind::Context),
        (Mark::Context, ty) => {
            errors.at(ty, "the worker lends the context for one attempt: take it as `&JobContext`");
            // Still a context for the rules that ask whether there is one.
            Some(Kind::Context)
        }
        (Mark::State, ty) => state(ty, errors),
    }
}

/// The `T` of `&T`, without a lifetime.
fn shared(ty: &Type) -> Option<&Type> {
    match ty {
        Type::Reference(TypeReference { lifetime: None, mutability: None, elem, .. }) => Some(elem),
        _ => None,
    }
}

fn state(ty: &Type, errors: &mut Errors) -> Option<Kind> {
    let Some(held) = shared(ty) else {
        errors.at(
            ty,
            "state is shared between all jobs of the worker: take it as `&T`, for instance `&Mailer`",
        );
        return None;
    };
    let spelled = spelled(held);
    match held {
        Type::TraitObject(_) => errors.at(
            ty,
            format!(
                "state is found by its type, and `{spelled}` has no size: take `&std::sync::Arc<{spelled}>`"
            ),
        ),
        Type::Slice(_) => {
            errors.at(ty, "state is found by its type: give it a type of its own, or take `&Vec<..>`")
        }
        Type::Path(path) if path.path.is_ident("str") => {
            errors.at(
                ty,
                "state is found by its type: give it a type of its own, such as `struct ApiKey(String)`",
            );
        }
        _ => return Some(Kind::State(held.clone())),
    }
    None
}

fn argument(ident: &Ident, ty: &Type, attrs: &[Attribute], errors: &mut Errors) -> Option<Kind> {
    let key = name::key(ident);
    lost(attrs, errors);
    if let Some(word) = word(ty.to_token_stream(), "impl") {
        errors.at(word, "an argument is stored and read back, so its type must be concrete: name the type");
        return None;
    }
    let Type::Reference(reference) = ty else {
        return owned(ty, errors).then(|| Kind::Argument { key, stored: ty.clone(), borrowed: false });
    };
    match stored(reference) {
        Some(stored) if owned(&stored, errors) => Some(Kind::Argument { key, stored, borrowed: true }),
        Some(_) => None,
        None => {
            errors.at(ty, question(ident, reference));
            None
        }
    }
}

/// The owned type in which a borrowed argument is stored.
fn stored(reference: &TypeReference) -> Option<Type> {
    let span = reference.span();
    match &*reference.elem {
        _ if reference.mutability.is_some() || reference.lifetime.is_some() => None,
        Type::Path(path) if path.path.is_ident("str") => {
            Some(parse_quote_spanned!(span=> ::std::string::String))
        }
        Type::Slice(slice) => {
            let element = &slice.elem;
            Some(parse_quote_spanned!(span=> ::std::vec::Vec<#element>))
        }
        _ => None,
    }
}

fn question(ident: &Ident, reference: &TypeReference) -> String {
    let spelled = spelled(&reference.elem);
    match (&reference.mutability, &reference.lifetime) {
        (Some(_), _) => format!(
            "an argument is stored, so a change to it would reach nobody: take `mut {ident}: {spelled}` by value, \
            or return what was made"
        ),
        (_, Some(lifetime)) => {
            format!("nothing outlives the job that borrows it: drop the `{lifetime}`, write `&{spelled}`")
        }
        _ => format!(
            "is `{ident}` shared state or an argument? Mark state as `#[state] {ident}: &{spelled}`; take an \
            argument by value, `{ident}: {spelled}` (only `&str` and `&[T]` may be borrowed)"
        ),
    }
}

/// Whether nothing inside the stored type is borrowed.
fn owned(ty: &Type, errors: &mut Errors) -> bool {
    let borrowed = borrow(ty.to_token_stream());
    if let Some(place) = &borrowed {
        errors.at(
            place,
            "an argument is stored, so nothing inside it can be borrowed: use an owned type, such as `String`",
        );
    }
    borrowed.is_none()
}

/// The first `&` or lifetime in a type; `'static` borrows from no one.
pub(crate) fn borrow(ty: TokenStream) -> Option<TokenStream> {
    let mut tokens = ty.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let found = match &token {
            TokenTree::Group(group) => borrow(group.stream()),
            // Of `&'a T` the lifetime decides.
            token if is_punct(token, '&') => {
                tokens.peek().is_none_or(|next| !is_punct(next, '\'')).then(|| token.to_token_stream())
            }
            token if is_punct(token, '\'') => {
                let name = tokens.next_if(|name| name.to_string() != "static");
                name.map(|name| TokenStream::from_iter([token.clone(), name]))
            }
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

fn is_punct(token: &TokenTree, c: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == c)
}

/// Where a type says `text`, at any depth.
pub(crate) fn word(ty: TokenStream, text: &str) -> Option<TokenTree> {
    ty.into_iter().find_map(|token| match token {
        TokenTree::Group(group) => word(group.stream(), text),
        TokenTree::Ident(ident) if ident == text => Some(TokenTree::Ident(ident)),
        _ => None,
    })
}

/// An argument that serde skips is given by the caller and never reaches the job.
fn lost(attrs: &[Attribute], errors: &mut Errors) {
    let skips = ["skip", "skip_serializing", "skip_deserializing"];
    for meta in
        nested(attrs, "serde").iter().filter(|meta| skips.iter().any(|skip| meta.path().is_ident(skip)))
    {
        errors.at(
            meta,
            "a skipped argument would be lost between the caller and the job: remove the parameter instead",
        );
    }
}

/// What stands inside all attributes `#[name(.., ..)]`.
fn nested(attrs: &[Attribute], name: &str) -> Vec<Meta> {
    let lists = attrs.iter().filter(|attr| attr.path().is_ident(name));
    let parse = |attr: &Attribute| attr.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok();
    lists.filter_map(parse).flatten().collect()
}

/// A type as people write it: `Arc<dyn Mailer>`, not `Arc < dyn Mailer >`.
pub(crate) fn spelled(ty: &Type) -> String {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    ty.to_token_stream().to_string().split(' ').fold(String::new(), |text, token| {
        let apart = text.ends_with(is_word) && token.starts_with(is_word) || text.ends_with(',');
        text + if apart { " " } else { "" } + token
    })
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    fn read(mut input: FnArg) -> (Option<Param>, String) {
        let mut errors = Errors::default();
        let param = Param::read(&mut input, &mut errors);
        (param, errors.to_token_stream().to_string())
    }

    fn kind(input: FnArg) -> String {
        let (param, errors) = read(input);
        match param.unwrap_or_else(|| panic!("{errors}")).kind {
            Kind::Context => "context".to_owned(),
            Kind::State(ty) => format!("state {}", spelled(&ty)),
            Kind::Argument { key, stored, .. } => format!("{key}: {}", spelled(&stored)),
        }
    }

    #[test]
    fn each_kind_of_parameter_is_known_by_its_type_or_mark() {
        assert_eq!(kind(parse_quote!(c: &djob::JobContext)), "context");
        assert_eq!(kind(parse_quote!(#[ctx] c: &Alias)), "context");
        assert_eq!(kind(parse_quote!(#[state] m: &Arc<dyn Mailer>)), "state Arc<dyn Mailer>");
        assert_eq!(kind(parse_quote!(_id: i64)), "id: i64");
        assert_eq!(kind(parse_quote!(mut s: &str)), "s: ::std::string::String");
        assert_eq!(kind(parse_quote!(s: &[(u8, u8)])), "s: ::std::vec::Vec<(u8, u8)>");
        assert_eq!(
            kind(parse_quote!(s: std::borrow::Cow<'static, str>)),
            "s: std::borrow::Cow<'static, str>"
        );
    }

    #[test]
    fn what_cannot_be_stored_or_shared_is_refused() {
        for (input, reason) in [
            (parse_quote!(&self), "free function"),
            (parse_quote!((a, b): (u8, u8)), "plain name"),
            (parse_quote!(_: u8), "plain name"),
            (parse_quote!(ref a: u8), "plain name"),
            (parse_quote!(m: &Mailer), "shared state or an argument?"),
            (parse_quote!(n: &mut u32), "take `mut n: u32`"),
            (parse_quote!(s: &'static str), "write `&str`"),
            (parse_quote!(s: Option<&str>), "use an owned type"),
            (parse_quote!(s: Cow<'_, str>), "use an owned type"),
            (parse_quote!(s: impl ToString), "concrete"),
            (parse_quote!(c: JobContext), "take it as `&JobContext`"),
            (parse_quote!(c: &mut JobContext), "take it as `&JobContext`"),
            (parse_quote!(#[state] m: Mailer), "take it as `&T`"),
            (parse_quote!(#[state] m: &dyn Mailer), "&std::sync::Arc<dyn Mailer>"),
            (parse_quote!(#[state] m: &str), "a type of its own"),
            (parse_quote!(#[state = 1] m: &Mailer), "takes no value"),
            (parse_quote!(#[state] #[ctx] m: &Mailer), "one role"),
            (parse_quote!(#[state] #[serde(default)] m: &Mailer), "no effect"),
            (parse_quote!(#[cfg(unix)] n: u8), "must not depend on `cfg`"),
            (parse_quote!(#[serde(skip)] n: u8), "would be lost"),
        ] {
            let (_, errors) = read(input);
            assert!(errors.contains(reason), "{reason}: {errors}");
            assert_eq!(errors.matches("compile_error").count(), 1, "{errors}");
        }
    }
}
