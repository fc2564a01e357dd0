// See value_reader.h.
//
// Arrays and rows can hold millions of values, so whatever one value takes is freed before the next.

#include "backend/value_reader.h"

#include <cmath>
#include <cstring>
#include <string_view>

#include "backend/array_elements.h"
#include "backend/jsonb_reader.h"
#include "backend/marked_writer.h"
#include "backend/spelling.h"
#include "backend/text.h"
#include "backend/text_writer.h"
#include "backend/writers.h"

extern "C" {
#include "access/detoast.h"
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
}

namespace socketio {

namespace {

void free_if_copy(const void* detoasted, Datum value) {
    if (detoasted != DatumGetPointer(value)) {
        pfree(const_cast<void*>(detoasted));
    }
}

template <class Writer>
void read_cstring(const char* text, Writer& writer) {
    read_text({text, std::strlen(text)}, writer);
}

template <class Writer>
void read_varlena_text(Datum value, Writer& writer) {
    // In a multi-byte encoding other than UTF-8, the text may become shorter as UTF-8 is, but not to a quarter.
    if (!writer.takes_string((toast_raw_datum_size(value) - VARHDRSZ) / 4)) {
        return;
    }
    const struct varlena* text = PG_DETOAST_DATUM_PACKED(value);
    read_text(varlena_view(text), writer);
    free_if_copy(text, value);
}

template <class Writer>
void read_bytea(Datum value, Writer& writer) {
    if (!writer.takes_binary()) {
        return;
    }
    const struct varlena* bytes = PG_DETOAST_DATUM_PACKED(value);
    writer.binary(varlena_view(bytes));
    free_if_copy(bytes, value);
}

// Digits in the form jsonb gives them: without an exponent, and zero without a sign.
char* plain_digits(char* digits) {
    if (std::strchr(digits, 'e') == nullptr && std::strcmp(digits, "-0") != 0) {
        return digits;
    }
    const Datum number =
        DirectFunctionCall3(numeric_in, CStringGetDatum(digits), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
    pfree(digits);
    digits = DatumGetCString(DirectFunctionCall1(numeric_out, number));
    pfree(DatumGetPointer(number));
    return digits;
}

template <class Writer>
void read_number(char* digits, bool is_finite, Writer& writer) {
    const std::string_view text(digits, std::strlen(digits));
    is_finite ? writer.number(text) : writer.string(text);
    pfree(digits);
}

template <class Writer>
void read_float(Oid type, Datum value, Writer& writer) {
    const bool is_float4 = type == FLOAT4OID;
    const double number = is_float4 ? DatumGetFloat4(value) : DatumGetFloat8(value);
    char* digits = DatumGetCString(DirectFunctionCall1(is_float4 ? float4out : float8out, value));
    const bool is_finite = std::isfinite(number);
    read_number(is_finite ? plain_digits(digits) : digits, is_finite, writer);
}

template <class Writer>
void read_numeric(Datum value, Writer& writer) {
    Numeric number = DatumGetNumeric(value);
    const bool is_finite = !numeric_is_nan(number) && !numeric_is_inf(number);
    read_number(DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(number))), is_finite, writer);
    free_if_copy(number, value);
}

template <class Writer>
void read_date_time(Oid type, Datum value, Writer& writer) {
    char text[MAXDATELEN + 1];
    JsonEncodeDateTime(text, value, type, nullptr);
    read_cstring(text, writer);
}

template <class Writer>
void read_jsonb_value(Datum value, Writer& writer) {
    Jsonb* jsonb = DatumGetJsonbP(value);
    read_jsonb(jsonb, writer);
    free_if_copy(jsonb, value);
}

// The text with marks, or null where none is needed.
char* mark(std::string_view json) {
    if (!may_need_marks(json)) {
        return nullptr;
    }
    auto* marked = static_cast<char*>(palloc_extended(2 * json.size() + 1, MCXT_ALLOC_HUGE));
    char* end = mark_json(json, marked, has_character);
    if (end == nullptr) {
        pfree(marked);
        return nullptr;
    }
    *end = '\0';
    return marked;
}

// JSON text has to be parsed anyway: msgpack needs counts before contents, and of equal keys the last one wins. jsonb
// does both, but has no room for some characters that JSON may hold and receivers take.
template <class Writer>
void read_json(Datum value, Writer& writer) {
    char* json = TextDatumGetCString(value);
    char* marked = mark(json);
    const Datum jsonb = DirectFunctionCall1(jsonb_in, CStringGetDatum(marked != nullptr ? marked : json));
    pfree(json);
    if (marked == nullptr) {
        read_jsonb_value(jsonb, writer);
    } else {
        pfree(marked);
        MarkedWriter<Writer> marked_writer(writer);
        read_jsonb_value(jsonb, marked_writer);
    }
    pfree(DatumGetPointer(jsonb));
}

template <class Writer>
void read_json_cast(ValuePlan* plan, Datum value, Writer& writer) {
    Datum json;
    within_set_spelling([&] { json = FunctionCall1(&plan->function, value); });
    read_json(json, writer);
}

template <class Writer>
void read_output(ValuePlan* plan, Datum value, Writer& writer) {
    char* text = OutputFunctionCall(&plan->function, value);
    read_cstring(text, writer);
    pfree(text);
}

// An array being read: detoasted if it has to be, its elements met in storage order.
struct ArrayWalk {
    ArrayWalk(ValuePlan* plan, Datum value)
        : datum(value),
          array(DatumGetAnyArrayP(value)),
          element(plan_elements(plan, AARR_ELEMTYPE(array))),
          elements(array, plan->element_layout) {}

    template <class Writer>
    void read_next(Writer& writer) {
        CHECK_FOR_INTERRUPTS();
        const NullableDatum value = elements.next();
        read_value(element, value.value, value.isnull, writer);
    }

    void release() {
        if (!VARATT_IS_EXPANDED_HEADER(array)) {
            free_if_copy(array, datum);
        }
    }

    Datum datum;
    AnyArrayType* array;
    ValuePlan* element;
    ArrayElements elements;
};

template <class Writer>
void read_dimension(ArrayWalk& walk, int dimension, Writer& writer) {
    const int length = AARR_DIMS(walk.array)[dimension];
    const bool innermost = dimension + 1 == AARR_NDIM(walk.array);
    writer.begin_array(length);
    for (int i = 0; i < length && !writer.stopped(); ++i) {
        if (innermost) {
            walk.read_next(writer);
        } else {
            read_dimension(walk, dimension + 1, writer);
        }
    }
    writer.end_array();
}

template <class Writer>
void read_array(ValuePlan* plan, Datum value, Writer& writer) {
    ArrayWalk walk(plan, value);
    if (count_elements(walk.array) == 0) {
        writer.begin_array(0);
        writer.end_array();
    } else {
        read_dimension(walk, 0, writer);
    }
    walk.release();
}

void deform_row(HeapTupleHeader row, CompositePlan* columns) {
    HeapTupleData tuple;
    tuple.t_len = HeapTupleHeaderGetDatumLength(row);
    ItemPointerSetInvalid(&tuple.t_self);
    tuple.t_tableOid = InvalidOid;
    tuple.t_data = row;
    heap_deform_tuple(&tuple, columns->descriptor, columns->values, columns->nulls);
}

template <class Writer>
void read_composite(ValuePlan* plan, Datum value, Writer& writer) {
    HeapTupleHeader row = DatumGetHeapTupleHeader(value);
    plan_columns(plan, row);
    CompositePlan* columns = &plan->composite;
    deform_row(row, columns);
    writer.begin_object(columns->live_columns);
    for (int i = 0; i < columns->descriptor->natts && !writer.stopped(); ++i) {
        const ColumnPlan& column = columns->columns[i];
        if (column.value != nullptr) {
            writer.key(column.name);
            read_value(column.value, columns->values[i], columns->nulls[i], writer);
        }
    }
    writer.end_object();
    free_if_copy(row, value);
}

}  // namespace

template <class Writer>
void read_scalar(ValuePlan* plan, Datum value, Writer& writer) {
    switch (plan->category) {
        case ValueCategory::kBoolean:
            return writer.boolean(DatumGetBool(value));
        case ValueCategory::kInt2:
            return writer.integer(DatumGetInt16(value));
        case ValueCategory::kInt4:
            return writer.integer(DatumGetInt32(value));
        case ValueCategory::kInt8:
            return writer.integer(DatumGetInt64(value));
        case ValueCategory::kFloat:
            return read_float(plan->type, value, writer);
        case ValueCategory::kNumeric:
            return read_numeric(value, writer);
        case ValueCategory::kText:
            return read_varlena_text(value, writer);
        case ValueCategory::kCString:
            return read_cstring(DatumGetCString(value), writer);
        case ValueCategory::kDateTime:
            return read_date_time(plan->type, value, writer);
        default:
            return read_output(plan, value, writer);
    }
}

template <class Writer>
void read_value(ValuePlan* plan, Datum value, bool is_null, Writer& writer) {
    if (is_null) {
        return writer.null();
    }
    switch (plan->category) {
        case ValueCategory::kBytea:
            return read_bytea(value, writer);
        case ValueCategory::kJsonb:
            return read_jsonb_value(value, writer);
        case ValueCategory::kJson:
            return read_json(value, writer);
        case ValueCategory::kJsonCast:
            return read_json_cast(plan, value, writer);
        case ValueCategory::kArray:
            check_stack_depth();
            return read_array(plan, value, writer);
        case ValueCategory::kComposite:
            check_stack_depth();
            return read_composite(plan, value, writer);
        default:
            return read_scalar(plan, value, writer);
    }
}

template void read_scalar(ValuePlan*, Datum, TextWriter&);
template void read_value(ValuePlan*, Datum, bool, NotificationWriter&);
template void read_value(ValuePlan*, Datum, bool, AttachmentWriter&);

// What a call site needs to know of its arguments, kept between calls.
struct ValueArguments::Plans {
    bool as_array;       // called with the keyword VARIADIC
    int count;           // arguments given; 1 for an array
    ValuePlan** values;  // one for each of them
};

ValueArguments::Plans* ValueArguments::plans_of(FunctionCallInfo fcinfo, int first) {
    FmgrInfo* call_site = fcinfo->flinfo;
    if (call_site->fn_extra != nullptr) {
        return static_cast<Plans*>(call_site->fn_extra);
    }
    auto* plans = static_cast<Plans*>(MemoryContextAlloc(call_site->fn_mcxt, sizeof(Plans)));
    plans->as_array = get_fn_expr_variadic(call_site);
    plans->count = PG_NARGS() - first;
    plans->values = static_cast<ValuePlan**>(MemoryContextAlloc(call_site->fn_mcxt, plans->count * sizeof(ValuePlan*)));
    for (int i = 0; i < plans->count; ++i) {
        plans->values[i] = plan_value(get_fn_expr_argtype(call_site, first + i), call_site->fn_mcxt);
    }
    call_site->fn_extra = plans;
    return plans;
}

ValueArguments::ValueArguments(FunctionCallInfo fcinfo, int first)
    : fcinfo_(fcinfo), first_(first), plans_(plans_of(fcinfo, first)) {}

std::uint32_t ValueArguments::count() const {
    if (!plans_->as_array) {
        return plans_->count;
    }
    if (fcinfo_->args[first_].isnull) {
        return 0;
    }
    ArrayWalk walk(plans_->values[0], fcinfo_->args[first_].value);
    const int count = count_elements(walk.array);
    walk.release();
    return count;
}

template <class Writer>
void ValueArguments::write_values(Writer& writer) const {
    if (!plans_->as_array) {
        for (int i = 0; i < plans_->count && !writer.stopped(); ++i) {
            const NullableDatum& argument = fcinfo_->args[first_ + i];
            read_value(plans_->values[i], argument.value, argument.isnull, writer);
        }
    } else if (!fcinfo_->args[first_].isnull) {
        ArrayWalk walk(plans_->values[0], fcinfo_->args[first_].value);
        for (int i = count_elements(walk.array); i > 0 && !writer.stopped(); --i) {
            walk.read_next(writer);
        }
        walk.release();
    }
}

template void ValueArguments::write_values(NotificationWriter&) const;
template void ValueArguments::write_values(AttachmentWriter&) const;

}  // namespace socketio
