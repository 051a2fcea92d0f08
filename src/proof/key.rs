//! An ed25519 key in a file of the user, never in a repository.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use ed25519_dalek::{SigningKey, VerifyingKey};

/// The first line of a key file; the second is the key in hexadecimal digits.
const SECRET: &str = "safelight ed25519 secret key v1";

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("could not {doing} {}: {source}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There is a file already.
    #[error("{} exists already; a key is never overwritten", .0.display())]
    Exists(PathBuf),
    /// Others can read it.
    #[error("others can read {} (mode {mode:04o})", path.display())]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It is no key.
    #[error("{} holds no key", .0.display())]
    NotAKey(PathBuf),
    /// The text is no public key.
    #[error("'{0}' is no public key of 64 hexadecimal digits, and no file that holds one")]
    NotAPublicKey(String),
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes: {0}")]
    Random(getrandom::Error),
    /// It is not known where the user keeps settings.
    #[error("neither XDG_CONFIG_HOME nor HOME says where to keep a key")]
    NoHome,
}

/// Where a user's key is when nobody says: `safelight/key` in the XDG folder of
/// settings.
///
/// # Errors
/// When the environment does not say where that is.
pub fn default_path() -> Result<PathBuf, KeyError> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let config = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")));
    Ok(config.ok_or(KeyError::NoHome)?.join("safelight").join("key"))
}

/// Makes a key and keeps it in a new file that only its owner can read.
///
/// # Errors
/// When there is a file already, or it cannot be written.
pub fn create(path: &Path) -> Result<VerifyingKey, KeyError> {
    let io = |doing| move |source| KeyError::Io { doing, path: path.to_owned(), source };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(io("make the folder of"))?;
    }
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(KeyError::Random)?;
    let key = SigningKey::from_bytes(&secret);
    let mut file = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(KeyError::Exists(path.to_owned()));
        }
        other => other.map_err(io("make"))?,
    };
    let text = format!("{SECRET}\n{}\n", hex(&secret));
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io("write"))?;
    Ok(key.verifying_key())
}

/// Reads a key.
///
/// # Errors
/// When the file is not there, others can read it, or it holds no key.
pub fn read(path: &Path) -> Result<SigningKey, KeyError> {
    let io = |doing| move |source| KeyError::Io { doing, path: path.to_owned(), source };
    let mode = fs::metadata(path).map_err(io("read"))?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Readable { path: path.to_owned(), mode });
    }
    let text = fs::read_to_string(path).map_err(io("read"))?;
    let mut lines = text.lines();
    let secret = match (lines.next(), lines.next(), lines.next()) {
        (Some(SECRET), Some(digits), None) => unhex(digits),
        _ => None,
    };
    secret.map(|secret| SigningKey::from_bytes(&secret)).ok_or_else(|| KeyError::NotAKey(path.to_owned()))
}

/// A public key: 64 hexadecimal digits, or the name of a file that holds them.
///
/// # Errors
/// When it is neither.
pub fn public(text: &str) -> Result<VerifyingKey, KeyError> {
    let digits = match unhex::<32>(text) {
        Some(_) => text.to_owned(),
        None => fs::read_to_string(text).map_err(|_| KeyError::NotAPublicKey(text.to_owned()))?,
    };
    unhex(digits.trim())
        .and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok())
        .ok_or_else(|| KeyError::NotAPublicKey(text.to_owned()))
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Exactly `N` bytes from hexadecimal digits.
pub fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_its_owners_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/key");
        let public_key = create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(read(&path).unwrap().verifying_key(), public_key);
        assert!(matches!(create(&path), Err(KeyError::Exists(_))));
        assert_eq!(public(&hex(public_key.as_bytes())).unwrap(), public_key);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(read(&path), Err(KeyError::Readable { mode: 0o640, .. })));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        for text in ["", "safelight ed25519 secret key v1\n12\n", "ssh-ed25519 AAAA"] {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            assert!(matches!(read(&path), Err(KeyError::NotAKey(_))), "{text}");
        }
        assert!(matches!(public("12"), Err(KeyError::NotAPublicKey(_))));
        assert!(matches!(public(&"é".repeat(32)), Err(KeyError::NotAPublicKey(_))));
        assert_eq!(unhex::<2>("+1f2"), None);
    }
}
