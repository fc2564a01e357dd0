// The ids that Socket.IO 2 gives its sockets.

#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace socketio {

// Whether `id` has the form of one: 20 characters as the package base64id makes them, behind the namespace and "#" where that is
// not "/" (lib/socket.js of socket.io 2).
inline bool is_socket_id(std::string_view nsp, std::string_view id) {
    constexpr std::size_t kSize = 20;
    if (nsp != "/") {
        if (id.size() <= nsp.size() || id.substr(0, nsp.size()) != nsp || id[nsp.size()] != '#') {
            return false;
        }
        id.remove_prefix(nsp.size() + 1);
    }
    return id.size() == kSize && std::all_of(id.begin(), id.end(), [](char c) {
               return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
                      c == '-';
           });
}

}  // namespace socketio
