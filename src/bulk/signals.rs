//! Ctrl-C and SIGTERM: the first asks the job to finish what it has in hand, the second ends the process at once.
//! Either way the output and its journal are in order.
use crate::bulk::stop::Stop;
use std::time::Duration;

/// When the process ends even if the translator does not come back.
const DEADLINE: Duration = Duration::from_secs(10);

/// Watches for signals from now on. The exit code after a signal is 128 plus its number.
#[cfg(unix)]
pub fn watch(stop: &Stop) -> std::io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?;
    let stop = stop.clone();
    std::thread::spawn(move || {
        for signal in signals.forever() {
            if stop.is_wished() {
                signal_hook::low_level::exit(128 + signal);
            }
            stop.wish(signal);
            eprintln!("anubad: finishing what is in hand (at most 10 s; once more to stop at once)");
            std::thread::spawn(move || {
                std::thread::sleep(DEADLINE);
                eprintln!("anubad: stopped in the middle of an article; run the same command again to go on");
                signal_hook::low_level::exit(128 + signal);
            });
        }
    });
    Ok(())
}

/// Elsewhere Ctrl-C ends the process; what is journalled is kept.
#[cfg(not(unix))]
pub fn watch(_stop: &Stop) -> std::io::Result<()> {
    Ok(())
}
