//! A recipe as fields by path, `stage[0].size` and its value as text: for forms
//! that are filled in field by field, and to lay recipes beside each other.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::recipe::{Recipe, RecipeError};

/// Fields by path. A field that is absent, or empty, has its default.
pub type Fields = BTreeMap<String, String>;

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its path; empty when no single field is to blame.
    pub key: String,
    /// What is wrong, as half a sentence: `must be between 2 and 4096`.
    pub words: String,
}

/// What fields come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// The recipe, with the default in place of every field that is wrong.
    pub recipe: Recipe,
    /// What is wrong; nothing when the recipe is what the fields say.
    pub faults: Vec<Fault>,
}

/// The names that fields of the recipe choose from, by the last part of the path.
const CHOICES: [(&str, &[&str]); 8] = [
    (
        "architecture",
        &["resnet18", "resnet34", "resnet50", "mobilenet_v2", "efficientnet_b0", "densenet121", "vgg11_bn"],
    ),
    ("head", &["linear", "fastai"]),
    ("precision", &["fp32", "bf16"]),
    ("normalisation", &["imagenet", "symmetric"]),
    ("split", &["valid", "test"]),
    ("preset", &["fastai", "crop_flip", "none", "trivial_augment"]),
    ("frozen", &["nothing", "stem", "body"]),
    ("schedule", &["one_cycle", "flat_cosine", "restarts", "constant"]),
];

/// The names that a field chooses from; none for one that holds a number.
pub fn choices(path: &str) -> &'static [&'static str] {
    let name = path.rsplit('.').next().unwrap_or(path);
    CHOICES.iter().find(|(other, _)| *other == name).map_or(&[], |(_, names)| names)
}

/// The fields of a recipe, every one that it has.
pub fn fields(recipe: &Recipe) -> Fields {
    let mut found = Fields::new();
    if let Ok(value) = toml::Value::try_from(recipe) {
        flatten("", &value, &mut found);
    }
    found
}

fn flatten(path: &str, value: &toml::Value, into: &mut Fields) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        toml::Value::Table(table) => table.iter().for_each(|(key, value)| flatten(&below(key), value, into)),
        toml::Value::Array(array) if array.iter().all(toml::Value::is_table) => {
            array
                .iter()
                .enumerate()
                .for_each(|(place, value)| flatten(&format!("{path}[{place}]"), value, into));
        }
        toml::Value::String(text) => drop(into.insert(path.to_owned(), text.clone())),
        other => drop(into.insert(path.to_owned(), other.to_string())),
    }
}

/// Makes a recipe of fields, by the rules of [`Recipe::parse`], and says of every
/// field that is wrong what is.
pub fn check(fields: &Fields) -> Checked {
    let mut left: Fields = fields
        .iter()
        .filter(|(_, value)| !value.trim().is_empty())
        .map(|(key, value)| (key.clone(), value.trim().to_owned()))
        .collect();
    let mut faults = Vec::new();
    for place in 0..stages(fields) {
        // The only field without a default.
        let key = format!("stage[{place}].size");
        if let Entry::Vacant(place) = left.entry(key) {
            faults.push(Fault { key: place.key().clone(), words: "must be given".to_owned() });
            place.insert(SIZE.to_owned());
        }
    }
    loop {
        let fault = match attempt(&left) {
            Ok(recipe) => return Checked { recipe, faults },
            Err(fault) => fault,
        };
        // What is wrong is set aside, to find what else is.
        let known = left.remove(&fault.key).is_some();
        if fault.key.ends_with("].size") {
            left.insert(fault.key.clone(), SIZE.to_owned());
        }
        faults.push(fault);
        if !known {
            return Checked { recipe: Recipe::default(), faults };
        }
    }
}

/// Stands in for a size that is missing or wrong while the rest is looked at.
const SIZE: &str = "64";

/// How many stages the fields have.
pub fn stages(fields: &Fields) -> usize {
    fields.keys().filter_map(|key| stage(key)).max().map_or(0, |last| last + 1)
}

/// Of which stage a field is.
fn stage(key: &str) -> Option<usize> {
    key.strip_prefix("stage[")?.split(']').next()?.parse().ok()
}

fn attempt(fields: &Fields) -> Result<Recipe, Fault> {
    let (text, lines) = write(fields);
    let recipe: Recipe = toml::from_str(&text).map_err(|error| {
        let line = error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count());
        let key = line.and_then(|line| lines.get(line).cloned().flatten()).unwrap_or_default();
        Fault { key, words: mistake(error.message()) }
    })?;
    recipe.resolved().map_err(|error| match error {
        RecipeError::Syntax { reason } => Fault { key: String::new(), words: reason },
        RecipeError::Value { key, allowed, .. } => Fault { key, words: format!("must be {allowed}") },
        RecipeError::OtherSchedule { key, .. } => {
            Fault { key, words: "means nothing to this schedule".to_owned() }
        }
    })
}

/// What the reader of TOML says, for one who filled in a form.
fn mistake(message: &str) -> String {
    if message.contains("expected u") {
        "must be a whole number, 0 or more".to_owned()
    } else if message.contains("expected f") {
        "must be a number".to_owned()
    } else {
        message.lines().next().unwrap_or_default().to_owned()
    }
}

/// The fields as TOML, a line each, and which field each line is of.
fn write(fields: &Fields) -> (String, Vec<Option<String>>) {
    let (mut text, mut lines) = (String::new(), Vec::new());
    let mut table = "";
    // Keys of the document itself come before those of any table in it.
    let (own, mut of_tables): (Vec<_>, Vec<_>) = fields.iter().partition(|(key, _)| !key.contains('.'));
    // The tenth stage after the ninth.
    of_tables.sort_by_key(|(key, _)| stage(key));
    for (key, value) in own.into_iter().chain(of_tables) {
        let (of, name) = key.rsplit_once('.').unwrap_or(("", key));
        if of != table {
            table = of;
            match of.split_once('[') {
                Some((array, _)) => text.push_str(&format!("[[{array}]]\n")),
                None => text.push_str(&format!("[{of}]\n")),
            }
            lines.push(None);
        }
        text.push_str(&format!("{name} = {}\n", literal(key, value)));
        lines.push(Some(key.clone()));
    }
    (text, lines)
}

/// A value as TOML writes it: as it is where it is a number or a list, else in
/// quotation marks.
fn literal(key: &str, value: &str) -> String {
    let named = !choices(key).is_empty() || key == "weights";
    let one = |table: toml::Table| table.len() == 1;
    let plain = !value.contains(['\n', '\r', '#'])
        && toml::from_str::<toml::Table>(&format!("value = {value}")).is_ok_and(one);
    match plain && !named {
        true => value.to_owned(),
        false => toml::Value::String(value.to_owned()).to_string().replace('\n', "\\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"
        seed = 7
        architecture = "mobilenet_v2"
        weights = "00010203040506070809101112131415"
        moving_average = 0.99
        validation = { fold = 1, folds = 3, together = [["000102030405060708090a0b0c0d0e0f"]] }

        [augmentation]
        preset = "crop_flip"
        rotate = 5

        [[stage]]
        size = 64
        epochs = 3

        [[stage]]
        size = 128
        learning_rate = 1e-3
        schedule = "restarts"
    "#;

    fn faults(fields: &Fields) -> Vec<(String, String)> {
        check(fields).faults.into_iter().map(|fault| (fault.key, fault.words)).collect()
    }

    #[test]
    fn a_recipe_survives_as_fields() {
        for text in ["", WHOLE] {
            let recipe = Recipe::parse(text).expect("valid");
            let fields = fields(&recipe);
            assert_eq!(check(&fields), Checked { recipe, faults: vec![] }, "{fields:#?}");
        }
        let fields = fields(&Recipe::parse(WHOLE).expect("valid"));
        assert_eq!((fields["stage[1].size"].as_str(), stages(&fields)), ("128", 2));
        assert_eq!(fields["stage[0].momentum"], "[0.95, 0.85, 0.95]");
        let many = "[[stage]]\nsize = 32\n".repeat(11) + "[[stage]]\nsize = 99";
        let last = check(&super::fields(&Recipe::parse(&many).expect("valid"))).recipe;
        assert_eq!(last.stage[11].size, 99, "the tenth comes after the ninth");
    }

    #[test]
    fn every_field_that_is_wrong_is_told_of_by_the_rules_of_recipes() {
        let mut wrong = fields(&Recipe::parse(WHOLE).expect("valid"));
        for (key, value) in [
            ("seed", "-1"),
            ("mixup", "much"),
            ("label_smoothing", "0.95"),
            ("moving_average", "1"),
            ("stage[0].size", ""),
            ("stage[0].epochs", "2.5"),
            ("stage[1].size", "8"),
            ("stage[1].epochs", "6"),
            ("stage[1].batch", "1"),
        ] {
            wrong.insert(key.to_owned(), value.to_owned());
        }
        let found: BTreeMap<String, String> = faults(&wrong).into_iter().collect();
        let told: Vec<(&str, &str)> =
            found.iter().map(|(key, words)| (key.as_str(), words.as_str())).collect();
        assert_eq!(
            told,
            [
                ("label_smoothing", "must be between 0 and 0.9"),
                ("mixup", "must be a number"),
                ("moving_average", "must be between 0 and 0.999999"),
                ("seed", "must be a whole number, 0 or more"),
                ("stage[0].epochs", "must be a whole number, 0 or more"),
                ("stage[0].size", "must be given"),
                ("stage[1].batch", "must be between 2 and 4096"),
                ("stage[1].epochs", "must be 7, the length of its 3 cycles, or left out"),
                ("stage[1].size", "must be between 32 and 1024"),
            ]
        );
        assert_eq!(check(&wrong).recipe.seed, 0, "the default in its place");
    }

    #[test]
    fn what_is_no_field_of_a_recipe_is_told_and_nothing_breaks_out() {
        let with = |key: &str, value: &str| {
            let mut fields = fields(&Recipe::default());
            fields.insert(key.to_owned(), value.to_owned());
            faults(&fields)
        };
        assert!(with("learning", "3")[0].1.contains("unknown field"), "{:?}", with("learning", "3"));
        assert_eq!(with("seed", "1\nbatch = 2")[0].0, "seed", "a value is one line");
        assert_eq!(with("seed", "1 # \"")[0].0, "seed");
        assert_eq!(with("architecture", "resnet18\" \n#")[0].0, "architecture");
        assert_eq!(with("stage[0].flat", "0.5")[0].1, "means nothing to this schedule");
        // Empty is the default.
        assert_eq!(with("batch", " "), []);
    }

    #[test]
    fn names_are_those_that_recipes_know() {
        for (key, names) in CHOICES {
            let path = match key {
                "split" => "validation.split",
                "preset" => "augmentation.preset",
                "frozen" => "stage[0].frozen",
                "schedule" => "stage[0].schedule",
                other => other,
            };
            assert_eq!(choices(path), names);
            let of = |value: &str| {
                let size = ("stage[0].size".to_owned(), "64".to_owned());
                faults(&[(path.to_owned(), value.to_owned()), size].into())
            };
            for name in names {
                assert_eq!(of(name), [], "{path} = {name}");
            }
            // The reader of recipes lists what it knows: no name is missing here.
            let told = of("fly");
            let quoted = told[0].1.matches('`').count() / 2 - 1;
            assert_eq!((told[0].0.as_str(), quoted), (path, names.len()), "{told:?}");
        }
        assert!(choices("seed").is_empty());
    }
}
