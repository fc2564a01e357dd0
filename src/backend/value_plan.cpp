// See value_plan.h.

#include "backend/value_plan.h"

#include <cstring>

#include "backend/text.h"
#include "backend/writers.h"

extern "C" {
#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_type.h"
#include "parser/parse_coerce.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"
}

namespace socketio {

namespace {

bool is_array(Oid type) {
    return OidIsValid(get_element_type(type)) || type == ANYARRAYOID || type == ANYCOMPATIBLEARRAYOID ||
           type == RECORDARRAYOID;
}

void plan_output(ValuePlan* plan) {
    plan->category = ValueCategory::kOutput;
    Oid function;
    bool is_varlena;
    getTypeOutputInfo(plan->type, &function, &is_varlena);
    fmgr_info_cxt(function, &plan->function, plan->context);
}

// to_jsonb() honours a cast to json, even one that is not implicit, of types that do not come with the server.
bool plan_json_cast(ValuePlan* plan) {
    Oid function;
    if (plan->type < FirstNormalObjectId ||
        find_coercion_pathway(JSONOID, plan->type, COERCION_EXPLICIT, &function) != COERCION_PATH_FUNC) {
        return false;
    }
    plan->category = ValueCategory::kJsonCast;
    fmgr_info_cxt(function, &plan->function, plan->context);
    return true;
}

// The category of types that come with the server and need no look into its catalogs. False for any other.
bool plan_known_type(ValuePlan* plan) {
    switch (plan->type) {
        case BOOLOID:
            plan->category = ValueCategory::kBoolean;
            return true;
        case INT2OID:
            plan->category = ValueCategory::kInt2;
            return true;
        case INT4OID:
            plan->category = ValueCategory::kInt4;
            return true;
        case INT8OID:
            plan->category = ValueCategory::kInt8;
            return true;
        case FLOAT4OID:
        case FLOAT8OID:
            plan->category = ValueCategory::kFloat;
            return true;
        case NUMERICOID:
            plan->category = ValueCategory::kNumeric;
            return true;
        case TEXTOID:
        case VARCHAROID:
        case BPCHAROID:
            plan->category = ValueCategory::kText;
            return true;
        case UNKNOWNOID:
        case CSTRINGOID:
            plan->category = ValueCategory::kCString;
            return true;
        case BYTEAOID:
            plan->category = ValueCategory::kBytea;
            return true;
        case DATEOID:
        case TIMESTAMPOID:
        case TIMESTAMPTZOID:
            plan->category = ValueCategory::kDateTime;
            return true;
        case JSONOID:
            plan->category = ValueCategory::kJson;
            return true;
        case JSONBOID:
            plan->category = ValueCategory::kJsonb;
            return true;
        default:
            return false;
    }
}

void plan_category(ValuePlan* plan) {
    if (plan_known_type(plan)) {
        return;
    }
    plan->type = getBaseType(plan->type);
    if (plan_known_type(plan)) {
        return;
    }
    if (is_array(plan->type)) {
        plan->category = ValueCategory::kArray;
    } else if (type_is_rowtype(plan->type)) {
        plan->category = ValueCategory::kComposite;
    } else if (!plan_json_cast(plan)) {
        plan_output(plan);
    }
}

// In CurrentMemoryContext.
EncodedKey encode_key(std::string_view utf8) {
    constexpr std::size_t kLongestKey = 12 * NAMEDATALEN;  // every character escaped, as two units of UTF-16
    char memory[kLongestKey];
    BoundedSink json(memory, sizeof memory);
    JsonWriter<BoundedSink>(json, json_characters()).key(utf8);
    const std::string_view json_key = copy_text(json.bytes());
    BoundedSink msgpack(memory, sizeof memory);
    MsgpackWriter<BoundedSink>(msgpack).key(utf8);
    return {json_key, copy_text(msgpack.bytes())};
}

void copy_columns(CompositePlan* columns, TupleDesc descriptor) {
    const int count = descriptor->natts;
    columns->descriptor = CreateTupleDescCopy(descriptor);
    columns->columns = static_cast<ColumnPlan*>(palloc(count * sizeof(ColumnPlan)));
    columns->values = static_cast<Datum*>(palloc(count * sizeof(Datum)));
    columns->nulls = static_cast<bool*>(palloc(count * sizeof(bool)));
    columns->live_columns = 0;
    for (int i = 0; i < count; ++i) {
        columns->columns[i] = plan_column(TupleDescAttr(descriptor, i), columns->context);
        columns->live_columns += columns->columns[i].value != nullptr;
    }
}

}  // namespace

ValuePlan* plan_value(Oid type, MemoryContext context) {
    if (!OidIsValid(type)) {
        elog(ERROR, "could not determine the type of an argument");
    }
    auto* plan = static_cast<ValuePlan*>(MemoryContextAllocZero(context, sizeof(ValuePlan)));
    plan->context = context;
    plan->type = type;
    plan_category(plan);
    return plan;
}

ColumnPlan plan_column(Form_pg_attribute attribute, MemoryContext context) {
    if (attribute->attisdropped) {
        return {{}, nullptr};
    }
    const MemoryContext caller_context = MemoryContextSwitchTo(context);
    const std::string_view name = NameStr(attribute->attname);
    const std::string_view utf8 = to_utf8(name);
    const ColumnPlan column = {encode_key(utf8), plan_value(attribute->atttypid, context)};
    free_utf8(utf8, name);
    MemoryContextSwitchTo(caller_context);
    return column;
}

bool is_scalar(const ValuePlan* plan) {
    switch (plan->category) {
        case ValueCategory::kBytea:
        case ValueCategory::kJsonb:
        case ValueCategory::kJson:
        case ValueCategory::kJsonCast:
        case ValueCategory::kArray:
        case ValueCategory::kComposite:
            return false;
        default:
            return true;
    }
}

ValuePlan* plan_elements(ValuePlan* plan, Oid element_type) {
    if (plan->element == nullptr || plan->element_type != element_type) {
        ElementLayout* layout = &plan->element_layout;
        get_typlenbyvalalign(element_type, &layout->length, &layout->by_value, &layout->alignment);
        plan->element = plan_value(element_type, plan->context);
        plan->element_type = element_type;
    }
    return plan->element;
}

void plan_columns(ValuePlan* plan, HeapTupleHeader row) {
    CompositePlan* columns = &plan->composite;
    const Oid type = HeapTupleHeaderGetTypeId(row);
    const std::int32_t modifier = HeapTupleHeaderGetTypMod(row);
    const std::uint64_t identifier = assign_record_type_identifier(type, modifier);
    if (columns->context != nullptr && columns->type_identifier == identifier) {
        return;
    }
    if (columns->context == nullptr) {
        columns->context =
            AllocSetContextCreate(plan->context, "socketio_emitter composite type", ALLOCSET_SMALL_SIZES);
    }
    columns->type_identifier = INVALID_TUPLEDESC_IDENTIFIER;
    MemoryContextReset(columns->context);
    const MemoryContext caller_context = MemoryContextSwitchTo(columns->context);
    TupleDesc descriptor = lookup_rowtype_tupdesc(type, modifier);
    copy_columns(columns, descriptor);
    ReleaseTupleDesc(descriptor);
    MemoryContextSwitchTo(caller_context);
    columns->type_identifier = identifier;
}

}  // namespace socketio
