//! What, besides recipe, data and seed, the bits of a result depend on.
//!
//! Stored with every run. When a replay's environment differs from it, that is
//! said before the work starts: equal bits are promised for an equal
//! environment only.

use std::fs;

use serde::{Deserialize, Serialize};

use super::rendition::pixel_version;

/// Variables that the engine is started with, unless they are set already.
///
/// libgomp's threads wait for each other in a loop, hundreds of times a step.
/// Where other programs want the same cores, that made a step three times as
/// slow as letting them sleep. libgomp reads these when it is loaded, so they
/// must be set by whoever starts the process.
pub const ENGINE_VARIABLES: [(&str, &str); 1] = [("GOMP_SPINCOUNT", "0")];

/// The circumstances of a run. Its JSON has its keys in alphabetical order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// Target and profile of the build.
    pub build: String,
    /// The processor, as it names itself.
    pub cpu: String,
    /// The widest vector instructions it has, which choose the kernels.
    pub cpu_class: String,
    /// What keeps results from depending on chance.
    pub determinism: Vec<String>,
    /// What was computed on: "cpu" or "cuda:N".
    pub device: String,
    /// The libtorch that was used, if any.
    pub libtorch: Option<String>,
    /// Decoder and resizer, with versions.
    pub pixels: String,
    /// The version of Safelight.
    pub safelight: String,
    /// Threads that computed.
    pub threads: u32,
}

/// The environment of this process for a run on `device` with `threads`
/// threads and the libtorch of this name.
pub fn describe(device: &str, threads: usize, libtorch: Option<String>) -> Environment {
    Environment {
        build: env!("SAFELIGHT_BUILD").to_owned(),
        cpu: cpu_name().unwrap_or_else(|| "unknown".to_owned()),
        cpu_class: cpu_class(),
        device: device.to_owned(),
        determinism: vec!["draws keyed by seed, stage, epoch, image and operation".to_owned()],
        libtorch,
        pixels: pixel_version(),
        safelight: env!("CARGO_PKG_VERSION").to_owned(),
        threads: threads as u32,
    }
}

impl Environment {
    /// The environment as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("texts and numbers have a JSON form")
    }

    /// In which respects another environment differs: name, here, there.
    pub fn differences(&self, other: &Environment) -> Vec<(&'static str, String, String)> {
        let texts = |of: &Environment| {
            [
                ("build", of.build.clone()),
                ("processor", of.cpu.clone()),
                ("processor class", of.cpu_class.clone()),
                ("device", of.device.clone()),
                ("determinism", of.determinism.join(", ")),
                ("libtorch", of.libtorch.clone().unwrap_or_else(|| "none".to_owned())),
                ("decoder", of.pixels.clone()),
                ("safelight", of.safelight.clone()),
                ("threads", of.threads.to_string()),
            ]
        };
        let pairs = texts(self).into_iter().zip(texts(other));
        pairs.filter(|(a, b)| a.1 != b.1).map(|((name, here), (_, there))| (name, here, there)).collect()
    }
}

fn cpu_name() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

#[cfg(target_arch = "x86_64")]
fn cpu_class() -> String {
    let known = [
        ("avx512_bf16", is_x86_feature_detected!("avx512bf16")),
        ("avx512_vnni", is_x86_feature_detected!("avx512vnni")),
        ("avx512", is_x86_feature_detected!("avx512f")),
        ("avx2", is_x86_feature_detected!("avx2")),
    ];
    known.iter().find(|(_, has)| *has).map_or("sse2", |(name, _)| name).to_owned()
}

#[cfg(not(target_arch = "x86_64"))]
fn cpu_class() -> String {
    std::env::consts::ARCH.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_and_differences_named() {
        let here = describe("cpu", 2, Some("2.11.0".to_owned()));
        let json = here.to_json();
        assert_eq!(serde_json::from_slice::<Environment>(&json).expect("reads"), here);
        let text = String::from_utf8(json).expect("text");
        let key =
            |line: &str| line.trim().strip_prefix('"')?.split_once("\":").map(|(key, _)| key.to_owned());
        let keys: Vec<String> = text.lines().filter_map(key).collect();
        assert!(keys.len() == 9 && keys.is_sorted(), "{keys:?}");
        let there = Environment { threads: 4, ..here.clone() };
        assert_eq!(here.differences(&there), [("threads", "2".to_owned(), "4".to_owned())]);
        assert!(here.differences(&here.clone()).is_empty());
    }
}
