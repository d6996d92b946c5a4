//! How many of something each user has open: so many in all, and so many of one user.
//!
//! Invariant: a [`Place`] counts until it is dropped, and not after.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Who has how many. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    taken: Arc<Mutex<BTreeMap<String, usize>>>,
    most: usize,
    most_of_one: usize,
}

/// There is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// All are taken; inside, how many there are.
    All(usize),
    /// The user has as many as one may; inside, how many that is.
    Own(usize),
}

impl Places {
    pub(crate) fn new(most: usize, most_of_one: usize) -> Self {
        Self { taken: Arc::default(), most, most_of_one }
    }

    /// Takes one for a user.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn take(&self, user: &str) -> Result<Place, Full> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.values().sum::<usize>() >= self.most {
            return Err(Full::All(self.most));
        }
        let own = taken.entry(user.to_owned()).or_default();
        if *own >= self.most_of_one {
            return Err(Full::Own(self.most_of_one));
        }
        *own += 1;
        Ok(Place { user: user.to_owned(), places: self.clone() })
    }
}

#[cfg(test)]
impl Places {
    /// Whether nobody has one, and nobody is remembered.
    pub(crate) fn are_free(&self) -> bool {
        self.taken.lock().unwrap().is_empty()
    }
}

/// One place of a user's, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    user: String,
    places: Places,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = taken.get_mut(&self.user) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_so_many_of_one_user_and_so_many_in_all_and_one_that_is_left_is_free_again() {
        let places = Places::new(3, 2);
        let jane: Vec<Place> = (0..2).map(|_| places.take("jane").unwrap()).collect();
        assert_eq!(places.take("jane").unwrap_err(), Full::Own(2));
        let joe = places.take("joe").unwrap();
        assert_eq!(places.take("joe").unwrap_err(), Full::All(3));
        drop(jane);
        assert!(places.take("jane").is_ok());
        drop(joe);
        assert!(places.are_free(), "who has none is forgotten");
    }
}
