//! The JSON Schema of `summary.json`, made from the same tables that write it, and held equal to the published file.

use crate::report::table::{Cell, Rows, Table};
use crate::report::tables;
use serde_json::{Map, Value, json};

const PUBLISHED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/summary.schema.json");

fn cell<R: Rows>(cell: &Cell<R>) -> Value {
    match cell {
        Cell::Word(_) | Cell::Text(_) => json!({ "type": ["string", "null"] }),
        Cell::Time(_) => time(),
        Cell::Number(_) => json!({ "type": ["integer", "null"], "minimum": 0 }),
        Cell::Signed(_) => json!({ "type": ["integer", "null"] }),
        Cell::Numbers(_) => {
            json!({ "type": "array", "items": { "type": "integer", "minimum": 0 }, "uniqueItems": true })
        }
        Cell::Words(_) => json!({ "type": "array", "items": { "type": "string" }, "uniqueItems": true }),
        Cell::List(..) => json!({ "type": "array", "items": { "type": "string" } }),
    }
}

fn time() -> Value {
    json!({ "type": ["string", "null"], "format": "date-time" })
}

fn object(properties: &Map<String, Value>) -> Value {
    let required: Vec<_> = properties.keys().collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

fn row<R: Rows>(table: &Table<R>, more: Value) -> Value {
    let mut properties: Map<_, _> =
        table.columns.iter().map(|column| (column.name.to_owned(), cell(&column.cell))).collect();
    if let Value::Object(more) = more {
        properties.extend(more);
    }
    object(&properties)
}

fn rows<R: Rows>(table: &Table<R>) -> Value {
    list(row(table, Value::Null))
}

#[allow(clippy::needless_pass_by_value, reason = "schemas are made where they are used")]
fn list(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

fn counts() -> Value {
    json!({ "type": "object", "additionalProperties": count() })
}

fn fields(fields: Value) -> Value {
    let Value::Object(fields) = fields else { return Value::Null };
    object(&fields)
}

fn schema() -> Value {
    let curve = list(fields(json!({ "seen": time(), "ts": count() })));
    let incident = row(
        &tables::incidents(),
        json!({ "certainty": { "enum": ["observed", "inferred"] }, "chain": rows(&tables::chain()) }),
    );
    let task = row(
        &tables::tasks(),
        json!({ "since": time(), "held_by": { "type": ["string", "null"] }, "checkpoints": curve, "safepoints": curve }),
    );
    let mut schema = fields(json!({
        "schema": { "const": super::SCHEMA },
        "now": time(),
        "totals": fields(json!({ "bytes": count(), "records": count(), "events": count(), "first": time(), "last": time() })),
        "events": fields(json!({
            "total": count(), "by_severity": counts(), "by_rule": counts(), "by_store": counts(), "by_region": counts(),
        })),
        "incidents": list(incident),
        "tasks": list(task),
        "timeline": rows(&tables::timeline()),
        "regions": rows(&tables::regions()),
        "stores": rows(&tables::stores()),
        "errors": rows(&tables::errors()),
        "unmatched": rows(&tables::unmatched()),
        "sources": rows(&tables::sources()),
        "caveats": list(json!({ "type": "string" })),
        "run": fields(json!({
            "command_line": { "type": "string" }, "version": { "type": "string" },
            "duration_ms": count(), "bytes_per_second": count(), "threads": count(),
            "news": list(json!({ "type": "string" })),
        })),
    }));
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "summary.json of a tidescope report".into();
    schema["description"] =
        "Keys of a row are the columns of the CSV file of the same name. Times are RFC 3339 in UTC, \
        TSOs are unsigned 64-bit integers. Keys may be added within one version of `schema`; none is removed."
            .into();
    schema
}

/// Run with `UPDATE_SCHEMA=1` to publish a change.
#[test]
fn the_published_schema_is_the_one_in_force() {
    let mut text = serde_json::to_string_pretty(&schema()).unwrap();
    text.push('\n');
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(PUBLISHED, &text).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(PUBLISHED).unwrap_or_default(),
        text,
        "set UPDATE_SCHEMA=1 to publish the change"
    );
}
