//! From one tunnel root to the next, without an agent lost on the way.
//!
//! Begin: a second root, which issues from here on; both are trusted, and the door stays under the first. Once all agents
//! hold the second one, finish: the door moves under it and the first is forgotten.

use super::{Arc, Papers, PapersError, PoisonError, TUNNEL, TunnelRoots, new_root};

impl Papers {
    /// Makes the next tunnel root and issues by it from here on; false if a rotation is under way already.
    ///
    /// # Errors
    /// When the root cannot be made or written; nothing has changed then.
    pub fn begin_rotation(&self) -> Result<bool, PapersError> {
        self.change(|roots| {
            if roots.next.is_some() {
                return Ok(None);
            }
            let next = Arc::new(new_root(TUNNEL)?);
            Ok(Some(TunnelRoots { shown: roots.shown.clone(), next: Some(next) }))
        })
    }

    /// Moves the door under the next root and forgets the one before; false if no rotation is under way.
    ///
    /// # Errors
    /// When it cannot be written; nothing has changed then.
    pub fn finish_rotation(&self) -> Result<bool, PapersError> {
        self.change(|roots| {
            Ok(roots.next.as_ref().map(|next| TunnelRoots { shown: next.clone(), next: None }))
        })
    }

    /// Writes other roots and then uses them, if `next` has any.
    fn change(
        &self,
        next: impl FnOnce(&TunnelRoots) -> Result<Option<TunnelRoots>, PapersError>,
    ) -> Result<bool, PapersError> {
        let _turn = self.0.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(roots) = next(&self.0.tunnel.load())? else { return Ok(false) };
        self.0.folder.write(&self.0.front, &roots)?;
        self.0.tunnel.store(Arc::new(roots));
        Ok(true)
    }
}
