//! `safelight replay SUBMISSION --without …` and `--with-labels-as-of …`: a
//! submission that was not made, from facts that are stored.

use std::path::Path;

use safelight_lineage::id::{PredictionsId, SubmissionId};

use super::context::Context;
use super::{resolve, words};
use crate::error::{AppError, Exit};
use crate::session::Session;
use crate::submit::what_if::{self, WhatIfError};

/// Leaves members out of a submission's ensemble.
pub fn without(
    session: &mut Session,
    submission: SubmissionId,
    members: &[String],
    output: Option<&Path>,
    context: &Context,
) -> Result<Exit, AppError> {
    let members: Vec<PredictionsId> =
        members.iter().map(|text| resolve::id(session.state(), text)).collect::<Result<_, _>>()?;
    let names: Vec<String> = members.iter().map(PredictionsId::short).collect();
    let message = format!("what if: submission {} without {}", submission.short(), names.join(", "));
    let done = what_if::without(session, submission, &members, &message)?;
    if let Some(path) = output {
        std::fs::write(path, &done.csv).map_err(|error| AppError::io("write", path, &error))?;
    }
    let out = &context.out;
    out.line(format!(
        "submission {}: {} without {}, {} of {} images decided otherwise; derived from {}",
        done.submission,
        words::count(done.members as u64, "member", "members"),
        names.join(", "),
        done.changed,
        done.rows,
        submission.short()
    ));
    out.line(format!("next: safelight replay {} --depth votes", done.submission.short()));
    out.document(&serde_json::json!({
        "submission": done.submission, "derived_from": submission, "ensemble": done.ensemble,
        "members": done.members, "changed": done.changed, "rows": done.rows,
    }));
    Ok(Exit::Done)
}

impl From<WhatIfError> for AppError {
    fn from(error: WhatIfError) -> AppError {
        match error {
            WhatIfError::Commit(error) => error.into(),
            other => AppError::refused(words::text(&other.to_string())),
        }
    }
}
