//! The form that a recipe is filled in on, and a training started from.

use safelight_lineage::id::{CheckpointId, RunId};
use safelight_lineage::state::State;

use crate::lineage_tree::checkpoint;
use crate::ports::JobRequest;
use crate::recipe::{CheckedRecipe, RecipeFault, RecipeFields, Recipes};
use crate::text::{counted, safe};

/// The path of the row that says what weights are trained on from.
const START: &str = "weights";
/// The path of the row that says which images validate.
const VALIDATION: &str = "validation";
/// What a row says in whose place a recipe has nothing.
const NOTHING: &str = "";

/// What is seen of the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    /// The fields.
    Fields,
    /// What it comes to, as TOML and as a command, scrolled down by so many lines.
    Toml(usize),
    /// The fields, and a line for the name of a file.
    Saving(String),
}

/// A recipe that is being filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipeForm {
    /// The run whose recipe it began as; none for the defaults.
    pub like: Option<RunId>,
    /// The fields.
    pub fields: RecipeFields,
    /// What is to compute: `auto`, `cpu` or `cuda:0`.
    pub device: String,
    /// The checkpoint to start from.
    pub from: Option<CheckpointId>,
    /// The selected row.
    pub selected: usize,
    /// Whether the next character takes the place of the selected row's value.
    pub fresh: bool,
    /// What the fields come to.
    pub checked: CheckedRecipe,
    /// What is seen.
    pub page: Page,
    /// The fields that it began with, to come back to.
    began: RecipeFields,
    /// The checkpoint that the run it is like started from.
    parent: Option<CheckpointId>,
}

/// How a row is filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// By typing.
    Text,
    /// By choosing: values, and how each is shown.
    Choice(Vec<(String, String)>),
}

/// One row of the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The path of its field.
    pub key: String,
    /// What it says at the left.
    pub label: &'static str,
    /// Of which stage it is, from zero.
    pub stage: Option<usize>,
    /// How it is filled in.
    pub input: Input,
}

impl RecipeForm {
    /// A form that begins as the recipe of a run, or with the defaults.
    pub fn new(
        recipes: &dyn Recipes,
        state: &State,
        like: Option<(RunId, RecipeFields)>,
        device: &str,
    ) -> RecipeForm {
        let (like, fields) =
            like.map_or_else(|| (None, recipes.defaults()), |(run, fields)| (Some(run), fields));
        let parent = like.and_then(|run| state.runs().get(run)?.started.event.parent);
        let mut form = RecipeForm {
            like,
            began: fields.clone(),
            fields,
            device: device.to_owned(),
            from: parent,
            parent,
            selected: 0,
            fresh: true,
            checked: CheckedRecipe::default(),
            page: Page::Fields,
        };
        form.check(recipes, state);
        form
    }

    /// Finds anew what the fields come to and what is wrong with them.
    pub fn check(&mut self, recipes: &dyn Recipes, state: &State) {
        self.checked = recipes.check(&self.fields, &self.device);
        if let Some(words) = self.misfit(state) {
            self.checked.faults.push(RecipeFault { key: START.to_owned(), words });
        }
    }

    /// Why the weights to start from do not fit the network, if so.
    fn misfit(&self, state: &State) -> Option<String> {
        let start = self.fields.get(START).and_then(|id| id.parse().ok());
        let found = match (self.from, start) {
            (Some(from), _) => &state.checkpoints().get(from)?.event.architecture,
            (None, Some(weights)) => match state.weights().get(weights) {
                Some(record) => &record.event.architecture,
                None => return Some("are not in this log".to_owned()),
            },
            (None, None) => return None,
        };
        let other = self.checked.resolved.get("architecture").is_some_and(|wanted| wanted != found);
        other.then(|| format!("must be for this network; they are for {}", safe(found)))
    }

    /// What is wrong with a field.
    pub fn fault(&self, key: &str) -> Option<&str> {
        self.checked.faults.iter().find(|fault| fault.key == key).map(|fault| fault.words.as_str())
    }

    /// How many stages there are.
    pub fn stages(&self) -> usize {
        let place = |key: &String| key.strip_prefix("stage[")?.split(']').next()?.parse::<usize>().ok();
        self.fields.keys().filter_map(place).max().map_or(0, |last| last + 1)
    }

    /// The rows, from top to bottom.
    pub fn rows(&self, recipes: &dyn Recipes, state: &State) -> Vec<Row> {
        let row = |key: &str, label, stage| {
            let names = recipes.choices(key);
            let shown = |name: &&str| ((*name).to_owned(), (*name).to_owned());
            let input = match names {
                [] => Input::Text,
                names => Input::Choice(names.iter().map(shown).collect()),
            };
            Row { key: key.to_owned(), label, stage, input }
        };
        let choice = |key: &str, label, values| Row {
            key: key.to_owned(),
            label,
            stage: None,
            input: Input::Choice(values),
        };
        let mut rows = vec![
            row("architecture", "architecture", None),
            row("head", "head", None),
            choice(START, "weights", self.starts(state)),
            row("seed", "seed", None),
            choice(VALIDATION, "validation", self.ways_to_validate(recipes)),
        ];
        if self.value(VALIDATION) == "fraction" {
            rows.push(row("validation.fraction", "  fraction", None));
        }
        rows.extend([
            row("augmentation.preset", "augmentation", None),
            row("mixup", "mixup", None),
            row("label_smoothing", "smoothing", None),
            row("moving_average", "average", None),
            row("weight_decay", "decay", None),
            row("normalisation", "normalised", None),
            row("precision", "precision", None),
            row(RecipeFault::DEVICE, "device", None),
        ]);
        for stage in 0..self.stages() {
            for (name, label) in [
                ("size", "size"),
                ("epochs", "epochs"),
                ("batch", "batch"),
                ("frozen", "frozen"),
                ("learning_rate", "rate"),
                ("first_learning_rate", "first rate"),
                ("schedule", "schedule"),
            ] {
                let key = format!("stage[{stage}].{name}");
                // The first layers have a rate of their own where a recipe gave them one.
                if name != "first_learning_rate" || self.fields.contains_key(&key) {
                    rows.push(row(&key, label, Some(stage)));
                }
            }
        }
        rows
    }

    /// What can be started from: nothing, weights, the checkpoint that the run
    /// it is like started from.
    fn starts(&self, state: &State) -> Vec<(String, String)> {
        let mut starts = vec![(NOTHING.to_owned(), "fresh ones".to_owned())];
        for record in state.weights().iter() {
            let event = &record.event;
            let shown = format!(
                "{} for {} · {}",
                safe(&event.name),
                safe(&event.architecture),
                event.weights.short()
            );
            starts.push((event.weights.to_string(), shown));
        }
        if let Some(record) = self.parent.and_then(|parent| state.checkpoints().get(parent)) {
            starts.push((record.event.checkpoint.to_string(), checkpoint(record)));
        }
        // Weights that this log lacks are still what the field says.
        let now = self.value(START);
        if !starts.iter().any(|(value, _)| *value == now) {
            starts.push((now.clone(), now));
        }
        starts
    }

    fn ways_to_validate(&self, recipes: &dyn Recipes) -> Vec<(String, String)> {
        let mut ways = vec![("fraction".to_owned(), "a fraction of the training split".to_owned())];
        let splits = recipes.choices("validation.split");
        ways.extend(splits.iter().map(|split| ((*split).to_owned(), format!("the {split} split"))));
        if let (Some(fold), Some(folds)) =
            (self.began.get("validation.fold"), self.began.get("validation.folds"))
        {
            ways.push(("fold".to_owned(), format!("fold {fold} of {folds}, from 0")));
        }
        ways
    }

    /// What a row holds.
    pub fn value(&self, key: &str) -> String {
        let field = |key: &str| self.fields.get(key).cloned();
        match key {
            RecipeFault::DEVICE => self.device.clone(),
            START => self.from.map(|from| from.to_string()).or_else(|| field(START)).unwrap_or_default(),
            VALIDATION if self.fields.contains_key("validation.fold") => "fold".to_owned(),
            VALIDATION => field("validation.split").unwrap_or_else(|| "fraction".to_owned()),
            _ => field(key).unwrap_or_default(),
        }
    }

    /// Gives a row a value. What goes with another value of it goes too, and
    /// comes back with it.
    pub fn set(&mut self, key: &str, value: &str) {
        match key {
            RecipeFault::DEVICE => self.device = value.to_owned(),
            START => {
                self.from = self.parent.filter(|parent| parent.to_string() == value);
                self.fields.remove(START);
                if self.from.is_none() && value != NOTHING {
                    self.fields.insert(START.to_owned(), value.to_owned());
                }
            }
            VALIDATION => {
                self.fields.retain(|key, _| !key.starts_with("validation."));
                match value {
                    "fraction" => self.restore(&["validation.fraction"]),
                    "fold" => self.restore(&["validation.fold", "validation.folds", "validation.together"]),
                    split => drop(self.fields.insert("validation.split".to_owned(), split.to_owned())),
                }
                if value == "fraction" {
                    self.fields.entry("validation.fraction".to_owned()).or_insert_with(|| "0.2".to_owned());
                }
            }
            _ => {
                self.fields.insert(key.to_owned(), value.to_owned());
                if key == "augmentation.preset" {
                    self.follow("augmentation.", key, &[]);
                } else if let Some(stage) = key.strip_suffix("schedule") {
                    self.follow(
                        stage,
                        key,
                        &["size", "epochs", "batch", "learning_rate", "first_learning_rate", "frozen"],
                    );
                    if value == "restarts" {
                        // As long as its cycles.
                        self.fields.insert(format!("{stage}epochs"), NOTHING.to_owned());
                    }
                }
            }
        }
    }

    /// The fields below `below` but for these go with the value of `key`: they
    /// are as they were with this value, or take their defaults.
    fn follow(&mut self, below: &str, key: &str, stay: &[&str]) {
        let goes = |other: &String| {
            other.strip_prefix(below).is_some_and(|name| other != key && !stay.contains(&name))
        };
        self.fields.retain(|other, _| !goes(other));
        if self.began.get(key) == self.fields.get(key) {
            let back = self.began.iter().filter(|(other, _)| goes(other));
            self.fields.extend(back.map(|(key, value)| (key.clone(), value.clone())));
        }
    }

    fn restore(&mut self, keys: &[&str]) {
        for key in keys {
            if let Some(value) = self.began.get(*key) {
                self.fields.insert((*key).to_owned(), value.clone());
            }
        }
    }

    /// Puts a stage like this one after it; gives its place.
    pub fn add_stage(&mut self, like: usize) -> usize {
        let next = like + 1;
        self.renumber(|stage| if stage >= next { stage + 1 } else { stage });
        let copy: Vec<(String, String)> = self
            .fields
            .iter()
            .filter_map(|(key, value)| {
                let name = key.strip_prefix(&format!("stage[{like}]."))?;
                Some((format!("stage[{next}].{name}"), value.clone()))
            })
            .collect();
        self.fields.extend(copy);
        next
    }

    /// Takes a stage away; the last one stays.
    pub fn remove_stage(&mut self, stage: usize) -> bool {
        if self.stages() < 2 {
            return false;
        }
        self.fields.retain(|key, _| !key.starts_with(&format!("stage[{stage}].")));
        self.renumber(|other| if other > stage { other - 1 } else { other });
        true
    }

    fn renumber(&mut self, place: impl Fn(usize) -> usize) {
        let renamed = |key: String| {
            let parts = key.strip_prefix("stage[").and_then(|rest| rest.split_once(']'));
            let moved = parts.and_then(|(number, rest)| Some((number.parse().ok()?, rest)));
            moved
                .map(|(number, rest): (usize, &str)| format!("stage[{}]{rest}", place(number)))
                .unwrap_or(key)
        };
        // What a stage came back to is another stage's now.
        self.began.retain(|key, _| !key.starts_with("stage["));
        self.fields =
            std::mem::take(&mut self.fields).into_iter().map(|(key, value)| (renamed(key), value)).collect();
    }

    /// What is wrong in one sentence; none when nothing is.
    pub fn complaint(&self) -> Option<String> {
        let faults = &self.checked.faults;
        match &faults[..] {
            [] => None,
            [fault] if fault.key.is_empty() => Some(format!("the recipe {}", fault.words)),
            [fault] => Some(format!("{} {}", fault.key, fault.words)),
            _ => Some(counted(faults.len() as u64, "field is wrong", "fields are wrong")),
        }
    }

    /// The training that it describes.
    pub fn request(&self) -> JobRequest {
        JobRequest::TrainRecipe {
            toml: self.checked.toml.clone(),
            device: self.device.clone(),
            from: self.from.map(|from| from.to_string()),
        }
    }
}
