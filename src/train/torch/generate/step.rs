//! One step of a critic, and one of a generator.

use rayon::prelude::*;
use tch::{Kind, TchError, Tensor};

use super::super::super::keyed::Moment;
use super::super::super::recipe::Normalisation;
use super::super::super::resample::resample;
use super::super::super::transform::Transform;
use super::super::error::TrainError;
use super::super::evaluate::pictures;
use super::critic::Critic;
use super::generator::copy;
use super::run::{Run, picture_of};
use super::state::Place;
use crate::generate::network::step_noise;
use crate::generate::recipe::Penalty;

/// One step of the critic.
pub(super) struct CriticStep {
    /// Mean score of generated pictures less that of real ones.
    pub distance: f64,
    /// The gradient penalty, where the recipe has one.
    pub penalty: Option<f64>,
}

impl Run<'_> {
    /// Real pictures and their classes.
    fn real(&self, moment: Moment, members: &[u32]) -> Result<(Tensor, Tensor), TrainError> {
        let size = self.plan.recipe.size as usize;
        let count = size * size * 3;
        let mut pixels = vec![0.0; members.len() * count];
        // Tensors are not shared between threads, and so neither is the run.
        let (renditions, plan) = (self.renditions, self.plan);
        pixels.par_chunks_exact_mut(count).zip(members).try_for_each(|(out, member)| {
            let sample = &plan.train[*member as usize];
            let mut transform = Transform::PLAIN;
            if moment.draw("generator flip", sample.image.as_bytes()).chance(plan.recipe.flip) {
                transform.map[0][0] = -1.0;
            }
            picture_of(renditions, sample, |picture| {
                resample(picture, &transform, Normalisation::Symmetric, size, out);
            })
        })?;
        let classes: Vec<i64> =
            members.iter().map(|member| i64::from(self.plan.train[*member as usize].label)).collect();
        let classes = Tensor::f_from_slice(&classes)?.f_to_device(self.device)?;
        Ok((pictures(&pixels, size, self.device)?, classes))
    }

    /// One step of the critic on real pictures and as many generated ones.
    pub(super) fn critic_step(
        &mut self,
        moment: Moment,
        place: Place,
        members: &[u32],
    ) -> Result<CriticStep, TrainError> {
        let recipe = &self.plan.recipe;
        if recipe.penalty == Penalty::Clip {
            self.critic.clip(recipe.clip)?;
        }
        let (real, classes) = self.real(moment, members)?;
        let mut noise = step_noise(moment, place.steps, "critic noise", members.len(), &self.plan.note);
        // Beside each real picture a generated one of the same class.
        noise.inputs =
            members.iter().map(|member| i64::from(self.plan.train[*member as usize].label)).collect();
        let fake = {
            let _guard = tch::no_grad_guard();
            self.generator.forward(&noise, true)?
        };
        let of_real = self.critic.forward(&real, &classes)?.f_mean(Kind::Float)?;
        let of_fake = self.critic.forward(&fake, &classes)?.f_mean(Kind::Float)?;
        let loss = of_real.f_sub(&of_fake)?;
        let distance = -loss.f_double_value(&[])?;
        let (loss, penalty) = match recipe.penalty {
            Penalty::Clip => (loss, None),
            Penalty::Gradient => {
                let mut rng = moment.draw("between real and generated", &place.steps.to_le_bytes());
                let shares: Vec<f32> = (0..members.len()).map(|_| rng.unit() as f32).collect();
                let penalty = slope_penalty(&self.critic, (&real, &fake), &classes, &shares)?;
                let value = penalty.f_double_value(&[])?;
                (loss.f_add(&penalty.f_mul_scalar(recipe.penalty_weight)?)?, Some(value))
            }
        };
        let gradients = Tensor::f_run_backward(&[loss], &self.critic_optimizer.learning(), false, false)?;
        self.critic_optimizer.step(&gradients, recipe.learning_rate)?;
        Ok(CriticStep { distance, penalty })
    }

    /// One step of the generator; gives its loss.
    pub(super) fn generator_step(&mut self, moment: Moment, step: u64) -> Result<f64, TrainError> {
        let recipe = &self.plan.recipe;
        let noise = step_noise(moment, step, "generator noise", self.plan.batch(), &self.plan.note);
        let fake = self.generator.forward(&noise, true)?;
        let classes = Tensor::f_from_slice(&noise.inputs)?.f_to_device(self.device)?;
        let loss = self.critic.forward(&fake, &classes)?.f_mean(Kind::Float)?;
        let value = loss.f_double_value(&[])?;
        let gradients = Tensor::f_run_backward(&[loss], &self.generator_optimizer.learning(), false, false)?;
        self.generator_optimizer.step(&gradients, recipe.learning_rate)?;
        // At first the average moves faster, or it would long be the first weights.
        let made = self.history.generator_loss.len() as f64;
        let share = recipe.average.min((1.0 + made) / (10.0 + made));
        match recipe.average > 0.0 {
            true => self.average.follow(&self.generator, share)?,
            false => copy(&self.generator, &self.average)?,
        }
        Ok(value)
    }
}

/// The mean of (slope − 1)² of the critic at places between real pictures and
/// generated ones (Gulrajani et al. 2017, equation 3); `shares` say how far each
/// place is from the generated one. It can be differentiated again.
pub(super) fn slope_penalty(
    critic: &Critic,
    (real, fake): (&Tensor, &Tensor),
    classes: &Tensor,
    shares: &[f32],
) -> Result<Tensor, TchError> {
    let shares = Tensor::f_from_slice(shares)?.f_view([-1, 1, 1, 1])?.f_to_device(real.device())?;
    let between = fake.f_add(&real.f_sub(fake)?.f_mul(&shares)?)?.f_detach()?.f_set_requires_grad(true)?;
    let scores = critic.forward(&between, classes)?.f_sum(Kind::Float)?;
    let slopes = Tensor::f_run_backward(&[scores], &[&between], true, true)?;
    let squares = slopes[0].f_square()?.f_sum_dim_intlist([1i64, 2, 3].as_slice(), false, Kind::Float)?;
    squares.f_add_scalar(1e-12)?.f_sqrt()?.f_sub_scalar(1.0)?.f_square()?.f_mean(Kind::Float)
}
