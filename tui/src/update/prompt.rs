//! What a filled-in line does.

use safelight_lineage::value::Seq;

use super::{curate, follow, generators, time};
use crate::filter::ImageFilter;
use crate::model::Model;
use crate::msg::Cmd;
use crate::overlay::PromptKind;
use crate::ports::JobRequest;
use crate::screen::Screen;

/// Does it, or says what is wrong with the line.
pub(super) fn submit(
    model: &mut Model,
    kind: PromptKind,
    text: &str,
    cmds: &mut Vec<Cmd>,
) -> Result<(), String> {
    let text = text.trim();
    match kind {
        PromptKind::Filter if model.screen == Screen::Timeline => {
            model.timeline.filter = text.to_owned();
            follow::timeline(model);
        }
        PromptKind::Filter => {
            model.images.filter = ImageFilter::parse(text).map_err(|error| error.to_string())?;
            model.images.filter_text = text.to_owned();
            follow::images(model, cmds);
        }
        PromptKind::Goto => {
            let seq = text.parse().map_err(|_| "a Seq is a number".to_owned())?;
            time::go(model, Seq(seq), cmds);
        }
        PromptKind::Reason => {
            if text.is_empty() {
                return Err("say why".to_owned());
            }
            curate::remove(model, text.to_owned(), cmds);
        }
        PromptKind::Recipe => {
            if text.is_empty() {
                return Err("name a recipe file".to_owned());
            }
            cmds.push(Cmd::StartJob(JobRequest::Train { recipe: text.to_owned() }));
            model.say("starting; see Jobs");
        }
        PromptKind::GeneratorRecipe(class) => {
            let class = class.and_then(|class| model.newest().classes().get(usize::from(class.0)).cloned());
            let recipe = (!text.is_empty()).then(|| text.to_owned());
            cmds.push(Cmd::StartJob(JobRequest::TrainGenerator { recipe, class }));
            model.say("starting; see Jobs");
        }
        PromptKind::Draw(generator, class) => generators::drawn(model, generator, class, text, cmds)?,
        PromptKind::Confidence(samples) => generators::confidence(model, samples, text)?,
    }
    Ok(())
}
