//! Rules of recipes that are simpler than the program's.

use crate::recipe::{CheckedRecipe, RecipeFault, RecipeFields, Recipes};

/// Numbers within ranges, and names.
#[derive(Debug)]
pub struct Simple;

const FIELDS: [(&str, &str); 12] = [
    ("architecture", "resnet18"),
    ("head", "fastai"),
    ("weight_decay", "0.01"),
    ("normalisation", "imagenet"),
    ("seed", "0"),
    ("mixup", "0.0"),
    ("label_smoothing", "0.0"),
    ("precision", "fp32"),
    ("validation.fraction", "0.2"),
    ("augmentation.preset", "fastai"),
    ("augmentation.rotate", "10.0"),
    ("batch", "64"),
];

const STAGE: [(&str, &str); 7] = [
    ("frozen", "nothing"),
    ("size", "64"),
    ("epochs", "5"),
    ("batch", "64"),
    ("learning_rate", "0.003"),
    ("schedule", "one_cycle"),
    ("rise", "0.25"),
];

/// The fields of a recipe with so many stages, each twice as large as the one
/// before.
pub fn fields(stages: u32) -> RecipeFields {
    let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    let mut fields: RecipeFields = FIELDS.map(owned).into();
    for stage in 0..stages {
        fields.extend(STAGE.map(|(key, value)| owned((&format!("stage[{stage}].{key}"), value))));
        fields.insert(format!("stage[{stage}].size"), (64 << stage).to_string());
    }
    fields
}

impl Recipes for Simple {
    fn defaults(&self) -> RecipeFields {
        fields(1)
    }

    fn choices(&self, key: &str) -> &'static [&'static str] {
        match key.rsplit('.').next().unwrap_or(key) {
            "architecture" => &["resnet18", "resnet50", "vgg11_bn"],
            "head" => &["linear", "fastai"],
            "normalisation" => &["imagenet", "symmetric"],
            "frozen" => &["nothing", "stem", "body"],
            "precision" => &["fp32", "bf16"],
            "split" => &["valid", "test"],
            "preset" => &["fastai", "none"],
            "schedule" => &["one_cycle", "restarts"],
            _ => &[],
        }
    }

    fn check(&self, fields: &RecipeFields, device: &str) -> CheckedRecipe {
        let range = |key: &str| match key.rsplit('.').next().unwrap_or(key) {
            "seed" => Some(0.0..=1e9),
            "size" => Some(32.0..=1024.0),
            "epochs" => Some(1.0..=1e4),
            "batch" => Some(2.0..=4096.0),
            "mixup" => Some(0.0..=10.0),
            "label_smoothing" | "fraction" => Some(0.0..=0.9),
            _ => None,
        };
        let mut resolved = fields.clone();
        resolved.retain(|_, value| !value.is_empty());
        let mut faults = Vec::new();
        for (key, value) in resolved.clone() {
            let Some(range) = range(&key) else { continue };
            if !value.parse::<f64>().is_ok_and(|number| range.contains(&number)) {
                let words = format!("must be between {} and {}", range.start(), range.end());
                faults.push(RecipeFault { key: key.clone(), words });
                resolved.remove(&key);
            }
        }
        if !["auto", "cpu"].contains(&device) {
            faults.push(RecipeFault { key: "device".into(), words: "must be auto or cpu".into() });
        }
        let toml = resolved.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
        CheckedRecipe { toml, resolved, faults }
    }
}
