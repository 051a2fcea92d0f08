//! Schema 2 of the events that outgrew schema 1. Frozen, like it.

use safelight_lineage::event::GeneratorTrained;

use super::shape::{Digest, Id, stored_struct};

stored_struct! {
    /// Kind 48, with at least one grid; without any, schema 1 is written, so that
    /// what was read as schema 1 is written as the same bytes.
    GeneratorTrainedV2 = GeneratorTrained {
        generator: Id,
        class: Option<u16>,
        recipe: Digest,
        manifest: Digest,
        at: Digest,
        weights: Digest,
        metrics: Digest,
        environment: Digest,
        grids: Vec<Digest>,
    }
}
