//! `events.parquet`: the columns of `events.csv` with their types, lists as lists.

use super::each_event;
use super::value::Value;
use crate::correlate::Correlation;
use crate::event::EventStream;
use crate::report::table::{Cell, Column, Rows};
use crate::report::tables;
use crate::rows::arrow::ParquetFile;
use crate::safe::Safe;
use arrow_array::builder::{
    ArrayBuilder, Int64Builder, ListBuilder, StringBuilder, TimestampMillisecondBuilder, UInt64Builder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use std::io::{self, Write};
use std::sync::Arc;

/// Rows of a batch.
const BATCH: usize = 4_096;

pub(super) fn write(
    correlation: &Correlation,
    events: &dyn EventStream,
    safe: Safe,
    out: impl Write + Send,
) -> io::Result<()> {
    let table = tables::events();
    let fields = table.columns.iter().map(|column| Field::new(column.name, data_type(&column.cell), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let mut builders: Vec<Builder> = table.columns.iter().map(Builder::of).collect();
    let mut out = ParquetFile::new(out, Arc::clone(&schema))?;
    let mut rows = 0;
    let mut flush = |builders: &mut Vec<Builder>| {
        let columns = builders.iter_mut().map(Builder::finish).collect();
        out.write(&RecordBatch::try_new(Arc::clone(&schema), columns).map_err(io::Error::other)?)
    };
    each_event(correlation, events, &mut |row| {
        for (column, builder) in table.columns.iter().zip(&mut builders) {
            builder.put(Value::of(&column.cell, row, safe));
        }
        rows += 1;
        if rows % BATCH == 0 { flush(&mut builders) } else { Ok(()) }
    })?;
    flush(&mut builders)?;
    out.finish()
}

fn data_type<R: Rows>(cell: &Cell<R>) -> DataType {
    match cell {
        Cell::Word(_) | Cell::Text(_) => DataType::Utf8,
        Cell::Time(_) => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
        Cell::Number(_) => DataType::UInt64,
        Cell::Signed(_) => DataType::Int64,
        Cell::Numbers(_) => DataType::List(Arc::new(Field::new("item", DataType::UInt64, true))),
        Cell::Words(_) | Cell::List(..) => DataType::List(Arc::new(Field::new("item", DataType::Utf8, true))),
    }
}

/// A column in the making.
enum Builder {
    Text(StringBuilder),
    Time(TimestampMillisecondBuilder),
    Number(UInt64Builder),
    Signed(Int64Builder),
    Numbers(ListBuilder<UInt64Builder>),
    Texts(ListBuilder<StringBuilder>),
}

impl Builder {
    fn of<R: Rows>(column: &Column<R>) -> Self {
        match &column.cell {
            Cell::Word(_) | Cell::Text(_) => Self::Text(StringBuilder::new()),
            Cell::Time(_) => Self::Time(TimestampMillisecondBuilder::new().with_data_type(data_type(&column.cell))),
            Cell::Number(_) => Self::Number(UInt64Builder::new()),
            Cell::Signed(_) => Self::Signed(Int64Builder::new()),
            Cell::Numbers(_) => Self::Numbers(ListBuilder::new(UInt64Builder::new())),
            Cell::Words(_) | Cell::List(..) => Self::Texts(ListBuilder::new(StringBuilder::new())),
        }
    }

    fn put(&mut self, value: Value<'_>) {
        match (self, value) {
            (Self::Text(builder), Value::Text(text)) => builder.append_value(&*text),
            (Self::Time(builder), Value::Time(time)) => builder.append_value(time.0),
            (Self::Number(builder), Value::Number(number)) => builder.append_value(number),
            (Self::Signed(builder), Value::Signed(number)) => builder.append_value(number),
            (Self::Numbers(builder), Value::Numbers(numbers)) => builder.append_value(numbers.into_iter().map(Some)),
            (Self::Texts(builder), Value::Texts(texts)) => {
                texts.iter().for_each(|text| builder.values().append_value(&**text));
                builder.append(true);
            }
            (builder, _) => builder.put_null(),
        }
    }

    fn put_null(&mut self) {
        match self {
            Self::Text(builder) => builder.append_null(),
            Self::Time(builder) => builder.append_null(),
            Self::Number(builder) => builder.append_null(),
            Self::Signed(builder) => builder.append_null(),
            Self::Numbers(builder) => builder.append_null(),
            Self::Texts(builder) => builder.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(builder) => ArrayBuilder::finish(builder),
            Self::Time(builder) => ArrayBuilder::finish(builder),
            Self::Number(builder) => ArrayBuilder::finish(builder),
            Self::Signed(builder) => ArrayBuilder::finish(builder),
            Self::Numbers(builder) => ArrayBuilder::finish(builder),
            Self::Texts(builder) => ArrayBuilder::finish(builder),
        }
    }
}
