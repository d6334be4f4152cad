//! On which machine a figure was taken, and how much memory this process has used. Linux only, and it says so elsewhere.

use std::fs;

/// Prints one line with processor, cores, memory, system and load: a figure without them is no figure.
pub fn print() {
    let model = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".into());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = kilobytes("/proc/meminfo", "MemTotal").map_or(0, |total| total.div_ceil(1 << 20));
    let line = |path: &str| fs::read_to_string(path).map(|text| text.trim().to_owned()).unwrap_or_default();
    let kernel = line("/proc/sys/kernel/osrelease");
    let load = line("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or("unknown");
    println!("machine: {model}, {cores} cores, {memory} GiB, Linux {kernel}; load at the start {load}");
}

/// The most memory of its own that this process has held since [`forget_peak`], in bytes. Pages of mapped files do not
/// count: the system can drop them at any time.
pub fn peak_own_bytes() -> u64 {
    let of = |name| kilobytes("/proc/self/status", name).unwrap_or(0) << 10;
    of("VmHWM").saturating_sub(of("RssFile") + of("RssShmem"))
}

/// The most memory that this process has held, pages of mapped files included.
pub fn peak_bytes() -> u64 {
    kilobytes("/proc/self/status", "VmHWM").unwrap_or(0) << 10
}

/// Starts the count of [`peak_own_bytes`] anew, where the system lets us.
pub fn forget_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// Of what this process holds, what is its own: mapped files not counted.
pub fn own_bytes() -> u64 {
    kilobytes("/proc/self/status", "RssAnon").unwrap_or(0) << 10
}

fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn kilobytes(path: &str, name: &str) -> Option<u64> {
    field(path, name)?.split(' ').next()?.parse().ok()
}
