//! Ctrl-C, SIGTERM and the SIGHUP of a terminal that closes: the first asks the job to finish what it has in hand, the second ends the process at once.
//! Either way the output and its journal are in order.
use crate::bulk::Stop;
use std::time::Duration;

/// When the process ends even if the translator does not come back.
const DEADLINE: Duration = Duration::from_secs(10);

/// Watches for signals from now on. The exit code after a signal is 128 plus its number.
#[cfg(unix)]
pub fn watch(stop: &Stop) -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
    let mut watched = vec![SIGINT, SIGTERM];
    if !is_ignored(SIGHUP) {
        watched.push(SIGHUP);
    }
    let mut signals = signal_hook::iterator::Signals::new(watched)?;
    // A file over the limit of its size (ulimit -f) is an error of writing, which names the file, and not the end.
    signal_hook::flag::register(SIGXFSZ, std::sync::Arc::default())?;
    let stop = stop.clone();
    std::thread::spawn(move || {
        for signal in signals.forever() {
            if stop.is_wished() {
                signal_hook::low_level::exit(128 + signal);
            }
            stop.wish(signal);
            crate::error::say!("anubad: finishing what is in hand (at most 10 s; once more to stop at once)");
            std::thread::spawn(move || {
                std::thread::sleep(DEADLINE);
                crate::error::say!("anubad: stopped in the middle of an article; run the same command again to go on");
                signal_hook::low_level::exit(128 + signal);
            });
        }
    });
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

/// Elsewhere Ctrl-C ends the process; what is journalled is kept.
#[cfg(not(unix))]
pub fn watch(_stop: &Stop) -> std::io::Result<()> {
    Ok(())
}
