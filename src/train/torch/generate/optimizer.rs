//! RMSProp as fastai has it: `v ← ρ·v + (1 − ρ)·g²`, `p ← p − lr·g / (√v + ε)`,
//! with nothing debiased.

use std::collections::BTreeMap;

use tch::{TchError, Tensor};

use super::super::super::weights::{Values, WeightsError};
use super::super::store::{LoadError, Parameter, copy_into, to_values};

const EPSILON: f64 = 1e-5;

/// The optimizer of one network.
pub struct RmsProp {
    slots: Vec<(String, Tensor, Tensor)>,
    momentum: f64,
}

impl RmsProp {
    /// For all of these parameters; `momentum` of the mean square stays in a step.
    pub fn new(parameters: &[Parameter], momentum: f64) -> Result<RmsProp, TchError> {
        let slots = parameters.iter().map(|parameter| {
            let square = parameter.tensor.f_detach()?.f_zeros_like()?;
            Ok((parameter.name.clone(), parameter.tensor.shallow_clone(), square))
        });
        Ok(RmsProp { slots: slots.collect::<Result<_, TchError>>()?, momentum })
    }

    /// What a gradient is needed of, in the order that [`step`](RmsProp::step) takes.
    pub fn learning(&self) -> Vec<Tensor> {
        self.slots.iter().map(|(_, parameter, _)| parameter.shallow_clone()).collect()
    }

    /// Makes a step against `gradients`.
    pub fn step(&mut self, gradients: &[Tensor], rate: f64) -> Result<(), TchError> {
        let _guard = tch::no_grad_guard();
        for ((_, parameter, square), gradient) in self.slots.iter_mut().zip(gradients) {
            let _ = square.f_mul_scalar_(self.momentum)?.f_addcmul_(gradient, gradient)?;
            let scale = square.f_mul_scalar(1.0 - self.momentum)?.f_sqrt()?.f_add_scalar(EPSILON)?;
            let change = gradient.f_div(&scale)?.f_mul_scalar(rate)?;
            let _ = parameter.f_sub_(&change)?;
        }
        Ok(())
    }

    /// The running sums of squares, by the names of the parameters. They are
    /// kept as sums, `v / (1 − ρ)`: one multiplication less a step.
    pub fn values(&self) -> Result<BTreeMap<String, Values>, TchError> {
        self.slots.iter().map(|(name, _, square)| Ok((name.clone(), to_values(square)?))).collect()
    }

    /// Takes over running sums; all must be there and fit.
    pub fn load(&mut self, values: &BTreeMap<String, Values>) -> Result<(), LoadError> {
        let missing: Vec<String> = self
            .slots
            .iter()
            .filter(|(name, _, square)| {
                let shape: Vec<usize> = square.size().into_iter().map(|extent| extent as usize).collect();
                values.get(name).is_none_or(|values| values.shape != shape)
            })
            .map(|(name, ..)| name.clone())
            .collect();
        if !missing.is_empty() {
            return Err(
                WeightsError::Tensors { missing, misshapen: Vec::new(), unexpected: Vec::new() }.into()
            );
        }
        let _guard = tch::no_grad_guard();
        for (name, _, square) in &self.slots {
            copy_into(square, &values[name])?;
        }
        Ok(())
    }
}
