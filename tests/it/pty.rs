//! The program on a pseudo-terminal of its own.

use std::ffi::OsStr;
use std::io::{Read as _, Write as _};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// How long anything may take; the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);
/// What ends each frame: the terminal may show it now.
const FRAME: &[u8] = b"\x1b[?2026l";

/// What the terminal has got so far.
pub struct Shown {
    pub screen: vt100::Parser,
    pub written: Vec<u8>,
    /// How many frames were drawn.
    pub frames: usize,
}

/// The program and the terminal that it runs on.
pub struct Pty {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keyboard: Box<dyn std::io::Write + Send>,
    shown: Arc<(Mutex<Shown>, Condvar)>,
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("a terminal has cells")
}

impl Pty {
    /// Starts `safelight` with these arguments in `place`, on a terminal of
    /// `columns` by `rows` cells with all colours.
    pub fn start<S: AsRef<OsStr>>(place: &Path, arguments: &[S], size: (u16, u16)) -> Pty {
        Pty::start_with(place, arguments, size, &[])
    }

    /// The same, with more variables in its environment.
    pub fn start_with<S: AsRef<OsStr>>(
        place: &Path,
        arguments: &[S],
        (columns, rows): (u16, u16),
        variables: &[(&str, &str)],
    ) -> Pty {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_safelight"));
        command.args(arguments);
        command.cwd(place);
        let settings = place.join("no-settings");
        let settings = settings.to_str().expect("a temporary folder has a plain name");
        for (name, value) in [
            ("SAFELIGHT_ACTOR", "tester"),
            ("TERM", "xterm-256color"),
            ("COLORTERM", "truecolor"),
            ("RUST_BACKTRACE", "0"),
            ("XDG_CONFIG_HOME", settings),
        ] {
            command.env(name, value);
        }
        variables.iter().for_each(|(name, value)| command.env(name, value));
        for name in ["NO_COLOR", "TMUX", "TERM_PROGRAM"] {
            command.env_remove(name);
        }
        let pair = native_pty_system().openpty(size(columns, rows)).expect("a pseudo-terminal");
        let child = pair.slave.spawn_command(command).expect("the program starts");
        drop(pair.slave);
        let screen = vt100::Parser::new(cells(rows), cells(columns), 0);
        let shown = Shown { screen, written: Vec::new(), frames: 0 };
        let shown = Arc::new((Mutex::new(shown), Condvar::new()));
        let mut reader = pair.master.try_clone_reader().expect("its output");
        let writer = Arc::clone(&shown);
        thread::spawn(move || {
            let mut bytes = vec![0; 1 << 16];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                let mut shown = writer.0.lock().unwrap_or_else(PoisonError::into_inner);
                shown.screen.process(&bytes[..count]);
                // A mark may lie across two reads.
                let from = shown.written.len().saturating_sub(FRAME.len() - 1);
                shown.written.extend_from_slice(&bytes[..count]);
                shown.frames +=
                    shown.written[from..].windows(FRAME.len()).filter(|part| *part == FRAME).count();
                writer.1.notify_all();
            }
        });
        let keyboard = pair.master.take_writer().expect("its keyboard");
        Pty { child, master: pair.master, keyboard, shown }
    }

    /// What the terminal has got so far.
    pub fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Presses keys, as the bytes that a terminal sends.
    pub fn press(&mut self, bytes: &str) {
        self.keyboard.write_all(bytes.as_bytes()).expect("the program reads");
        self.keyboard.flush().expect("the program reads");
    }

    /// Gives the terminal another size.
    pub fn resize(&self, columns: u16, rows: u16) {
        self.shown().screen.screen_mut().set_size(cells(rows), cells(columns));
        self.master.resize(size(columns, rows)).expect("another size");
    }

    /// The text on the screen.
    pub fn screen(&self) -> String {
        self.shown().screen.screen().contents()
    }

    /// Every byte that the program wrote.
    pub fn written(&self) -> String {
        String::from_utf8_lossy(&self.shown().written).into_owned()
    }

    /// Waits until what was shown is as wanted; gives the moment.
    #[track_caller]
    pub fn wait(&self, what: &str, wanted: impl Fn(&Shown) -> bool) -> Instant {
        let start = Instant::now();
        let mut shown = self.shown();
        while !wanted(&shown) {
            let screen = || shown.screen.screen().contents();
            assert!(start.elapsed() < PATIENCE, "{what} is not shown:\n{}", screen());
            let step = Duration::from_millis(200);
            shown = self.shown.1.wait_timeout(shown, step).unwrap_or_else(PoisonError::into_inner).0;
        }
        Instant::now()
    }

    /// Waits until these words are on the screen.
    #[track_caller]
    pub fn wait_for(&self, words: &str) -> Instant {
        self.wait(words, |shown| shown.screen.screen().contents().contains(words))
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.process_id().expect("it runs")
    }

    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        let sent = std::process::Command::new("kill").args([name, &self.id().to_string()]).status();
        assert!(sent.expect("kill").success());
    }

    /// Waits for the end; gives the exit code.
    #[track_caller]
    pub fn end(&mut self) -> u32 {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                // What it wrote last is still on its way.
                thread::sleep(Duration::from_millis(100));
                return status.exit_code();
            }
            if start.elapsed() > PATIENCE {
                let _ = self.child.kill();
                panic!("it does not end:\n{}", self.screen());
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Asserts that the alternate screen and paste mode are off and that the
    /// cursor is back; mouse mode, if it ever was on.
    #[track_caller]
    pub fn assert_restored(&self) {
        let written = self.written();
        for (mode, must) in [("1049", true), ("2004", true), ("1000", false)] {
            let on = written.rfind(&format!("\x1b[?{mode}h"));
            let off = written.rfind(&format!("\x1b[?{mode}l"));
            assert!(!must || on.is_some(), "{mode} was never on");
            assert!(on <= off, "{mode} stays on");
        }
        assert!(written.rfind("\x1b[?25h") > written.rfind("\x1b[?25l"), "the cursor stays hidden");
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // A test that failed leaves nothing behind.
        let _ = self.child.kill();
    }
}
