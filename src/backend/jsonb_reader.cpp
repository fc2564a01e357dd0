// See jsonb_reader.h.
//
// Walks the stored form (described at the top of PostgreSQL's utils/jsonb.h) directly. JsonbIterator would do the same
// with an allocation per container and a copy of each scalar, a third of what a small emit costs beyond NOTIFY itself
// (make bench).

#include "backend/jsonb_reader.h"

#include <cstring>
#include <string_view>

#include "backend/marked_writer.h"
#include "backend/text.h"
#include "backend/writers.h"

extern "C" {
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
}

namespace socketio {

namespace {

// The children of a container in storage order: of an object, first all keys and then all values. A child's entry holds
// its length or its end, so its place is known only by passing all before it.
class Children {
  public:
    Children(const JsonbContainer* container, std::uint32_t count)
        : entry_(container->children), data_(reinterpret_cast<const char*>(container->children + count)) {}

    JEntry entry() const { return *entry_; }
    std::string_view text() const { return {data_ + offset_, end() - offset_}; }
    const void* aligned() const { return data_ + INTALIGN(offset_); }

    void next() {
        offset_ = end();
        ++entry_;
    }

  private:
    std::uint32_t end() const {
        return JBE_HAS_OFF(*entry_) ? JBE_OFFLENFLD(*entry_) : offset_ + JBE_OFFLENFLD(*entry_);
    }

    const JEntry* entry_;
    const char* data_;
    std::uint32_t offset_ = 0;
};

template <class Writer>
void read_container(const JsonbContainer* container, Writer& writer);

template <class Writer>
void read_number(Numeric numeric, Writer& writer) {
    char* digits = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(numeric)));
    writer.number({digits, std::strlen(digits)});
    pfree(digits);
}

template <class Writer>
void read_key(std::string_view text, Writer& writer) {
    const std::string_view utf8 = to_utf8(text);
    writer.key(utf8);
    free_utf8(utf8, text);
}

template <class Writer>
void read_child(const Children& child, Writer& writer) {
    CHECK_FOR_INTERRUPTS();
    const JEntry entry = child.entry();
    if (JBE_ISSTRING(entry)) {
        read_text(child.text(), writer);
    } else if (JBE_ISNUMERIC(entry)) {
        read_number(static_cast<Numeric>(const_cast<void*>(child.aligned())), writer);
    } else if (JBE_ISCONTAINER(entry)) {
        read_container(static_cast<const JsonbContainer*>(child.aligned()), writer);
    } else if (JBE_ISBOOL(entry)) {
        writer.boolean(JBE_ISBOOL_TRUE(entry));
    } else {
        writer.null();
    }
}

template <class Writer>
void read_elements(const JsonbContainer* array, Writer& writer) {
    const std::uint32_t count = JsonContainerSize(array);
    Children element(array, count);
    for (std::uint32_t i = 0; i < count && !writer.stopped(); ++i, element.next()) {
        read_child(element, writer);
    }
}

template <class Writer>
void read_pairs(const JsonbContainer* object, Writer& writer) {
    const std::uint32_t count = JsonContainerSize(object);
    Children key(object, 2 * count);
    Children value = key;
    for (std::uint32_t i = 0; i < count; ++i) {
        value.next();
    }
    for (std::uint32_t i = 0; i < count && !writer.stopped(); ++i, key.next(), value.next()) {
        read_key(key.text(), writer);
        read_child(value, writer);
    }
}

template <class Writer>
void read_container(const JsonbContainer* container, Writer& writer) {
    check_stack_depth();
    if (JsonContainerIsObject(container)) {
        writer.begin_object(JsonContainerSize(container));
        read_pairs(container, writer);
        writer.end_object();
    } else {
        writer.begin_array(JsonContainerSize(container));
        read_elements(container, writer);
        writer.end_array();
    }
}

}  // namespace

template <class Writer>
void read_jsonb(Jsonb* jsonb, Writer& writer) {
    // A scalar at the root is stored as an array of one.
    if (JB_ROOT_IS_SCALAR(jsonb)) {
        read_elements(&jsonb->root, writer);
    } else {
        read_container(&jsonb->root, writer);
    }
}

JsonbArguments::JsonbArguments(FunctionCallInfo fcinfo, int argument)
    : argument_(PG_GETARG_DATUM(argument)), jsonb_(PG_ARGISNULL(argument) ? nullptr : DatumGetJsonbP(argument_)) {}

std::uint32_t JsonbArguments::count() const {
    if (jsonb_ == nullptr) {
        return 0;
    }
    return JB_ROOT_IS_ARRAY(jsonb_) ? JB_ROOT_COUNT(jsonb_) : 1;
}

template <class Writer>
void JsonbArguments::write_values(Writer& writer) const {
    if (jsonb_ == nullptr) {
        return;
    }
    if (JB_ROOT_IS_ARRAY(jsonb_)) {
        read_elements(&jsonb_->root, writer);
    } else {
        read_container(&jsonb_->root, writer);
    }
}

void JsonbArguments::release() const {
    if (jsonb_ != nullptr && reinterpret_cast<Pointer>(jsonb_) != DatumGetPointer(argument_)) {
        pfree(jsonb_);
    }
}

template void read_jsonb(Jsonb*, NotificationWriter&);
template void read_jsonb(Jsonb*, AttachmentWriter&);
template void read_jsonb(Jsonb*, MarkedWriter<NotificationWriter>&);
template void read_jsonb(Jsonb*, MarkedWriter<AttachmentWriter>&);
template void JsonbArguments::write_values(NotificationWriter&) const;
template void JsonbArguments::write_values(AttachmentWriter&) const;

}  // namespace socketio
