//! Tells the linker where libtorch is, so that the program and its tests run
//! from anywhere without an environment variable, and records what was built.

use std::env;
use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    println!("cargo:rerun-if-changed=src/build.rs");
    let target = env::var("TARGET").unwrap_or_default();
    let profile = env::var("PROFILE").unwrap_or_default();
    println!("cargo:rustc-env=SAFELIGHT_BUILD={target} {profile}");
    if env::var_os("CARGO_FEATURE_TORCH").is_none() {
        return;
    }
    let Some(home) = env::var_os("LIBTORCH").map(PathBuf::from) else {
        println!("cargo:warning=LIBTORCH is not set; run .config/libtorch once");
        return;
    };
    let lib = home.join("lib");
    if !lib.is_dir() {
        println!(
            "cargo:warning=there is no libtorch in {}; run `make build` (or .config/libtorch) once, \
             or build with --no-default-features",
            home.display()
        );
        return;
    }
    shim(&home);
    let lib = lib.canonicalize().unwrap_or(lib);
    println!("cargo:rustc-link-arg=-Wl,-rpath,{}", lib.display());
    // Nothing in our code names a symbol of the CUDA library: it registers its
    // kernels when loaded, so the linker must be told not to drop it.
    if lib.join("libtorch_cuda.so").exists() {
        for target in ["bin=safelight-engine", "tests"] {
            println!("cargo:rustc-link-arg-{target}=-Wl,--no-as-needed");
            println!("cargo:rustc-link-arg-{target}=-ltorch_cuda");
        }
    }
}

/// Compiles the little C++ that turns libtorch's switches, as torch-sys compiles
/// its own.
#[cfg(feature = "torch")]
fn shim(home: &std::path::Path) {
    const SOURCE: &str = "src/train/torch/shim.cc";
    println!("cargo:rerun-if-changed={SOURCE}");
    println!("cargo:rerun-if-env-changed=LIBTORCH_CXX11_ABI");
    let abi = env::var("LIBTORCH_CXX11_ABI").unwrap_or_else(|_| "1".to_owned());
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .warnings(false)
        .define("_GLIBCXX_USE_CXX11_ABI", Some(abi.as_str()))
        .include(home.join("include"))
        .file(SOURCE)
        .compile("safelight_torch");
}

#[cfg(not(feature = "torch"))]
fn shim(_: &std::path::Path) {}
