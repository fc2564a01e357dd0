// See jsonb_reader.h.

#include "backend/jsonb_reader.h"

#include <cstring>
#include <string_view>

#include "backend/text.h"
#include "backend/writers.h"

extern "C" {
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
}

namespace socketio {

namespace {

std::string_view string_view_of(const JsonbValue& value) {
    return {value.val.string.val, static_cast<std::size_t>(value.val.string.len)};
}

template <class Writer>
void read_number(Numeric numeric, Writer& writer) {
    char* digits = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(numeric)));
    writer.number({digits, std::strlen(digits)});
    pfree(digits);
}

template <class Writer>
void read_scalar(const JsonbValue& value, Writer& writer) {
    switch (value.type) {
        case jbvNull:
            return writer.null();
        case jbvBool:
            return writer.boolean(value.val.boolean);
        case jbvNumeric:
            return read_number(value.val.numeric, writer);
        case jbvString: {
            const std::string_view text = string_view_of(value);
            const std::string_view utf8 = to_utf8(text);
            writer.string(utf8);
            return free_utf8(utf8, text);
        }
        default:
            elog(ERROR, "unexpected jsonb value of type %d", static_cast<int>(value.type));
    }
}

template <class Writer>
void read_key(const JsonbValue& value, Writer& writer) {
    const std::string_view text = string_view_of(value);
    const std::string_view utf8 = to_utf8(text);
    writer.key(utf8);
    free_utf8(utf8, text);
}

// Walk a container. With `elements_only` the outermost array is not reported, only what is in it; a scalar at the root is
// stored as an array of one and never reported as one.
template <class Writer>
void read_container(JsonbContainer* container, bool elements_only, Writer& writer) {
    const bool skip_outermost = elements_only || JsonContainerIsScalar(container);
    JsonbIterator* iterator = JsonbIteratorInit(container);
    JsonbValue value;
    JsonbIteratorToken token;
    int depth = skip_outermost ? -1 : 0;  // of containers that are reported
    while ((token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE && !writer.stopped()) {
        switch (token) {
            case WJB_BEGIN_ARRAY:
                CHECK_FOR_INTERRUPTS();
                if (depth++ >= 0) {
                    writer.begin_array(value.val.array.nElems);
                }
                break;
            case WJB_END_ARRAY:
                if (--depth >= 0) {
                    writer.end_array();
                }
                break;
            case WJB_BEGIN_OBJECT:
                CHECK_FOR_INTERRUPTS();
                ++depth;
                writer.begin_object(value.val.object.nPairs);
                break;
            case WJB_END_OBJECT:
                --depth;
                writer.end_object();
                break;
            case WJB_KEY:
                read_key(value, writer);
                break;
            default:
                read_scalar(value, writer);
                break;
        }
    }
}

}  // namespace

template <class Writer>
void read_jsonb(Jsonb* jsonb, Writer& writer) {
    read_container(&jsonb->root, false, writer);
}

std::uint32_t JsonbArguments::count() const {
    if (jsonb_ == nullptr) {
        return 0;
    }
    return is_list() ? JB_ROOT_COUNT(jsonb_) : 1;
}

template <class Writer>
void JsonbArguments::write(Writer& writer) const {
    if (jsonb_ != nullptr) {
        read_container(&jsonb_->root, is_list(), writer);
    }
}

template void read_jsonb(Jsonb*, NotificationWriter&);
template void read_jsonb(Jsonb*, AttachmentWriter&);
template void JsonbArguments::write(NotificationWriter&) const;
template void JsonbArguments::write(AttachmentWriter&) const;

}  // namespace socketio
