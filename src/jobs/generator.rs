//! What the lines of a job say of a generator that it trains.

use std::collections::BTreeMap;

use safelight_lineage::id::GeneratorId;

use crate::generate::history::GeneratorEpoch;
use crate::generate::progress::GenerateLine;

/// The training of a generator, as far as a job told of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GeneratorAccount {
    /// The generator that it will become.
    pub generator: Option<GeneratorId>,
    /// How many epochs it is to make.
    pub planned: u32,
    /// The epochs that ended, by number from zero.
    pub epochs: BTreeMap<u32, GeneratorEpoch>,
    /// The critic's distance, step by step.
    pub critic_distances: Vec<f64>,
    /// How it ended, once it has: `finished`, `collapsed` and so on.
    pub status: Option<String>,
    steps: u32,
    /// Epochs and shares of them that are made.
    made: f64,
}

impl GeneratorAccount {
    /// The training that begins with this line, if it is one that begins.
    pub fn begun(line: &GenerateLine) -> Option<GeneratorAccount> {
        let GenerateLine::GeneratorStarted { generator, epochs, steps, .. } = line else { return None };
        Some(GeneratorAccount {
            generator: generator.parse().ok(),
            planned: *epochs,
            steps: *steps,
            ..GeneratorAccount::default()
        })
    }

    /// Takes in a line.
    pub fn read(&mut self, line: GenerateLine) {
        match line {
            GenerateLine::CriticStep { epoch, step, critic_distance, .. } => {
                self.critic_distances.push(critic_distance);
                self.made = f64::from(epoch) + f64::from(step + 1) / f64::from(self.steps.max(1));
            }
            GenerateLine::GeneratorEpochFinished { figures, .. } => {
                self.made = f64::from(figures.epoch + 1);
                self.epochs.insert(figures.epoch, figures);
            }
            GenerateLine::GeneratorEnded { status, .. } => self.status = Some(status),
            GenerateLine::GeneratorStarted { .. }
            | GenerateLine::Decoding { .. }
            | GenerateLine::GeneratorSaved { .. } => {}
        }
    }

    /// How much is done, 0 to 1.
    pub fn progress(&self) -> f64 {
        (self.made / f64::from(self.planned.max(1))).clamp(0.0, 1.0)
    }

    /// Seconds that are left, by the median of the last five epochs: one that is
    /// judged takes longer than others.
    pub fn eta(&self) -> Option<f64> {
        let mut seconds: Vec<f64> = self.epochs.values().rev().take(5).map(|epoch| epoch.seconds).collect();
        seconds.sort_unstable_by(f64::total_cmp);
        let usual = *seconds.get(seconds.len() / 2)?;
        Some(usual * (f64::from(self.planned) - self.made).max(0.0))
    }

    /// What goes on, in words.
    pub fn doing(&self) -> String {
        let epoch = (self.made.ceil() as u32).clamp(1, self.planned.max(1));
        let distance =
            self.critic_distances.last().map(|it| format!(" · critic {it:.3}")).unwrap_or_default();
        format!("epoch {epoch} of {}{distance}", self.planned)
    }
}
