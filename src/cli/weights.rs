//! `safelight weights`.

use std::path::PathBuf;

use safelight_lineage::id::WeightsId;

use super::context::Context;
use super::output::columns;
use super::words;
use crate::error::{AppError, Exit};
use crate::pretrained::{AddError, FitError, ReadError, add};
use crate::train::recipe::Architecture;

/// Keep pretrained weights from elsewhere, or list those that are kept
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  safelight weights add resnet50_places365.pth.tar\n  \
                  safelight weights add model.safetensors --name \"timm resnet50\" --sha256 0676ba61…\n  \
                  safelight weights list\n  safelight train recipe.toml --weights 5ac1")]
pub struct WeightsArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Keep a file of weights: safetensors, or PyTorch's of any age
    #[command(after_help = "Examples:\n  safelight weights add resnet50_places365.pth.tar\n  \
                            safelight weights add model.pt --architecture densenet121\n\n\
                            Nothing in the file is executed. Prefixes such as state_dict.module. are taken\n\
                            off, the head is left out, and every tensor that does not fit is named.")]
    Add(AddArgs),
    /// List the weights that are kept
    #[command(after_help = "Examples:\n  safelight weights list\n  safelight weights list --json")]
    List,
}

#[derive(Debug, clap::Args)]
struct AddArgs {
    /// The file.
    file: PathBuf,

    /// What to call it [default: the file's name].
    #[arg(long)]
    name: Option<String>,

    /// The network it is for [default: the one that its tensors fit].
    #[arg(long, value_parser = architecture)]
    architecture: Option<Architecture>,

    /// Take it only when this is its SHA-256.
    #[arg(long, value_name = "HEX")]
    sha256: Option<String>,

    /// Leave out tensors that the network has no place for.
    #[arg(long)]
    ignore_unexpected: bool,
}

/// At most this many names of each kind are listed; `--json` lists all.
const LISTED: usize = 12;

fn architecture(text: &str) -> Result<Architecture, String> {
    Architecture::from_name(text).ok_or_else(|| {
        let names: Vec<&str> = Architecture::ALL.iter().map(|one| one.name()).collect();
        format!("it is one of {}", names.join(", "))
    })
}

pub fn run(args: &WeightsArgs, context: &Context) -> Result<Exit, AppError> {
    match &args.action {
        Action::Add(args) => run_add(args, context),
        Action::List => list(context),
    }
}

fn run_add(args: &AddArgs, context: &Context) -> Result<Exit, AppError> {
    let mut session = context.session()?;
    let default =
        || args.file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let name = args.name.clone().unwrap_or_else(default);
    let spinner = context.out.spinner("reading weights");
    let added = add(
        &mut session,
        &args.file,
        &name,
        args.architecture,
        args.sha256.as_deref(),
        args.ignore_unexpected,
    );
    spinner.finish_and_clear();
    let added = added.map_err(|error| explain(error, context))?;
    let out = &context.out;
    let fit = &added.fit;
    let known = if added.known { " were here already" } else { "" };
    out.line(format!(
        "weights {}{known}: {} for {}",
        added.weights,
        words::text(&added.record.name),
        fit.architecture
    ));
    out.line(format!("  file      {}, BLAKE3 {}", added.format.name(), added.record.original));
    out.line(format!("  SHA-256   {}", hex(&added.record.original_sha256)));
    if !fit.prefix.is_empty() {
        out.line(format!("  taken off {}", words::text(&fit.prefix)));
    }
    for (what, names) in [("head", &fit.head), ("others", &fit.outside), ("counters", &added.integers)] {
        if !names.is_empty() {
            out.line(format!("  left out  {what}: {}", some(names)));
        }
    }
    out.line(format!("next: safelight train RECIPE --weights {}", added.weights.short()));
    out.document(&serde_json::json!({
        "weights": added.weights,
        "known": added.known,
        "format": added.format.name(),
        "architecture": fit.architecture,
        "prefix": fit.prefix,
        "head": fit.head,
        "left_out": fit.outside,
        "counters": added.integers,
        "original_sha256": hex(&added.record.original_sha256),
        "record": added.record,
    }));
    Ok(Exit::Done)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn some(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(LISTED).map(|name| words::text(name)).collect();
    let more = names.len().saturating_sub(LISTED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{} ({}{more})", names.len(), shown.join(", "))
}

fn explain(error: AddError, context: &Context) -> AppError {
    let message = words::text(&error.to_string());
    match error {
        AddError::Fit { error: FitError::Misfit(misfit), .. } => {
            context.out.document(&serde_json::json!({
                "architecture": misfit.architecture,
                "missing": misfit.missing,
                "unexpected": misfit.unexpected,
                "misshapen": misfit.misshapen,
            }));
            let shapes = |(name, found, wanted): &(String, Vec<usize>, Vec<usize>)| {
                format!("{name} {found:?} instead of {wanted:?}")
            };
            let misshapen: Vec<String> = misfit.misshapen.iter().map(shapes).collect();
            let mut refused = AppError::refused(message);
            for (what, names) in [
                ("missing", &misfit.missing),
                ("unexpected", &misfit.unexpected),
                ("another shape", &misshapen),
            ] {
                if !names.is_empty() {
                    refused = refused.hint(format!("{what}: {}", some(names)));
                }
            }
            if misfit.missing.is_empty() && misfit.misshapen.is_empty() {
                refused = refused.hint("everything else fits: leave these out with --ignore-unexpected");
            }
            refused
        }
        AddError::Fit { error: FitError::Unknown { .. }, .. } => {
            let names: Vec<&str> = Architecture::ALL.iter().map(|one| one.name()).collect();
            AppError::refused(message).hint(format!("Safelight knows {}", names.join(", ")))
        }
        AddError::Fit { .. } | AddError::OtherDigest { .. } | AddError::Changed { .. } => {
            AppError::refused(message)
        }
        AddError::Read(ReadError::Io { path, error }) => AppError::io("read", &path, &error),
        AddError::Read(_) => AppError::refused(message)
            .hint("accepted are safetensors and files of torch.save, zip or legacy (.pt, .pth, .pth.tar)"),
        AddError::Blob(error) => error.into(),
        AddError::Session(error) => error.into(),
    }
}

fn list(context: &Context) -> Result<Exit, AppError> {
    let session = context.session()?;
    let records: Vec<_> = session.state().weights().iter().map(|record| &record.event).collect();
    if records.is_empty() {
        context.out.line("no weights from elsewhere are kept; add some with: safelight weights add FILE");
    }
    let mut rows = vec![["weights", "architecture", "SHA-256", "name"].map(str::to_owned).to_vec()];
    rows.extend(records.iter().map(|event| {
        let id: WeightsId = event.weights;
        let sha = hex(&event.original_sha256)[..16].to_owned();
        vec![id.short(), event.architecture.clone(), sha, words::text(&event.name)]
    }));
    if !records.is_empty() {
        columns(&rows).iter().for_each(|line| context.out.line(line));
    }
    context.out.document(&records);
    Ok(Exit::Done)
}
