//! Adam with decoupled weight decay, as fastai 2.8 has it
//! (`fastai/optimizer.py`): `p *= 1 − lr·wd`, then
//! `p −= lr / (1 − β₁ᵗ) · m / (√(v / (1 − β₂ᵗ)) + ε)`, with β₁ scheduled,
//! β₂ = 0.99 and ε = 1e-5. fastai debiases by the current β₁ too.
//!
//! tch's own Adam gives its state to nobody, so no run could be resumed with
//! it. On the processor a step is one pass over memory; each number is computed
//! from its own place only, so the number of threads changes no bit.

use std::collections::BTreeMap;

use rayon::prelude::*;
use tch::{Device, Kind, TchError, Tensor};

use super::super::weights::{Values, WeightsError};
use super::store::{LoadError, Parameter, copy_into, to_values};

const SQUARES: f64 = 0.99;
const EPSILON: f64 = 1e-5;
/// Numbers that a thread takes at a time.
const CHUNK: usize = 1 << 16;

/// The optimizer of one stage: fastai makes a new one for each, too.
pub struct Adam {
    slots: Vec<Slot>,
    steps: u32,
    weight_decay: f64,
    threads: rayon::ThreadPool,
}

/// A parameter that learns, with its running means.
struct Slot {
    name: String,
    parameter: Tensor,
    group: usize,
    decays: bool,
    mean: Tensor,
    square: Tensor,
}

/// The factors of one step, for one parameter.
#[derive(Clone, Copy)]
struct Factors {
    keep: f32,
    momentum: f32,
    rate: f32,
    /// One over the debiasing divisor of the squares.
    square: f32,
}

impl Adam {
    /// For the parameters of which the first `frozen` groups, but for their
    /// norms, stay as they are. Steps are made by `threads`.
    pub fn new(
        parameters: &[Parameter],
        frozen: usize,
        weight_decay: f64,
        threads: rayon::ThreadPool,
    ) -> Result<Adam, TchError> {
        let learning = parameters.iter().filter(|parameter| parameter.group >= frozen || parameter.norm);
        let slots = learning.map(|parameter| {
            Ok(Slot {
                name: parameter.name.clone(),
                parameter: parameter.tensor.shallow_clone(),
                group: parameter.group,
                decays: parameter.decays,
                mean: parameter.tensor.f_detach()?.f_zeros_like()?,
                square: parameter.tensor.f_detach()?.f_zeros_like()?,
            })
        });
        Ok(Adam { slots: slots.collect::<Result<_, TchError>>()?, steps: 0, weight_decay, threads })
    }

    /// What a gradient is needed of, in the order that [`step`](Adam::step) takes.
    pub fn learning(&self) -> Vec<Tensor> {
        self.slots.iter().map(|slot| slot.parameter.shallow_clone()).collect()
    }

    /// Makes a step along `gradients` with a learning rate for each group.
    pub fn step(&mut self, gradients: Vec<Tensor>, rates: &[f64], momentum: f64) -> Result<(), TchError> {
        let _guard = tch::no_grad_guard();
        self.steps += 1;
        let debias = |rate: f64| 1.0 - rate.powf(f64::from(self.steps));
        let square = 1.0 / debias(SQUARES);
        for (slot, gradient) in self.slots.iter_mut().zip(gradients) {
            let rate = rates[slot.group];
            let decay = if slot.decays { self.weight_decay } else { 0.0 };
            let factors = Factors {
                keep: (1.0 - rate * decay) as f32,
                momentum: momentum as f32,
                rate: (rate / debias(momentum)) as f32,
                square: square as f32,
            };
            if slot.is_plain_memory() {
                slot.step_in_memory(gradient, factors, &self.threads)?;
            } else {
                slot.step_on_device(&gradient, factors)?;
            }
        }
        Ok(())
    }

    /// The running means, by names that say whose they are.
    pub fn values(&self) -> Result<BTreeMap<String, Values>, TchError> {
        let mut values = BTreeMap::new();
        for slot in &self.slots {
            values.insert(format!("mean.{}", slot.name), to_values(&slot.mean)?);
            values.insert(format!("square.{}", slot.name), to_values(&slot.square)?);
        }
        Ok(values)
    }

    /// How many steps were made.
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// Takes up where another one was after `steps` steps.
    pub fn load(&mut self, values: &BTreeMap<String, Values>, steps: u32) -> Result<(), LoadError> {
        for slot in &self.slots {
            for (kind, tensor) in [("mean", &slot.mean), ("square", &slot.square)] {
                let name = format!("{kind}.{}", slot.name);
                let Some(value) = values.get(&name) else {
                    let (missing, misshapen, unexpected) = (vec![name], Vec::new(), Vec::new());
                    return Err(WeightsError::Tensors { missing, misshapen, unexpected }.into());
                };
                copy_into(tensor, value)?;
            }
        }
        self.steps = steps;
        Ok(())
    }
}

impl Slot {
    /// Whether the numbers lie on the processor without gaps, and alike.
    fn is_plain_memory(&self) -> bool {
        let strides = self.parameter.stride();
        let span: i64 =
            self.parameter.size().iter().zip(&strides).map(|(size, stride)| (size - 1) * stride).sum();
        self.parameter.device() == Device::Cpu
            && self.parameter.kind() == Kind::Float
            && span + 1 == self.parameter.numel() as i64
            && self.mean.stride() == strides
            && self.square.stride() == strides
    }

    fn step_in_memory(
        &mut self,
        gradient: Tensor,
        factors: Factors,
        threads: &rayon::ThreadPool,
    ) -> Result<(), TchError> {
        let alike = gradient.f_kind()? == Kind::Float
            && gradient.device() == Device::Cpu
            && gradient.stride() == self.parameter.stride();
        let gradient = if alike {
            gradient
        } else {
            // Of the same layout as the mean, and thereby the parameter.
            let mut copy = self.mean.f_empty_like()?;
            copy.f_copy_(&gradient)?;
            copy
        };
        let length = self.parameter.numel();
        let floats = |tensor: &Tensor| tensor.data_ptr().cast::<f32>();
        let (parameter, gradient_at) = (floats(&self.parameter), floats(&gradient));
        let (mean, square) = (floats(&self.mean), floats(&self.square));
        // SAFETY: all four are float tensors on the processor whose `length`
        // elements lie without gaps: parameter, mean and square by
        // `is_plain_memory`, the gradient because it has their size and, by the
        // test above, their strides. They are four different storages, alive
        // until the end of this function, and nothing else works on them:
        // libtorch does so only while it is called, and `&mut self` keeps other
        // callers out.
        let (parameter, gradient_at, mean, square) = unsafe {
            (
                std::slice::from_raw_parts_mut(parameter, length),
                std::slice::from_raw_parts(gradient_at, length),
                std::slice::from_raw_parts_mut(mean, length),
                std::slice::from_raw_parts_mut(square, length),
            )
        };
        let parts = parameter
            .par_chunks_mut(CHUNK)
            .zip(gradient_at.par_chunks(CHUNK))
            .zip(mean.par_chunks_mut(CHUNK).zip(square.par_chunks_mut(CHUNK)));
        threads.install(|| {
            parts.for_each(|((parameter, gradient), (mean, square))| {
                update(parameter, gradient, mean, square, factors);
            });
        });
        Ok(())
    }

    fn step_on_device(&mut self, gradient: &Tensor, factors: Factors) -> Result<(), TchError> {
        let Factors { keep, momentum, rate, square } = factors;
        let gradient = gradient.f_to_kind(Kind::Float)?;
        let _kept = self.parameter.f_mul_scalar_(f64::from(keep))?;
        let _mean = self.mean.f_lerp_(&gradient, f64::from(1.0 - momentum))?;
        let _square = self.square.f_lerp_(&gradient.f_square()?, 1.0 - SQUARES)?;
        let mut divisor = self.square.f_mul_scalar(f64::from(square))?.f_sqrt()?;
        let divisor = divisor.f_add_scalar_(EPSILON)?;
        let change = self.mean.f_div(&divisor)?.f_mul_scalar(f64::from(-rate))?;
        let _moved = self.parameter.f_add_(&change)?;
        Ok(())
    }
}

fn update(parameter: &mut [f32], gradient: &[f32], mean: &mut [f32], square: &mut [f32], factors: Factors) {
    let Factors { keep, momentum, rate, square: debias } = factors;
    let squares = SQUARES as f32;
    let places = parameter.iter_mut().zip(gradient).zip(mean.iter_mut().zip(square));
    for ((parameter, gradient), (mean, square)) in places {
        *mean = momentum * *mean + (1.0 - momentum) * gradient;
        *square = squares * *square + (1.0 - squares) * gradient * gradient;
        *parameter = keep * *parameter - rate * *mean / ((*square * debias).sqrt() + EPSILON as f32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(name: &str, values: &[f32], decays: bool, norm: bool) -> Parameter {
        let tensor = Tensor::from_slice(values).set_requires_grad(true);
        Parameter { name: name.to_owned(), tensor, group: 0, norm, decays }
    }

    fn adam(parameters: &[Parameter], frozen: usize) -> Adam {
        let threads = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("threads");
        Adam::new(parameters, frozen, 0.1, threads).expect("makes")
    }

    /// fastai's formula in 64 bits, for one number.
    fn by_hand(mut p: f64, gradients: &[f64], rate: f64, momenta: &[f64], decay: f64) -> f64 {
        let (mut m, mut v) = (0.0, 0.0);
        for (index, (g, beta)) in gradients.iter().zip(momenta).enumerate() {
            let t = index as i32 + 1;
            p *= 1.0 - rate * decay;
            m = beta * m + (1.0 - beta) * g;
            v = 0.99 * v + 0.01 * g * g;
            p -= rate / (1.0 - beta.powi(t)) * m / ((v / (1.0 - 0.99f64.powi(t))).sqrt() + 1e-5);
        }
        p
    }

    #[test]
    fn steps_follow_the_formula_on_either_path() {
        let gradients = [0.5, -1.5, 2e-3];
        let momenta = [0.95, 0.9, 0.85];
        for decays in [true, false] {
            let expected = by_hand(1.25, &gradients, 0.01, &momenta, if decays { 0.1 } else { 0.0 });
            for device_path in [false, true] {
                let parameters = [parameter("p", &[1.25], decays, false)];
                let mut adam = adam(&parameters, 0);
                for (gradient, momentum) in gradients.iter().zip(momenta) {
                    let gradient = Tensor::from_slice(&[*gradient as f32]);
                    if device_path {
                        let slot = &mut adam.slots[0];
                        adam.steps += 1;
                        let debias = |rate: f64| 1.0 - rate.powf(f64::from(adam.steps));
                        let factors = Factors {
                            keep: if decays { 1.0 - 0.01 * 0.1 } else { 1.0 },
                            momentum: momentum as f32,
                            rate: (0.01 / debias(momentum)) as f32,
                            square: (1.0 / debias(SQUARES)) as f32,
                        };
                        tch::no_grad(|| slot.step_on_device(&gradient, factors)).expect("steps");
                    } else {
                        adam.step(vec![gradient], &[0.01], momentum).expect("steps");
                    }
                }
                let result = parameters[0].tensor.double_value(&[0]);
                assert!((result - expected).abs() < 1e-6, "{result} {expected}");
            }
        }
    }

    #[test]
    fn frozen_groups_stay_but_for_their_norms() {
        let parameters = [parameter("conv", &[1.0], true, false), parameter("norm", &[1.0], false, true)];
        let names: Vec<String> = adam(&parameters, 1).slots.into_iter().map(|slot| slot.name).collect();
        assert_eq!(names, ["norm"]);
    }

    #[test]
    fn a_gradient_of_another_layout_is_brought_into_that_of_the_parameter() {
        let values: Vec<f32> = (0..6).map(|i| i as f32).collect();
        let tensor = Tensor::from_slice(&values).view([3, 2]).tr().set_requires_grad(true);
        assert_eq!(tensor.stride(), [1, 2]);
        let parameters = [Parameter { name: "p".into(), tensor, group: 0, norm: false, decays: false }];
        let mut adam = adam(&parameters, 0);
        let gradient = Tensor::from_slice(&[1.0f32, 0.0, 0.0, 0.0, 0.0, 0.0]).view([2, 3]);
        adam.step(vec![gradient], &[0.5], 0.9).expect("steps");
        let after = Vec::<f32>::try_from(parameters[0].tensor.contiguous().view([-1])).expect("numbers");
        assert!((after[0] + 0.5).abs() < 1e-3, "{after:?}");
        assert_eq!(after[1..], [2.0, 4.0, 1.0, 3.0, 5.0]);
    }
}
