//! Types of columns: how each is built, and how it is read, also from files that other programs wrote anew.

use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, Int32Builder, ListBuilder, StringBuilder, TimestampMillisecondBuilder, UInt64Builder,
};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal128Type, Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, BooleanArray, GenericListArray, Int32Array, OffsetSizeTrait, RecordBatch, StringArray,
    TimestampMillisecondArray, UInt64Array,
};
use arrow_schema::{DataType, Field, TimeUnit};
use std::sync::Arc;

/// A type of column.
pub(super) trait Kind {
    /// Makes the column.
    type Builder: ArrayBuilder;
    /// The column as it is read.
    type Column;

    fn data_type() -> DataType;
    fn builder() -> Self::Builder;
    fn append_null(builder: &mut Self::Builder);
    /// The column, where an array of another program's making can be taken for it.
    fn read(array: &ArrayRef) -> Option<Self::Column>;
}

/// A column in the making.
pub(super) struct Out<K: Kind>(K::Builder);

impl<K: Kind> Default for Out<K> {
    fn default() -> Self {
        Self(K::builder())
    }
}

impl<K: Kind> Out<K> {
    /// Leaves the cells up to `rows` empty.
    pub(super) fn pad(&mut self, rows: usize) {
        while self.0.len() < rows {
            K::append_null(&mut self.0);
        }
    }

    pub(super) fn finish(&mut self) -> ArrayRef {
        self.0.finish()
    }
}

/// A column that is read; one that is missing has only empty cells.
pub(super) struct In<K: Kind>(Option<K::Column>);

impl<K: Kind> In<K> {
    pub(super) fn of(batch: &RecordBatch, name: &str) -> Result<Self, String> {
        let Some(array) = batch.column_by_name(name) else { return Ok(Self(None)) };
        match K::read(array) {
            Some(column) => Ok(Self(Some(column))),
            None if *array.data_type() == DataType::Null => Ok(Self(None)),
            None => Err(format!("column `{name}` is {}, which is not expected there", array.data_type())),
        }
    }
}

/// Text.
pub(super) struct Text;

impl Kind for Text {
    type Builder = StringBuilder;
    type Column = StringArray;

    fn data_type() -> DataType {
        DataType::Utf8
    }

    fn builder() -> StringBuilder {
        StringBuilder::new()
    }

    fn append_null(builder: &mut StringBuilder) {
        builder.append_null();
    }

    fn read(array: &ArrayRef) -> Option<StringArray> {
        match array.data_type() {
            DataType::Utf8 => array.as_string_opt::<i32>().cloned(),
            DataType::LargeUtf8 => array.as_string_opt::<i64>().map(|array| array.iter().collect()),
            DataType::Utf8View => array.as_string_view_opt().map(|array| array.iter().collect()),
            DataType::Dictionary(_, _) => {
                let array = array.as_dictionary_opt::<Int32Type>()?.downcast_dict::<StringArray>()?;
                Some(array.into_iter().collect())
            }
            _ => None,
        }
    }
}

impl Out<Text> {
    pub(super) fn put(&mut self, text: &str) {
        self.0.append_value(text);
    }

    pub(super) fn put_opt(&mut self, text: Option<&str>) {
        self.0.append_option(text);
    }
}

impl In<Text> {
    pub(super) fn get(&self, at: usize) -> Option<&str> {
        self.0.as_ref().filter(|column| column.is_valid(at)).map(|column| column.value(at))
    }
}

/// Ids, TSOs, counts. Programs without unsigned numbers write others.
pub(super) struct Number;

impl Kind for Number {
    type Builder = UInt64Builder;
    type Column = UInt64Array;

    fn data_type() -> DataType {
        DataType::UInt64
    }

    fn builder() -> UInt64Builder {
        UInt64Builder::new()
    }

    fn append_null(builder: &mut UInt64Builder) {
        builder.append_null();
    }

    fn read(array: &ArrayRef) -> Option<UInt64Array> {
        match array.data_type() {
            DataType::UInt64 => array.as_primitive_opt::<UInt64Type>().cloned(),
            DataType::Int64 => array.as_primitive_opt::<Int64Type>()?.try_unary(u64::try_from).ok(),
            DataType::Int32 => array.as_primitive_opt::<Int32Type>()?.try_unary(u64::try_from).ok(),
            DataType::Decimal128(_, 0) => array.as_primitive_opt::<Decimal128Type>()?.try_unary(u64::try_from).ok(),
            _ => None,
        }
    }
}

impl Out<Number> {
    pub(super) fn put(&mut self, number: u64) {
        self.0.append_value(number);
    }

    pub(super) fn put_opt(&mut self, number: Option<u64>) {
        self.0.append_option(number);
    }
}

impl In<Number> {
    pub(super) fn get(&self, at: usize) -> Option<u64> {
        self.0.as_ref().filter(|column| column.is_valid(at)).map(|column| column.value(at))
    }
}

/// Minutes.
pub(super) struct Minutes;

impl Kind for Minutes {
    type Builder = Int32Builder;
    type Column = Int32Array;

    fn data_type() -> DataType {
        DataType::Int32
    }

    fn builder() -> Int32Builder {
        Int32Builder::new()
    }

    fn append_null(builder: &mut Int32Builder) {
        builder.append_null();
    }

    fn read(array: &ArrayRef) -> Option<Int32Array> {
        match array.data_type() {
            DataType::Int32 => array.as_primitive_opt::<Int32Type>().cloned(),
            DataType::Int64 => array.as_primitive_opt::<Int64Type>()?.try_unary(i32::try_from).ok(),
            _ => None,
        }
    }
}

impl Out<Minutes> {
    pub(super) fn put_opt(&mut self, minutes: Option<i32>) {
        self.0.append_option(minutes);
    }
}

impl In<Minutes> {
    pub(super) fn get(&self, at: usize) -> Option<i32> {
        self.0.as_ref().filter(|column| column.is_valid(at)).map(|column| column.value(at))
    }
}

/// A moment, in UTC to the millisecond.
pub(super) struct Time;

impl Kind for Time {
    type Builder = TimestampMillisecondBuilder;
    type Column = TimestampMillisecondArray;

    fn data_type() -> DataType {
        DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()))
    }

    fn builder() -> TimestampMillisecondBuilder {
        TimestampMillisecondBuilder::new().with_data_type(Self::data_type())
    }

    fn append_null(builder: &mut TimestampMillisecondBuilder) {
        builder.append_null();
    }

    fn read(array: &ArrayRef) -> Option<TimestampMillisecondArray> {
        match array.data_type() {
            DataType::Timestamp(TimeUnit::Millisecond, _) => array.as_primitive_opt().cloned(),
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                let array = array.as_primitive_opt::<TimestampMicrosecondType>()?;
                Some(array.unary::<_, TimestampMillisecondType>(|time| time.div_euclid(1_000)))
            }
            DataType::Timestamp(TimeUnit::Nanosecond, _) => {
                let array = array.as_primitive_opt::<TimestampNanosecondType>()?;
                Some(array.unary::<_, TimestampMillisecondType>(|time| time.div_euclid(1_000_000)))
            }
            _ => None,
        }
    }
}

impl Out<Time> {
    pub(super) fn put_opt(&mut self, millis: Option<i64>) {
        self.0.append_option(millis);
    }
}

impl In<Time> {
    pub(super) fn get(&self, at: usize) -> Option<i64> {
        self.0.as_ref().filter(|column| column.is_valid(at)).map(|column| column.value(at))
    }
}

/// Yes or no; empty is no.
pub(super) struct Flag;

impl Kind for Flag {
    type Builder = BooleanBuilder;
    type Column = BooleanArray;

    fn data_type() -> DataType {
        DataType::Boolean
    }

    fn builder() -> BooleanBuilder {
        BooleanBuilder::new()
    }

    fn append_null(builder: &mut BooleanBuilder) {
        builder.append_null();
    }

    fn read(array: &ArrayRef) -> Option<BooleanArray> {
        array.as_boolean_opt().cloned()
    }
}

impl Out<Flag> {
    pub(super) fn put(&mut self, flag: bool) {
        self.0.append_value(flag);
    }
}

impl In<Flag> {
    pub(super) fn get(&self, at: usize) -> bool {
        self.0.as_ref().is_some_and(|column| column.is_valid(at) && column.value(at))
    }
}

/// Several of a kind; none and empty are the same.
pub(super) struct Many<K>(std::marker::PhantomData<K>);

/// The values of all rows, and where each row's are.
pub(super) struct Lists<C> {
    values: C,
    rows: Vec<std::ops::Range<usize>>,
}

impl<K: Kind> Kind for Many<K> {
    type Builder = ListBuilder<K::Builder>;
    type Column = Lists<K::Column>;

    fn data_type() -> DataType {
        DataType::List(item::<K>())
    }

    fn builder() -> Self::Builder {
        ListBuilder::new(K::builder()).with_field(item::<K>())
    }

    fn append_null(builder: &mut Self::Builder) {
        builder.append_null();
    }

    fn read(array: &ArrayRef) -> Option<Self::Column> {
        match array.data_type() {
            DataType::List(_) => lists::<K, i32>(array.as_list_opt()?),
            DataType::LargeList(_) => lists::<K, i64>(array.as_list_opt()?),
            _ => None,
        }
    }
}

fn item<K: Kind>() -> Arc<Field> {
    Arc::new(Field::new("item", K::data_type(), true))
}

fn lists<K: Kind, O: OffsetSizeTrait>(array: &GenericListArray<O>) -> Option<Lists<K::Column>> {
    let offsets = array.value_offsets();
    let row = |at: usize| {
        if array.is_null(at) { 0..0 } else { offsets[at].as_usize()..offsets[at + 1].as_usize() }
    };
    Some(Lists { values: K::read(array.values())?, rows: (0..array.len()).map(row).collect() })
}

impl Out<Many<Text>> {
    pub(super) fn put<'t>(&mut self, texts: impl Iterator<Item = &'t str>) {
        self.0.append_value(texts.map(Some));
    }
}

impl In<Many<Text>> {
    pub(super) fn get<'a, T: From<&'a str>>(&'a self, at: usize) -> Vec<T> {
        let Some(lists) = &self.0 else { return Vec::new() };
        lists.rows[at].clone().filter(|at| lists.values.is_valid(*at)).map(|at| lists.values.value(at).into()).collect()
    }
}

impl Out<Many<Number>> {
    pub(super) fn put(&mut self, numbers: impl Iterator<Item = u64>) {
        self.0.append_value(numbers.map(Some));
    }
}

impl In<Many<Number>> {
    pub(super) fn get<T>(&self, at: usize, of: impl Fn(u64) -> T) -> Vec<T> {
        let Some(lists) = &self.0 else { return Vec::new() };
        lists.rows[at].clone().filter(|at| lists.values.is_valid(*at)).map(|at| of(lists.values.value(at))).collect()
    }
}
