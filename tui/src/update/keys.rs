//! From keys to actions, or into what is open.

use super::{overlays, perform};
use crate::key::Key;
use crate::model::Model;
use crate::msg::Cmd;

pub(super) fn press(model: &mut Model, key: Key, cmds: &mut Vec<Cmd>) {
    // Leaving and sleeping work whatever is open.
    if key == Key::ctrl('c') || key == Key::ctrl('z') {
        if let Some(action) = model.keymap.action(model.screen, key) {
            perform::perform(model, action, cmds);
        }
    } else if model.overlay.is_some() {
        overlays::press(model, key, cmds);
    } else if let Some(action) = model.keymap.action(model.screen, key) {
        perform::perform(model, action, cmds);
    }
}
