//! The rules of recipes, as the form of the terminal interface asks for them.

use safelight_tui::{CheckedRecipe, RecipeFault, RecipeFields, Recipes};

use crate::train::device::DeviceName;
use crate::train::recipe::Recipe;
use crate::train::recipe_fields::{check, choices, fields};

/// The rules that every recipe is read by.
#[derive(Debug)]
pub(super) struct RecipeRules;

impl Recipes for RecipeRules {
    fn defaults(&self) -> RecipeFields {
        fields(&Recipe::default())
    }

    fn choices(&self, key: &str) -> &'static [&'static str] {
        choices(key)
    }

    fn check(&self, given: &RecipeFields, device: &str) -> CheckedRecipe {
        let checked = check(given);
        let mut faults: Vec<RecipeFault> = checked
            .faults
            .into_iter()
            .map(|fault| RecipeFault { key: fault.key, words: fault.words })
            .collect();
        if device.parse::<DeviceName>().is_err() {
            let words = "must be auto, cpu, or cuda:N with a number from 0".to_owned();
            faults.push(RecipeFault { key: RecipeFault::DEVICE.to_owned(), words });
        }
        CheckedRecipe { toml: checked.recipe.to_toml(), resolved: fields(&checked.recipe), faults }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_form_writes_is_a_recipe() {
        let mut given = RecipeRules.defaults();
        given.insert("seed".to_owned(), "9".to_owned());
        let checked = RecipeRules.check(&given, "cuda:1");
        assert_eq!(checked.faults, []);
        let recipe = Recipe::parse(&checked.toml).expect("a recipe");
        assert_eq!(recipe, Recipe { seed: 9, ..Recipe::default() });
        assert_eq!(checked.resolved["stage[0].epochs"], "5");

        given.insert("batch".to_owned(), "1".to_owned());
        let keys: Vec<String> =
            RecipeRules.check(&given, "gpu").faults.into_iter().map(|fault| fault.key).collect();
        assert_eq!(keys, ["batch", RecipeFault::DEVICE]);
    }
}
