//! Recipes as the form knows them: fields by path, and the port that has their
//! rules.

use std::collections::BTreeMap;
use std::fmt::Debug;

/// The fields of a recipe by path (`seed`, `stage[0].size`), their values as
/// text. A field that is absent or empty has its default.
pub type RecipeFields = BTreeMap<String, String>;

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipeFault {
    /// Its path; empty when no single field is to blame.
    pub key: String,
    /// What is wrong, as half a sentence: `must be between 2 and 4096`.
    pub words: String,
}

impl RecipeFault {
    /// The path of the device, which is no field of a recipe but chosen with it.
    pub const DEVICE: &'static str = "device";
}

/// What fields come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckedRecipe {
    /// The recipe as TOML, with the default in place of what is wrong.
    pub toml: String,
    /// Every field of it.
    pub resolved: RecipeFields,
    /// What is wrong.
    pub faults: Vec<RecipeFault>,
}

/// The rules of recipes. Pure and quick: they are asked at every key.
pub trait Recipes: Debug + Send + Sync {
    /// The fields of the recipe that has every default.
    fn defaults(&self) -> RecipeFields;

    /// The names that a field chooses from; none for one that holds a number.
    fn choices(&self, key: &str) -> &'static [&'static str];

    /// Makes a recipe of fields, to be trained on a device.
    fn check(&self, fields: &RecipeFields, device: &str) -> CheckedRecipe;
}
