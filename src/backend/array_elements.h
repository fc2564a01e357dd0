// The elements of an array in storage order, one by one: PostgreSQL's array_iter, whose signature changed in 19.

#pragma once

#include <cstdint>

#include "backend/server.h"

extern "C" {
#include "utils/array.h"
#include "utils/arrayaccess.h"
}

namespace socketio {

// How elements are laid out: pg_type.typlen, typbyval and typalign of their type.
struct ElementLayout {
    std::int16_t length;
    bool by_value;
    char alignment;
};

class ArrayElements {
  public:
    ArrayElements(AnyArrayType* array, ElementLayout layout) : layout_(layout) {
#if PG_VERSION_NUM >= 190000
        array_iter_setup(&iterator_, array, layout.length, layout.by_value, layout.alignment);
#else
        array_iter_setup(&iterator_, array);
#endif
    }

    // Not to be called more often than there are elements.
    NullableDatum next() {
        NullableDatum element;
#if PG_VERSION_NUM >= 190000
        element.value = array_iter_next(&iterator_, &element.isnull, next_++);
#else
        element.value =
            array_iter_next(&iterator_, &element.isnull, next_++, layout_.length, layout_.by_value, layout_.alignment);
#endif
        return element;
    }

  private:
    array_iter iterator_;
    ElementLayout layout_;
    int next_ = 0;
};

inline int count_elements(AnyArrayType* array) { return ArrayGetNItems(AARR_NDIM(array), AARR_DIMS(array)); }

}  // namespace socketio
