//! Heads: from the last feature map, of any extent, to one score a class.

use tch::{TchError, Tensor};

use super::super::layers::{Layer, Linear, Norm, Pass};
use super::super::store::{Spread, Store};
use super::assembled::Body;

/// Features of fastai's hidden layer.
const HIDDEN: usize = 512;

/// A head.
pub enum Headed {
    /// The mean of the map and one linear layer.
    Linear {
        /// What its parameters' names begin with.
        prefix: &'static str,
        /// What is dropped of the mean.
        dropout: f64,
        /// The layer.
        linear: Linear,
    },
    /// fastai's `create_head` (`fastai/vision/learner.py`).
    Fastai {
        /// On maxima and means.
        norm1: Norm,
        /// To the hidden features.
        linear1: Linear,
        /// On the hidden features.
        norm2: Norm,
        /// To the scores.
        linear2: Linear,
    },
}

impl Headed {
    /// The linear head of a body.
    pub fn linear(store: &mut Store, body: &Body, classes: usize) -> Result<Headed, TchError> {
        let linear = store.linear(body.linear, (body.channels, classes), true, Spread::Uniform)?;
        Ok(Headed::Linear { prefix: body.linear, dropout: body.dropout, linear })
    }

    /// fastai's head, whose linear layers have no bias and whose norms begin
    /// with a bias of 0.001.
    pub fn fastai(store: &mut Store, body: &Body, classes: usize) -> Result<Headed, TchError> {
        let pooled = 2 * body.channels;
        Ok(Headed::Fastai {
            norm1: store.norm_with("head.norm1", pooled, 1e-3)?,
            linear1: store.linear("head.linear1", (pooled, HIDDEN), false, Spread::FanIn)?,
            norm2: store.norm_with("head.norm2", HIDDEN, 1e-3)?,
            linear2: store.linear("head.linear2", (HIDDEN, classes), false, Spread::FanIn)?,
        })
    }

    /// What the names of its parameters begin with.
    pub fn prefix(&self) -> &'static str {
        match self {
            Headed::Linear { prefix, .. } => prefix,
            Headed::Fastai { .. } => "head.",
        }
    }

    /// The scores, `n × classes`.
    pub fn scores(&self, map: &Tensor, pass: &Pass<'_>) -> Result<Tensor, TchError> {
        let mean = map.f_mean_dim([2i64, 3].as_slice(), false, None)?;
        match self {
            Headed::Linear { dropout, linear, .. } => {
                linear.forward(&pass.dropout(mean, "dropout", *dropout)?, pass)
            }
            Headed::Fastai { norm1, linear1, norm2, linear2 } => {
                let maximum = map.f_amax([2i64, 3].as_slice(), false)?;
                let pooled = norm1.forward(&Tensor::f_cat(&[maximum, mean], 1)?, pass)?;
                let hidden = linear1.forward(&pass.dropout(pooled, "dropout 1", 0.25)?, pass)?;
                let hidden = norm2.forward(&hidden.f_relu()?, pass)?;
                linear2.forward(&pass.dropout(hidden, "dropout 2", 0.5)?, pass)
            }
        }
    }
}
