//! What a file system says of a file that changes when its bytes do.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

use rustix::fs::Stat;

/// Which file it is, how long, and when it was changed last. A file whose stamp
/// is the same has the same bytes, unless it was changed again within one tick
/// of the file system's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The device it lies on.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
    /// Its length in bytes.
    pub size: u64,
    /// When its bytes were changed last, in nanoseconds since 1970. Programs
    /// can set this back.
    pub modified: i64,
    /// When anything of it was changed last; only the system sets this.
    pub changed: i64,
}

fn nanoseconds(seconds: i64, rest: i64) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(rest)
}

impl Stamp {
    /// The stamp of a file that was looked at.
    pub fn of(data: &Metadata) -> Self {
        Stamp {
            device: data.dev(),
            inode: data.ino(),
            size: data.len(),
            modified: nanoseconds(data.mtime(), data.mtime_nsec()),
            changed: nanoseconds(data.ctime(), data.ctime_nsec()),
        }
    }

    /// As [`of`](Self::of).
    #[expect(clippy::unnecessary_cast, reason = "the fields have other widths on other systems")]
    pub(super) fn of_stat(stat: &Stat) -> Self {
        Stamp {
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            size: stat.st_size as u64,
            modified: nanoseconds(stat.st_mtime as i64, stat.st_mtime_nsec as i64),
            changed: nanoseconds(stat.st_ctime as i64, stat.st_ctime_nsec as i64),
        }
    }

    /// Whether the file may have been changed after `time` without its stamp
    /// showing it: it is as new as that.
    pub fn is_as_new_as(&self, time: i64) -> bool {
        self.modified.max(self.changed) >= time
    }
}
