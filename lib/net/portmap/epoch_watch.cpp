#include "net/portmap/port_control.hpp"

#include <utility>

namespace p2pdiag::net::portmap {

bool EpochWatch::restarted(std::uint32_t epoch, TimePoint now) {
    const auto before = std::exchange(epoch_, epoch);
    const TimePoint at = std::exchange(at_, now);
    if (!before) return false;

    // RFC 6887 section 8.5, in milliseconds so that a client's clock need not be as coarse as the
    // server's, and in 64 bits so that no difference of 32-bit epochs overflows.
    using Ms = std::int64_t;
    const Ms server = (Ms{epoch} - Ms{*before}) * 1000;
    const Ms client = std::chrono::duration_cast<Milliseconds>(now - at).count();
    constexpr Ms backwards = 1000;  // "by *up to* one second is not deemed invalid"
    constexpr Ms coarse = 2000;
    if (server < -backwards) return true;
    // "If client_delta+2 < server_delta - server_delta/16 or server_delta+2 < client_delta -
    // client_delta/16, then the client treats the Epoch Time value as invalid".
    return client + coarse < server - server / 16 || server + coarse < client - client / 16;
}

}  // namespace p2pdiag::net::portmap
