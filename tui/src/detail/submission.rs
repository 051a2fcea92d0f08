//! A submission: how its last replay went, and what it was made from, as a tree
//! to walk.

use super::line::{DetailLine, Target};
use super::replay;
use crate::lineage_tree::{Node, tree};
use crate::model::Model;

pub(super) fn lines(model: &Model) -> Vec<DetailLine> {
    let state = model.state();
    let Some(record) = state.submissions().iter().rev().nth(model.submissions.selected) else {
        return Vec::new();
    };
    let theme = model.theme;
    let lines = tree(state, record.written.event.submission).into_iter().map(|line| {
        let style = match line.node {
            Node::Submission(_) => theme.heading(),
            Node::Remark if line.text.contains("identical") => theme.good(),
            Node::Remark => theme.faint(),
            _ if line.seq.is_none() => theme.bad(),
            _ => theme.plain(),
        };
        let indent =
            if line.depth == 0 { String::new() } else { format!("{}└ ", "  ".repeat(line.depth - 1)) };
        let shown = DetailLine::new(format!("{indent}{}", line.text), style);
        match (line.node, line.seq) {
            (Node::Run(run), Some(_)) => shown.to(Target::Run(run)),
            (_, Some(seq)) => shown.to(Target::Frame(seq)),
            (_, None) => shown,
        }
    });
    let mut all = replay::lines(model, record);
    all.extend(lines);
    all
}
