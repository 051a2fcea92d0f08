//! Schema 1 of the events about the dataset.

use safelight_lineage::event::{
    ClassesAdded, DatasetCreated, Decision, EventsReverted, Evidence, ImageImported, ImageRelabelled,
    ImageRemoved, ImageRestored, ImageRevised, Origin, RevertTarget, ReviewDecided, Split,
};

use crate::schema::shape::{Bits, Digest, Id, stored_enum, stored_struct};

stored_struct! {
    /// Kind 1.
    DatasetCreatedV1 = DatasetCreated {
        name: String,
        classes: Vec<String>,
    }

    /// Kind 2.
    ClassesAddedV1 = ClassesAdded {
        classes: Vec<String>,
    }

    /// Kind 3. `import.rs` reads and writes the same bytes faster.
    ImageImportedV1 = ImageImported {
        image: Id,
        blob: Digest,
        path: Vec<u8>,
        label: Option<u16>,
        split: SplitV1,
        origin: OriginV1,
    }

    /// Kind 4.
    ImageRevisedV1 = ImageRevised {
        image: Id,
        old: Digest,
        new: Digest,
        reason: String,
    }

    /// Kind 5.
    ImageRelabelledV1 = ImageRelabelled {
        image: Id,
        old: Option<u16>,
        new: Option<u16>,
        reason: String,
        evidence: EvidenceV1,
    }

    /// Kind 6.
    ImageRemovedV1 = ImageRemoved {
        image: Id,
        reason: String,
        evidence: EvidenceV1,
    }

    /// Kind 7.
    ImageRestoredV1 = ImageRestored {
        image: Id,
        reason: String,
        evidence: EvidenceV1,
    }

    /// Kind 8.
    ReviewDecidedV1 = ReviewDecided {
        image: Id,
        pass: Id,
        decision: DecisionV1,
    }

    /// Kind 80.
    EventsRevertedV1 = EventsReverted {
        targets: Vec<RevertTargetV1>,
        reason: String,
    }

    /// Within kinds 5 to 7.
    EvidenceV1 = Evidence {
        pass: Option<Id>,
        predictions: Option<Id>,
        rule: Option<String>,
        score: Option<Bits>,
    }

    /// Within kind 80.
    RevertTargetV1 = RevertTarget {
        transaction: Id,
        events: Vec<u32>,
    }
}

stored_enum! {
    /// Within kinds 3 and 32.
    SplitV1 = Split { Train, Valid, Test }

    /// Within kind 3.
    OriginV1 = Origin { File, Generated { samples: Id } }

    /// Within kind 8.
    DecisionV1 = Decision { Kept, Relabelled { label: u16 }, Removed, Skipped }
}
