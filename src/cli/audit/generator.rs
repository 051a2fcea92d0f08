//! `safelight audit generator`: what a generator learned from, and where what it
//! drew has gone.

use std::collections::BTreeSet;

use safelight_lineage::id::{GeneratorId, ImageId};
use safelight_lineage::query::{Need, blast_radius_of, learned_by_generator};
use safelight_lineage::state::State;
use serde_json::json;

use super::super::context::Context;
use super::super::{resolve, words};
use super::blast::{lists, write_lists};
use super::filter::{FormArgs, as_of};
use super::table;
use crate::error::{AppError, Exit};
use crate::generate::held_out::held_out;

/// Everything upstream and downstream of a generator: its training images, its
/// samples, the runs that trained on them, and the submissions made of those
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  safelight audit generator 8d41\n  safelight audit generator 8d41 --json\n  \
                  safelight audit generator 8d41 --csv\n\n\
                  Which generators an image taints: safelight audit image, safelight audit blast. Runs are an\n\
                  upper bound: one counts when samples were in its dataset."
)]
pub(super) struct GeneratorArgs {
    /// The generator, by the beginning of its id.
    generator: String,

    /// As the log was at this seq or transaction.
    #[arg(long, value_name = "SEQ")]
    as_of: Option<String>,

    #[command(flatten)]
    form: FormArgs,
}

pub(super) fn run(args: &GeneratorArgs, context: &Context) -> Result<Exit, AppError> {
    let session = context.session()?;
    as_of(&session, args.as_of.as_deref(), |state| {
        let generator: GeneratorId = resolve::id(state, &args.generator)?;
        let record = state
            .generators()
            .get(generator)
            .ok_or_else(|| AppError::refused(format!("there is no generator {generator}")))?;
        let learned = learned_by_generator(state, &record.event);
        let images: Option<Vec<ImageId>> =
            learned.map(|dataset| dataset.rows().iter().map(|row| row.image).collect());
        let gone: Vec<ImageId> =
            images.iter().flatten().copied().filter(|image| !present(state, *image)).collect();
        let radius = blast_radius_of(state, &BTreeSet::from([Need::Generator(generator)]));
        let mut lists = lists(&radius);
        // Of itself nothing is to be said.
        lists.retain(|(one, ..)| *one != "generator" || radius.generators.len() > 1);
        if args.form.csv {
            let images =
                images.iter().flatten().map(|image| vec!["trained on".to_owned(), image.to_string()]);
            let others = lists
                .iter()
                .flat_map(|(kind, _, ids)| ids.iter().map(|id| vec![(*kind).to_owned(), id.clone()]));
            return table::csv(context, &["kind", "id"], images.chain(others));
        }
        let out = &context.out;
        out.line(format!("generator {generator}, weights {}", record.event.weights));
        match &images {
            Some(images) => out.line(format!(
                "  learned from {} of {}{}",
                words::count(images.len() as u64, "training image", "training images"),
                record
                    .event
                    .class
                    .map_or_else(|| "all classes".to_owned(), |class| words::class(state, Some(class))),
                if gone.is_empty() {
                    String::new()
                } else {
                    format!(", {} of which are no longer in the dataset:", gone.len())
                }
            )),
            None => out.line("  the log gives other training images than it recorded"),
        }
        for image in gone.iter().take(5) {
            out.line(format!("    {}", words::image(state, *image)));
        }
        if gone.len() > 5 {
            out.line(format!("    and {} more; all of them with --json", gone.len() - 5));
        }
        let blobs = session.repository().blobs();
        let learned = images.iter().flatten().copied().collect();
        let held = held_out(state, |blob| blobs.get(blob), &learned);
        if let Some(words) = held.in_words() {
            out.line(format!("  note: {words}"));
        }
        let admitted: u64 = state
            .images()
            .filter(|image| image.present)
            .filter(|image| {
                matches!(image.origin, safelight_lineage::event::Origin::Generated { samples }
                    if radius.samples.contains(&samples))
            })
            .count() as u64;
        out.line(format!(
            "and drew or influenced, {} of them in the dataset now:",
            words::count(admitted, "sample", "samples")
        ));
        write_lists(context, &lists);
        out.document(&json!({
            "generator": record.event,
            "training_images": images,
            "no_longer_in_the_dataset": gone,
            "samples_in_the_dataset": admitted,
            "held_out": held,
            "influenced": radius,
        }));
        Ok(())
    })?;
    Ok(Exit::Done)
}

fn present(state: &State, image: ImageId) -> bool {
    state.image(image).is_some_and(|view| view.present)
}
