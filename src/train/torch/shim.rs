//! The C++ in `shim.cc`: libtorch's switches that tch does not offer.

use std::ffi::{CStr, c_char, c_int};

use tch::TchError;

unsafe extern "C" {
    fn safelight_torch_deterministic(reason: *mut c_char, capacity: usize) -> c_int;
    fn safelight_torch_kernels(name: *mut c_char, capacity: usize) -> c_int;
    #[cfg(test)]
    fn safelight_torch_is_deterministic() -> c_int;
}

/// Calls a function of the shim and returns its words, as an error if it failed.
fn call(function: unsafe extern "C" fn(*mut c_char, usize) -> c_int) -> Result<String, TchError> {
    let mut words = [0u8; 512];
    // SAFETY: every function of the shim writes at most `capacity` bytes, the
    // last of them a zero, and lets no exception out; all other bytes are zero.
    let status = unsafe { function(words.as_mut_ptr().cast(), words.len()) };
    let words = CStr::from_bytes_until_nul(&words)
        .map(|words| words.to_string_lossy().into_owned())
        .unwrap_or_default();
    if status == 0 { Ok(words) } else { Err(TchError::Torch(words)) }
}

/// Makes libtorch use algorithms that give equal bits for equal input, in the
/// whole process, and refuse operations that have none; no TF32 either.
pub fn be_deterministic() -> Result<(), TchError> {
    call(safelight_torch_deterministic).map(drop)
}

/// The processor kernels that libtorch chose, such as `AVX512`. The variable
/// `ATEN_CPU_CAPABILITY` can lower them.
pub fn kernels() -> Result<String, TchError> {
    call(safelight_torch_kernels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_switch_is_turned_and_the_kernels_are_named() {
        be_deterministic().expect("turns");
        // SAFETY: it takes nothing and only reads a flag.
        assert_eq!(unsafe { safelight_torch_is_deterministic() }, 1);
        let kernels = kernels().expect("a name");
        assert!(!kernels.is_empty() && kernels.is_ascii(), "{kernels:?}");
    }
}
