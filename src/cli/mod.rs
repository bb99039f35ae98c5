//! The command line: one file a subcommand, arguments → validated settings → library call → printed output.
mod articles;
pub mod bench;
pub mod bulk;
mod bulk_progress;
pub mod common;
pub mod eval;
pub mod exit;
mod input;
mod limits;
pub mod lines;
mod model;
mod output;
mod page;
pub mod sentence_args;
#[cfg(feature = "server")]
mod serve;
mod shorten;
pub mod signals;
pub mod summarize;
pub mod summary_args;
mod tables;
pub mod translate;

use clap::{CommandFactory, Parser, Subcommand};
use std::io::Write;
use std::process::ExitCode;

/// Bengali articles into English ones, with a short summary, on your own machine.
#[derive(Debug, Parser)]
#[command(name = "anubad", version = version(), about, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// What `-V` prints: version, features compiled in, kernels in use.
fn version() -> &'static str {
    static TEXT: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    TEXT.get_or_init(|| {
        let features = [
            ("embedded-model", cfg!(feature = "embedded-model")),
            ("server", cfg!(feature = "server")),
            ("cuda", cfg!(feature = "cuda")),
            ("metal", cfg!(feature = "metal")),
            ("accelerate", cfg!(feature = "accelerate")),
            ("mkl", cfg!(feature = "mkl")),
        ];
        let on: Vec<_> = features.iter().filter(|f| f.1).map(|f| f.0).collect();
        let features = if on.is_empty() { "none".to_string() } else { on.join(", ") };
        format!(
            "{} (features: {features}; kernels: {})",
            env!("CARGO_PKG_VERSION"),
            crate::kernels::Level::detect().name()
        )
    })
}

/// What anubad can do.
#[allow(clippy::large_enum_variant)] // there is one, and it lives as long as the program
#[derive(Debug, Subcommand)]
pub enum Command {
    Translate(translate::TranslateArgs),
    Summarize(summarize::SummarizeArgs),
    Bulk(bulk::BulkArgs),
    #[cfg(feature = "server")]
    Serve(serve::ServeArgs),
    Bench(bench::BenchArgs),
    Eval(eval::EvalArgs),
    Model(model::ModelArgs),
    /// Print a completion script for a shell
    Completions {
        shell: clap_complete::Shell,
    },
    /// Print the manual page (roff)
    Man,
}

/// Parses the arguments, runs the command and turns errors into one line and an exit code.
pub fn run() -> ExitCode {
    std::panic::set_hook(Box::new(report_panic));
    let cli = Cli::parse();
    // RUST_LOG=anubad=debug and the like: what happens inside, on standard error; warnings unless it is set, and with -v
    // what is left out of a page.
    let usual = match &cli.command {
        Command::Translate(args) if args.verbose > 0 => "warn,anubad::article=info",
        _ => "warn",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| usual.into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()) && std::env::var_os("NO_COLOR").is_none())
        .without_time()
        .with_target(false)
        .init();
    if writes_to_stdout(&cli.command) && limits::stdout_is_closed() {
        eprintln!("anubad: standard output is closed: what is translated would be lost; open it, or name a file");
        return ExitCode::from(exit::FAILED);
    }
    match dispatch(cli.command) {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // The library's errors are complete; what caused them would only be said twice.
            match error.downcast_ref::<crate::Error>() {
                Some(own) => crate::error::say!("anubad: {own}"),
                None => crate::error::say!("anubad: {error:#}"),
            }
            let usage = matches!(error.downcast_ref(), Some(crate::Error::Settings(_) | crate::Error::Kernels(_)));
            ExitCode::from(if usage { exit::USAGE } else { exit::FAILED })
        }
    }
}

/// A panic is our fault, never the user's: one line, and where to find more. (The engine contains those of its workers.)
fn report_panic(info: &std::panic::PanicHookInfo<'_>) {
    if crate::error::is_contained() {
        return;
    }
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(String::as_str));
    let text = text.unwrap_or("no message");
    let place = info.location().map(|l| format!("{}:{}", l.file(), l.line())).unwrap_or_default();
    crate::error::say!("anubad: internal error at {place}: {text}; please report it with the input that caused it");
    if std::env::var_os("RUST_BACKTRACE").is_some_and(|v| v != "0") {
        crate::error::say!("{}", std::backtrace::Backtrace::force_capture());
    }
}

/// Commands whose result is lost with a closed standard output.
fn writes_to_stdout(command: &Command) -> bool {
    match command {
        Command::Translate(_) | Command::Summarize(_) => true,
        Command::Bulk(args) => args.writes_to_stdout(),
        _ => false,
    }
}

fn dispatch(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Translate(args) if args.lines => lines::run(&args),
        Command::Translate(args) => articles::run(&args),
        Command::Summarize(args) => summarize::run(args),
        Command::Bulk(args) => bulk::run(args),
        #[cfg(feature = "server")]
        Command::Serve(args) => serve::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Eval(args) => eval::run(args),
        Command::Model(args) => model::run(args),
        Command::Completions { shell } => {
            // The generator panics where it cannot write; into memory it always can.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "anubad", &mut script);
            std::io::stdout().write_all(&script)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Man => {
            clap_mangen::Man::new(Cli::command()).render(&mut std::io::stdout())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The reader of our output went away (`anubad … | head`): not our failure.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
            || matches!(cause.downcast_ref::<crate::Error>(), Some(crate::Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::BrokenPipe)
    })
}
