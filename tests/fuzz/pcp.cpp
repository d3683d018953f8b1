// PCP: any datagram is parsed or refused and means the same after it was written again; and no
// sequence of them takes the client to a grant that nobody gave.
#include "port_control.hpp"
#include "wire/pcp/message.hpp"

using namespace p2pdiag;
using p2pdiag::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input(data, size);
    const auto request = pcp::parse_request(input);
    const bool readable = request && (request->opcode == pcp::Opcode::map ||
                                      request->opcode == pcp::Opcode::announce);
    if (readable) require(pcp::parse_request(pcp::encode(*request)).value() == *request);
    const auto response = pcp::parse_response(input);
    if (response && response->version == pcp::version) {
        require(pcp::parse_response(pcp::encode(*response)).value() == *response);
    }
    fuzz::drive(net::portmap::Protocol::pcp, input);
    return 0;
}
