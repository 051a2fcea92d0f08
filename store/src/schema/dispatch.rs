//! From (kind, schema, payload) to an event and back.

use safelight_lineage::event::{Event, GeneratorTrained, Unknown};

use super::{import, v1, v2};
use crate::codec::{self, CodecError};

/// Why the payload of one event cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} (schema {schema}): {source}")]
pub struct PayloadError {
    /// The name of the event's kind.
    pub kind: &'static str,
    /// The number of its schema.
    pub schema: u16,
    /// What is wrong with it.
    pub source: CodecError,
}

/// The schema that events are written with, but for those that outgrew it.
const CURRENT: u16 = 1;

macro_rules! kinds {
    ($($kind:literal = $name:ident: $shape:ident),+ $(,)?) => {
        /// Appends the payload of `event` and says its kind and schema.
        ///
        /// # Errors
        ///
        /// None that is known: every event has a stored shape.
        pub fn encode(event: &Event, out: &mut Vec<u8>) -> Result<(u16, u16), PayloadError> {
            if let Event::GeneratorTrained(trained) = event
                && !trained.grids.is_empty()
            {
                let fail = |source| PayloadError { kind: event.kind_name(), schema: 2, source };
                codec::encode_into(&v2::GeneratorTrainedV2::from(trained), out).map_err(fail)?;
                return Ok((event.kind(), 2));
            }
            let result = match event {
                Event::ImageImported(event) => {
                    import::encode(event, out);
                    Ok(())
                }
                $(Event::$name(event) => codec::encode_into(&v1::$shape::from(event), out),)+
                Event::Unknown(unknown) => {
                    out.extend_from_slice(&unknown.payload);
                    return Ok((unknown.kind, unknown.schema));
                }
            };
            match result {
                Ok(()) => Ok((event.kind(), CURRENT)),
                Err(source) => Err(PayloadError { kind: event.kind_name(), schema: CURRENT, source }),
            }
        }

        /// Reads the event that `payload` stands for.
        ///
        /// A kind or schema that is not known gives [`Event::Unknown`] with the
        /// bytes as they are.
        ///
        /// # Errors
        ///
        /// When the bytes are not exactly what [`encode`] writes for that event.
        pub fn decode(kind: u16, schema: u16, payload: &[u8]) -> Result<Event, PayloadError> {
            let fail = |kind| move |source| PayloadError { kind, schema, source };
            match (kind, schema) {
                (3, 1) => {
                    import::decode(payload).map(Event::ImageImported).map_err(fail("ImageImported"))
                }
                (48, 2) => match codec::decode::<v2::GeneratorTrainedV2>(payload).map(GeneratorTrained::from) {
                    Ok(trained) if trained.grids.is_empty() => {
                        Err(fail("GeneratorTrained")(CodecError::NotCanonical))
                    }
                    Ok(trained) => Ok(Event::GeneratorTrained(trained)),
                    Err(source) => Err(fail("GeneratorTrained")(source)),
                },
                $(($kind, 1) => codec::decode::<v1::$shape>(payload)
                    .map(|stored| Event::$name(stored.into()))
                    .map_err(fail(stringify!($name))),)+
                _ => Ok(Event::Unknown(Unknown { kind, schema, payload: payload.into() })),
            }
        }

        #[cfg(test)]
        const LISTED: &[(&str, u16)] = &[("ImageImported", 3), $((stringify!($name), $kind)),+];
    };
}

kinds! {
    1 = DatasetCreated: DatasetCreatedV1,
    2 = ClassesAdded: ClassesAddedV1,
    4 = ImageRevised: ImageRevisedV1,
    5 = ImageRelabelled: ImageRelabelledV1,
    6 = ImageRemoved: ImageRemovedV1,
    7 = ImageRestored: ImageRestoredV1,
    8 = ReviewDecided: ReviewDecidedV1,
    16 = WeightsAdded: WeightsAddedV1,
    17 = RunStarted: RunStartedV1,
    18 = LearningRateFound: LearningRateFoundV1,
    19 = CheckpointSaved: CheckpointSavedV1,
    20 = RunFinished: RunFinishedV1,
    21 = RunFailed: RunFailedV1,
    22 = RunCancelled: RunCancelledV1,
    32 = PredictionsRecorded: PredictionsRecordedV1,
    33 = CleaningPassProposed: CleaningPassProposedV1,
    48 = GeneratorTrained: GeneratorTrainedV1,
    49 = SamplesGenerated: SamplesGeneratedV1,
    50 = SamplesAdmitted: SamplesAdmittedV1,
    51 = SamplesExpelled: SamplesExpelledV1,
    64 = EnsembleVoted: EnsembleVotedV1,
    65 = SubmissionWritten: SubmissionWrittenV1,
    66 = SubmissionScored: SubmissionScoredV1,
    67 = SubmissionReplayed: SubmissionReplayedV1,
    80 = EventsReverted: EventsRevertedV1,
}

#[cfg(test)]
mod tests {
    use super::*;
    use safelight_lineage::digest::BlobId;
    use safelight_lineage::event::{ImageImported, Origin, Split};
    use safelight_lineage::id::{ImageId, SamplesId};
    use safelight_lineage::value::{ClassIndex, PathBytes};

    #[test]
    fn every_kind_has_a_stored_shape() {
        let mut listed = LISTED.to_vec();
        listed.sort_by_key(|(_, kind)| *kind);
        assert_eq!(listed, Event::KINDS);
    }

    #[test]
    fn the_hand_written_import_is_bincodes() {
        for (label, origin) in
            [(None, Origin::File), (Some(ClassIndex(515)), Origin::Generated { samples: SamplesId([7; 16]) })]
        {
            for split in Split::ALL {
                let event = ImageImported {
                    image: ImageId([1; 16]),
                    blob: BlobId([2; 32]),
                    path: PathBytes::new(*b"sea/\xff\n.jpg"),
                    label,
                    split,
                    origin,
                };
                let mut theirs = Vec::new();
                codec::encode_into(&v1::ImageImportedV1::from(&event), &mut theirs).unwrap();
                let mut ours = Vec::new();
                import::encode(&event, &mut ours);
                assert_eq!(ours, theirs);
                assert_eq!(import::decode(&ours).as_ref(), Ok(&event));
                for cut in 0..ours.len() {
                    assert!(import::decode(&ours[..cut]).is_err());
                }
                // Whatever byte is changed, both readers say the same.
                for place in 0..ours.len() {
                    let mut bent = ours.clone();
                    bent[place] ^= 0x41;
                    let hand = import::decode(&bent).ok();
                    let serde = codec::decode::<v1::ImageImportedV1>(&bent).ok().map(ImageImported::from);
                    assert_eq!(hand, serde, "byte {place}");
                }
            }
        }
    }
}
