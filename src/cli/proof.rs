//! `safelight prove` and `safelight check-proof`.

use std::fs;
use std::path::PathBuf;

use safelight_lineage::digest::{BlobId, FrameDigest};
use safelight_lineage::id::SubmissionId;
use serde_json::json;

use super::context::Context;
use super::{resolve, words};
use crate::error::{AppError, Exit};
use crate::proof::signed_head::SignedHead;
use crate::proof::{ProveError, key, prove, verify};
use crate::session::Session;

/// Write a proof of a submission that can be checked without the repository
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  safelight prove 9c41 --output 9c41.proof\n\n\
                  The proof shows that the history up to the present head holds the submission, its file and\n\
                  everything it was made from. Somebody who knows that head checks it with\n\
                  safelight check-proof 9c41.proof HEAD.")]
pub struct ProveArgs {
    /// The submission, by the beginning of its id.
    submission: String,

    /// Where to write the proof.
    #[arg(short, long, value_name = "BUNDLE")]
    output: PathBuf,

    /// Overwrite that file.
    #[arg(long)]
    force: bool,
}

pub fn prove_submission(args: &ProveArgs, context: &Context) -> Result<Exit, AppError> {
    let session = context.session()?;
    let submission: SubmissionId = resolve::id(session.state(), &args.submission)?;
    let path = &args.output;
    if path.exists() && !args.force {
        return Err(AppError::refused(format!("{} exists already", path.display()))
            .hint("choose another name, or overwrite it with --force"));
    }
    let (head, bundle) = prove(&session, submission)?;
    let bytes = bundle.to_bytes();
    // A proof that does not convince is worse than none.
    verify(&bytes, head).map_err(|error| {
        AppError::new(Exit::Damaged, format!("the proof does not hold: {}", words::text(&error.to_string())))
            .hint("see everything that is damaged with: safelight verify --deep")
    })?;
    fs::write(path, &bytes).map_err(|error| AppError::io("write", path, &error))?;
    let out = &context.out;
    out.line(format!(
        "proof of submission {submission} in {}: {} frames, {} bytes",
        path.display(),
        bundle.links.len(),
        bytes.len()
    ));
    out.line(format!("head {head}"));
    out.line(format!("check it anywhere with: safelight check-proof {} {head}", path.display()));
    out.document(&json!({
        "submission": submission, "head": head, "frames": bundle.links.len(), "bytes": bytes.len(),
        "bundle": path.display().to_string(),
    }));
    Ok(Exit::Done)
}

/// Check a proof against a head that you know; needs no repository
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  safelight check-proof 9c41.proof HEAD\n  \
                  safelight check-proof 9c41.proof head.json --key PUBLIC_KEY    a head that somebody signed\n  \
                  safelight check-proof 9c41.proof HEAD --csv submission.csv\n\n\
                  Ends with 0 when the proof holds, 8 when it does not.")]
pub struct CheckProofArgs {
    /// The proof.
    bundle: PathBuf,

    /// The head, 64 hexadecimal digits; with --key, a file that `safelight sign` wrote.
    head: String,

    /// The public key that the head must be signed with: 64 digits or a file.
    #[arg(long, value_name = "PUBLIC_KEY")]
    key: Option<String>,

    /// Also compare this file with the one that was handed in.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,

    /// Write the file that was handed in here.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub fn check_proof(args: &CheckProofArgs, context: &Context) -> Result<Exit, AppError> {
    let out = &context.out;
    let (head, signed) = known_head(args)?;
    let bytes = fs::read(&args.bundle).map_err(|error| AppError::io("read", &args.bundle, &error))?;
    let proven = match verify(&bytes, head) {
        Ok(proven) => proven,
        Err(error) => {
            let why = words::text(&error.to_string());
            out.line(format!("REFUSED: {why}"));
            out.document(&json!({ "accepted": false, "reason": why }));
            return Ok(Exit::Diverged);
        }
    };
    if let Some(signed) = &signed {
        out.line(format!("head signed {} by {}", words::time(signed.time), key::hex(signed.key.as_bytes())));
    }
    out.line(format!(
        "submission {}, recorded {} by {} in frame {}",
        proven.submission,
        words::time(proven.time),
        proven.actor,
        proven.frame
    ));
    out.line(format!(
        "{} between it and head {head}",
        words::count(proven.frames_since as u64, "frame", "frames")
    ));
    proven.origins.iter().for_each(|origin| {
        let time = origin.time.map_or_else(String::new, words::time);
        out.line(format!("  {time}  {}", origin.what));
    });
    for replay in &proven.replays {
        out.line(format!("  replayed at depth {}: {}", depth(replay.depth), words::outcome(&replay.outcome)));
    }
    let mut same = true;
    if let Some(path) = &args.csv {
        let bytes = fs::read(path).map_err(|error| AppError::io("read", path, &error))?;
        same = BlobId::of(&bytes) == proven.csv_digest;
        let verdict =
            if same { "is the file that was handed in" } else { "is ANOTHER file than was handed in" };
        out.line(format!("{} {verdict}", path.display()));
    }
    if let Some(path) = &args.output {
        fs::write(path, &proven.csv).map_err(|error| AppError::io("write", path, &error))?;
    }
    out.line(if same { "ACCEPTED" } else { "REFUSED" });
    out.document(&json!({
        "accepted": same,
        "submission": proven.submission,
        "frame": proven.frame,
        "head": head,
        "time": proven.time,
        "actor": proven.actor,
        "frames_since": proven.frames_since,
        "csv": proven.csv_digest,
        "public": proven.scores.0,
        "private": proven.scores.1,
        "signed": signed.map(|signed| json!({ "time": signed.time, "key": key::hex(signed.key.as_bytes()) })),
        "made_from": proven.origins.iter().map(|origin| json!({
            "what": origin.what, "time": origin.time, "digests": origin.digests,
        })).collect::<Vec<_>>(),
        "replays": proven.replays.iter().map(|replay| json!({
            "depth": depth(replay.depth), "outcome": replay.outcome, "receipt": BlobId::of(&replay.receipt),
        })).collect::<Vec<_>>(),
    }));
    Ok(if same { Exit::Done } else { Exit::Diverged })
}

fn depth(depth: safelight_lineage::event::ReplayDepth) -> String {
    format!("{depth:?}").to_lowercase()
}

fn known_head(args: &CheckProofArgs) -> Result<(FrameDigest, Option<SignedHead>), AppError> {
    let Some(public) = &args.key else {
        let head = args.head.parse().map_err(|_| {
            AppError::new(
                Exit::Usage,
                format!("'{}' is not a head of 64 hexadecimal digits", words::text(&args.head)),
            )
            .hint("to check against a signed head, also give --key PUBLIC_KEY")
        })?;
        return Ok((head, None));
    };
    let public = key::public(public)?;
    let path = PathBuf::from(&args.head);
    let bytes = fs::read(&path).map_err(|error| AppError::io("read", &path, &error))?;
    let signed = SignedHead::open(&bytes, &public)?;
    Ok((signed.head, Some(signed)))
}

/// Whether a head is one that this history had, and how many events came since.
pub fn place_of(session: &Session, head: FrameDigest) -> Option<(u64, u64)> {
    let seq = session.state().transactions().seq_after(head)?;
    Some((seq.0, session.state().seq().0 - seq.0))
}

impl From<ProveError> for AppError {
    fn from(error: ProveError) -> AppError {
        match error {
            ProveError::Store(error) => error.into(),
            ProveError::Blob(error) => error.into(),
            other => AppError::refused(words::text(&other.to_string())),
        }
    }
}
