// How the values of an SQL type are read: decided once per call site, then used for every value.
//
// to_jsonb() asks the catalogs for the same facts about every value it meets. A plan keeps them: which category the
// type falls into, its output function, and the plans of its elements or columns.

#pragma once

#include <cstdint>
#include <string_view>

#include "backend/array_elements.h"
#include "backend/server.h"
#include "protocol/encoded.h"

extern "C" {
#include "access/htup.h"
#include "access/tupdesc.h"
}

namespace socketio {

// The categories follow json_categorize_type() of PostgreSQL, split further where a value can be read
// straight from its Datum.
enum class ValueCategory {
    kBoolean,
    kInt2,
    kInt4,
    kInt8,
    kFloat,    // float4 and float8: digits, or "NaN" and "Infinity" as strings
    kNumeric,  // the same
    kText,     // text, varchar, char(n)
    kCString,  // an untyped literal
    kBytea,
    kDateTime,  // date, timestamp, timestamptz: ISO 8601
    kJsonb,
    kJson,
    kJsonCast,  // a type of an extension's with a cast to json, as hstore has
    kArray,
    kComposite,
    kOutput,  // anything else: the text its output function gives
};

struct ValuePlan;

// A column of a composite type.
struct ColumnPlan {
    EncodedKey name;
    ValuePlan* value;  // null for a dropped column
};

// The columns of the row type met last. A call site of type `record` meets rows of any type, and a named type can be
// altered, so each row's type is compared with `type_identifier` (typcache.h) first. Columns get plans when the first
// row is met, so a type that contains itself is planned one level at a time.
struct CompositePlan {
    std::uint64_t type_identifier;
    MemoryContext context;  // holds what follows
    TupleDesc descriptor;
    int live_columns;
    ColumnPlan* columns;  // descriptor->natts of them
    Datum* values;        // scratch space to deform a row into
    bool* nulls;
};

struct ValuePlan {
    Oid type;  // of a domain, the type beneath it
    ValueCategory category;
    FmgrInfo function;  // the output function, or the cast to json
    Oid element_type;   // of an array: what `element` was made for
    ElementLayout element_layout;
    ValuePlan* element;
    CompositePlan composite;
    MemoryContext context;  // the plan's own; nested plans live in it or below
};

// Decide how to read values of `type`. The plan lives in `context`.
ValuePlan* plan_value(Oid type, MemoryContext context);

// The same for a column, with its name; no value for one that was dropped.
ColumnPlan plan_column(Form_pg_attribute attribute, MemoryContext context);

// Whether values come as one piece of text, number or truth: neither binary nor anything JSON would nest.
bool is_scalar(const ValuePlan* plan);

// Make plan->element fit an array of `element_type`, and return it. An array's own word on that counts, not its type's:
// `anyarray`, of which the columns of pg_stats are, holds any.
ValuePlan* plan_elements(ValuePlan* plan, Oid element_type);

// Make plan->composite fit the type of `row`.
void plan_columns(ValuePlan* plan, HeapTupleHeader row);

}  // namespace socketio
