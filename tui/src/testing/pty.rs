//! A program on a pseudo-terminal.

use std::io::{Read as _, Write as _};
use std::num::NonZeroU16;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// How long anything may take; the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program and the terminal that it runs on.
pub struct Pty {
    pub child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keyboard: Box<dyn std::io::Write + Send>,
    shown: Arc<Mutex<(vt100::Parser, Vec<u8>)>>,
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("a terminal has cells")
}

impl Pty {
    /// Starts a program on a terminal of 80×24.
    pub fn start(command: CommandBuilder) -> Pty {
        let pair = native_pty_system().openpty(size(80, 24)).expect("a pseudo-terminal");
        let child = pair.slave.spawn_command(command).expect("the program");
        drop(pair.slave);
        let shown = Arc::new(Mutex::new((vt100::Parser::new(cells(24), cells(80), 0), Vec::new())));
        let mut reader = pair.master.try_clone_reader().expect("its output");
        let writer = Arc::clone(&shown);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                let mut shown = writer.lock().unwrap_or_else(PoisonError::into_inner);
                shown.0.process(&bytes[..count]);
                shown.1.extend_from_slice(&bytes[..count]);
            }
        });
        let keyboard = pair.master.take_writer().expect("its keyboard");
        Pty { child, master: pair.master, keyboard, shown }
    }

    /// Presses keys, as the bytes that a terminal sends.
    pub fn press(&mut self, bytes: &str) {
        self.keyboard.write_all(bytes.as_bytes()).expect("the program reads");
        self.keyboard.flush().expect("the program reads");
    }

    /// Gives the terminal another size.
    pub fn resize(&self, columns: u16, rows: u16) {
        self.shown
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .0
            .screen_mut()
            .set_size(cells(rows), cells(columns));
        self.master.resize(size(columns, rows)).expect("another size");
    }

    /// What the terminal shows.
    pub fn screen(&self) -> String {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).0.screen().contents()
    }

    /// Every byte that the program wrote.
    pub fn written(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap_or_else(PoisonError::into_inner).1).into_owned()
    }

    /// Waits until the screen is as wanted.
    pub fn wait(&self, what: &str, wanted: impl Fn(&str) -> bool) {
        wait(|| wanted(&self.screen()), || format!("{what} is not shown:\n{}", self.screen()));
    }

    /// Waits until the program wrote something after its first `from` bytes.
    pub fn wait_written(&self, from: usize, what: &str) {
        let there = || self.written().get(from..).is_some_and(|rest| rest.contains(what));
        wait(there, || format!("{what:?} was not written"));
    }

    /// Waits for the end of the program; whether it succeeded.
    pub fn end(&mut self) -> bool {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                // What it wrote last is still on its way.
                thread::sleep(Duration::from_millis(100));
                return status.success();
            }
            if start.elapsed() > PATIENCE {
                let _ = self.child.kill();
                panic!("it does not end:\n{}", self.screen());
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Waits until something holds.
pub fn wait(holds: impl Fn() -> bool, otherwise: impl Fn() -> String) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "{}", otherwise());
        thread::sleep(Duration::from_millis(10));
    }
}
