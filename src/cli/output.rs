//! Where `translate` and `summarize` write to, and as what: an output is never something else than its name says.
use super::translate::OutputFormat;
use crate::document::Kind;
use crate::error::SettingsError;
use crate::{Error, Result};
use std::io::Write;
use std::path::{Path, PathBuf};

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Printed(OutputFormat),
    Document(Kind),
}

/// Where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// `None`: standard output.
    pub path: Option<PathBuf>,
    pub form: Form,
}

/// What a name's extension says; `None` where there is none.
fn form_of(name: &Path) -> Result<Option<Form>> {
    let text = name.to_string_lossy();
    let Some(extension) = name.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()) else { return Ok(None) };
    Ok(Some(match extension.as_str() {
        "txt" | "text" => Form::Printed(OutputFormat::Text),
        "md" | "markdown" => Form::Printed(OutputFormat::Md),
        "json" => Form::Printed(OutputFormat::Json),
        "html" | "htm" => Form::Printed(OutputFormat::Html),
        _ => match Kind::by_name(&text) {
            Some(kind) if kind != Kind::Pdf => Form::Document(kind),
            _ => {
                return Err(Error::Settings(SettingsError::Missing(format!(
                    "-o {text}: .{extension} is not written; end the name in .txt, .md, .json, .html, .docx, .odt, .epub, .srt or .vtt"
                ))));
            }
        },
    }))
}

/// The extension of what is printed.
fn extension(format: OutputFormat) -> &'static str {
    match format {
        OutputFormat::Text => "txt",
        OutputFormat::Md => "md",
        OutputFormat::Json => "json",
        OutputFormat::Html => "html",
    }
}

/// A target for each input.
///
/// # Errors
/// [`Error::Settings`] where the name and the format contradict one another, several inputs would go into one file, or
/// an input would be overwritten.
pub fn targets(inputs: &[PathBuf], output: Option<&Path>, format: Option<OutputFormat>) -> Result<Vec<Target>> {
    let printed = Form::Printed(format.unwrap_or(OutputFormat::Text));
    let Some(output) = output.filter(|o| o.as_os_str() != "-") else {
        return Ok(inputs.iter().map(|_| Target { path: None, form: printed }).collect());
    };
    let folder = output.is_dir() || output.to_string_lossy().ends_with(['/', std::path::MAIN_SEPARATOR]);
    if folder {
        let targets: Vec<Target> = inputs.iter().map(|input| in_folder(output, input, format)).collect();
        let paths: std::collections::BTreeSet<_> = targets.iter().map(|t| &t.path).collect();
        if paths.len() < targets.len() {
            return Err(Error::Settings(SettingsError::Conflict(format!(
                "-o {}: two of the files have one name; translate them apart",
                output.display()
            ))));
        }
        return Ok(targets);
    }
    if inputs.len() > 1 {
        return Err(Error::Settings(SettingsError::Missing(format!(
            "-o {}: several files do not go into one; name a folder (with a / at its end)",
            output.display()
        ))));
    }
    let form = match (form_of(output)?, format) {
        (Some(form), None) => form,
        (Some(Form::Printed(named)), Some(format)) if named == format => printed,
        (None, Some(_)) => printed,
        (Some(_), Some(_)) => {
            return Err(Error::Settings(SettingsError::Conflict(format!(
                "-o {}: --format says something else than its name",
                output.display()
            ))));
        }
        (None, None) => {
            return Err(Error::Settings(SettingsError::Missing(format!(
                "-o {}: the name does not say what to write; end it in .txt, .md, .json or another, or give --format",
                output.display()
            ))));
        }
    };
    let same = |input: &PathBuf| {
        std::fs::canonicalize(input).ok().is_some_and(|i| std::fs::canonicalize(output).is_ok_and(|o| i == o))
    };
    if inputs.iter().any(same) {
        return Err(Error::Settings(SettingsError::Conflict(format!(
            "-o {}: this is the input; give another name",
            output.display()
        ))));
    }
    Ok(vec![Target { path: Some(output.to_owned()), form }])
}

/// `story.docx` in a folder: `story.en.docx`; of what is no document, the format's extension.
fn in_folder(folder: &Path, input: &Path, format: Option<OutputFormat>) -> Target {
    let name = input.to_string_lossy();
    let name = name.trim_end_matches('/').split(['?', '#']).next().unwrap_or_default();
    let stem = Path::new(name).file_stem().map_or("article".into(), |s| s.to_string_lossy().into_owned());
    let stem = if stem == "-" { "article".into() } else { stem };
    let kind = Kind::by_name(name).filter(|kind| *kind != Kind::Pdf && format.is_none());
    let (form, end) = match kind {
        Some(kind) => (Form::Document(kind), kind.extension().trim_start_matches('.')),
        None => {
            let format = format.unwrap_or(OutputFormat::Text);
            (Form::Printed(format), extension(format))
        }
    };
    Target { path: Some(folder.join(format!("{stem}.en.{end}"))), form }
}

/// Writes a file whole or not at all.
pub fn save(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |e| Error::io(path, e);
    let special = std::fs::metadata(path).is_ok_and(|meta| !meta.is_file());
    if special {
        return std::fs::OpenOptions::new().write(true).open(path).and_then(|mut f| f.write_all(bytes)).map_err(failed);
    }
    if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    let mut part = path.file_name().unwrap_or_default().to_owned();
    part.push(".part");
    let part = path.with_file_name(part);
    std::fs::write(&part, bytes).and_then(|()| std::fs::rename(&part, path)).map_err(|e| {
        // What is left of it is of no use to anybody.
        let _ = std::fs::remove_file(&part);
        Error::io(path, e)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(output: &str, format: Option<OutputFormat>) -> Result<Form> {
        targets(&["in.docx".into()], Some(Path::new(output)), format).map(|t| t[0].form)
    }

    #[test]
    fn names_say_what_is_written() {
        assert_eq!(target("a.md", None).unwrap(), Form::Printed(OutputFormat::Md));
        assert_eq!(target("a.DOCX", None).unwrap(), Form::Document(Kind::Docx));
        assert_eq!(target("a", Some(OutputFormat::Json)).unwrap(), Form::Printed(OutputFormat::Json));
        for (name, format, part) in [
            ("a.pdf", None, ".pdf is not written"),
            ("a.xlsx", None, ".xlsx is not written"),
            ("a", None, "does not say what to write"),
            ("a.md", Some(OutputFormat::Json), "--format says something else"),
        ] {
            let error = target(name, format).unwrap_err().to_string();
            assert!(error.contains(part) && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn several_files_go_into_a_folder() {
        let inputs: Vec<PathBuf> = ["x/a.docx", "b.html", "c.pdf", "https://h/d?e=1"].map(Into::into).to_vec();
        let named: Vec<String> = targets(&inputs, Some(Path::new("out/")), None)
            .unwrap()
            .into_iter()
            .map(|t| t.path.unwrap().to_string_lossy().replace('\\', "/"))
            .collect();
        assert_eq!(named, ["out/a.en.docx", "out/b.en.txt", "out/c.en.txt", "out/d.en.txt"]);
        assert!(targets(&inputs, Some(Path::new("one.txt")), None).unwrap_err().to_string().contains("folder"));
        let twice: Vec<PathBuf> = ["x/a.txt", "y/a.txt"].map(Into::into).to_vec();
        assert!(targets(&twice, Some(Path::new("out/")), None).unwrap_err().to_string().contains("one name"));
    }

    #[test]
    fn the_input_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.txt");
        save(&file, "কথা".as_bytes()).unwrap();
        let error = targets(std::slice::from_ref(&file), Some(&file), None).unwrap_err().to_string();
        assert!(error.contains("this is the input"), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no part is left over");
    }
}
