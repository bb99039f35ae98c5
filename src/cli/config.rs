//! Settings that are kept in a file: the options of each command under their long names, `config.toml` in the user's
//! configuration folder. The command line goes before the environment, the environment before the file.
//!
//! ```toml
//! model = "nllb-200-distilled-600m"   # for every command that has such an option
//!
//! [bulk]
//! no-summary = true
//! ```
use crate::error::SettingsError;
use crate::{Error, Result};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Names another file; empty: none is read.
pub const VARIABLE: &str = "ANUBAD_CONFIG";

/// The file's settings.
#[derive(Debug, Clone, Default)]
pub struct Config {
    path: Option<PathBuf>,
    /// Why the file is not used.
    fault: Option<String>,
    /// Command (empty: all of them) and option to value.
    values: BTreeMap<(String, String), String>,
}

/// Where the file is looked for: where the variable says, else in the folder that also holds the user's manifests.
pub fn path() -> Option<PathBuf> {
    match std::env::var_os(VARIABLE) {
        Some(path) if path.is_empty() => None,
        Some(path) => Some(path.into()),
        None => Some(crate::manifest::config_folder()?.join("config.toml")),
    }
}

impl Config {
    /// Reads the file, if there is one.
    ///
    /// # Errors
    /// [`Error::Settings`] where it is no TOML or names what no command has; [`Error::Io`] where it cannot be read.
    pub fn read(command: &Command) -> Result<Self> {
        let Some(path) = path() else { return Ok(Self::default()) };
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text, &path, command),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && std::env::var_os(VARIABLE).is_none() => {
                Ok(Self::default())
            }
            Err(e) => Err(Error::io(path, e)),
        }
    }

    fn parse(text: &str, path: &Path, command: &Command) -> Result<Self> {
        let wrong = |what: String| Error::Settings(SettingsError::Conflict(format!("{}: {what}", path.display())));
        let table: Table = text.parse().map_err(|e: toml::de::Error| {
            let line = e.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            wrong(format!("line {line}: {}", e.message().lines().next().unwrap_or("not TOML")))
        })?;
        let mut values = BTreeMap::new();
        for (name, value) in &table {
            match value {
                Value::Table(section) => {
                    let Some(sub) = command.get_subcommands().find(|c| c.get_name() == name) else {
                        return Err(wrong(format!("there is no command `{name}`; `anubad --help` lists them")));
                    };
                    for (option, value) in section {
                        check(sub, option).map_err(&wrong)?;
                        values.insert((name.clone(), option.clone()), said(option, value).map_err(&wrong)?);
                    }
                }
                value => {
                    if !command.get_subcommands().any(|sub| option_of(sub, name).is_some()) {
                        return Err(wrong(format!("no command has an option `{name}`; `anubad config` lists them")));
                    }
                    values.insert((String::new(), name.clone()), said(name, value).map_err(&wrong)?);
                }
            }
        }
        Ok(Self { path: Some(path.to_owned()), fault: None, values })
    }

    /// No settings, where the file cannot be used.
    pub fn broken(error: &Error) -> Self {
        Self { fault: Some(error.to_string()), ..Self::default() }
    }

    /// What is wrong with the file.
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// Whether a file was read.
    pub fn is_read(&self) -> bool {
        self.path.is_some()
    }

    /// The value for an option of a command.
    pub fn get(&self, command: &str, option: &str) -> Option<&str> {
        let own = self.values.get(&(command.to_owned(), option.to_owned()));
        own.or_else(|| self.values.get(&(String::new(), option.to_owned()))).map(String::as_str)
    }

    /// The commands with the file's values as their defaults.
    pub fn apply(&self, mut command: Command) -> Command {
        if self.values.is_empty() {
            return command;
        }
        let names: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
        for name in names {
            command = command.mut_subcommand(&name, |mut sub| {
                let options: Vec<(String, String)> = sub
                    .get_arguments()
                    .filter(|a| is_setting(a))
                    .filter_map(|a| Some((a.get_id().to_string(), a.get_long()?.to_owned())))
                    .collect();
                for (id, long) in options {
                    if let Some(value) = self.get(&name, &long) {
                        // Defaults live as long as the program, and it is read once.
                        let value: &'static str = Box::leak(value.to_owned().into_boxed_str());
                        sub = sub.mut_arg(id, |arg| arg.default_value(value));
                    }
                }
                sub
            });
        }
        command
    }

    /// Says where each setting of each command comes from.
    pub fn show(&self, out: &mut dyn Write, command: &Command) -> std::io::Result<()> {
        match (&self.path, path()) {
            (Some(path), _) => writeln!(out, "# {}", path.display())?,
            (None, Some(path)) => writeln!(out, "# {} (there is no such file)", path.display())?,
            (None, None) => writeln!(out, "# no file is read: {VARIABLE} is empty")?,
        }
        for sub in command.get_subcommands().filter(|c| c.get_arguments().any(is_setting)) {
            let name = sub.get_name();
            // What a command needs on its line is no matter here: only the rest is shown.
            let Ok(matches) =
                sub.clone().ignore_errors(true).no_binary_name(true).try_get_matches_from(Vec::<&str>::new())
            else {
                continue;
            };
            writeln!(out, "\n[{name}]")?;
            for arg in sub.get_arguments().filter(|a| is_setting(a)) {
                let long = arg.get_long().unwrap_or_default();
                let (value, from) = match source(&matches, arg) {
                    Some(ValueSource::EnvVariable) => (value(&matches, arg), "environment"),
                    Some(_) if self.get(name, long).is_some() => (value(&matches, arg), "config.toml"),
                    Some(_) => (value(&matches, arg), "default"),
                    None => (None, "not set"),
                };
                match value {
                    Some(value) => writeln!(out, "{long} = {value}  # {from}")?,
                    None => writeln!(out, "# {long}: {from}")?,
                }
            }
        }
        Ok(())
    }
}

/// Options that a file may set: those with a long name, help and version aside.
fn is_setting(arg: &Arg) -> bool {
    arg.get_long().is_some()
        && !matches!(
            arg.get_action(),
            ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version
        )
}

fn option_of<'a>(command: &'a Command, long: &str) -> Option<&'a Arg> {
    command.get_arguments().find(|arg| is_setting(arg) && arg.get_long() == Some(long))
}

fn check(command: &Command, option: &str) -> Result<(), String> {
    match option_of(command, option) {
        Some(_) => Ok(()),
        None => Err(format!("`{}` has no option `{option}`; `anubad config` lists them", command.get_name())),
    }
}

/// A TOML value as it would stand on the command line.
fn said(option: &str, value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Float(number) => Ok(number.to_string()),
        Value::Boolean(flag) => Ok(flag.to_string()),
        _ => Err(format!("`{option}` wants a text, a number, true or false")),
    }
}

fn source(matches: &ArgMatches, arg: &Arg) -> Option<ValueSource> {
    matches.value_source(arg.get_id().as_str())
}

fn value(matches: &ArgMatches, arg: &Arg) -> Option<String> {
    let id = arg.get_id().as_str();
    match arg.get_action() {
        ArgAction::SetTrue => Some(matches.get_flag(id).to_string()),
        ArgAction::Count => Some(matches.get_count(id).to_string()),
        _ => {
            let raw: Vec<String> = matches.get_raw(id)?.map(|value| value.to_string_lossy().into_owned()).collect();
            Some(Value::String(raw.join(",")).to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command() -> Command {
        let model = || Arg::new("model").long("model").default_value("own").env("ANUBAD_TEST_NEVER_SET");
        let quiet = || Arg::new("quiet").long("quiet").action(ArgAction::SetTrue);
        Command::new("anubad")
            .subcommand(Command::new("translate").arg(model()).arg(quiet()))
            .subcommand(Command::new("bulk").arg(model()))
    }

    fn config(text: &str) -> Result<Config> {
        Config::parse(text, Path::new("c.toml"), &command())
    }

    #[test]
    fn the_command_line_goes_before_the_file() {
        let config = config("model = \"a\"\n[translate]\nquiet = true\n[bulk]\nmodel = \"b\"\n").unwrap();
        let model = |line: &[&str]| {
            let matches = config.apply(command()).try_get_matches_from(line).unwrap();
            let (_, sub) = matches.subcommand().unwrap();
            sub.get_one::<String>("model").unwrap().clone()
        };
        assert_eq!(model(&["anubad", "translate"]), "a");
        assert_eq!(model(&["anubad", "bulk"]), "b");
        assert_eq!(model(&["anubad", "bulk", "--model", "c"]), "c");
        let matches = config.apply(command()).try_get_matches_from(["anubad", "translate"]).unwrap();
        assert!(matches.subcommand().unwrap().1.get_flag("quiet"));
        let mut out = Vec::new();
        config.show(&mut out, &config.apply(command())).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(
            out.contains("[bulk]\nmodel = \"b\"  # config.toml") && out.contains("quiet = true  # config.toml"),
            "{out}"
        );
    }

    #[test]
    fn mistakes_name_the_file_and_what_is_wrong() {
        for (text, part) in [
            ("model = ", "line 1"),
            ("modle = \"x\"", "no command has an option `modle`"),
            ("[trnslate]\nmodel = \"x\"", "there is no command `trnslate`"),
            ("[bulk]\nquiet = true", "`bulk` has no option `quiet`"),
            ("[bulk]\nmodel = [1]", "wants a text"),
        ] {
            let error = config(text).unwrap_err().to_string();
            assert!(error.starts_with("c.toml: ") && error.contains(part) && !error.contains('\n'), "{error}");
        }
    }
}
