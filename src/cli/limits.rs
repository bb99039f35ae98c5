//! What the system allows a process: threads, memory, an open standard output. What can be foreseen is said in one line
//! before a library of ours panics over it or the process is ended.
use anyhow::bail;
use std::path::Path;

/// Address space that loading and running a model takes beside its weights.
const WORKING_SPACE: u64 = 600 << 20;

/// The size of a model's weights: a file's, those of a folder, or for the model inside the program (no path) the
/// program's own, most of which it is.
pub fn weights(path: &Path) -> u64 {
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |meta| meta.len());
    if path.as_os_str().is_empty() {
        return std::env::current_exe().map_or(0, |program| size(&program));
    }
    match std::fs::read_dir(path) {
        Ok(files) => files.flatten().map(|file| size(&file.path())).sum(),
        Err(_) => size(path),
    }
}

/// Makes sure that a model of so many bytes and so many threads can be run.
pub fn check(weights: u64, threads: usize) -> anyhow::Result<()> {
    check_memory(weights)?;
    check_threads(threads + 3)?;
    share_threads();
    Ok(())
}

/// Compares the limit of the address space (`ulimit -v`) with what the weights will take. Linux only: elsewhere nothing
/// is known before.
fn check_memory(weights: u64) -> anyhow::Result<()> {
    let read = |file| std::fs::read_to_string(file).unwrap_or_default();
    let Some(limit) = address_space_limit(&read("/proc/self/limits")) else { return Ok(()) };
    let used = read("/proc/self/status")
        .lines()
        .find_map(|line| line.strip_prefix("VmSize:")?.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    let needed = used.unwrap_or(0) << 10;
    let needed = needed + weights + weights / 5 + WORKING_SPACE;
    if limit < needed {
        bail!(
            "not enough memory: the process may take {} MB of address space (ulimit -v), the model needs about {} MB; raise the limit or use a smaller model",
            limit >> 20,
            needed >> 20
        );
    }
    Ok(())
}

/// The soft limit of the address space in the text of `/proc/self/limits`; `None`: unlimited or not known.
fn address_space_limit(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Starts so many threads at once and ends them again: libraries panic where a thread cannot be started.
fn check_threads(needed: usize) -> anyhow::Result<()> {
    let mut started = Vec::with_capacity(needed);
    let mut failure = None;
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Arc::new(std::sync::Mutex::new(held));
    for _ in 0..needed {
        let held = held.clone();
        // Each waits until the channel closes, so that all are there together.
        let wait = move || drop(held.lock().map(|held| held.recv()));
        match std::thread::Builder::new().stack_size(64 << 10).spawn(wait) {
            Ok(thread) => started.push(thread),
            Err(error) => {
                failure = Some(error);
                break;
            }
        }
    }
    drop(hold);
    let running = started.len();
    started.into_iter().for_each(|thread| drop(thread.join()));
    match failure {
        None => Ok(()),
        Some(error) => bail!(
            "too few threads: {needed} are needed, the system allows {running} more ({}); raise ulimit -u, or use fewer with --threads 1",
            error.kind()
        ),
    }
}

/// The pool that the tensor library shares: a thread a core, or this thread alone where that cannot be had.
fn share_threads() {
    let pool = || rayon::ThreadPoolBuilder::new();
    if pool().build_global().is_err() {
        // It fails, too, where the pool is there already, which is as well.
        let _ = pool().num_threads(1).use_current_thread().build_global();
    }
}

/// An output that was closed (`>&-`) loses everything without an error, since the runtime puts `/dev/null` in its place,
/// open for reading and writing. A daemon has all three of its descriptors so and means it.
pub fn stdout_is_closed() -> bool {
    let placeholder = |fd: u32| {
        let target = std::fs::read_link(format!("/proc/self/fd/{fd}")).unwrap_or_default();
        let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).unwrap_or_default();
        target.as_os_str() == "/dev/null" && is_read_write(&info)
    };
    placeholder(1) && !placeholder(0)
}

/// The flags of an open file in the text of `/proc/self/fdinfo/…`, octal; their last digit says 2 for both ways.
fn is_read_write(info: &str) -> bool {
    info.lines().find_map(|line| line.strip_prefix("flags:")).is_some_and(|flags| flags.trim().ends_with('2'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units\nMax address space         943718400            unlimited            bytes\n";
        assert_eq!(address_space_limit(limits), Some(943_718_400));
        assert_eq!(address_space_limit(&limits.replace("943718400", "unlimited")), None);
        assert_eq!(address_space_limit(""), None);
        assert!(is_read_write("pos:\t0\nflags:\t0100002\nmnt_id:\t9\n"));
        assert!(!is_read_write("pos:\t0\nflags:\t0100001\n") && !is_read_write(""));
    }

    #[test]
    fn threads_that_can_be_had_are_no_error() {
        check_threads(4).expect("four threads");
        let error = check_memory(u64::MAX / 4);
        // Only where a limit is set can there be too little of it.
        let limited = std::fs::read_to_string("/proc/self/limits").is_ok_and(|l| address_space_limit(&l).is_some());
        assert_eq!(error.is_err(), limited);
    }
}
