//! Where is computed: the processor or a GPU, as people name it.

use std::fmt;
use std::str::FromStr;

/// A device by name, as the command line takes it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeviceName {
    /// The first GPU where there is one, otherwise the processor.
    Auto,
    /// The processor.
    #[default]
    Cpu,
    /// A GPU by its number, from zero.
    Cuda(usize),
}

/// A text that names no device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no device; it is auto, cpu, or cuda:N with a number from 0")]
pub struct NotADevice(pub String);

impl FromStr for DeviceName {
    type Err = NotADevice;

    fn from_str(text: &str) -> Result<DeviceName, NotADevice> {
        match text {
            "auto" => Ok(DeviceName::Auto),
            "cpu" => Ok(DeviceName::Cpu),
            _ => {
                let number = text.strip_prefix("cuda:").and_then(|number| number.parse::<u8>().ok());
                number
                    .map(|number| DeviceName::Cuda(number.into()))
                    .ok_or_else(|| NotADevice(text.to_owned()))
            }
        }
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeviceName::Auto => f.write_str("auto"),
            DeviceName::Cpu => f.write_str("cpu"),
            DeviceName::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

/// What computes: a device, and threads of the processor. A number alone is
/// that many threads of the processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Machine {
    /// The device.
    pub device: DeviceName,
    /// Threads; at least one is used.
    pub threads: usize,
}

impl From<usize> for Machine {
    fn from(threads: usize) -> Machine {
        Machine { device: DeviceName::Cpu, threads }
    }
}

/// Whether the processor multiplies in bfloat16 by itself. Without, libtorch
/// would do it by other means, at a tenth of the speed and with other bits.
#[cfg(target_arch = "x86_64")]
pub fn processor_has_bf16() -> bool {
    is_x86_feature_detected!("avx512bf16")
}

/// Not known to, on this kind of processor.
#[cfg(not(target_arch = "x86_64"))]
pub fn processor_has_bf16() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written_alike_and_others_refused() {
        for name in ["auto", "cpu", "cuda:0", "cuda:7"] {
            assert_eq!(name.parse::<DeviceName>().expect("a device").to_string(), name);
        }
        for other in ["", "gpu", "cuda", "cuda:", "cuda:-1", "cuda:x", "CPU", "cuda:999"] {
            let refused = other.parse::<DeviceName>().expect_err(other);
            assert!(refused.to_string().contains("auto, cpu, or cuda:N"), "{refused}");
        }
    }
}
