//! `anubad serve`: the local server.
use super::common::ModelArgs;
use super::sentence_args::SentenceArgs;
use super::signals;
use super::summary_args::SummaryArgs;
use crate::error::SettingsError;
use crate::pipeline::{PipelineOptions, Quality};
use crate::server::{Server, Settings, Stopper};
use crate::{Error, Result};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Serve a web page and an HTTP interface on this machine
///
/// The page is for people: open http://127.0.0.1:5000 in a browser. Programs that speak to LibreTranslate work
/// unchanged; /v1/article takes whole articles. GET /spec describes everything. Nothing is stored, and nothing leaves
/// the machine. Ctrl-C or SIGTERM ends the server when what it has in hand is done, after 10 s at the latest.
#[derive(Debug, clap::Args)]
pub struct ServeArgs {
    /// Address and port; another address than 127.0.0.1 lets other machines in
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:5000")]
    listen: SocketAddr,
    /// File of API keys, one a line; a request must then bring one of them
    #[arg(long, value_name = "FILE")]
    api_keys: Option<PathBuf>,
    /// A site whose pages may use this server, as https://desk.example.org (may be given several times)
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    allow_origin: Vec<String>,
    /// Largest request in MiB
    #[arg(long, value_name = "MIB", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=1024))]
    max_request: u16,
    /// Longest text in characters
    #[arg(long, value_name = "N", default_value_t = 200_000)]
    max_chars: usize,
    /// Requests in hand at once; more are told to come again (429)
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1024))]
    queue: u16,
    /// Seconds that the work on one request may take (408)
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    max_seconds: u32,
    #[command(flatten)]
    sentences: SentenceArgs,
    /// Nothing but errors on standard error
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    summary: SummaryArgs,
}

/// Scheme and host, nothing else.
fn origin(text: &str) -> std::result::Result<String, String> {
    let plain = text.trim_end_matches('/');
    let host = plain.strip_prefix("https://").or(plain.strip_prefix("http://"));
    match host {
        Some(host) if !host.is_empty() && !host.contains(['/', '*', ' ', '?', '#', '@']) => Ok(plain.to_owned()),
        _ => Err("expected an origin like https://desk.example.org, without a path".into()),
    }
}

/// Runs the command.
pub fn run(args: ServeArgs) -> anyhow::Result<ExitCode> {
    let summary = Some(args.summary.options());
    let pipeline = PipelineOptions { summary, ..args.sentences.options(Quality::Standard)? };
    if args.summary.summary_model.is_some() {
        let advice = "--summary-model: the server makes summaries of the article's sentences; `anubad bulk` and `translate` take a model";
        return Err(Error::Settings(SettingsError::Conflict(advice.into())).into());
    }
    let keys = args.api_keys.as_deref().map(read_keys).transpose()?.unwrap_or_default();
    let loaded = args.model.load(Some(args.sentences.quality(Quality::Standard)), args.quiet)?;
    let summary = args.summary.open(&args.model, &args.summary.options(), &loaded.model, args.quiet)?;
    let license = loaded.model.manifest.as_ref().map(|m| m.license.summary.clone());
    let open = !args.listen.ip().is_loopback() && keys.is_empty();
    let settings = Settings {
        address: args.listen,
        keys,
        origins: args.allow_origin,
        max_body: usize::from(args.max_request) << 20,
        max_bodies: usize::from(args.max_request) << 24,
        max_chars: args.max_chars,
        queue: usize::from(args.queue),
        work: Duration::from_secs(args.max_seconds.into()),
        ..Settings::default()
    };
    let server = Server::bind(settings, Arc::new(loaded.translator), pipeline, summary, license)?;
    watch_signals(server.stopper()).map_err(|e| Error::io("signals", e))?;
    if !args.quiet {
        eprintln!("anubad: serving on http://{}; Ctrl-C ends it", server.address()?);
        if open {
            eprintln!("anubad: other machines may use it, and no key is asked for; --api-keys changes that");
        }
    }
    server.run()?;
    Ok(ExitCode::SUCCESS)
}

/// Keys, one a line; empty lines and those that begin with # mean nothing.
fn read_keys(path: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let keys: Vec<String> = lines.map(str::to_owned).collect();
    match keys.is_empty() {
        true => Err(Error::Settings(SettingsError::Conflict(format!(
            "{}: has no key in it; write one a line",
            path.display()
        )))),
        false => Ok(keys),
    }
}

/// The first signal asks the server to end, the second ends the process.
fn watch_signals(stopper: Stopper) -> std::io::Result<()> {
    let mut asked = false;
    signals::listen(false, move |signal| {
        if asked {
            signals::end(signal);
        }
        asked = true;
        eprintln!("{}", signals::FINISHING);
        stopper.stop();
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_a_scheme_and_a_host() {
        assert_eq!(origin("https://desk.example.org/").as_deref(), Ok("https://desk.example.org"));
        assert!(origin("http://localhost:8080").is_ok());
        for text in ["*", "desk.example.org", "https://", "https://a/b", "https://*.example.org", "ftp://a"] {
            assert!(origin(text).is_err(), "{text}");
        }
    }

    #[test]
    fn keys_are_lines() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "# desk\n one \n\ntwo\n").unwrap();
        assert_eq!(read_keys(file.path()).unwrap(), ["one", "two"]);
        std::fs::write(file.path(), "# none\n").unwrap();
        assert!(read_keys(file.path()).unwrap_err().to_string().contains("one a line"));
        assert!(read_keys(Path::new("/no/such/keys")).is_err());
    }
}
