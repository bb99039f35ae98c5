//! `anubad bulk` from a CSV or TSV into one: the table stays a table.
use crate::bulk::{BulkOptions, OutputFormat};
use crate::error::SettingsError;
use crate::feed::{Format, table};
use crate::{Error, Result};
use std::path::Path;

/// How tables are read and which of their columns are translated.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Tables")]
pub struct TableArgs {
    /// Columns of a CSV or TSV that are translated into a CSV or TSV with all its columns and <COLUMN>_en,
    /// <COLUMN>_confidence, <COLUMN>_findings behind them [default: title and text, or the only one with Bengali]
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    pub columns: Vec<String>,
    /// What separates the cells of a table: a character, or tab [default: found out]
    #[arg(long, value_name = "CHAR", value_parser = delimiter)]
    pub delimiter: Option<u8>,
    /// Tables have no header row; columns are called 1, 2, 3
    #[arg(long)]
    pub no_header: bool,
    /// Write records of articles instead of the table with new columns
    #[arg(long, conflicts_with = "columns")]
    pub records: bool,
}

fn delimiter(text: &str) -> std::result::Result<u8, String> {
    match text {
        "tab" | "\\t" | "\t" => Ok(b'\t'),
        _ => match text.as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n') => Ok(*byte),
            _ => Err("expected one ASCII character, or tab".into()),
        },
    }
}

/// Sets the options for a table, where the input and the output are ones. What was chosen for the user is returned.
pub fn plan(args: &TableArgs, options: &mut BulkOptions) -> Result<Option<String>> {
    options.read.delimiter = args.delimiter;
    options.read.no_header = args.no_header;
    let is_table = |path: &Path| match options.read.format {
        Some(format) => matches!(format, Format::Csv | Format::Tsv) && path != Path::new("-"),
        None => matches!(Format::by_name(&path.to_string_lossy()), Some(Format::Csv | Format::Tsv)),
    };
    let tables = options.format == OutputFormat::Csv && options.input.iter().all(|path| is_table(path));
    if !tables || args.records {
        let name = options.output.to_string_lossy().to_ascii_lowercase();
        if name.trim_end_matches(".gz").trim_end_matches(".zst").ends_with(".tsv") {
            let why = "a .tsv is written from TSV files only; end the name in .csv or .jsonl";
            return Err(Error::Settings(SettingsError::Conflict(format!("{}: {why}", options.output.display()))));
        }
        return match args.columns.is_empty() {
            true => Ok(None),
            false => Err(Error::Settings(SettingsError::Conflict(
                "--columns: for CSV or TSV files into a CSV or TSV; for records use --fields".into(),
            ))),
        };
    }
    let Some(plan) = table::plan(&options.input, &args.columns, &options.read)? else { return Ok(None) };
    let name = options.output.to_string_lossy().to_ascii_lowercase();
    let name = name.trim_end_matches(".gz").trim_end_matches(".zst");
    let tab = plan.delimiter == b'\t';
    if (name.ends_with(".tsv") && !tab) || (name.ends_with(".csv") && tab) {
        return Err(Error::Settings(SettingsError::Missing(format!(
            "{}: the table's cells are separated by {}, and stay so; end the name in {}",
            options.output.display(),
            if tab { "tabs".to_owned() } else { format!("`{}`", char::from(plan.delimiter)) },
            if tab { ".tsv" } else { ".csv" }
        ))));
    }
    options.read.delimiter = Some(plan.delimiter);
    options.read.table = Some(plan.table);
    Ok(plan.note)
}
