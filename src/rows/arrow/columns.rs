//! The one table that rows of all three kinds are: its columns by name, in order. A row leaves empty what it has not.

use super::kinds::{Flag, In, Kind, Many, Minutes, Number, Out, Text, Time};
use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, Field, Schema, SchemaRef};
use std::sync::Arc;

macro_rules! columns {
    ($($name:ident: $kind:ty,)+) => {
        /// Columns in the making.
        #[derive(Default)]
        pub(super) struct Builders {
            $(pub(super) $name: Out<$kind>,)+
            rows: usize,
        }

        impl Builders {
            /// Ends a row: what was not put stays empty.
            pub(super) fn end_row(&mut self) {
                self.rows += 1;
                $(self.$name.pad(self.rows);)+
            }

            /// The rows so far, and begins anew.
            pub(super) fn batch(&mut self, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
                self.rows = 0;
                RecordBatch::try_new(Arc::clone(schema), vec![$(self.$name.finish(),)+])
            }
        }

        /// Columns that are read.
        pub(super) struct Columns {
            $(pub(super) $name: In<$kind>,)+
        }

        impl Columns {
            pub(super) fn of(batch: &RecordBatch) -> Result<Self, String> {
                Ok(Self { $($name: In::of(batch, stringify!($name))?,)+ })
            }
        }

        pub(super) fn schema() -> Schema {
            Schema::new(vec![$(Field::new(stringify!($name), <$kind>::data_type(), true),)+])
        }
    };
}

impl Builders {
    pub(super) fn rows(&self) -> usize {
        self.rows
    }
}

columns! {
    row: Text,
    // Events, and some of them the others.
    file: Text,
    line: Number,
    offset: Number,
    time: Time,
    time_is_local: Flag,
    rule: Text,
    group: Text,
    severity: Text,
    implicates: Flag,
    component: Text,
    shows_writer: Flag,
    level: Text,
    region: Number,
    store: Number,
    peer: Number,
    task: Text,
    codes: Many<Text>,
    tsos: Many<Number>,
    regions: Many<Number>,
    stores: Many<Number>,
    message: Text,
    facts: Text,
    descriptions: Text,
    ranges: Text,
    // Sources.
    start: Number,
    end: Number,
    bytes: Number,
    records: Number,
    newlines: Number,
    continuation_lines: Number,
    unparsed_lines: Number,
    first: Time,
    last: Time,
    local_first: Time,
    local_last: Time,
    zone_minutes: Minutes,
    head_hash: Text,
    tail_hash: Text,
    status: Text,
    problem: Text,
    peers: Text,
    // Templates.
    template: Text,
    count: Number,
    example: Text,
}
