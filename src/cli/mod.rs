//! The command line: one file a subcommand, arguments → validated settings → library call → printed output.
mod addresses;
mod articles;
mod bench;
mod bulk;
mod bulk_progress;
mod common;
mod config;
mod doctor;
mod dry_run;
mod eval;
mod examples;
mod exit;
mod input;
mod licenses;
mod limits;
mod lines;
mod mark;
mod model;
mod output;
mod page;
mod remedy;
#[cfg(test)]
mod schema_tests;
mod sentence_args;
#[cfg(feature = "server")]
mod serve;
mod shorten;
pub mod signals;
mod summarize;
mod summary_args;
mod tables;
mod translate;

use crate::error::SettingsError;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

/// Bengali articles into English ones, with a short summary, on your own machine.
#[derive(Debug, Parser)]
#[command(name = "anubad", version = version(), about, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// What `-V` prints: version, features compiled in, kernels in use.
fn version() -> &'static str {
    static TEXT: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    TEXT.get_or_init(|| {
        let on = common::features();
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
pub(crate) enum Command {
    Translate(translate::TranslateArgs),
    Summarize(summarize::SummarizeArgs),
    Bulk(bulk::BulkArgs),
    #[cfg(feature = "server")]
    Serve(serve::ServeArgs),
    Bench(bench::BenchArgs),
    Eval(eval::EvalArgs),
    Model(model::ModelArgs),
    Doctor(doctor::DoctorArgs),
    Licenses(licenses::LicensesArgs),
    /// Print a completion script for a shell
    Completions {
        shell: clap_complete::Shell,
    },
    /// Print a manual page (roff): the program's, or a command's
    Man {
        command: Option<String>,
        /// Write the pages of all commands into a folder
        #[arg(long, value_name = "DIR", conflicts_with = "command")]
        dir: Option<std::path::PathBuf>,
    },
    /// Show every setting and where it comes from: the environment, config.toml, or the program
    ///
    /// config.toml lies in the user's configuration folder (ANUBAD_CONFIG names another). It holds the long options of the
    /// commands: at its top for all of them, under [translate], [bulk] and so on for one. The command line goes before the
    /// environment, the environment before the file.
    Config,
}

/// Parses the arguments, runs the command and turns errors into one line and an exit code.
pub fn run() -> ExitCode {
    std::panic::set_hook(Box::new(report_panic));
    let parsed = parse();
    let cli = parsed.as_ref().ok().map(|(cli, ..)| &cli.command);
    // RUST_LOG=anubad=debug and the like: what happens inside, on standard error; warnings unless it is set, and with -v
    // what is left out of a page.
    let usual = match cli {
        Some(Command::Translate(args)) if args.verbose > 0 => "warn,anubad::article=info",
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
    match parsed.and_then(|(cli, config, command)| started(cli, &config, &command)) {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            crate::error::say!("anubad: {}", remedy::advised(&error));
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
        Command::Translate(args) => args.output.is_none(),
        Command::Summarize(_) => true,
        Command::Bulk(args) => args.writes_to_stdout(),
        _ => false,
    }
}

/// The command line, with examples.
fn program() -> clap::Command {
    examples::add(Cli::command())
}

/// Reads the file of settings and the arguments.
fn parse() -> anyhow::Result<(Cli, config::Config, clap::Command)> {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let config = match config::Config::read(&program()) {
        // What is wrong with the file is among what this command is asked for.
        Err(error) if arguments.get(1).is_some_and(|name| name == "doctor") => config::Config::broken(&error),
        read => read?,
    };
    let command = config.apply(program());
    let matches = command.clone().get_matches_from(with_command(arguments, &command));
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    Ok((cli, config, command))
}

fn started(cli: Cli, config: &config::Config, command: &clap::Command) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Config => {
            config.show(&mut std::io::stdout(), command)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Doctor(args) => doctor::run(&args, config),
        other if writes_to_stdout(&other) && limits::stdout_is_closed() => {
            eprintln!("anubad: standard output is closed: what is translated would be lost; open it, or name a file");
            Ok(ExitCode::from(exit::FAILED))
        }
        other => dispatch(other),
    }
}

/// `anubad FILE` means `anubad translate FILE`, and so does `anubad -o OUT FILE`.
fn with_command(mut arguments: Vec<OsString>, command: &clap::Command) -> Vec<OsString> {
    let Some(first) = arguments.get(1) else { return arguments };
    let text = first.to_string_lossy();
    let known = text == "help" || command.get_subcommands().any(|sub| sub.get_name() == text);
    let option = text.starts_with('-') && text != "-";
    let own = ["-h", "--help", "-V", "--version"].contains(&&*text);
    let input = text == "-" || crate::fetch::is_address(&text) || std::path::Path::new(first).exists();
    if !known && if option { !own } else { input } {
        arguments.insert(1, "translate".into());
    }
    arguments
}

/// The manual page of the program or of a command.
fn manual(name: Option<&str>, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut command = program();
    command.build();
    let page = match name {
        None => command,
        Some(name) => match command.find_subcommand(name) {
            // Names live as long as the program, which ends after this.
            Some(sub) => sub.clone().name(&*format!("anubad-{name}").leak()).version(version()),
            None => {
                return Err(
                    crate::Error::Settings(SettingsError::Unknown(format!("there is no command `{name}`"))).into()
                );
            }
        },
    };
    Ok(clap_mangen::Man::new(page).render(out)?)
}

/// All manual pages, each in its file.
fn manuals(folder: &std::path::Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).map_err(|e| crate::Error::io(folder, e))?;
    let names = program().get_subcommands().map(|sub| sub.get_name().to_owned()).collect::<Vec<_>>();
    for name in std::iter::once(None).chain(names.iter().map(|name| Some(name.as_str()))) {
        let file = folder.join(name.map_or("anubad.1".into(), |name| format!("anubad-{name}.1")));
        let mut page = Vec::new();
        manual(name, &mut page)?;
        output::save(&file, &page)?;
    }
    Ok(())
}

fn dispatch(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        // Shown where the settings are at hand.
        Command::Config | Command::Doctor(_) => Ok(ExitCode::SUCCESS),
        Command::Licenses(args) => licenses::run(&args),
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
            clap_complete::generate(shell, &mut program(), "anubad", &mut script);
            std::io::stdout().write_all(&script)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Man { dir: Some(folder), .. } => manuals(&folder).map(|()| ExitCode::SUCCESS),
        Command::Man { command, .. } => {
            manual(command.as_deref(), &mut std::io::stdout())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The reader of our output went away (`anubad … | head`): not our failure. A connection that breaks off is one.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let broken = |error: &std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe;
    match error.downcast_ref::<crate::Error>() {
        Some(crate::Error::Io { source, .. }) => broken(source),
        Some(_) => false,
        None => error.chain().any(|cause| {
            cause.downcast_ref::<std::io::Error>().is_some_and(broken)
                || matches!(cause.downcast_ref(), Some(crate::Error::Io { source, .. }) if broken(source))
        }),
    }
}
