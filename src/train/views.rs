//! Which views of an image a prediction is a mean of.

use safelight_lineage::event::ViewPolicy;
use safelight_lineage::id::ImageId;

use super::augmentation::Preset;
use super::keyed::Moment;
use super::transform::Transform;

/// The views of every image. Their softmax probabilities are averaged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Views {
    /// The middle of the image, as validation sees it.
    Plain,
    /// fastai's: the plain view and several views that went through the changes
    /// of its standard augmentation.
    TestTimeAugmentation {
        /// How many changed views; fastai's default is 4.
        views: u32,
        /// The weight of the plain view, 0 to 1; fastai's default is 0.25. The
        /// changed views share the rest.
        plain_weight: f64,
        /// The seed of the changes.
        seed: u64,
    },
    /// torchvision's: the four corners and the centre, each also flipped.
    TenCrop {
        /// The shorter side that the picture is scaled to before the crops are
        /// taken, in pixels; at least the edge of the crops.
        resize: u32,
    },
}

impl Views {
    /// How many views there are.
    pub fn count(&self) -> usize {
        match self {
            Views::Plain => 1,
            Views::TestTimeAugmentation { views, .. } => *views as usize + 1,
            Views::TenCrop { .. } => 10,
        }
    }

    /// The edge that renditions must have for crops of `size` pixels.
    pub fn rendition_edge(&self, size: u32) -> u32 {
        match self {
            Views::TenCrop { resize } => (*resize).max(size),
            _ => size,
        }
    }

    /// The change that makes view `index` of an image, and its weight. The
    /// weights of all views sum to one.
    pub fn view(&self, index: usize, image: ImageId, size: u32) -> (Transform, f64) {
        match *self {
            Views::Plain => (Transform::PLAIN, 1.0),
            Views::TestTimeAugmentation { views: 0, .. } => (Transform::PLAIN, 1.0),
            Views::TestTimeAugmentation { plain_weight, .. } if index == 0 => {
                (Transform::PLAIN, plain_weight)
            }
            Views::TestTimeAugmentation { views, plain_weight, seed } => {
                let moment = Moment { seed, stage: 0, epoch: index as u32 };
                let transform = Transform::draw(&Preset::Fastai.limits(), moment, image);
                (transform, (1.0 - plain_weight) / f64::from(views))
            }
            Views::TenCrop { resize } => (corner(index, size, resize.max(size)), 0.1),
        }
    }
}

/// Crop `index` of ten: 0–3 the corners, 4 the centre, 5–9 the same flipped.
fn corner(index: usize, size: u32, edge: u32) -> Transform {
    let scale = f64::from(size) / f64::from(edge);
    let room = 1.0 - scale;
    let (x, y) = [(-room, -room), (room, -room), (-room, room), (room, room), (0.0, 0.0)][index % 5];
    let across = if index >= 5 { -scale } else { scale };
    Transform { map: [[across, 0.0, x], [0.0, scale, y], [0.0, 0.0, 1.0]], ..Transform::PLAIN }
}

/// Why a view policy cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("predictions that were made outside cannot be made again")]
pub struct UnknownViews;

impl TryFrom<ViewPolicy> for Views {
    type Error = UnknownViews;

    fn try_from(policy: ViewPolicy) -> Result<Self, UnknownViews> {
        match policy {
            ViewPolicy::Plain => Ok(Views::Plain),
            ViewPolicy::TestTimeAugmentation { views, plain_weight, seed } => {
                Ok(Views::TestTimeAugmentation { views, plain_weight: plain_weight.0, seed })
            }
            ViewPolicy::TenCrop { resize } => Ok(Views::TenCrop { resize }),
            ViewPolicy::Unknown => Err(UnknownViews),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::recipe::Normalisation;
    use super::super::rendition::Picture;
    use super::super::resample::resample;
    use super::*;

    #[test]
    fn weights_sum_to_one() {
        let tta = Views::TestTimeAugmentation { views: 4, plain_weight: 0.25, seed: 1 };
        for views in [Views::Plain, tta, Views::TenCrop { resize: 80 }] {
            let sum: f64 = (0..views.count()).map(|index| views.view(index, ImageId([1; 16]), 64).1).sum();
            assert!((sum - 1.0).abs() < 1e-12, "{views:?}");
        }
        assert_ne!(tta.view(1, ImageId([1; 16]), 64), tta.view(2, ImageId([1; 16]), 64));
    }

    #[test]
    fn crops_are_the_very_pixels_of_their_corners() {
        let pixels: Vec<u8> = (0..6 * 6 * 3).map(|i| i as u8 * 2).collect();
        let views = Views::TenCrop { resize: 6 };
        for (index, (x, y, flip)) in
            [(0, 0, false), (2, 0, false), (0, 2, false), (2, 2, false), (1, 1, false), (0, 0, true)]
                .into_iter()
                .enumerate()
        {
            let mut out = vec![0.0; 4 * 4 * 3];
            let picture = Picture { width: 6, height: 6, pixels: &pixels };
            let (transform, _) = views.view(index, ImageId([0; 16]), 4);
            resample(picture, &transform, Normalisation::Symmetric, 4, &mut out);
            let first = if flip { 3 } else { 0 };
            let expected = f32::from(pixels[(y * 6 + x) * 3]) / 127.5 - 1.0;
            assert!((out[first * 3] - expected).abs() < 1e-5, "crop {index}: {} {expected}", out[first * 3]);
        }
    }
}
