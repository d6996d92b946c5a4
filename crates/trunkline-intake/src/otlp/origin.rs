//! Where records come from: their resource and their scope, which stand in the document of each of them.
//!
//! Invariant: what one says is written and looked at once, however many records it has; a record is judged by adding up.

use std::borrow::Cow;

use trunkline_logs::{MAX_FIELDS, MAX_RECORD_BYTES, TooMuch};

use super::any::{Any, Named, write_fields};
use crate::look::{Fault, look};

/// What a resource or a scope says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Part {
    /// `,"resource":{…}`; empty if nothing is said.
    text: Vec<u8>,
    fields: usize,
}

/// Where records come from; a fault in it is each of its records' fault.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) resource: Result<Part, Fault>,
    pub(crate) scope: Result<Part, Fault>,
}

impl Default for Origin {
    fn default() -> Self {
        Self { resource: Ok(Part::default()), scope: Ok(Part::default()) }
    }
}

impl Part {
    /// What a resource says.
    pub(crate) fn of_resource(attributes: &[Named<'_>]) -> Result<Self, Fault> {
        Self::of("resource", attributes)
    }

    /// What a scope says.
    pub(crate) fn of_scope(name: &str, version: &str) -> Result<Self, Fault> {
        within(name.len() + version.len())?;
        let said = [("name", name), ("version", version)].into_iter().filter(|(_, value)| !value.is_empty());
        let fields: Vec<Named<'_>> =
            said.map(|(name, value)| (Cow::Borrowed(name), Any::Text(Cow::Borrowed(value)))).collect();
        Self::of("scope", &fields)
    }

    fn of(name: &str, fields: &[Named<'_>]) -> Result<Self, Fault> {
        if fields.is_empty() {
            return Ok(Self::default());
        }
        let mut text = format!("{{\"{name}\":").into_bytes();
        write_fields(fields, &mut text);
        text.push(b'}');
        let fields = look(&text)?;
        text.pop();
        if let Some(first) = text.first_mut() {
            *first = b',';
        }
        Ok(Self { text, fields })
    }
}

impl Part {
    /// How long its text is, in bytes.
    pub(crate) fn length(&self) -> usize {
        self.text.len()
    }
}

impl Origin {
    /// Its texts, as they stand behind the last field of a record's own document.
    pub(crate) fn parts(&self) -> Result<[&Part; 2], Fault> {
        match (&self.resource, &self.scope) {
            (Ok(resource), Ok(scope)) => Ok([resource, scope]),
            (Err(fault), _) | (_, Err(fault)) => Err(*fault),
        }
    }
}

/// A document's parts, if they make one that can be kept: a record's own text, which has so many fields, and its origin's.
pub(crate) fn joined<'a>(
    own: &'a [u8],
    fields: usize,
    [resource, scope]: [&'a Part; 2],
) -> Result<[&'a [u8]; 4], Fault> {
    within(own.len() + resource.text.len() + scope.text.len())?;
    if fields + resource.fields + scope.fields > MAX_FIELDS {
        return Err(TooMuch::Fields.into());
    }
    let open = own.strip_suffix(b"}").unwrap_or(own);
    Ok([open, &resource.text, &scope.text, b"}"])
}

/// Whether a record may be so long.
pub(crate) fn within(bytes: usize) -> Result<(), Fault> {
    if bytes > MAX_RECORD_BYTES { Err(TooMuch::Bytes(bytes).into()) } else { Ok(()) }
}
