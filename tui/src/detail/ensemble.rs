//! A vote and its members.

use super::line::{DetailLine, Target};
use crate::event_text::vote_rule;
use crate::model::Model;

pub(super) fn lines(model: &Model) -> Vec<DetailLine> {
    let state = model.state();
    let Some(record) = state.ensembles().iter().rev().nth(model.ensembles.selected) else {
        return Vec::new();
    };
    let theme = model.theme;
    let event = &record.event;
    let fact = |name: &str, value: String| DetailLine::fact(name, value, theme.faint());
    let mut lines = vec![
        fact("ensemble", event.ensemble.to_string()).to(Target::Frame(record.seq)),
        fact("rule", vote_rule(event.rule).to_owned()),
        fact("ties by", format!("seed {}", event.tie_seed)),
        DetailLine::new("", theme.plain()),
    ];
    for member in &event.members {
        let line = fact("member", format!("{} · weight {}", member.predictions.short(), member.weight.0));
        lines.push(match state.predictions().get(member.predictions) {
            Some(predictions) => line.to(Target::Frame(predictions.seq)),
            None => line,
        });
    }
    lines
}
