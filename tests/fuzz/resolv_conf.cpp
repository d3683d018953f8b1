// resolv.conf: its text may have come by DHCP.
#include <cstdlib>

#include "base/bytes.hpp"
#include "net/resolv_conf.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto conf = p2pdiag::net::parse_resolv_conf(p2pdiag::as_text({data, size}));
    if (conf.servers.size() > 8 || conf.search.size() > 32) std::abort();
    if (conf.ndots > 15 || conf.timeout_s > 30 || conf.attempts > 5) std::abort();
    for (const auto& server : conf.servers) {
        if (server.to_string().empty() || server.zone.size() > 16) std::abort();
    }
    return 0;
}
