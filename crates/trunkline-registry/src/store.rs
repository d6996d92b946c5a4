//! Where the registry is kept: objects by kind and name, each with a JSON body and a revision.
//!
//! One file of redb, or memory with the same code. The interface is what a store in a Kubernetes API offers as well: list
//! a kind, and write only over the revision one has seen; `docs/decisions/0008-the-registry-store.md` says how that fits.
//!
//! Invariants:
//! - a commit is on the disk as a whole when it returns, and not at all when it fails before that;
//! - the library is named in this module and its children only;
//! - an object that changed since it was seen is never overwritten.

mod file;

use std::path::{Path, PathBuf};

use redb::backends::InMemoryBackend;
use redb::{Builder, Database, Durability, ReadableDatabase as _, ReadableTable as _, TableDefinition};

use crate::OpenError;

/// The newest format of the file that is known here.
const FORMAT: u64 = 1;
/// What the library may keep of the file in memory: little, since all that is read stands in the registry's own view.
const CACHE: usize = 16 << 20;

/// (kind, name) to (revision, body).
const OBJECTS: TableDefinition<(&str, &str), (u64, &[u8])> = TableDefinition::new("objects");
/// The file's format, and the newest revision.
const NUMBERS: TableDefinition<&str, u64> = TableDefinition::new("trunkline-registry");

/// When an object was written: grows with each commit. Opaque but for being the same or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Revision(u64);

impl Revision {
    /// Of an object that is not there.
    pub(crate) const NONE: Self = Self(0);
}

/// An object as it is stored.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) name: String,
    pub(crate) revision: Revision,
    pub(crate) body: Vec<u8>,
}

/// One object to write.
pub(crate) struct Write {
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    /// What was there when it was decided.
    pub(crate) expect: Revision,
    /// None removes it.
    pub(crate) body: Option<Vec<u8>>,
}

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// Nothing was written.
    #[error("{0} changed meanwhile")]
    Stale(String),
    /// What was to be written may be there or not: open the store again to see.
    #[error("{0}")]
    Failed(Box<redb::Error>),
}

impl<E: Into<redb::Error>> From<E> for StoreError {
    fn from(error: E) -> Self {
        Self::Failed(Box::new(error.into()))
    }
}

/// The store of one registry.
#[derive(Debug)]
pub(crate) struct Store {
    path: PathBuf,
    /// None while it could not be opened again.
    database: Option<Database>,
}

impl Store {
    /// The store in a file, made if it is not there, for this process alone. A file that is none is left as it is.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let database = file::open(path)?;
        Ok(Self { path: path.to_owned(), database: Some(database) })
    }

    /// A store that ends with the process.
    pub(crate) fn in_memory() -> Result<Self, OpenError> {
        let path = PathBuf::from("(memory)");
        let database = builder().create_with_backend(InMemoryBackend::new()).map_err(StoreError::from);
        let database = database.and_then(|database| lay_out(&database).map(|()| database));
        match database {
            Ok(database) => Ok(Self { path, database: Some(database) }),
            Err(error) => Err(file::failed(&path, error)),
        }
    }

    /// The store of a file on a disk of the tests' making.
    #[cfg(test)]
    pub(crate) fn on(path: &Path, disk: impl redb::StorageBackend) -> Self {
        Self { path: path.to_owned(), database: Some(builder().create_with_backend(disk).unwrap()) }
    }

    /// Opens the file again, after it failed: the library writes no more once the disk said no. It must be there.
    pub(crate) fn open_again(&mut self) -> Result<(), OpenError> {
        // First let go of the file, or it is in use.
        self.database = None;
        self.database = Some(file::open_existing(&self.path)?);
        Ok(())
    }

    /// Where it is kept, for people.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// All objects of a kind, by name.
    pub(crate) fn list(&self, kind: &str) -> Result<Vec<Object>, StoreError> {
        list(self.database()?, kind)
    }

    /// Writes all of these or none, and returns when they are on the disk. Their revision is the one returned.
    pub(crate) fn commit(&self, writes: &[Write]) -> Result<Revision, StoreError> {
        let mut transaction = self.database()?.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        let revision = {
            let mut numbers = transaction.open_table(NUMBERS)?;
            let revision = numbers.get("revision")?.map_or(0, |newest| newest.value()) + 1;
            numbers.insert("revision", revision)?;
            let mut objects = transaction.open_table(OBJECTS)?;
            for Write { kind, name, expect, body } in writes {
                let key = (*kind, name.as_str());
                let found = objects.get(key)?.map_or(Revision::NONE, |object| Revision(object.value().0));
                if found != *expect {
                    return Err(StoreError::Stale(name.clone()));
                }
                match body {
                    Some(body) => drop(objects.insert(key, (revision, body.as_slice()))?),
                    None => drop(objects.remove(key)?),
                }
            }
            revision
        };
        transaction.commit()?;
        Ok(Revision(revision))
    }

    fn database(&self) -> Result<&Database, StoreError> {
        self.database.as_ref().ok_or_else(|| redb::StorageError::DatabaseClosed.into())
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE);
    builder
}

/// Makes an empty database a registry.
fn lay_out(database: &Database) -> Result<(), StoreError> {
    let transaction = database.begin_write()?;
    transaction.open_table(NUMBERS)?.insert("format", FORMAT)?;
    transaction.open_table(OBJECTS)?;
    transaction.commit()?;
    Ok(())
}

/// The format of a database's registry; none if it holds none.
fn format(database: &Database) -> Result<Option<u64>, StoreError> {
    match database.begin_read()?.open_table(NUMBERS) {
        Ok(numbers) => Ok(numbers.get("format")?.map(|format| format.value())),
        Err(redb::TableError::Storage(error)) => Err(error.into()),
        Err(_) => Ok(None),
    }
}

fn list(database: &Database, kind: &str) -> Result<Vec<Object>, StoreError> {
    let objects = database.begin_read()?.open_table(OBJECTS)?;
    let mut list = Vec::new();
    for entry in objects.range((kind, "")..)? {
        let (key, object) = entry?;
        if key.value().0 != kind {
            break;
        }
        let (revision, body) = object.value();
        list.push(Object {
            name: key.value().1.to_owned(),
            revision: Revision(revision),
            body: body.to_vec(),
        });
    }
    Ok(list)
}
