//! What `--help` and the manual pages show at the end of each command: `examples.txt`, a section a command.
use clap::Command;

const EXAMPLES: &str = include_str!("examples.txt");

/// The command with its examples, and all commands below it.
pub(super) fn add(command: Command) -> Command {
    below(command, "")
}

fn below(mut command: Command, path: &str) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for name in names {
        let path = format!("{path} {name}").trim_start().to_owned();
        command = command.mut_subcommand(name, |sub| {
            let lines: String = lines(&path).map(|line| format!("\n  {line}")).collect();
            let sub = if lines.is_empty() { sub } else { sub.after_help(format!("Examples:{lines}")) };
            below(sub, &path)
        });
    }
    command
}

/// The examples of a command.
fn lines(path: &str) -> impl Iterator<Item = &'static str> {
    let header = format!("[{path}]");
    let section = EXAMPLES.lines().skip_while(move |line| *line != header).skip(1);
    section.take_while(|line| !line.starts_with('[')).filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    /// The arguments of the `anubad` in a line of a shell.
    fn arguments(line: &str) -> Vec<&str> {
        let ours = line.split(" | ").find(|part| part.starts_with("anubad")).unwrap_or_default();
        ours.split_whitespace().take_while(|word| !matches!(*word, "<" | ">")).collect()
    }

    #[test]
    fn every_command_has_examples_that_it_takes() {
        fn leaves(command: &Command, path: &str, out: &mut Vec<String>) {
            for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
                let path = format!("{path} {}", sub.get_name()).trim_start().to_owned();
                if sub.has_subcommands() { leaves(sub, &path, out) } else { out.push(path) }
            }
        }
        let program = add(crate::cli::Cli::command());
        let mut all = Vec::new();
        leaves(&program, "", &mut all);
        assert!(all.len() >= 14, "{all:?}");
        for path in &all {
            assert!(lines(path).count() > 0, "{path}: has no example");
            for line in lines(path) {
                let arguments = arguments(line);
                assert!(arguments.join(" ").starts_with(&format!("anubad {path}")), "{line}: stands under {path}");
                let parsed = program.clone().try_get_matches_from(&arguments);
                assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
            }
        }
        let headers = EXAMPLES.lines().filter(|line| line.starts_with('['));
        for header in headers.filter(|header| cfg!(feature = "server") || *header != "[serve]") {
            assert!(all.iter().any(|path| *header == format!("[{path}]")), "{header}: there is no such command");
        }
    }
}
