//! Reads, scales and encodes pictures on worker threads.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::Sender;
use image::DynamicImage;
use safelight_lineage::digest::BlobId;

use super::background::{Event, calmly, spawn};
use crate::msg::Msg;
use crate::picture::{Drawing, Painter, PictureKey};
use crate::ports::Pictures;

/// Decoded pictures are kept at no more than this, in pixels a side: enough for
/// any window of a terminal.
const LARGEST: u32 = 1_024;
/// How many decoded pictures are kept, for other sizes of the window.
const DECODED: usize = 24;

/// The pictures to be made, and the workers that make them.
pub(super) struct Workers {
    shared: Arc<Shared>,
}

struct Shared {
    todo: Mutex<Todo>,
    changed: Condvar,
}

#[derive(Default)]
struct Todo {
    wanted: VecDeque<PictureKey>,
    /// What workers are at; asked for again, it is not made twice.
    underway: Vec<PictureKey>,
    decoded: VecDeque<(BlobId, Arc<DynamicImage>)>,
    ended: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Todo> {
        self.todo.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Workers {
    /// Starts the workers.
    pub(super) fn start(
        pictures: &Arc<dyn Pictures>,
        drawing: Drawing,
        count: usize,
        events: &Sender<Event>,
    ) -> io::Result<Workers> {
        let shared = Arc::new(Shared { todo: Mutex::default(), changed: Condvar::new() });
        for _ in 0..count.max(1) {
            let (shared, pictures, events) = (Arc::clone(&shared), Arc::clone(pictures), events.clone());
            spawn("pictures", move || work(&shared, pictures.as_ref(), &Painter::new(drawing), &events))?;
        }
        Ok(Workers { shared })
    }

    /// Makes these, the first one first, and nothing else.
    pub(super) fn want(&self, keys: Vec<PictureKey>) {
        let mut todo = self.shared.lock();
        todo.wanted = keys.into_iter().filter(|key| !todo.underway.contains(key)).collect();
        drop(todo);
        self.shared.changed.notify_all();
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.shared.changed.notify_all();
    }
}

fn work(shared: &Shared, pictures: &dyn Pictures, painter: &Painter, events: &Sender<Event>) {
    loop {
        let (key, kept) = {
            let mut todo = shared.lock();
            loop {
                if todo.ended {
                    return;
                }
                if let Some(key) = todo.wanted.pop_front() {
                    todo.underway.push(key);
                    let kept = todo.decoded.iter().find(|(blob, _)| *blob == key.blob);
                    break (key, kept.map(|(_, image)| Arc::clone(image)));
                }
                todo = shared.changed.wait(todo).unwrap_or_else(PoisonError::into_inner);
            }
        };
        let painted = decoded(shared, pictures, key.blob, kept)
            .and_then(|image| calmly(|| painter.paint(&image, key)))
            .map(Arc::new);
        shared.lock().underway.retain(|other| *other != key);
        if events.send(Event::Msg(Msg::Picture(key, painted))).is_err() {
            return;
        }
    }
}

fn decoded(
    shared: &Shared,
    pictures: &dyn Pictures,
    blob: BlobId,
    kept: Option<Arc<DynamicImage>>,
) -> Result<Arc<DynamicImage>, String> {
    if let Some(image) = kept {
        return Ok(image);
    }
    let image = calmly(|| pictures.picture(blob))?;
    let large = image.width().max(image.height()) > LARGEST;
    let image = Arc::new(if large { image.thumbnail(LARGEST, LARGEST) } else { image });
    let mut todo = shared.lock();
    if todo.decoded.len() >= DECODED {
        todo.decoded.pop_front();
    }
    todo.decoded.push_back((blob, Arc::clone(&image)));
    Ok(image)
}
