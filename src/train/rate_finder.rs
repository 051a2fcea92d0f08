//! The learning rate finder's curve and what can be read from it, as in
//! fastai 2.8 (`fastai/callback/schedule.py`).
//!
//! The rate grows by the same factor at every step while the smoothed loss is
//! watched; where it falls best is a good rate.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The first rate.
const START: f64 = 1e-7;
/// The rate that the last step stays just below.
const END: f64 = 10.0;
/// Steps.
pub const STEPS: u32 = 100;
/// The weight of the past in the smoothed loss.
const SMOOTHING: f64 = 0.98;
/// How many times the best loss ends the search.
const DIVERGED: f64 = 4.0;
/// `slide`: how many points apart gradients are compared, and how alike.
const SLIDE: (usize, f64) = (15, 0.005);

/// Smoothed losses by learning rate.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// Learning rates, ascending.
    pub rates: Vec<f64>,
    /// The smoothed loss of each.
    pub losses: Vec<f64>,
    average: f64,
}

/// How a rate is read from a curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Halfway through the longest fall: fastai's default.
    Valley,
    /// Where the loss falls steepest.
    Steep,
    /// A tenth of where the loss is lowest.
    Minimum,
    /// Before the slope changes for good.
    Slide,
}

impl Method {
    /// Every method.
    pub const ALL: [Method; 4] = [Method::Valley, Method::Steep, Method::Minimum, Method::Slide];

    /// The method of this name.
    pub fn from_name(name: &str) -> Option<Method> {
        Method::ALL.into_iter().find(|method| method.to_string() == name)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Method::Valley => "valley",
            Method::Steep => "steep",
            Method::Minimum => "minimum",
            Method::Slide => "slide",
        })
    }
}

impl Curve {
    /// The rate of step `step`.
    pub fn rate(step: u32) -> f64 {
        START * (END / START).powf(f64::from(step) / f64::from(STEPS))
    }

    /// Records the loss of the next step and says whether to go on.
    pub fn push(&mut self, loss: f64) -> bool {
        let step = self.rates.len() as u32;
        self.average = SMOOTHING * self.average + (1.0 - SMOOTHING) * loss;
        let smoothed = self.average / (1.0 - SMOOTHING.powi(step as i32 + 1));
        self.rates.push(Curve::rate(step));
        self.losses.push(smoothed);
        let best = self.losses.iter().copied().fold(f64::INFINITY, f64::min);
        smoothed <= DIVERGED * best && step + 1 < STEPS
    }

    /// The rate that a method suggests; `None` if the curve is too short or
    /// never falls.
    ///
    /// As in fastai the first tenth and the last five points are left out.
    pub fn suggest(&self, method: Method) -> Option<f64> {
        let end = self.losses.len().checked_sub(5)?;
        let rates = self.rates.get(STEPS as usize / 10..end)?;
        let losses = self.losses.get(STEPS as usize / 10..end)?;
        let finite = losses.iter().position(|loss| loss.is_nan()).unwrap_or(losses.len());
        let (rates, losses) = (&rates[..finite], &losses[..finite]);
        match method {
            Method::Valley => valley(losses).map(|index| rates[index]),
            Method::Steep => {
                let slope = |i: usize| (losses[i + 1] - losses[i]) / (rates[i + 1].ln() - rates[i].ln());
                let steepest =
                    (1..losses.len()).map(|i| i - 1).min_by(|a, b| slope(*a).total_cmp(&slope(*b)));
                steepest.map(|index| rates[index])
            }
            Method::Minimum => {
                let lowest = (0..losses.len()).min_by(|a, b| losses[*a].total_cmp(&losses[*b]));
                lowest.map(|index| rates[index] / 10.0)
            }
            Method::Slide => slide(losses).map(|index| rates[index]),
        }
    }
}

/// A half of a third further than the first third of the longest falling
/// subsequence, counted from one before its start, as fastai counts.
fn valley(losses: &[f64]) -> Option<usize> {
    let mut falls = vec![1usize; losses.len()];
    let mut end = 0;
    for i in 1..losses.len() {
        let before = (0..i).filter(|j| losses[i] < losses[*j]).map(|j| falls[j] + 1).max();
        falls[i] = before.unwrap_or(1);
        if falls[i] > falls[end] {
            end = i;
        }
    }
    let length = *falls.get(end).filter(|length| **length > 1)?;
    let third = length as f64 / 3.0;
    let index = end as i64 - length as i64 + third as i64 + (third / 2.0) as i64;
    // fastai's index can be −1, which in Python is the last point.
    usize::try_from(index).ok().or(Some(0))
}

fn slide(losses: &[f64]) -> Option<usize> {
    let (apart, alike) = SLIDE;
    let count = losses.len();
    let gradient = |i: usize| match i {
        0 => losses[1] - losses[0],
        i if i + 1 == count => losses[i] - losses[i - 1],
        i => (losses[i + 1] - losses[i - 1]) / 2.0,
    };
    let mut answer = count.checked_sub(apart + 1)?;
    for left in (0..=answer).rev() {
        if (gradient(left + apart) - gradient(left)).abs() <= alike {
            break;
        }
        answer = left;
    }
    Some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A curve that is flat, falls, and rises.
    fn curve() -> Curve {
        let mut curve = Curve::default();
        for step in 0..STEPS {
            let x = f64::from(step);
            curve.rates.push(Curve::rate(step));
            curve.losses.push(match step {
                0..40 => 2.0 - x * 1e-4,
                40..80 => 1.996 - (x - 40.0) * 0.03,
                _ => 0.826 + (x - 80.0).powi(2) * 0.1,
            });
        }
        curve
    }

    #[test]
    fn rates_grow_by_one_factor() {
        assert_eq!(Curve::rate(0), 1e-7);
        assert!((Curve::rate(50) - 1e-3).abs() < 1e-12);
        assert!((Curve::rate(99) - 10.0 / 1e8f64.powf(0.01)).abs() < 1e-9);
    }

    #[test]
    fn the_loss_is_smoothed_without_bias_and_divergence_stops() {
        let mut curve = Curve::default();
        assert!(curve.push(2.0) && curve.push(1.0));
        assert!((curve.losses[0] - 2.0).abs() < 1e-12);
        // (0.98 · 0.02 · 2 + 0.02 · 1) / (1 − 0.98²)
        assert!((curve.losses[1] - 0.0592 / 0.0396).abs() < 1e-9);
        assert!(!curve.push(1e6));
        let mut steady = Curve::default();
        assert_eq!((0..200).take_while(|_| steady.push(1.0)).count(), 99);
    }

    /// By hand after fastai's code: points 10 to 94 are left. All of 0…70 of
    /// them fall, so the valley ends at 70 (point 80), begins at −1, has thirds
    /// of 23.67, and the index is −1 + 23 + 11 = 33.
    #[test]
    fn suggestions_are_those_of_the_formulas() {
        let curve = curve();
        assert_eq!(curve.suggest(Method::Valley), Some(Curve::rate(43)));
        assert_eq!(curve.suggest(Method::Minimum), Some(Curve::rate(80) / 10.0));
        let steep = curve.suggest(Method::Steep).expect("falls");
        assert!((Curve::rate(40)..Curve::rate(80)).contains(&steep));
        let slide = curve.suggest(Method::Slide).expect("long enough");
        assert!(slide < Curve::rate(80));
    }

    #[test]
    fn curves_without_a_fall_suggest_nothing() {
        let mut flat = curve();
        flat.losses.fill(1.0);
        assert_eq!(flat.suggest(Method::Valley), None);
        let short = Curve { rates: vec![1e-7; 8], losses: vec![1.0; 8], ..Curve::default() };
        for method in Method::ALL {
            assert_eq!(short.suggest(method), None, "{method}");
        }
    }
}
