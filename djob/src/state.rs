//! Shared state that jobs borrow: a mailer, a pool, a client. Never stored.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// What a worker lends to its jobs, one value of each type.
///
/// ```
/// use djob::State;
///
/// struct Mailer { from: String }
///
/// let state = State::new().with(Mailer { from: "djob@example.org".into() });
/// assert_eq!(state.get::<Mailer>().unwrap().from, "djob@example.org");
/// assert!(state.get::<u64>().is_none());
/// ```
#[derive(Clone, Default)]
pub struct State(Arc<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

impl State {
    /// No state.
    pub fn new() -> Self {
        State::default()
    }

    /// Adds a value; a second one of the same type takes the place of the first.
    #[must_use]
    pub fn with<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        Arc::make_mut(&mut self.0).insert(TypeId::of::<T>(), Arc::new(value));
        self
    }

    /// The value of this type.
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.0.get(&TypeId::of::<T>())?.downcast_ref()
    }

    /// Whether there is a value of this type.
    pub fn holds<T: Send + Sync + 'static>(&self) -> bool {
        self.0.contains_key(&TypeId::of::<T>())
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "State({} values)", self.0.len())
    }
}
