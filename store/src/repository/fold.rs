//! Folding what is read from the journal.

use std::sync::mpsc::sync_channel;
use std::thread;

use safelight_lineage::event::Frame;
use safelight_lineage::state::State;

use crate::error::{Notice, StoreError};
use crate::journal::Each;

/// From so many bytes of journal on, folding has a thread of its own.
const LONG: u64 = 4 << 20;
/// So many frames may be read ahead of the fold.
const AHEAD: usize = 4;

/// Folds every frame that `walk` gives, in its order. `bytes` says about how
/// much that is: when it is much, one thread reads, checks and decodes while
/// another folds. The state ends behind the last frame that could be read.
pub(super) fn fold(
    state: &mut State,
    bytes: u64,
    walk: &mut dyn FnMut(Each<'_>) -> Result<Option<Notice>, StoreError>,
) -> Result<Option<Notice>, StoreError> {
    if bytes < LONG {
        return walk(&mut |raw| {
            state.apply(&raw.open()?);
            Ok(())
        });
    }
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel::<Frame>(AHEAD);
        let folding = scope.spawn(move || receiver.iter().for_each(|frame| state.apply(&frame)));
        let result = walk(&mut |raw| {
            // Only a fold that panicked hangs up, and that shows below.
            let _ = sender.send(raw.open()?);
            Ok(())
        });
        drop(sender);
        match folding.join() {
            Ok(()) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
