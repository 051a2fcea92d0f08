//! Where the interface was left, to begin there the next time. Kept in the
//! cache: losing it costs nothing.

use std::io::Write as _;
use std::path::Path;

use safelight_tui::{Screen, Session};
use serde::{Deserialize, Serialize};

const FILE: &str = "interface.json";

/// A session as it is written. What an older version did not write is as at first.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Remembered {
    screen: String,
    image_filter: String,
    image_row: u32,
    image_order: String,
    image_wall: bool,
    image_tile: Option<usize>,
    timeline_filter: String,
    pass: Option<String>,
}

/// Where the interface was left; as at first when that is not known or the file
/// is damaged.
pub fn read(cache: &Path) -> Session {
    let bytes = std::fs::read(cache.join(FILE)).unwrap_or_default();
    let kept: Remembered = serde_json::from_slice(&bytes).unwrap_or_default();
    Session {
        screen: Screen::from_name(&kept.screen).unwrap_or_default(),
        image_filter: kept.image_filter,
        image_row: kept.image_row,
        image_order: kept.image_order,
        image_wall: kept.image_wall,
        image_tile: kept.image_tile,
        timeline_filter: kept.timeline_filter,
        pass: kept.pass,
    }
}

/// Keeps where the interface was left.
///
/// # Errors
/// When it cannot be written; then the next time begins elsewhere.
pub fn write(cache: &Path, session: &Session) -> std::io::Result<()> {
    let kept = Remembered {
        screen: session.screen.name().to_owned(),
        image_filter: session.image_filter.clone(),
        image_row: session.image_row,
        image_order: session.image_order.clone(),
        image_wall: session.image_wall,
        image_tile: session.image_tile,
        timeline_filter: session.timeline_filter.clone(),
        pass: session.pass.clone(),
    };
    // Renamed when complete: two interfaces may end at once.
    let mut fresh = tempfile::NamedTempFile::new_in(cache)?;
    serde_json::to_writer_pretty(&mut fresh, &kept)?;
    fresh.flush()?;
    fresh.persist(cache.join(FILE))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_kept_and_damage_is_harmless() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(read(folder.path()), Session::default());
        let session = Session {
            screen: Screen::Review,
            image_filter: "label:sea".to_owned(),
            image_row: 7,
            image_order: "-path".to_owned(),
            image_wall: true,
            image_tile: Some(4),
            timeline_filter: "ada".to_owned(),
            pass: Some("c1".repeat(16)),
        };
        write(folder.path(), &session).expect("written");
        assert_eq!(read(folder.path()), session);
        let file = folder.path().join(FILE);
        let whole = std::fs::read(&file).expect("written");
        for end in 0..whole.len() - 1 {
            std::fs::write(&file, &whole[..end]).expect("cut");
            assert_eq!(read(folder.path()), Session::default());
        }
        std::fs::write(&file, br#"{"screen": "Nowhere", "image_tile": 99, "new": 1}"#).expect("written");
        assert_eq!(read(folder.path()), Session { image_tile: Some(99), ..Session::default() });
    }
}
