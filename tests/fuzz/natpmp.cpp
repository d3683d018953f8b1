// NAT-PMP: any datagram is parsed or refused and means the same after it was written again; and no
// sequence of them takes the client to a grant that nobody gave.
#include "port_control.hpp"
#include "wire/natpmp/message.hpp"

using namespace p2pdiag;
using p2pdiag::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input(data, size);
    if (const auto request = natpmp::parse_request(input)) {
        require(natpmp::parse_request(natpmp::encode(*request)).value() == *request);
    }
    if (const auto response = natpmp::parse_response(input)) {
        require(natpmp::parse_response(natpmp::encode(*response)).value() == *response);
    }
    fuzz::drive(net::portmap::Protocol::natpmp, input);
    return 0;
}
