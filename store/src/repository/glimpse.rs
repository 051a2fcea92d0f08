//! What a question about one image needs, without opening the repository.

use std::path::Path;

use safelight_lineage::event::Split;
use safelight_lineage::state::{Sought, State};

use super::Repository;
use crate::blobs::Blobs;
use crate::disk;
use crate::error::StoreError;
use crate::format::{self, STORE_DIR};
use crate::journal::{Acknowledged, Journal, Scan, Step};
use crate::snapshot::Snapshots;

/// A tail of more bytes is better folded once, by opening, than every time.
const SHORT_TAIL: u64 = 4 << 20;

/// A few images of a repository that was not opened, and its blobs.
#[derive(Debug)]
pub struct Glimpse {
    state: State,
    blobs: Blobs,
}

impl Glimpse {
    /// What is known of the images that were sought; see [`State::glimpse`].
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The blobs, to read.
    pub fn blobs(&self) -> &Blobs {
        &self.blobs
    }
}

impl Repository {
    /// A state that knows the images that are sought, and of others nothing;
    /// see [`State::glimpse`]. It stands at the newest acknowledged frame.
    ///
    /// None when opening is the better way: without a snapshot that can be
    /// used, or when much has happened since, or when the images that are sought
    /// came later than that, or when the journal needs a look. Nothing is
    /// written.
    ///
    /// # Errors
    ///
    /// When there is no repository of this version.
    pub fn glimpse(dir: &Path, sought: Sought<'_>) -> Result<Option<Glimpse>, StoreError> {
        let store = dir.join(STORE_DIR);
        if !disk::is_dir(&store)? {
            return Err(StoreError::NotARepository { start: dir.to_owned() });
        }
        format::check(&store)?;
        let journal = store.join("journal");
        let Ok(Some(goal)) = Acknowledged::read(&journal) else { return Ok(None) };
        let Some(loaded) = Snapshots::new(&store.join("cache")).glimpse(&journal, sought) else {
            return Ok(None);
        };
        let (mut state, tip) = (loaded.state, loaded.tip);
        if tip.place > goal.place || Journal::new(&journal, tip).behind() > SHORT_TAIL {
            return Ok(None);
        }
        let known = count(&state, sought);
        let mut scan = Scan::new(&journal, tip);
        while scan.tip().place < goal.place {
            let Ok(Step::Frame(raw)) = scan.step() else { return Ok(None) };
            let Ok(frame) = raw.open() else { return Ok(None) };
            state.apply(&frame);
        }
        // What lies behind was never acknowledged, or is being written now.
        let whole = scan.tip() == goal && Journal::new(&journal, goal).behind() == 0;
        let early = known > 0 && known == count(&state, sought);
        Ok((whole && early).then(|| Glimpse { state, blobs: Blobs::open(&store) }))
    }
}

/// How many of the images that are sought there are.
fn count(state: &State, sought: Sought<'_>) -> usize {
    match sought {
        Sought::Id(id) => usize::from(state.image(id).is_some()),
        Sought::Path(path) => Split::ALL.iter().map(|split| state.images_at_path(*split, path).len()).sum(),
    }
}
