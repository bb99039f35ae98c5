//! Tables that stay tables: rows that keep their own bytes, and which of their columns are translated.
use super::{BadEntry, BodyKind, Entry, Feed, Item, Place, ReadOptions, Role, looks_like_html};
use crate::article::{Article, Column, Meta, Row};
use crate::error::SettingsError;
use crate::lang::script::has_bengali;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

/// Rows that are looked at to find the columns with Bengali.
const SAMPLE: usize = 50;

/// How a table is read that is written as a table again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Names of the columns that are translated.
    pub columns: Vec<String>,
    /// The lines before the first row; those of other files must be the same. `None`: not known yet.
    pub header: Option<String>,
}

/// A row as the reader finds it.
pub(super) struct Found<'a> {
    pub names: &'a [String],
    pub fields: Vec<String>,
    pub header: &'a Arc<str>,
    pub delimiter: u8,
    /// The row's bytes, line end included.
    pub source: String,
}

/// An entry that carries its row.
pub(super) fn entry(table: &Table, found: Found<'_>, place: Place, options: &ReadOptions) -> Item {
    let Found { names, fields, header, delimiter, source } = found;
    if table.header.as_deref().is_some_and(|wanted| wanted != &**header) {
        let reason = "the columns of this file are not those of the first one; translate it by itself".into();
        return Err(BadEntry { place, reason });
    }
    let (line, end) = match source.strip_suffix("\r\n") {
        Some(line) => (line, "\r\n"),
        None => source.strip_suffix('\n').map_or((source.as_str(), ""), |line| (line, "\n")),
    };
    let column = |name: &String, text: &String| {
        let text = if options.bijoy { crate::document::bijoy::convert_markup(text) } else { text.clone() };
        let html = match options.body {
            BodyKind::Html => true,
            BodyKind::Unknown => looks_like_html(&text),
            _ => false,
        };
        if html { Column::of_html(name.clone(), text) } else { Column::of_text(name.clone(), text) }
    };
    // While the columns are being looked for, all are looked at.
    let chosen = |name: &String| table.header.is_none() || table.columns.contains(name);
    let cells = names.iter().zip(&fields);
    let columns: Vec<Column> = cells.clone().filter(|(n, _)| chosen(n)).map(|(n, t)| column(n, t)).collect();
    let extra = cells.clone().filter(|(n, _)| !chosen(n)).map(|(n, t)| (n.clone(), t.as_str().into()));
    let body = columns.iter().map(|c| c.text.as_str()).collect::<Vec<_>>().join("\n\n");
    let date = options
        .fields
        .name_of(Role::Date, names)
        .and_then(|date| cells.clone().find(|(n, _)| **n == date).map(|(_, text)| text.clone()));
    let row = Row { source: line.to_owned(), end: end.to_owned(), delimiter, header: header.clone(), columns };
    let meta = Meta { date, extra: extra.collect(), row: Some(Arc::new(row)), ..Meta::default() };
    Ok(Entry { place, title: None, body, kind: BodyKind::Text, meta })
}

/// The article of a row.
pub(super) fn article(row: &Row, meta: &Meta) -> Article {
    Article { meta: meta.clone(), ..row.article() }
}

/// What was found out about the tables that are to be translated.
#[derive(Debug, Clone)]
pub struct Plan {
    pub table: Table,
    pub delimiter: u8,
    /// For the user: which column was taken, where none was named.
    pub note: Option<String>,
}

/// Looks at the first rows: their header, and which columns are to be translated: those that are named, else those that
/// are called like texts and titles, else the only one that has Bengali in it. `None`: there is no row.
///
/// # Errors
/// [`Error::Settings`] where a name is none of a column, or the choice is the user's.
pub fn plan(inputs: &[PathBuf], named: &[String], options: &ReadOptions) -> Result<Option<Plan>> {
    let look = ReadOptions { table: Some(Table::default()), ..options.clone() };
    let rows: Vec<Arc<Row>> =
        Feed::open(inputs, look)?.items().flatten().filter_map(|entry| entry.meta.row).take(SAMPLE).collect();
    let Some(first) = rows.first() else { return Ok(None) };
    let names: Vec<String> = first.columns.iter().map(|column| column.name.clone()).collect();
    let bengali: BTreeSet<usize> = rows
        .iter()
        .flat_map(|row| row.columns.iter().enumerate())
        .filter(|(_, column)| has_bengali(&column.text))
        .map(|(index, _)| index)
        .collect();
    let (columns, note) = choose(&names, &bengali, named, options)?;
    let table = Table { columns, header: Some(first.header.to_string()) };
    Ok(Some(Plan { table, delimiter: first.delimiter, note }))
}

fn choose(
    names: &[String],
    bengali: &BTreeSet<usize>,
    named: &[String],
    options: &ReadOptions,
) -> Result<(Vec<String>, Option<String>)> {
    if !named.is_empty() {
        let find = |wanted: &String| {
            let same = names.iter().find(|name| *name == wanted);
            let same = same.or_else(|| names.iter().find(|name| name.to_lowercase() == wanted.to_lowercase()));
            same.cloned().ok_or_else(|| {
                let all = names.join(", ");
                Error::Settings(SettingsError::Columns(format!("there is no column `{wanted}`; the columns are {all}")))
            })
        };
        return Ok((named.iter().map(find).collect::<Result<_>>()?, None));
    }
    let has_bengali = |name: &String| names.iter().position(|n| n == name).is_some_and(|i| bengali.contains(&i));
    let usual: Vec<String> = [Role::Title, Role::Body]
        .into_iter()
        .filter_map(|role| options.fields.name_of(role, names))
        .filter(|name| has_bengali(name))
        .collect();
    if !usual.is_empty() {
        return Ok((usual, None));
    }
    let found: Vec<&str> = bengali.iter().filter_map(|i| names.get(*i)).map(String::as_str).collect();
    match found.as_slice() {
        [only] => {
            let note = format!("the column `{only}` is translated, the only one with Bengali in it");
            Ok((vec![(*only).to_owned()], Some(note)))
        }
        [] => {
            let all = names.join(", ");
            Err(Error::Settings(SettingsError::Columns(format!(
                "no Bengali found in the first rows of the columns {all}"
            ))))
        }
        _ => Err(Error::Settings(SettingsError::Columns(format!(
            "several columns have Bengali in them: {}",
            found.join(",")
        )))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(text: &str, named: &[&str]) -> Result<Plan> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.csv");
        std::fs::write(&file, text).unwrap();
        let named: Vec<String> = named.iter().map(|n| n.to_string()).collect();
        plan(&[file], &named, &ReadOptions::default()).map(Option::unwrap)
    }

    #[test]
    fn columns_are_named_usual_or_the_only_bengali_one() {
        let plan = planned("id;মন্তব্য;name\n1;\"ভালো; খুব\";x\n", &[]).unwrap();
        assert_eq!((plan.table.columns, plan.delimiter), (vec!["মন্তব্য".to_owned()], b';'));
        assert!(plan.note.unwrap().contains("মন্তব্য"));
        assert_eq!(plan.table.header.as_deref(), Some("id;মন্তব্য;name\n"));
        let plan = planned("title,Text,note\nক,খ,গ\n", &[]).unwrap();
        assert_eq!(plan.table.columns, ["title", "Text"]);
        assert_eq!(planned("a,B\nক,খ\n", &["b"]).unwrap().table.columns, ["B"]);
        for (text, named, part) in [
            ("a,b\nক,খ\n", vec![], "in them: a,b"),
            ("a,b\nx,y\n", vec![], "no Bengali"),
            ("a,b\nx,y\n", vec!["c"], "the columns are a, b"),
        ] {
            let error = planned(text, &named).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn rows_keep_their_bytes() {
        let text = "\u{feff}id,text\r\n1,\"এক \"\"দুই\"\"\r\nতিন\"\r\n\r\n 2 , চার \r\n3,পাঁচ";
        let table = Table { columns: vec!["text".into()], header: Some("\u{feff}id,text\r\n".into()) };
        let options = ReadOptions { table: Some(table), ..ReadOptions::default() };
        let rows: Vec<Arc<Row>> = super::super::read_bytes("a.csv", text.as_bytes(), &options)
            .into_iter()
            .map(|item| item.unwrap().meta.row.unwrap())
            .collect();
        let again: String = rows.iter().map(|row| format!("{}{}", row.source, row.end)).collect();
        assert_eq!(format!("{}{again}", rows[0].header), text);
        assert_eq!(rows[0].columns[0].text, "এক \"দুই\"\r\nতিন");
    }

    #[test]
    fn tables_without_a_header_have_numbered_columns() {
        let options = ReadOptions {
            no_header: true,
            table: Some(Table::default()),
            delimiter: Some(b'|'),
            ..ReadOptions::default()
        };
        let items = super::super::read_bytes("a.csv", "১|এক\n২|দুই\n".as_bytes(), &options);
        let rows: Vec<Arc<Row>> = items.into_iter().map(|item| item.unwrap().meta.row.unwrap()).collect();
        let names: Vec<&str> = rows[1].columns.iter().map(|c| c.name.as_str()).collect();
        assert_eq!((rows.len(), names, &*rows[0].header), (2, vec!["1", "2"], ""));
    }
}
