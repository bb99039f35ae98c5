//! Ctrl-C, SIGTERM and the SIGHUP of a terminal that closes: the first asks the job to finish what it has in hand, the second
//! ends the process at once. Either way the output and its journal are in order. On Windows Ctrl-C and Ctrl-Break do so.
use crate::bulk::Stop;
use std::time::Duration;

/// When the process ends even if the translator does not come back.
const DEADLINE: Duration = Duration::from_secs(10);
/// What is said at the first signal.
pub const FINISHING: &str = "anubad: finishing what is in hand (at most 10 s; once more to stop at once)";

/// Watches for signals from now on. The exit code after a signal is 128 plus its number.
pub fn watch(stop: &Stop) -> std::io::Result<()> {
    keep_size_limits()?;
    let stop = stop.clone();
    listen(true, move |signal| {
        if stop.is_wished() {
            end(signal);
        }
        stop.wish(signal);
        crate::error::say!("{FINISHING}");
        std::thread::spawn(move || {
            std::thread::sleep(DEADLINE);
            crate::error::say!("anubad: stopped in the middle of an article; run the same command again to go on");
            end(signal);
        });
    })
}

/// Calls `heard`, on a thread of its own, with the number of each signal that asks for an end; `hangup`: with SIGHUP, too.
#[cfg(unix)]
pub fn listen(hangup: bool, mut heard: impl FnMut(i32) + Send + 'static) -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let mut watched = vec![SIGINT, SIGTERM];
    if hangup && !is_ignored(SIGHUP) {
        watched.push(SIGHUP);
    }
    let mut signals = signal_hook::iterator::Signals::new(watched)?;
    std::thread::spawn(move || signals.forever().for_each(&mut heard));
    Ok(())
}

/// The same for Ctrl-C and Ctrl-Break, which count as SIGINT: Windows has no other way to ask a console program to end.
#[cfg(windows)]
pub fn listen(_hangup: bool, mut heard: impl FnMut(i32) + Send + 'static) -> std::io::Result<()> {
    /// SIGINT's number, in the C library of Windows, too.
    const SIGINT: i32 = 2;
    ctrlc::set_handler(move || heard(SIGINT)).map_err(std::io::Error::other)
}

/// Elsewhere signals end the process; what is journalled is kept.
#[cfg(not(any(unix, windows)))]
pub fn listen(_hangup: bool, _heard: impl FnMut(i32) + Send + 'static) -> std::io::Result<()> {
    Ok(())
}

/// Ends the process at once, without the destructors of threads that are in the middle of something.
pub fn end(signal: i32) -> ! {
    #[cfg(unix)]
    signal_hook::low_level::exit(128 + signal);
    #[cfg(not(unix))]
    std::process::exit(128 + signal)
}

/// A file over the limit of its size (ulimit -f) is an error of writing, which names the file, and not the end.
fn keep_size_limits() -> std::io::Result<()> {
    #[cfg(unix)]
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, std::sync::Arc::default())?;
    Ok(())
}

/// Whether the process was started with the signal ignored, as `nohup` does, which must stay so. Where that cannot be
/// found out the answer is yes.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_none_or(|mask| mask >> (signal - 1) & 1 == 1)
}
