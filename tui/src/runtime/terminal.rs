//! Takes the terminal and gives it back, whatever happens.

use std::io::{self, BufWriter, Stdout, Write, stdout};
use std::panic::{self, PanicHookInfo};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crossterm::cursor::Show;
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, queue};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

use crate::model::Model;
use crate::view;

/// Whether the terminal is taken. One process has one terminal.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// What other threads had to say when they panicked while the terminal was taken.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

type Hook = Arc<dyn Fn(&PanicHookInfo<'_>) + Sync + Send>;

/// The terminal while it is ours. Dropping it gives it back.
pub(super) struct Guard {
    terminal: Terminal<CrosstermBackend<BufWriter<Stdout>>>,
    mouse: bool,
    hook: Hook,
}

impl Guard {
    /// Takes the terminal.
    pub(super) fn take(mouse: bool) -> io::Result<Guard> {
        // Built first: it does not touch the terminal, and may fail.
        let backend = CrosstermBackend::new(BufWriter::with_capacity(1 << 16, stdout()));
        let terminal = Terminal::new(backend)?;
        let hook: Hook = panic::take_hook().into();
        install(Arc::clone(&hook));
        let guard = Guard { terminal, mouse, hook };
        enter(mouse)?;
        Ok(guard)
    }

    /// Draws the model, without tearing where the terminal can.
    pub(super) fn draw(&mut self, model: &Model) -> io::Result<()> {
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        self.terminal.draw(|frame| view::draw(model, frame))?;
        execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)
    }

    /// Draws everything anew the next time.
    pub(super) fn forget(&mut self) -> io::Result<()> {
        // Not `clear`: that asks the terminal where the cursor is and waits for
        // an answer, which the keyboard thread would read first.
        let size = self.terminal.size()?;
        self.terminal.resize(size.into())
    }

    /// Gives the terminal back, sleeps until the shell wakes the program, and
    /// takes it again.
    pub(super) fn sleep(&mut self) -> io::Result<()> {
        restore();
        signal_hook::low_level::raise(signal_hook::consts::SIGSTOP)?;
        enter(self.mouse)?;
        self.forget()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
        // A panicking thread must not touch the hook; the program ends anyway.
        if !thread::panicking() {
            let hook = Arc::clone(&self.hook);
            panic::set_hook(Box::new(move |info| hook(info)));
        }
        for words in std::mem::take(&mut *PANICS.lock().unwrap_or_else(PoisonError::into_inner)) {
            // Nothing can be said any more where stderr is closed.
            let _ = writeln!(io::stderr(), "{words}");
        }
    }
}

/// A panic of this thread is told on a restored terminal; one of another thread
/// is kept for later, for what it writes would spoil the screen.
fn install(previous: Hook) {
    let owner = thread::current().id();
    panic::set_hook(Box::new(move |info| {
        if thread::current().id() == owner {
            restore();
            previous(info);
        } else if TAKEN.load(Ordering::SeqCst) {
            let mut kept = PANICS.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push(format!("a worker panicked: {info}"));
        } else {
            previous(info);
        }
    }));
}

fn enter(mouse: bool) -> io::Result<()> {
    TAKEN.store(true, Ordering::SeqCst);
    enable_raw_mode()?;
    execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste)?;
    if mouse {
        execute!(stdout(), EnableMouseCapture)?;
    }
    Ok(())
}

/// Gives the terminal back; does nothing when it is not taken. Each step is
/// tried whatever came of the one before: the terminal may be gone.
fn restore() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ = execute!(
            stdout(),
            EndSynchronizedUpdate,
            DisableMouseCapture,
            DisableBracketedPaste,
            LeaveAlternateScreen,
            Show
        );
        let _ = disable_raw_mode();
    }
}
