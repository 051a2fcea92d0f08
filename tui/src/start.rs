//! The model as the program starts.

use std::sync::Arc;

use ratatui::layout::Size;
use safelight_lineage::state::State;

use crate::cursor::Cursor;
use crate::filter::ImageFilter;
use crate::generator_view::GeneratorViews;
use crate::image_list::{Images, Rows, TILE_WIDTHS, USUAL_TILE};
use crate::judged::Judged;
use crate::keymap::{Keymap, KeymapError};
use crate::model::{Abilities, Jobs, Model, Review, Sent, Timeline};
use crate::options::{Options, Session};
use crate::order::Order;
use crate::picture::PictureCache;
use crate::replay_view::ReceiptViews;
use crate::run_view::RunViews;
use crate::theme::Theme;

impl Model {
    /// The model before anything was read.
    ///
    /// # Errors
    /// When the key map does not hold.
    pub fn new(
        options: &Options,
        theme: Theme,
        size: Size,
        abilities: Abilities,
    ) -> Result<Model, KeymapError> {
        let session = &options.session;
        // A filter that an older version wrote and this one does not know is dropped.
        let filter = ImageFilter::parse(&session.image_filter).unwrap_or_default();
        let filter_text = if filter.is_empty() { String::new() } else { session.image_filter.clone() };
        Ok(Model {
            size,
            theme,
            keymap: Keymap::new(&options.keys)?,
            actor: options.actor.clone(),
            abilities,
            screen: session.screen,
            in_detail: false,
            detail: Cursor::default(),
            live: None,
            empty: Arc::new(State::new()),
            past: None,
            overlay: None,
            notice: None,
            timeline: Timeline { filter: session.timeline_filter.clone(), ..Timeline::default() },
            images: Images {
                cursor: Cursor::default(),
                row: session.image_row,
                filter_text,
                filter,
                order: Order::from_name(&session.image_order).unwrap_or_default(),
                rows: Rows::All(0),
                generation: 0,
                searching: false,
                picked: Default::default(),
                range: None,
                wall: session.image_wall,
                tile: session.image_tile.map_or(USUAL_TILE, |tile| tile.min(TILE_WIDTHS.len() - 1)),
            },
            review: Review {
                pass: session.pass.as_deref().and_then(|pass| pass.parse().ok()),
                ..Review::default()
            },
            runs: Cursor::default(),
            generators: Cursor::default(),
            ensembles: Cursor::default(),
            submissions: Cursor::default(),
            jobs: Jobs::default(),
            recipes: None,
            device: "auto".to_owned(),
            run_views: RunViews::default(),
            receipts: ReceiptViews::new(),
            generator_views: GeneratorViews::default(),
            judged: Judged::default(),
            zoomed: false,
            pictures: PictureCache::default(),
            last_reason: None,
            sent: Sent::default(),
        })
    }

    /// What to remember for the next time.
    pub fn session(&self) -> Session {
        Session {
            screen: self.screen,
            image_filter: self.images.filter_text.clone(),
            image_row: self.images.row,
            image_order: self.images.order.to_name(),
            image_wall: self.images.wall,
            image_tile: Some(self.images.tile),
            timeline_filter: self.timeline.filter.clone(),
            pass: self.review.pass.map(|pass| pass.to_string()),
        }
    }
}
