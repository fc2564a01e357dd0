// Any sequence of writes and reservations: a bounded sink holds what fitted, in order, and nothing beyond its memory.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

#include "check.h"
#include "protocol/sink.h"
#include "support/encode.h"
#include "take_document.h"

using namespace socketio;

namespace {

// A sink, said plainly.
struct Model {
    std::size_t capacity;
    std::string bytes;
    bool full = false;

    bool takes(std::size_t size) {
        full = full || size > capacity - bytes.size();
        return !full || size == 0;
    }
};

void write(FuzzedDataProvider& data, BoundedSink& bounded, StringSink& growing, Model& model) {
    const std::string text = data.ConsumeRandomLengthString(100);
    bounded.write(text.data(), text.size());
    growing.write(text.data(), text.size());
    if (model.takes(text.size())) {
        model.bytes += text;
    }
}

template <class Sink>
void put(Sink& sink, std::size_t reserved, const std::string& text) {
    if (char* place = sink.reserve(reserved)) {
        std::memset(place, '?', reserved);
        std::memcpy(place, text.data(), text.size());
        sink.commit(place + text.size());
    }
}

void reserve(FuzzedDataProvider& data, BoundedSink& bounded, StringSink& growing, Model& model) {
    const std::string text = data.ConsumeRandomLengthString(100);
    const std::size_t reserved = text.size() + data.ConsumeIntegralInRange<std::size_t>(0, 30);
    put(bounded, reserved, text);
    put(growing, reserved, text);
    if (model.takes(reserved)) {
        model.bytes += text;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    FuzzedDataProvider data(bytes, size);
    GuardedMemory memory(data.ConsumeIntegralInRange<std::size_t>(0, 1000));
    BoundedSink bounded(memory.data(), memory.capacity());
    StringSink growing;
    Model model{memory.capacity(), {}};
    while (data.remaining_bytes() > 0) {
        data.ConsumeBool() ? write(data, bounded, growing, model) : reserve(data, bounded, growing, model);
        check(bounded.bytes() == model.bytes, "a sink holds what fitted");
        check(bounded.full() == model.full, "a sink is full once something did not fit");
        check(bounded.room() == (model.full ? 0 : memory.capacity() - model.bytes.size()), "a sink knows its room");
        check(model.full || growing.bytes() == model.bytes, "a growing sink holds everything");
        check(memory.guards_are_intact(), "nothing is written beyond the memory");
    }
    return 0;
}
