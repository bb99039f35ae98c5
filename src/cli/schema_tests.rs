//! `docs/schemas` has every field of what is written, and no other: values with all fields set are held against them.
#[path = "../../tests/it/schema_check.rs"]
mod schema_check;

use crate::article::{Article, Block, BlockKind, Meta};
use crate::bulk::{Aligned, Batches, Doubtful, ErrorRecord, Record, Report, Slow, Source};
use crate::engine::ModelIdentity;
use crate::feed::Place;
use crate::pipeline::{SCHEMA, Timings, TranslatedSegment, Translation};
use crate::summary::{Language, Method, Origin, Style, Summary};
use crate::text::{Finding, FindingKind, Severity};
use schema_check::Schema;
use serde::Serialize;
use serde_json::json;

/// All of `values` are as the schema says, and together they have all that it has.
fn fills(name: &str, values: &[impl Serialize]) {
    let mut schema = Schema::read(name);
    for value in values {
        let complaints = schema.complaints(&serde_json::to_value(value).unwrap());
        assert!(complaints.is_empty(), "{name}:\n{}", complaints.join("\n"));
    }
    assert_eq!(schema.unseen(), [""; 0], "{name} has what no value has");
}

fn text() -> Option<String> {
    Some("x".into())
}

fn identity() -> ModelIdentity {
    ModelIdentity { id: "m".into(), digest: "d".into(), architecture: "a".into(), compute: "f32".into() }
}

fn finding() -> Finding {
    Finding { kind: FindingKind::Loop, severity: Severity::Note, segment: Some(0), message: "x".into() }
}

fn extra() -> serde_json::Map<String, serde_json::Value> {
    [("desk".to_owned(), json!(7))].into_iter().collect()
}

fn article() -> Article {
    let block = |kind| Block { kind, text: "x".into(), range: 0..1 };
    let blocks = vec![block(BlockKind::Heading { level: 2 }), block(BlockKind::ListItem { depth: 0, number: Some(1) })];
    let meta = Meta { id: text(), url: text(), date: text(), author: text(), extra: extra(), row: None };
    Article { title: text(), blocks, meta }
}

fn summary() -> Summary {
    let origin = Origin { segments: vec![0], shortened_by: text(), confidence: Some(0.5), findings: vec![finding()] };
    Summary {
        sentences: vec!["x".into()],
        headline: text(),
        style: Style::Brief,
        language: Language::English,
        method: Method::Extractive,
        model: text(),
        parts: 1,
        chosen: vec![0],
        origins: vec![origin],
        findings: vec![finding()],
    }
}

#[test]
fn the_schema_of_translations_has_all_their_fields() {
    let segment = TranslatedSegment {
        block: Some(0),
        sentence: 0,
        range: 0..1,
        source: "x".into(),
        text: "x".into(),
        score: Some(-0.5),
        confidence: Some(0.5),
        source_tokens: 1,
        target_tokens: 1,
        trace: crate::decode::Trace::default(),
    };
    let translation = Translation {
        schema: SCHEMA,
        article: article(),
        segments: vec![segment],
        findings: vec![finding()],
        summary: Some(summary()),
        model: identity(),
        model_choice: text(),
        timings: Timings::default(),
    };
    fills("translation", &[translation]);
    fills("summary", &[json!({ "schema": 1, "text": "x", "summary": summary() })]);
}

#[test]
fn the_schemas_of_bulk_runs_have_all_their_fields() {
    let record = Record {
        n: 1,
        id: text(),
        url: text(),
        date: text(),
        author: text(),
        title: text(),
        text: "x".into(),
        summary: text(),
        confidence: Some(0.5),
        doubtful: vec![Doubtful { segment: 0, source: "x".into(), text: "x".into(), confidence: Some(0.5) }],
        findings: vec![finding()],
        model: identity(),
        source: Some(Source { title: text(), text: "x".into() }),
        extra: extra(),
        article: article(),
        aligned: Aligned::default(),
        row: None,
    };
    fills("bulk-record", &[record]);
    let place = Place { file: "f".into(), entry: Some(1), line: Some(1), byte: Some(0) };
    fills("bulk-error", &[ErrorRecord { n: 1, id: text(), error: "x".into(), place }]);
    let batches = Batches { steps: 1, hypotheses: 1.0, room: 1, occupancy: 1.0, tokens: 1.0, real_tokens: 1.0 };
    let mut report = Report::default();
    report.schema = 1;
    report.model = Some(identity());
    (report.batches, report.batches_before_end) = (Some(batches), Some(batches));
    report.slowest = vec![Slow { n: 1, title: text(), words: 1, seconds: 1.0 }];
    report.skipped.insert(crate::bulk::Reason::Sample, 1);
    report.aside_named.push("x".into());
    report.findings.insert(FindingKind::Loop, 1);
    fills("bulk-report", &[report]);
}
