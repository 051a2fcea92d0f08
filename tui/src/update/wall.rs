//! The wall of pictures, and in which order images are listed.

use super::follow;
use crate::image_list::TILE_WIDTHS;
use crate::model::Model;
use crate::msg::Cmd;
use crate::order::Order;

/// Shows the wall, or the list.
pub(super) fn switch(model: &mut Model) {
    if !model.abilities.pictures {
        return model.complain("pictures are off; start with --images halfblocks or ascii");
    }
    model.images.wall = !model.images.wall;
    model.zoomed = false;
}

/// Makes the pictures of the wall larger or smaller.
pub(super) fn resize(model: &mut Model, steps: isize) {
    if !model.images.wall {
        return model.complain("the list has no pictures; press t for a wall of them");
    }
    let tile = model.images.tile.saturating_add_signed(steps).min(TILE_WIDTHS.len() - 1);
    if tile == model.images.tile {
        return model.complain(if steps > 0 {
            "they are at their largest"
        } else {
            "they are at their smallest"
        });
    }
    model.images.tile = tile;
}

/// Orders by the next of what can be ordered by.
pub(super) fn sort(model: &mut Model, cmds: &mut Vec<Cmd>) {
    let order = Order { key: model.images.order.key.next(), reversed: false };
    set(model, order, cmds);
}

/// Turns the order around.
pub(super) fn reverse(model: &mut Model, cmds: &mut Vec<Cmd>) {
    let order = Order { reversed: !model.images.order.reversed, ..model.images.order };
    set(model, order, cmds);
}

fn set(model: &mut Model, order: Order, cmds: &mut Vec<Cmd>) {
    model.images.order = order;
    // Between other neighbours a range is another.
    model.images.range = None;
    if order.needs_opinions() && model.state().predictions().is_empty() {
        model.say("by confidence; but nothing was predicted yet");
    } else {
        let words = if order.is_plain() { "as they came in".to_owned() } else { order.words() };
        model.say(words);
    }
    follow::images(model, cmds);
}
