//! Learning rate and momentum as functions of the step, as fastai 2.8 has them
//! (`fastai/callback/schedule.py`), including that it keeps the boundaries of
//! the phases, and the place within one, in 32 bits.

use std::f64::consts::PI;

/// How the learning rate moves through a stage.
#[derive(Debug, Clone, PartialEq)]
pub enum Schedule {
    /// It stays.
    Constant,
    /// Up and down once: `fit_one_cycle`.
    OneCycle {
        /// The share of the stage in which it rises, within (0, 1).
        rise: f64,
        /// It starts at the peak divided by this.
        start_divisor: f64,
        /// It ends at the peak divided by this.
        end_divisor: f64,
        /// Momentum at the start, at the peak, and at the end.
        momentum: [f64; 3],
    },
    /// Flat, then down a cosine: `fit_flat_cos`.
    FlatCosine {
        /// The share of the stage in which it is flat, within (0, 1).
        flat: f64,
        /// It ends at the peak divided by this.
        end_divisor: f64,
    },
    /// Warm restarts, each cycle from the peak to zero: `fit_sgdr`.
    Restarts {
        /// Epochs of the first cycle.
        cycle_epochs: u32,
        /// Each cycle is this many times as long as the one before.
        multiplier: u32,
        /// How many cycles there are.
        cycles: u32,
    },
}

/// Momentum where a schedule says nothing about it.
pub const MOMENTUM: f64 = 0.9;

/// What the optimizer is set to for one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setting {
    /// The learning rate as a share of the stage's peak.
    pub share: f64,
    /// Momentum: Adam's first decay rate.
    pub momentum: f64,
}

impl Schedule {
    /// The setting for step `step` of epoch `epoch` (both from zero) in a
    /// stage of `epochs` epochs of `steps` steps.
    pub fn at(&self, epoch: u32, step: u32, epochs: u32, steps: u32) -> Setting {
        let (epochs, steps) = (f64::from(epochs), f64::from(steps));
        let done = f64::from(epoch) / epochs + f64::from(step) / (steps * epochs);
        match *self {
            Schedule::Constant => Setting { share: 1.0, momentum: MOMENTUM },
            Schedule::OneCycle { rise, start_divisor, end_divisor, momentum } => {
                let (phase, place) = phase(&[rise, 1.0 - rise], done);
                let rates = [1.0 / start_divisor, 1.0, 1.0 / end_divisor];
                Setting {
                    share: cosine(rates[phase], rates[phase + 1], place),
                    momentum: cosine(momentum[phase], momentum[phase + 1], place),
                }
            }
            Schedule::FlatCosine { flat, end_divisor } => {
                let (phase, place) = phase(&[flat, 1.0 - flat], done);
                let share = if phase == 0 { 1.0 } else { cosine(1.0, 1.0 / end_divisor, place) };
                Setting { share, momentum: MOMENTUM }
            }
            Schedule::Restarts { cycle_epochs, multiplier, cycles } => {
                // Whole epochs decide which cycle it is: in 32 bits, the first
                // step of a cycle may count as the end of the one before.
                let mut since = f64::from(epoch);
                let mut length = f64::from(cycle_epochs);
                for next in cycle_lengths(cycle_epochs, multiplier, cycles).skip(1) {
                    if since < length {
                        break;
                    }
                    since -= length;
                    length = next;
                }
                let place = (since + f64::from(step) / steps) / length;
                Setting { share: cosine(1.0, 0.0, place as f32), momentum: MOMENTUM }
            }
        }
    }
}

fn cycle_lengths(cycle_epochs: u32, multiplier: u32, cycles: u32) -> impl Iterator<Item = f64> {
    (0..cycles).map(move |cycle| f64::from(cycle_epochs) * f64::from(multiplier).powi(cycle as i32))
}

/// The epochs that restarts take in all, or `None` beyond 2^32.
pub fn restart_epochs(cycle_epochs: u32, multiplier: u32, cycles: u32) -> Option<u32> {
    let total: f64 = cycle_lengths(cycle_epochs, multiplier, cycles).sum();
    (total <= f64::from(u32::MAX)).then_some(total as u32)
}

/// Which phase `done` (0 to 1) falls into, and where in it, in fastai's 32 bits.
fn phase(shares: &[f64], done: f64) -> (usize, f32) {
    let mut bounds = vec![0.0f32];
    for share in shares {
        bounds.push(bounds[bounds.len() - 1] + *share as f32);
    }
    let done = done as f32;
    let last = shares.len() - 1;
    let phase = bounds.iter().rposition(|bound| done >= *bound).unwrap_or(0).min(last);
    (phase, (done - bounds[phase]) / (bounds[phase + 1] - bounds[phase]))
}

/// fastai's `sched_cos`.
fn cosine(start: f64, end: f64, place: f32) -> f64 {
    let angle = PI as f32 * (1.0 - place);
    start + (1.0 + f64::from(angle).cos()) * (end - start) / 2.0
}

/// The rate of each of `groups` parameter groups, first to last, for a peak of
/// `high`: geometric from `low`, or all alike without it (fastai's `slice`).
pub fn group_rates(low: Option<f64>, high: f64, groups: usize) -> Vec<f64> {
    let Some(low) = low else { return vec![high; groups] };
    let ratio = high / low;
    let steps = groups.saturating_sub(1).max(1) as f64;
    (0..groups).map(|group| low * ratio.powf(group as f64 / steps)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const ONE_CYCLE: Schedule = Schedule::OneCycle {
        rise: 0.25,
        start_divisor: 25.0,
        end_divisor: 1e5,
        momentum: [0.95, 0.85, 0.95],
    };

    /// The closed form, in 64 bits: half a cosine between two values.
    fn half_cosine(start: f64, end: f64, place: f64) -> f64 {
        end + (start - end) * (1.0 + (PI * place).cos()) / 2.0
    }

    #[test]
    fn one_cycle_follows_its_formula_at_every_step() {
        for step in 0..325 {
            let done = f64::from(step) / 325.0;
            let setting = ONE_CYCLE.at(step / 65, step % 65, 5, 65);
            let (share, momentum) = if done < 0.25 {
                let place = done / 0.25;
                (half_cosine(0.04, 1.0, place), half_cosine(0.95, 0.85, place))
            } else {
                let place = (done - 0.25) / 0.75;
                (half_cosine(1.0, 1e-5, place), half_cosine(0.85, 0.95, place))
            };
            assert!((setting.share - share).abs() < 1e-6, "step {step}: {} {share}", setting.share);
            assert!((setting.momentum - momentum).abs() < 1e-6, "step {step}");
        }
    }

    #[test]
    fn one_cycle_starts_peaks_and_ends_where_it_should() {
        assert!((ONE_CYCLE.at(0, 0, 4, 100).share - 0.04).abs() < 1e-9);
        assert!((ONE_CYCLE.at(1, 0, 4, 100).share - 1.0).abs() < 1e-9);
        assert!((ONE_CYCLE.at(2, 50, 4, 100).share - 0.500_005).abs() < 1e-6);
        assert!(ONE_CYCLE.at(3, 99, 4, 100).share < 1e-4);
    }

    #[test]
    fn flat_cosine_is_flat_and_then_falls() {
        let schedule = Schedule::FlatCosine { flat: 0.75, end_divisor: 1e5 };
        assert_eq!(schedule.at(2, 99, 4, 100).share, 1.0);
        assert!((schedule.at(3, 50, 4, 100).share - 0.500_005).abs() < 1e-6);
        assert_eq!(schedule.at(0, 0, 4, 100).momentum, MOMENTUM);
    }

    #[test]
    fn restarts_grow_and_begin_at_the_peak() {
        let schedule = Schedule::Restarts { cycle_epochs: 1, multiplier: 2, cycles: 3 };
        assert_eq!(restart_epochs(1, 2, 3), Some(7));
        // fastai divides by zero with a multiplier of 1; three equal cycles are meant.
        assert_eq!(restart_epochs(2, 1, 3), Some(6));
        for start in [0, 1, 3] {
            assert!((schedule.at(start, 0, 7, 1_000).share - 1.0).abs() < 1e-6, "epoch {start}");
        }
        assert!((schedule.at(2, 0, 7, 10).share - 0.5).abs() < 1e-6);
        assert!(schedule.at(6, 999, 7, 1_000).share < 1e-4);
    }

    /// The schedule and the extents that a line of the golden file names.
    fn golden(line: &str) -> (Schedule, u32, u32) {
        let mut words = line.split(' ');
        let name = words.next().expect("a name");
        let values: BTreeMap<&str, &str> = words.filter_map(|word| word.split_once('=')).collect();
        let number = |key: &str| values[key].parse::<f64>().expect("a number");
        let schedule = match name {
            "one_cycle" => {
                let momenta: Vec<f64> =
                    values["momentum"].split(',').map(|value| value.parse().expect("a number")).collect();
                Schedule::OneCycle {
                    rise: number("rise"),
                    start_divisor: number("start"),
                    end_divisor: number("end"),
                    momentum: [momenta[0], momenta[1], momenta[2]],
                }
            }
            "flat_cosine" => Schedule::FlatCosine { flat: number("flat"), end_divisor: number("end") },
            _ => Schedule::Restarts {
                cycle_epochs: number("length") as u32,
                multiplier: number("multiplier") as u32,
                cycles: number("cycles") as u32,
            },
        };
        (schedule, number("epochs") as u32, number("steps") as u32)
    }

    /// `tests/goldens/fastai_schedules.py` wrote them with fastai 2.8.12. In its
    /// 32 bits the first step of a cycle may count as the end of the one before.
    #[test]
    fn every_step_is_that_of_fastai() {
        let text = include_str!("../../tests/goldens/fastai-2.8-schedules.tsv");
        let mut lines = text.lines();
        let (mut cases, mut late) = (0, 0);
        while let Some(head) = lines.next() {
            cases += 1;
            let (schedule, epochs, steps) = golden(head);
            for (epoch, step) in (0..epochs).flat_map(|epoch| (0..steps).map(move |step| (epoch, step))) {
                let (share, momentum) = lines.next().and_then(|line| line.split_once('\t')).expect("a step");
                let share: f64 = share.parse().expect("a number");
                let momentum: f64 = momentum.parse().expect("a number");
                let setting = schedule.at(epoch, step, epochs, steps);
                if step == 0 && setting.share > 1.0 - 1e-9 && share < 1e-6 {
                    late += 1;
                    continue;
                }
                assert!((setting.share - share).abs() < 1e-6, "{head}: {epoch}, {step}: {setting:?} {share}");
                assert!((setting.momentum - momentum).abs() < 1e-6, "{head}: {epoch}, {step}");
            }
        }
        assert_eq!((cases, late), (6, 1));
    }

    #[test]
    fn group_rates_are_geometric() {
        let rates = group_rates(Some(1e-5), 1e-3, 3);
        assert!(
            (rates[0] - 1e-5).abs() < 1e-12
                && (rates[1] - 1e-4).abs() < 1e-10
                && (rates[2] - 1e-3).abs() < 1e-9
        );
        assert_eq!(group_rates(None, 1e-3, 3), vec![1e-3; 3]);
    }
}
