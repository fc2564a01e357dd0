// What an event is made of, with the memory that messages only view.

#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/target.h"
#include "support/document.h"

namespace socketio {

// The arguments of an event, as a reader offers them.
class DocumentArguments {
  public:
    explicit DocumentArguments(nlohmann::json list) : list_(std::move(list)) {}

    std::uint32_t count() const { return static_cast<std::uint32_t>(list_.size()); }

    template <class Writer>
    void write(Writer& writer) const {
        for (const nlohmann::json& argument : list_) {
            write_document(writer, argument);
        }
    }

  private:
    nlohmann::json list_;
};

using Names = std::vector<std::string>;

// A Target and the names it views.
class OwnTarget {
  public:
    OwnTarget(std::string nsp, Names rooms, Names except, bool is_volatile = false,
              std::optional<bool> compress = std::nullopt)
        : nsp_(std::move(nsp)), rooms_(std::move(rooms)), except_(std::move(except)) {
        target_.nsp = nsp_;
        target_.rooms = view(rooms_, room_views_);
        target_.except = view(except_, except_views_);
        target_.is_volatile = is_volatile;
        target_.compress = compress;
    }
    OwnTarget(const OwnTarget&) = delete;

    const Target& operator*() const { return target_; }

    // What the servers are to find in "opts".
    nlohmann::ordered_json opts() const {
        nlohmann::ordered_json flags = nlohmann::ordered_json::object();
        if (target_.is_volatile) {
            flags["volatile"] = true;
        }
        if (target_.compress) {
            flags["compress"] = *target_.compress;
        }
        return {{"rooms", rooms_}, {"except", except_}, {"flags", flags}};
    }

    static Rooms view(const Names& names, std::vector<std::string_view>& views) {
        views.assign(names.begin(), names.end());
        return {views.data(), views.size()};
    }

  private:
    std::string nsp_;
    Names rooms_;
    Names except_;
    std::vector<std::string_view> room_views_;
    std::vector<std::string_view> except_views_;
    Target target_;
};

}  // namespace socketio
