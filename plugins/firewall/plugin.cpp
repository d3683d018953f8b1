// The table of the plugin and nothing else.
#include "checks.hpp"

namespace p2pdiag::firewall {

namespace {

constexpr p2pdiag_check inbound =
    check<check_inbound>({.id = "firewall.inbound",
                          .title = "This machine's own firewall, for packets coming in",
                          .deadline = std::chrono::seconds(4),
                          .privileges = P2PDIAG_PRIVILEGE_NET_ADMIN | P2PDIAG_PRIVILEGE_ROOT});

constexpr p2pdiag_check outbound =
    check<check_outbound>({.id = "firewall.outbound",
                           .title = "This machine's own firewall, for packets going out",
                           .deadline = std::chrono::seconds(4),
                           .privileges = P2PDIAG_PRIVILEGE_NET_ADMIN | P2PDIAG_PRIVILEGE_ROOT});
constexpr p2pdiag_check punching =
    check<check_punching>({.id = "firewall.punching",
                           .title = "This machine's own firewall, for hole punching",
                           .deadline = std::chrono::seconds(4),
                           .privileges = P2PDIAG_PRIVILEGE_NET_ADMIN | P2PDIAG_PRIVILEGE_ROOT});

constexpr const p2pdiag_check* checks[] = {&inbound, &outbound, &punching};

}  // namespace

}  // namespace p2pdiag::firewall

P2PDIAG_PLUGIN(.id = "firewall", .version = "0.1.0",
               .summary = "What this machine's own firewall does with packets",
               .checks = p2pdiag::firewall::checks);
