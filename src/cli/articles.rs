//! `anubad translate` over its inputs: each read, translated and written before the next.
use super::common::{Loaded, told};
use super::input::Input;
use super::mark::{Marks, verdict};
use super::output::{self, Form, Target};
use super::translate::{OutputFormat, TranslateArgs, pipeline_options, progress, report};
use crate::Error;
use crate::article::write::{BlockWriter, Style};
use crate::article::{BlockKind, ReadOptions};
use crate::error::SettingsError;
use crate::pipeline::{self, PipelineOptions, Prepared, Quality, Ready, Translation};
use crate::summary::SummaryModels;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

/// The models, loaded when the first input has been read.
struct Session {
    loaded: Loaded,
    summary: SummaryModels,
}

/// Runs the command.
pub fn run(args: &TranslateArgs) -> anyhow::Result<ExitCode> {
    let targets = output::targets(&args.files, args.output.as_deref(), args.format)?;
    let options = pipeline_options(args)?;
    let mut session: Option<Session> = None;
    let (mut failed, mut doubtful) = (0, false);
    let several = args.files.len() > 1;
    for (index, (path, target)) in args.files.iter().zip(&targets).enumerate() {
        if several && target.path.is_none() && printed(target) == Some(OutputFormat::Text) {
            let gap = if index > 0 { "\n" } else { "" };
            writeln!(std::io::stdout(), "{gap}==> {} <==\n", path.display())?;
        }
        match one(args, path, target, &options, &mut session) {
            Ok(doubt) => doubtful |= doubt,
            // What is wrong with one file is no reason to leave the others.
            Err(error) if several && is_of_input(&error) => {
                crate::error::say!("anubad: {}", super::remedy::advised(&error));
                failed += 1;
            }
            Err(error) => return Err(error),
        }
    }
    if let Some(session) = session.as_ref().filter(|_| !args.quiet) {
        session.loaded.say_which(args.verbose > 0);
    }
    Ok(ExitCode::from(match failed {
        _ if failed == args.files.len() => super::exit::FAILED,
        0 if !(args.strict && doubtful) => 0,
        _ => super::exit::PARTLY,
    }))
}

fn is_of_input(error: &anyhow::Error) -> bool {
    match error.downcast_ref() {
        Some(Error::Io { source, .. }) => source.kind() != std::io::ErrorKind::BrokenPipe,
        Some(error) => matches!(error, Error::Input(_)),
        None => false,
    }
}

fn printed(target: &Target) -> Option<OutputFormat> {
    match target.form {
        Form::Printed(format) => Some(format),
        Form::Document(_) => None,
    }
}

/// One input; whether serious findings remain.
fn one(
    args: &TranslateArgs,
    path: &Path,
    target: &Target,
    options: &PipelineOptions,
    session: &mut Option<Session>,
) -> anyhow::Result<bool> {
    let read = ReadOptions {
        format: args.input_format.map(Into::into),
        lossy: args.lossy,
        keep_furniture: args.keep_furniture,
        bijoy: args.bijoy,
    };
    let input = Input::open(path, &read, matches!(target.form, Form::Document(_)), args.offline)?;
    check(&input, path, target, args.bilingual)?;
    let prepared = pipeline::prepare(input.article().clone());
    let options = fitting(options, &prepared, target, args);
    let session = match session {
        Some(session) => session,
        None => session.insert(open(args, &options)?),
    };
    let translation = match target.form {
        Form::Printed(format) => {
            let from_web = crate::fetch::is_address(&path.to_string_lossy());
            print(args, target, format, &prepared, &options, session, from_web)?
        }
        Form::Document(kind) => {
            let translation = translate(args, &prepared, &options, session, &mut |_| Ok(()))?;
            let Input::Document(document) = &input else { return Ok(false) };
            let bytes = document.write(&translation, kind, args.bilingual)?;
            output::save(target.path.as_deref().unwrap_or(Path::new("-")), &bytes)?;
            translation
        }
    };
    report(args, &translation);
    Ok(pipeline::translate::has_serious(&translation.findings))
}

/// What cannot be written is said before anything is translated.
fn check(input: &Input, path: &Path, target: &Target, bilingual: bool) -> crate::Result<()> {
    let wrong = |text: String| Err(Error::Settings(SettingsError::Conflict(text)));
    match (&target.form, input) {
        (Form::Document(kind), Input::Document(document)) => document.check_kind(*kind),
        (Form::Document(kind), Input::Article(_)) => wrong(format!(
            "{}: a {} is written from a {} only; end the output's name in .txt, .md, .html or .json",
            path.display(),
            kind.extension(),
            kind.extension()
        )),
        (Form::Printed(OutputFormat::Html), _) => Ok(()),
        (Form::Printed(_), _) if bilingual => {
            wrong("--bilingual: both languages are written into documents, subtitles and HTML; name one with -o".into())
        }
        _ => Ok(()),
    }
}

/// A document comes back as it is, without a summary; and nobody wants a summary of one sentence.
fn fitting(options: &PipelineOptions, prepared: &Prepared, target: &Target, args: &TranslateArgs) -> PipelineOptions {
    let document = matches!(target.form, Form::Document(_));
    let short = prepared.segments.len() < 2 && !args.summary_args.is_asked_for();
    let summary = options.summary.clone().filter(|_| !document && !short);
    PipelineOptions { summary, ..options.clone() }
}

fn open(args: &TranslateArgs, options: &PipelineOptions) -> crate::Result<Session> {
    let mut loaded = args.model.load(Some(args.sentences.quality(Quality::Best)), args.quiet)?;
    loaded.translator = told(loaded.translator, options.checks.glossary.as_ref());
    let summary = match &options.summary {
        Some(summary) => args.summary_args.open(&args.model, summary, &loaded.model, args.quiet)?,
        None => SummaryModels::default(),
    };
    Ok(Session { loaded, summary })
}

/// Translates; `show` writes each part as soon as it is ready.
fn translate(
    args: &TranslateArgs,
    prepared: &Prepared,
    options: &PipelineOptions,
    session: &Session,
    show: &mut dyn FnMut(Ready<'_>) -> std::io::Result<()>,
) -> anyhow::Result<Translation> {
    let progress = progress(args, prepared.article.blocks.len());
    let mut failure = None;
    let mut ready = |part: Ready<'_>| {
        progress.inc(u64::from(!matches!(part, Ready::Sentences { .. })));
        failure = progress.suspend(|| show(part)).err();
        failure.is_none()
    };
    let result =
        pipeline::translate(&session.loaded.translator, prepared, options, &session.summary.makers(), &mut ready);
    progress.finish_and_clear();
    match failure {
        Some(error) => Err(error.into()),
        None => Ok(Translation { model_choice: session.loaded.model.chosen.clone(), ..result? }),
    }
}

/// Prints a translation, or writes what would be printed into a file.
fn print(
    args: &TranslateArgs,
    target: &Target,
    format: OutputFormat,
    prepared: &Prepared,
    options: &PipelineOptions,
    session: &Session,
    from_web: bool,
) -> anyhow::Result<Translation> {
    let mut file = target.path.as_ref().map(|_| Vec::new());
    let mut stdout = std::io::stdout().lock();
    let out: &mut dyn Write = match &mut file {
        Some(bytes) => bytes,
        None => &mut stdout,
    };
    let translation = match format {
        OutputFormat::Json | OutputFormat::Html => {
            let translation = translate(args, prepared, options, session, &mut |_| Ok(()))?;
            if format == OutputFormat::Json {
                serde_json::to_writer_pretty(&mut *out, &translation).map_err(std::io::Error::from)?;
                writeln!(out)?;
            } else {
                let page = super::page::of(&prepared.article, &translation, session.loaded.model.manifest.as_ref());
                out.write_all(page.as_bytes())?;
            }
            translation
        }
        _ => {
            let style = if format == OutputFormat::Md { Style::Markdown } else { Style::Text };
            let mut writer = BlockWriter::new(&mut *out, style);
            let mut marks = Marks::new(args.mark);
            let mut show = |part: Ready<'_>| {
                let (kind, (text, notes)) = match part {
                    Ready::Sentences { segments, findings, .. } => {
                        marks.take(segments, findings);
                        return Ok(());
                    }
                    Ready::Title(title) => (BlockKind::Heading { level: 1 }, marks.title(prepared, title)),
                    Ready::Block(block, _) => (block.kind, marks.next_block(prepared, &block.text)),
                };
                writer.block_with_notes(kind, &text, &notes)
            };
            let translation = translate(args, prepared, options, session, &mut show)?;
            finish(writer, &translation, from_web)?;
            if let Some(verdict) = verdict(&translation).filter(|_| format == OutputFormat::Text) {
                writeln!(out, "\n{verdict}")?;
            }
            translation
        }
    };
    out.flush()?;
    if let (Some(path), Some(bytes)) = (&target.path, file) {
        output::save(path, &bytes)?;
        if args.verbose > 0 && std::io::stderr().is_terminal() {
            eprintln!("anubad: {} is written", path.display());
        }
    }
    Ok(translation)
}

/// The summary, and where a page of the web is from.
fn finish(mut writer: BlockWriter<impl Write>, translation: &Translation, from_web: bool) -> std::io::Result<()> {
    if let Some(summary) = &translation.summary {
        if let Some(headline) = summary.headline.as_deref().filter(|_| translation.article.title.is_none()) {
            writer.summary("Headline", &[headline.to_string()])?;
        }
        writer.summary(&format!("Summary ({})", summary.method), &summary.shown())?;
    }
    let meta = &translation.article.meta;
    if let Some(url) = meta.url.as_ref().filter(|_| from_web) {
        let rest = [&meta.author, &meta.date].into_iter().flatten().map(|said| format!(", {said}"));
        writer.block(BlockKind::Paragraph, &format!("From {url}{}", rest.collect::<String>()))?;
    }
    writer.finish()?.flush()
}
