//! A figure: panels of curves, one above the other.

use std::fs;
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};

use image::{ImageFormat, RgbImage};
use plotters::coord::Shift;
use plotters::prelude::{
    ChartBuilder, Circle, DrawingArea, DrawingBackend, IntoDrawingArea as _, IntoLogRange as _, LineSeries,
    RGBColor, SVGBackend, WHITE,
};

use super::bitmap::Bitmap;

/// Extents of a panel, pixels.
const WIDTH: u32 = 800;
const HEIGHT: u32 = 480;
/// Panels of a figure with several are lower.
const LOW: u32 = 280;
const LINE: RGBColor = RGBColor(31, 94, 160);
const MARK: RGBColor = RGBColor(190, 60, 30);

/// Panels, from the top.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// At least one.
    pub panels: Vec<Panel>,
}

/// One diagram.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// What it shows.
    pub caption: String,
    /// What is to the right.
    pub x: String,
    /// What is up.
    pub y: String,
    /// Whether what is to the right is spread by its logarithm.
    pub logarithmic: bool,
    /// What is drawn.
    pub series: Series,
}

/// A curve and the points of it that stand out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series {
    /// Ascending by the first number; those that are not finite are left out.
    pub points: Vec<(f64, f64)>,
    /// Points drawn as dots.
    pub marks: Vec<(f64, f64)>,
}

/// Why there is no plot.
#[derive(Debug, thiserror::Error)]
pub enum PlotError {
    /// The file's name ends otherwise.
    #[error("a plot is written as SVG or PNG: give it a name that ends with .svg or .png")]
    Name,
    /// There are no points to draw.
    #[error("there is nothing to draw: {0} has no points")]
    Empty(String),
    /// The drawing failed.
    #[error("the plot cannot be drawn: {0}")]
    Draw(String),
    /// The file cannot be written.
    #[error("cannot write {}: {error}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// How plots are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Svg,
    Png,
}

fn format(path: &Path) -> Result<Format, PlotError> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("svg") => Ok(Format::Svg),
        Some("png") => Ok(Format::Png),
        _ => Err(PlotError::Name),
    }
}

/// Whether a plot can be written under this name: said before long work.
///
/// # Errors
/// When it cannot.
pub fn check_name(path: &Path) -> Result<(), PlotError> {
    format(path).map(drop)
}

/// Draws a figure into a file. Equal figures give equal bytes.
///
/// # Errors
/// When the name says no format, a panel is empty, or the file cannot be written.
pub fn draw(path: &Path, figure: &Figure) -> Result<(), PlotError> {
    let format = format(path)?;
    let count = figure.panels.len() as u32;
    let size = (WIDTH, if count > 1 { LOW * count } else { HEIGHT });
    let bytes = match format {
        Format::Svg => {
            let mut text = String::new();
            panels(SVGBackend::with_string(&mut text, size).into_drawing_area(), figure)?;
            text.into_bytes()
        }
        Format::Png => {
            let mut pixels = RgbImage::new(size.0, size.1);
            panels(Bitmap(&mut pixels).into_drawing_area(), figure)?;
            let mut bytes = Cursor::new(Vec::new());
            let written = pixels.write_to(&mut bytes, ImageFormat::Png);
            written.map_err(|error| PlotError::Draw(error.to_string()))?;
            bytes.into_inner()
        }
    };
    fs::write(path, bytes).map_err(|error| PlotError::Write { path: path.to_owned(), error })
}

fn panels<B: DrawingBackend>(area: DrawingArea<B, Shift>, figure: &Figure) -> Result<(), PlotError> {
    let failed = |error: &dyn std::fmt::Display| PlotError::Draw(error.to_string());
    area.fill(&WHITE).map_err(|error| failed(&error))?;
    let parts = area.split_evenly((figure.panels.len(), 1));
    for (panel, part) in figure.panels.iter().zip(&parts) {
        let finite = |point: &&(f64, f64)| point.0.is_finite() && point.1.is_finite();
        let points: Vec<(f64, f64)> = panel.series.points.iter().filter(finite).copied().collect();
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            return Err(PlotError::Empty(panel.caption.clone()));
        };
        let (x, y) = ((first.0, last.0), bounds(points.iter().map(|point| point.1)));
        // One point alone spans nothing.
        let x = if x.0 < x.1 { x } else { (x.0 - 0.5, x.1 + 0.5) };
        let mut builder = ChartBuilder::on(part);
        builder
            .margin(16)
            .caption(&panel.caption, ("sans-serif", 18))
            .x_label_area_size(40)
            .y_label_area_size(64);
        // The two kinds of axis are two types.
        macro_rules! draw_on {
            ($range:expr) => {{
                let mut chart =
                    builder.build_cartesian_2d($range, y.0..y.1).map_err(|error| failed(&error))?;
                let mut mesh = chart.configure_mesh();
                mesh.x_desc(&panel.x).y_desc(&panel.y);
                mesh.draw().map_err(|error| failed(&error))?;
                chart
                    .draw_series(LineSeries::new(points.iter().copied(), LINE))
                    .map_err(|error| failed(&error))?;
                let marks = panel.series.marks.iter().filter(finite);
                chart
                    .draw_series(marks.map(|mark| Circle::new(*mark, 5, MARK)))
                    .map_err(|error| failed(&error))?;
            }};
        }
        if panel.logarithmic { draw_on!((x.0..x.1).log_scale()) } else { draw_on!(x.0..x.1) }
    }
    area.present().map_err(|error| failed(&error))
}

/// A little more than what the values span.
fn bounds(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    let room = if high > low { (high - low) * 0.04 } else { high.abs().max(1.0) * 0.04 };
    (low - room, high + room)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(panels: usize) -> Figure {
        let points: Vec<(f64, f64)> =
            (1..50).map(|x| (f64::from(x), 2.0 / f64::from(x))).chain([(50.0, f64::NAN)]).collect();
        let panel = Panel {
            caption: "falling".to_owned(),
            x: "step".to_owned(),
            y: "loss".to_owned(),
            logarithmic: panels == 1,
            series: Series { marks: vec![points[9]], points },
        };
        Figure { panels: vec![panel; panels] }
    }

    fn drawn(name: &str, figure: &Figure) -> Vec<u8> {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join(name);
        draw(&path, figure).expect("draws");
        fs::read(path).expect("reads")
    }

    #[test]
    fn both_formats_show_curve_mark_and_words() {
        for panels in [1, 3] {
            let figure = figure(panels);
            let svg = String::from_utf8(drawn("a.svg", &figure)).expect("text");
            assert_eq!(svg.matches("falling").count(), panels);
            assert!(svg.contains("<polyline") && svg.contains("<circle") && svg.contains("loss"));
            let png = drawn("a.png", &figure);
            assert_eq!(png, drawn("a.png", &figure), "equal figures, equal bytes");
            let picture = image::load_from_memory(&png).expect("a picture").to_rgb8();
            assert_eq!(picture.dimensions(), (800, if panels == 1 { 480 } else { 840 }));
            let count = |more: usize, less: usize| {
                let much = |pixel: &&image::Rgb<u8>| pixel.0[more] > pixel.0[less].saturating_add(60);
                picture.pixels().filter(much).count()
            };
            assert!(count(2, 0) > 200 * panels, "the curve is blue: {}", count(2, 0));
            assert!(count(0, 2) > 20 * panels, "the mark is red: {}", count(0, 2));
            // Words of the caption: ink in the topmost lines.
            let ink = picture.enumerate_pixels().filter(|(_, y, pixel)| *y < 40 && pixel.0[0] < 128).count();
            assert!(ink > 50, "{ink}");
        }
    }

    #[test]
    fn other_names_and_empty_panels_are_refused() {
        for name in ["a.jpg", "a", "svg", "a.SVGZ"] {
            assert!(matches!(check_name(Path::new(name)), Err(PlotError::Name)), "{name}");
        }
        let mut empty = figure(1);
        empty.panels[0].series.points.clear();
        assert!(matches!(draw(Path::new("never.svg"), &empty), Err(PlotError::Empty(_))));
        assert!(!Path::new("never.svg").exists());
        let gone = draw(Path::new("/nowhere/at/all.png"), &figure(1)).expect_err("no folder");
        assert!(gone.to_string().contains("/nowhere/at/all.png"), "{gone}");
    }
}
