//! Keys, pastes, the mouse and the size of the terminal, as events.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::Sender;
use crossterm::event::{self, Event as Input, KeyEventKind, MouseButton, MouseEventKind};
use ratatui::layout::Size;

use super::background::{Event, spawn};
use crate::key::Key;
use crate::msg::Msg;

/// How soon the thread notices that it is to end. Waiting costs nothing.
const NOTICE: Duration = Duration::from_millis(250);
/// Rows that one notch of the wheel scrolls.
const NOTCH: isize = 3;

/// Reads until `ended`.
pub(super) fn read(events: Sender<Event>, ended: Arc<AtomicBool>) -> io::Result<()> {
    spawn("input", move || {
        while !ended.load(Ordering::Relaxed) {
            let msg = match next() {
                Ok(None) => continue,
                Ok(Some(msg)) => Event::Msg(msg),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    let _ = events.send(Event::InputLost(error));
                    return;
                }
            };
            if events.send(msg).is_err() {
                return;
            }
        }
    })?;
    Ok(())
}

fn next() -> io::Result<Option<Msg>> {
    if !event::poll(NOTICE)? {
        return Ok(None);
    }
    Ok(match event::read()? {
        Input::Key(key) if key.kind != KeyEventKind::Release => Some(Msg::Key(Key::from(key))),
        Input::Paste(text) => Some(Msg::Paste(text)),
        Input::Resize(width, height) => Some(Msg::Resize(Size { width, height })),
        Input::Mouse(mouse) => match mouse.kind {
            MouseEventKind::ScrollDown => Some(Msg::Wheel(NOTCH)),
            MouseEventKind::ScrollUp => Some(Msg::Wheel(-NOTCH)),
            MouseEventKind::Down(MouseButton::Left) => Some(Msg::Click(mouse.column, mouse.row)),
            _ => None,
        },
        _ => None,
    })
}
