//! Processes that are recognised again, by others and later.
//!
//! A process id alone names whoever has it now. With the moment at which its
//! process began it names one process for ever.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

/// One process, now or in the past.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its id.
    pub pid: i32,
    /// When it began, as the system counts; empty for one that had ended already.
    pub birth: String,
}

impl Process {
    /// This process.
    pub fn own() -> Process {
        Process::of(std::process::id() as i32)
    }

    /// The process that has this id now.
    pub fn of(pid: i32) -> Process {
        Process { pid, birth: birth(pid).unwrap_or_default() }
    }

    /// Whether it still runs. One that ended and was not waited for does not.
    pub fn is_alive(&self) -> bool {
        birth(self.pid).is_some_and(|birth| birth == self.birth)
    }

    /// Sends a signal if it still runs; whether it was sent.
    pub fn signal(&self, signal: Signal) -> bool {
        self.is_alive() && Pid::from_raw(self.pid).is_some_and(|pid| kill_process(pid, signal).is_ok())
    }
}

/// When the process of this id began: ticks since the system started, with the
/// name of that start, as ticks begin anew with it. None when there is no such
/// process, or only its remains.
#[cfg(target_os = "linux")]
fn birth(pid: i32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything; what follows the last one is plain.
    let mut fields = stat[stat.rfind(')')? + 1..].split_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    // State is field 3 of proc(5), the start time field 22.
    let ticks = fields.nth(18)?;
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    Some(format!("{ticks}@{}", boot.trim()))
}

#[cfg(not(target_os = "linux"))]
fn birth(pid: i32) -> Option<String> {
    let told = std::process::Command::new("ps")
        .args(["-o", "stat=,lstart=", "-p", &pid.to_string()])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&told.stdout).trim().to_owned();
    let (status, begin) = text.split_once(char::is_whitespace)?;
    (!status.starts_with('Z')).then(|| begin.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_told_from_a_later_one_of_the_same_id() {
        let own = Process::own();
        assert!(own.is_alive());
        let earlier = Process { birth: "1@another start".to_owned(), ..own };
        assert!(!earlier.is_alive());
        assert!(!earlier.signal(Signal::KILL), "or this test ends here");
    }

    #[test]
    fn a_process_that_ended_is_not_alive_before_it_is_waited_for() {
        let mut child = std::process::Command::new("true").spawn().expect("a process");
        let process = Process::of(child.id() as i32);
        let begin = std::time::Instant::now();
        while process.is_alive() && begin.elapsed().as_secs() < 30 {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        assert!(!process.is_alive());
        child.wait().expect("it ended");
    }
}
