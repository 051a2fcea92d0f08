//! What happens to the interface, and what it wants to be done.

use std::sync::Arc;

use ratatui::layout::Size;
use safelight_lineage::decide::Command;
use safelight_lineage::digest::BlobId;
use safelight_lineage::event::Frame;
use safelight_lineage::id::{EnsembleId, GeneratorId, ImageId, PassId, RunId};
use safelight_lineage::state::State;
use safelight_lineage::value::Seq;

use crate::event_text::FrameText;
use crate::filter::ImageFilter;
use crate::generator_view::{GeneratorView, UnfinishedGenerator};
use crate::image_list::Rows;
use crate::judged::PredictionsMark;
use crate::judgements::{Judgement, Known, Neighbours, VoteTable};
use crate::key::Key;
use crate::order::Order;
use crate::picture::{Painted, PictureKey};
use crate::ports::{Finding, JobRequest, JobView};
use crate::replay_view::ReceiptView;
use crate::run_view::RunView;

/// Something that happened. Everything that goes wrong outside comes as text,
/// harmless already.
#[derive(Debug)]
pub enum Msg {
    /// A key was pressed.
    Key(Key),
    /// A text was pasted.
    Paste(String),
    /// The wheel was turned: rows down.
    Wheel(isize),
    /// The mouse was clicked in this cell.
    Click(u16, u16),
    /// The terminal has another size.
    Resize(Size),
    /// The frame that the model described is on the screen.
    Drawn,
    /// The log has grown, or was read for the first time.
    State(Arc<State>),
    /// The past was read.
    Past(Seq, Result<Arc<State>, String>),
    /// Frames were read: of those asked for from `newest` on.
    Frames {
        /// The newest that was asked for.
        newest: Seq,
        /// The frames.
        frames: Result<Vec<FrameText>, String>,
    },
    /// The log was looked through, some way.
    LogSearched {
        /// Which search.
        generation: u64,
        /// The Seqs of the first events of the frames found since the last time.
        found: Vec<Seq>,
        /// How far down it has come; the Seq that it was to end at when it is done.
        down_to: Seq,
        /// What stopped it.
        error: Option<String>,
    },
    /// Images were looked through.
    Rows {
        /// Which search.
        generation: u64,
        /// The rows found.
        rows: Rows,
    },
    /// What models say of all images was read.
    Known(PredictionsMark, Result<Arc<Known>, String>),
    /// What models say of one image was read.
    Judged(ImageId, PredictionsMark, Result<Arc<Vec<Judgement>>, String>),
    /// The votes of an ensemble were read.
    Votes(EnsembleId, Result<Arc<VoteTable>, String>),
    /// Images that look alike were found; in the past, as of this Seq.
    Neighbours(ImageId, Option<Seq>, Result<Arc<Neighbours>, String>),
    /// A picture is ready, or cannot be had.
    Picture(PictureKey, Result<Arc<Painted>, String>),
    /// Commands were carried out, or not.
    Executed {
        /// The frame that came of it, if there was anything to do.
        frame: Option<Frame>,
        /// What stopped them.
        error: Option<String>,
    },
    /// The findings of a pass were read.
    Findings(PassId, Result<Vec<Finding>, String>),
    /// What is kept of a run was read.
    Run(RunId, Result<Arc<RunView>, String>),
    /// A receipt was read.
    Receipt(BlobId, Result<Arc<ReceiptView>, String>),
    /// What is kept of a generator was read.
    Generator(GeneratorId, Result<Arc<GeneratorView>, String>),
    /// The generators that are not in the log yet.
    Unfinished(Vec<UnfinishedGenerator>),
    /// The jobs, as they stand.
    Jobs(Vec<JobView>),
    /// A recipe was written to this file, or not.
    Saved(String, Result<(), String>),
    /// Something went wrong.
    Failed(String),
}

/// Something to be done outside.
#[derive(Debug)]
pub enum Cmd {
    /// Leave the program.
    Quit,
    /// Give the terminal back and sleep until called for.
    Suspend,
    /// Read the past: [`Msg::Past`].
    LoadPast(Seq),
    /// Read frames: [`Msg::Frames`].
    LoadFrames {
        /// The newest.
        newest: Seq,
        /// How many at most.
        limit: usize,
    },
    /// Look for words in the log: [`Msg::LogSearched`], several times. A later
    /// search makes it stale.
    SearchLog {
        /// Which search.
        generation: u64,
        /// The words, in lower case.
        wanted: String,
        /// Where to begin.
        newest: Seq,
        /// Where to end.
        after: Seq,
    },
    /// Look through the images: [`Msg::Rows`]. A later search makes it stale.
    FilterImages {
        /// Which search.
        generation: u64,
        /// The images.
        state: Arc<State>,
        /// What to look for.
        filter: ImageFilter,
        /// In which order to put what is found.
        order: Order,
        /// What models say.
        known: Option<Arc<Known>>,
    },
    /// Read what models say of all images: [`Msg::Known`].
    LoadKnown(Arc<State>),
    /// Read what models say of one image: [`Msg::Judged`]. A later one may
    /// come before it.
    LoadJudgements(Arc<State>, ImageId),
    /// Read the votes of an ensemble: [`Msg::Votes`].
    LoadVotes(Arc<State>, EnsembleId),
    /// Find images that look alike: [`Msg::Neighbours`].
    FindNeighbours {
        /// The images.
        state: Arc<State>,
        /// Like which.
        image: ImageId,
        /// In the past, as of which Seq.
        past: Option<Seq>,
    },
    /// Make these pictures, the first one first; whatever was asked for before
    /// and is not among them is no longer wanted.
    Pictures(Vec<PictureKey>),
    /// Carry out commands as one frame: [`Msg::Executed`].
    Execute(Vec<Command>),
    /// Read findings: [`Msg::Findings`].
    LoadFindings(PassId),
    /// Read what is kept of a run: [`Msg::Run`].
    LoadRun(Arc<State>, RunId),
    /// Read a receipt: [`Msg::Receipt`].
    LoadReceipt(BlobId),
    /// Read what is kept of a generator: [`Msg::Generator`].
    LoadGenerator(Arc<State>, GeneratorId),
    /// Start a job.
    StartJob(JobRequest),
    /// Write a recipe to a new file: [`Msg::Saved`].
    SaveRecipe {
        /// The file.
        path: String,
        /// The recipe.
        toml: String,
    },
    /// Stop a job.
    CancelJob(String),
}
