//! What can be open above a screen.

use safelight_lineage::decide::Command;
use safelight_lineage::event::Decision;
use safelight_lineage::id::{GeneratorId, ImageId, SamplesId};
use safelight_lineage::value::ClassIndex;

use crate::action::Action;
use crate::fuzzy;
use crate::ports::{JobRequest, Judging};
use crate::recipe_form::RecipeForm;
use crate::walk::Walk;

/// What is open above the screen and has the keyboard.
#[derive(Debug, Clone, PartialEq)]
pub enum Overlay {
    /// The keys, scrolled down by so many lines.
    Help(usize),
    /// A line to fill in.
    Prompt(Prompt),
    /// Something to choose from.
    Chooser(Chooser),
    /// A question.
    Confirm(Confirm),
    /// A recipe to fill in.
    Recipe(Box<RecipeForm>),
    /// A walk along what was made of what.
    Lineage(Walk),
    /// Something to read, closed by any key.
    Note {
        /// What it is.
        title: String,
        /// The lines.
        lines: Vec<String>,
    },
}

/// What a line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptKind {
    /// The filter of the screen.
    Filter,
    /// The Seq to go to.
    Goto,
    /// The reason for a removal.
    Reason,
    /// The file of a recipe.
    Recipe,
    /// The file of a generator's recipe, or nothing; for this class or for all.
    GeneratorRecipe(Option<ClassIndex>),
    /// How many samples to draw from a generator, of a class, and their seed.
    Draw(GeneratorId, ClassIndex),
    /// The least probability of their class that samples must have.
    Confidence(SamplesId),
}

/// A line to fill in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// What it is for.
    pub kind: PromptKind,
    /// What was typed.
    pub text: String,
    /// What is wrong with it.
    pub error: Option<String>,
}

impl Prompt {
    /// A line that starts as `text`.
    pub fn new(kind: PromptKind, text: impl Into<String>) -> Prompt {
        Prompt { kind, text: text.into(), error: None }
    }
}

/// What choosing an entry does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// Does something.
    Do(Action),
    /// Gives a label.
    Label(Option<ClassIndex>),
    /// Gives a reason.
    Reason(String),
    /// Asks for a reason in words.
    OtherReason,
    /// Starts a job.
    Job(JobRequest),
    /// Learns a class, or all of them, after asking for the recipe.
    Learn(Option<ClassIndex>),
    /// Draws from a generator, after asking how many.
    Draw(GeneratorId, ClassIndex),
    /// Lets samples in, after asking how they are judged.
    Admit(SamplesId),
    /// Lets samples in that are judged so, after a question.
    AskAdmit(SamplesId, Judging),
    /// Lets samples in, after asking for the least confidence.
    AskConfidence(SamplesId),
    /// Takes samples out, after a question.
    Expel(Vec<SamplesId>),
}

/// One thing to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key that chooses it at once, when the chooser has no search.
    pub key: Option<char>,
    /// What it says.
    pub text: String,
    /// What it says at the right.
    pub hint: String,
    /// What it does.
    pub choice: Choice,
}

/// Something to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chooser {
    /// What is chosen.
    pub title: String,
    /// What was typed to narrow it; none where single keys choose.
    pub search: Option<String>,
    /// Everything there is.
    pub entries: Vec<Entry>,
    /// The selected one among those that [`Chooser::shown`] gives.
    pub selected: usize,
}

impl Chooser {
    /// The entries that fit what was typed, best first.
    pub fn shown(&self) -> Vec<&Entry> {
        let Some(search) = self.search.as_deref().filter(|search| !search.is_empty()) else {
            return self.entries.iter().collect();
        };
        let scored =
            self.entries.iter().filter_map(|entry| Some((fuzzy::score(search, &entry.text)?, entry)));
        let mut scored: Vec<_> = scored.collect();
        scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        scored.into_iter().map(|(_, entry)| entry).collect()
    }
}

/// What a yes does.
#[derive(Debug, Clone, PartialEq)]
pub enum Consequence {
    /// Carries out commands.
    Execute(Vec<Command>),
    /// Decides findings.
    Decide {
        /// What is decided of each image.
        decisions: Vec<(ImageId, Decision)>,
        /// Why.
        reason: String,
    },
    /// Stops a job.
    CancelJob(String),
    /// Starts a job.
    Start(JobRequest),
}

/// A question.
#[derive(Debug, Clone, PartialEq)]
pub struct Confirm {
    /// The question.
    pub question: String,
    /// What a yes does.
    pub consequence: Consequence,
}
