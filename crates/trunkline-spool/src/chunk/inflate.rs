//! Inflation of what anybody may have sent.

use std::io::Read as _;

use zstd::stream::read::Decoder;
use zstd::zstd_safe::get_frame_content_size;

use crate::error::BadChunk;

/// Inflates one frame to exactly `raw` bytes, which the caller has judged; a window of more than `window_log` is refused.
pub(super) fn inflate(body: &[u8], raw: usize, window_log: u32) -> Result<Vec<u8>, BadChunk> {
    let broken = |_| BadChunk::Content("it cannot be inflated");
    match get_frame_content_size(body) {
        Ok(Some(declared)) if declared != raw as u64 => {
            return Err(BadChunk::Content("its frame declares another length"));
        }
        // What declares none is counted while it comes out.
        Ok(_) => {}
        Err(_) => return Err(BadChunk::Content("it is no frame")),
    }
    let mut decoder = Decoder::with_buffer(body).map_err(broken)?.single_frame();
    decoder.window_log_max(window_log).map_err(broken)?;
    let mut out = Vec::with_capacity(raw);
    let mut piece = [0; 16 * 1024];
    loop {
        let read = decoder.read(&mut piece).map_err(broken)?;
        if read == 0 {
            break;
        }
        if out.len() + read > raw {
            return Err(BadChunk::Content("it inflates to more than it says"));
        }
        out.extend_from_slice(piece.get(..read).unwrap_or_default());
    }
    if out.len() != raw {
        return Err(BadChunk::Content("it inflates to less than it says"));
    }
    if !decoder.finish().is_empty() {
        return Err(BadChunk::Content("something follows its frame"));
    }
    Ok(out)
}
