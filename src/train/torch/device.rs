//! The device and the process that computes: its threads, its switches, and how
//! they are described.

use tch::{Cuda, Device};

use super::super::device::{DeviceName, Machine, processor_has_bf16};
use super::super::environment::{Environment, describe};
use super::super::recipe::Precision;
use super::error::DeviceError;
use super::shim;

/// The libtorch that tch 0.24 is made for; it refuses others when built.
const LIBTORCH: &str = "libtorch 2.11 by tch 0.24";

/// Makes libtorch compute with this many threads, in the whole process. Equal
/// bits need equal numbers.
pub fn use_threads(threads: usize) {
    let threads = i32::try_from(threads.max(1)).unwrap_or(i32::MAX);
    if tch::get_num_threads() != threads {
        tch::set_num_threads(threads);
    }
}

/// Makes this process compute on `machine`, with algorithms that give equal
/// bits for equal input; gives the device.
///
/// # Errors
/// When there is no such device, it cannot compute in `precision`, or libtorch
/// refuses.
pub fn prepare(machine: Machine, precision: Precision) -> Result<Device, DeviceError> {
    use_threads(machine.threads);
    let device = find(machine.device)?;
    if precision == Precision::Bf16 && device == Device::Cpu && !processor_has_bf16() {
        return Err(DeviceError::NoBf16);
    }
    shim::be_deterministic()?;
    Ok(device)
}

/// The device of this name.
///
/// # Errors
/// When it is not there.
pub fn find(name: DeviceName) -> Result<Device, DeviceError> {
    let count =
        if name == DeviceName::Cpu || !Cuda::is_available() { 0 } else { Cuda::device_count().max(0) };
    match name {
        DeviceName::Cpu => Ok(Device::Cpu),
        DeviceName::Auto if count == 0 => Ok(Device::Cpu),
        DeviceName::Auto => Ok(Device::Cuda(0)),
        DeviceName::Cuda(number) if (number as i64) < count => Ok(Device::Cuda(number)),
        DeviceName::Cuda(_) => Err(DeviceError::Absent { name, count: count as usize }),
    }
}

/// The environment of a run on this machine. A device that is not there is
/// named as it was asked for: the run itself will fail.
pub fn environment(machine: impl Into<Machine>) -> Environment {
    let machine = machine.into();
    let device = match find(machine.device) {
        Ok(Device::Cuda(number)) => DeviceName::Cuda(number),
        Ok(_) => DeviceName::Cpu,
        Err(_) => machine.device,
    };
    let mut environment = describe(&device.to_string(), machine.threads, Some(LIBTORCH.to_owned()));
    environment.determinism.push("deterministic algorithms of libtorch, no TF32".to_owned());
    environment.kernels = shim::kernels().ok();
    if device != DeviceName::Cpu {
        environment.driver = driver();
    }
    environment
}

/// The version of the GPU's driver, as its kernel module gives it.
fn driver() -> Option<String> {
    let text = std::fs::read_to_string("/proc/driver/nvidia/version").ok()?;
    Some(text.lines().next()?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_is_not_there_is_refused_in_a_sentence() {
        assert_eq!(find(DeviceName::Cpu).expect("there"), Device::Cpu);
        let refused = find(DeviceName::Cuda(200)).expect_err("nobody has so many").to_string();
        assert!(refused.starts_with("there is no device cuda:200: libtorch sees "), "{refused}");
        if Cuda::device_count() == 0 {
            assert_eq!(find(DeviceName::Auto).expect("the processor"), Device::Cpu);
        }
        let machine = Machine { device: DeviceName::Cuda(200), threads: 2 };
        assert!(prepare(machine, Precision::Fp32).is_err());
    }

    #[test]
    fn the_environment_says_what_was_chosen() {
        let environment = environment(2);
        assert_eq!((environment.device.as_str(), environment.threads), ("cpu", 2));
        assert!(environment.kernels.is_some() && environment.driver.is_none());
        assert!(environment.determinism.len() == 2);
    }
}
