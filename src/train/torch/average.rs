//! The exponential moving average of a network's weights (Polyak and Juditsky
//! 1992; as torchvision's references and timm keep it): after every step
//! `average += (1 − d) · (weights − average)` with `d` the smaller of the
//! recipe's decay and `(1 + t) / (10 + t)`, `t` the steps of the stage, so that
//! the first steps are soon forgotten. Running means and variances of batch
//! norms are averaged alike.
//!
//! It is a function of the steps made, so a run is resumed with its average.

use std::collections::BTreeMap;

use tch::{TchError, Tensor};

use super::super::weights::{Values, WeightsError};
use super::store::{LoadError, copy_into, to_values};

/// The average of one stage.
pub struct MovingAverage {
    decay: f64,
    /// Name, what learns, and its average.
    places: Vec<(String, Tensor, Tensor)>,
}

impl MovingAverage {
    /// Begins with the values that these tensors have now.
    pub fn new<'a>(
        decay: f64,
        tensors: impl Iterator<Item = (&'a String, &'a Tensor)>,
    ) -> Result<MovingAverage, TchError> {
        let _guard = tch::no_grad_guard();
        let places = tensors.map(|(name, tensor)| {
            let tensor = tensor.f_detach()?;
            // A copy of the same layout.
            let mut average = tensor.f_empty_like()?;
            average.f_copy_(&tensor)?;
            Ok((name.clone(), tensor, average))
        });
        Ok(MovingAverage { decay, places: places.collect::<Result<_, TchError>>()? })
    }

    /// Takes the weights after `steps` steps of the stage into account.
    pub fn update(&mut self, steps: u32) -> Result<(), TchError> {
        let _guard = tch::no_grad_guard();
        let steps = f64::from(steps);
        let decay = self.decay.min((1.0 + steps) / (10.0 + steps));
        for (_, tensor, average) in &mut self.places {
            let _moved = average.f_lerp_(tensor, 1.0 - decay)?;
        }
        Ok(())
    }

    /// Puts the average into the network and keeps what was there in its place;
    /// doing it twice changes no bit.
    pub fn exchange(&mut self) -> Result<(), TchError> {
        let _guard = tch::no_grad_guard();
        for (_, tensor, average) in &mut self.places {
            let mut held = tensor.f_empty_like()?;
            held.f_copy_(tensor)?;
            tensor.f_copy_(average)?;
            average.f_copy_(&held)?;
        }
        Ok(())
    }

    /// The averages by name.
    pub fn values(&self) -> Result<BTreeMap<String, Values>, TchError> {
        self.places.iter().map(|(name, _, average)| Ok((name.clone(), to_values(average)?))).collect()
    }

    /// Takes up where another one was.
    pub fn load(&mut self, values: &BTreeMap<String, Values>) -> Result<(), LoadError> {
        let _guard = tch::no_grad_guard();
        for (name, _, average) in &self.places {
            let Some(value) = values.get(name) else {
                let (missing, misshapen, unexpected) =
                    (vec![format!("average.{name}")], Vec::new(), Vec::new());
                return Err(WeightsError::Tensors { missing, misshapen, unexpected }.into());
            };
            copy_into(average, value)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_follows_its_formula_and_an_exchange_twice_is_none() {
        let (name, weights) = ("w".to_owned(), Tensor::from_slice(&[1.0f32, -2.0]));
        let mut average = MovingAverage::new(0.9, [(&name, &weights)].into_iter()).expect("begins");
        let mut expected = 1.0f64;
        for step in 1..=200u32 {
            let value = f64::from(step).sin();
            let _ = weights.shallow_clone().fill_(value);
            average.update(step).expect("updates");
            let decay = 0.9f64.min(f64::from(1 + step) / f64::from(10 + step));
            expected += (1.0 - decay) * (f64::from(value as f32) - expected);
        }
        let averaged = average.values().expect("reads")["w"].values.clone();
        assert!((f64::from(averaged[0]) - expected).abs() < 1e-5, "{averaged:?} {expected}");
        let before = to_values(&weights).expect("reads");
        average.exchange().expect("exchanges");
        assert_eq!(to_values(&weights).expect("reads").values, averaged);
        average.exchange().expect("exchanges");
        assert_eq!(to_values(&weights).expect("reads"), before);
        assert_eq!(average.values().expect("reads")["w"].values, averaged);
    }
}
