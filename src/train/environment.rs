//! What, besides recipe, data and seed, the bits of a result depend on.
//!
//! Stored with every run. When a replay's environment differs from it, that is
//! said before the work starts: equal bits are promised for an equal
//! environment only.

use std::fs;

use serde::{Deserialize, Serialize};

use super::device::Machine;
use super::rendition::pixel_version;

/// Variables that the engine is started with, unless they are set already.
///
/// libgomp's threads wait for each other in a loop, hundreds of times a step.
/// Where other programs want the same cores, that made a step three times as
/// slow as letting them sleep. libgomp reads these when it is loaded, so they
/// must be set by whoever starts the process. cuBLAS gives equal bits for equal
/// input only with a workspace of a fixed size.
pub const ENGINE_VARIABLES: [(&str, &str); 2] =
    [("CUBLAS_WORKSPACE_CONFIG", ":4096:8"), ("GOMP_SPINCOUNT", "0")];

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
    /// The driver of the GPU, if one was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// The processor kernels that libtorch chose, as it names them; runs
    /// before this was recorded have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernels: Option<String>,
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
        driver: None,
        kernels: None,
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

    /// What computed. A device that only a newer version knows counts as the
    /// processor.
    pub fn machine(&self) -> Machine {
        Machine { device: self.device.parse().unwrap_or_default(), threads: (self.threads as usize).max(1) }
    }

    /// In which respects another environment differs: name, here, there.
    pub fn differences(&self, other: &Environment) -> Vec<(&'static str, String, String)> {
        let texts = |of: &Environment| {
            [
                ("build", of.build.clone()),
                ("processor", of.cpu.clone()),
                ("processor class", of.cpu_class.clone()),
                ("device", of.device.clone()),
                ("libtorch", of.libtorch.clone().unwrap_or_else(|| "none".to_owned())),
                ("decoder", of.pixels.clone()),
                ("safelight", of.safelight.clone()),
                ("threads", of.threads.to_string()),
            ]
        };
        let pairs = texts(self).into_iter().zip(texts(other));
        let pairs = pairs.map(|((name, here), (_, there))| (name, here, there));
        let mut found: Vec<_> = pairs.filter(|(_, here, there)| here != there).collect();
        // What one of them did not record is not known to differ.
        for (name, here, there) in
            [("driver", &self.driver, &other.driver), ("kernels", &self.kernels, &other.kernels)]
        {
            if let (Some(here), Some(there)) = (here, there)
                && here != there
            {
                found.push((name, here.clone(), there.clone()));
            }
        }
        // More care than there was then changes no bit; less may.
        if other.determinism.iter().any(|care| !self.determinism.contains(care)) {
            found.push(("determinism", self.determinism.join(", "), other.determinism.join(", ")));
        }
        found
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
        let more =
            Environment { kernels: Some("AVX512".to_owned()), driver: Some("13".to_owned()), ..here.clone() };
        let text = String::from_utf8(more.to_json()).expect("text");
        let keys: Vec<String> = text.lines().filter_map(key).collect();
        assert!(keys.len() == 11 && keys.is_sorted(), "{keys:?}");
        assert!(more.differences(&here).is_empty(), "one that was not recorded is not known to differ");
        let other = Environment { kernels: Some("AVX2".to_owned()), ..more.clone() };
        assert_eq!(more.differences(&other), [("kernels", "AVX512".to_owned(), "AVX2".to_owned())]);
        let careful =
            Environment { determinism: vec!["a".to_owned(), here.determinism[0].clone()], ..here.clone() };
        assert!(careful.differences(&here).is_empty() && here.differences(&careful).len() == 1);
        let there = Environment { threads: 4, ..here.clone() };
        assert_eq!(here.differences(&there), [("threads", "2".to_owned(), "4".to_owned())]);
        assert!(here.differences(&here.clone()).is_empty());
    }
}
