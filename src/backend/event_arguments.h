// The arguments of an event, wherever they are read from: what a dialect puts into its messages.

#pragma once

#include <cstdint>

#include "backend/writers.h"

namespace socketio {

class EventArguments {
  public:
    // How many values there are.
    virtual std::uint32_t count() const = 0;

    // Report that many to a writer.
    virtual void write(NotificationWriter& writer) const = 0;
    virtual void write(AttachmentWriter& writer) const = 0;

    // Give back what they were read from, when they have been written the last time.
    virtual void release() const = 0;

  protected:
    ~EventArguments() = default;
};

// Makes both write() of the template `void write_values(Writer&) const` that `Reader` has.
template <class Reader>
class ArgumentsOf : public EventArguments {
  public:
    void write(NotificationWriter& writer) const override { reader().write_values(writer); }
    void write(AttachmentWriter& writer) const override { reader().write_values(writer); }

  protected:
    ~ArgumentsOf() = default;

  private:
    const Reader& reader() const { return static_cast<const Reader&>(*this); }
};

}  // namespace socketio
