//! Schema 1 of the events about votes, submissions and replays.

use safelight_lineage::event::{
    EnsembleVoted, EventRef, Member, ReplayDepth, ReplayOutcome, SubmissionReplayed, SubmissionScored,
    SubmissionSource, SubmissionWritten, VoteRule,
};

use crate::schema::shape::{Bits, Digest, Id, stored_enum, stored_struct};

stored_struct! {
    /// Kind 64.
    EnsembleVotedV1 = EnsembleVoted {
        ensemble: Id,
        members: Vec<MemberV1>,
        rule: VoteRuleV1,
        tie_seed: u64,
        manifest: Digest,
        votes: Digest,
    }

    /// Kind 65.
    SubmissionWrittenV1 = SubmissionWritten {
        submission: Id,
        source: SubmissionSourceV1,
        format: Digest,
        csv: Digest,
        rows: u64,
        derived_from: Option<Id>,
    }

    /// Kind 66.
    SubmissionScoredV1 = SubmissionScored {
        submission: Id,
        public: Option<Bits>,
        private: Option<Bits>,
    }

    /// Kind 67.
    SubmissionReplayedV1 = SubmissionReplayed {
        submission: Id,
        depth: ReplayDepthV1,
        outcome: ReplayOutcomeV1,
        environment: Digest,
        receipt: Digest,
    }

    /// Within kind 64.
    MemberV1 = Member {
        predictions: Id,
        weight: Bits,
    }

    /// Within kind 67.
    EventRefV1 = EventRef {
        transaction: Id,
        index: u32,
    }
}

stored_enum! {
    /// Within kind 64.
    VoteRuleV1 = VoteRule { Majority, Weighted, Soft }

    /// Within kind 65.
    SubmissionSourceV1 = SubmissionSource {
        Ensemble { ensemble: Id },
        Predictions { predictions: Id },
    }

    /// Within kind 67.
    ReplayDepthV1 = ReplayDepth { Votes, Predictions, Training }

    /// Within kind 67.
    ReplayOutcomeV1 = ReplayOutcome {
        Identical,
        WithinTolerance { largest_difference: Bits, equal_decisions: Bits },
        Diverged { event: Option<EventRefV1>, expected: Digest, actual: Digest, cause: String },
    }
}
