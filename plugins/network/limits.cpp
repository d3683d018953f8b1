// network.limits: docs/checks/network.limits.md.
#include <sys/resource.h>

#include <algorithm>
#include <limits>

#include "base/file.hpp"
#include "checks.hpp"
#include "limits_state.hpp"
#include "net/socket_table.hpp"

namespace p2pdiag::network_plugin {

namespace {

constexpr std::size_t max_setting = 65536;

Result<std::string> setting(const std::string& path) {
    return read_file("/proc/sys/" + path, max_setting);
}

void read_conntrack(Limits& limits) {
    const auto count = setting("net/netfilter/nf_conntrack_count");
    const auto most = setting("net/netfilter/nf_conntrack_max");
    if (count && most) {
        const auto used = parse_setting(*count);
        const auto limit = parse_setting(*most);
        // 0 stands for no limit.
        if (used && limit)
            limits.conntrack =
                Amount{*used, *limit == 0 ? std::numeric_limits<std::int64_t>::max() : *limit};
    }
    if (limits.conntrack) return;
    const bool absent = !count && count.error() == boost::system::errc::no_such_file_or_directory;
    limits.conntrack_reason = absent ? "not-loaded" : "not-readable";
}

void read_ports(Limits& limits) {
    const auto range_text = setting("net/ipv4/ip_local_port_range");
    const auto range = range_text ? parse_port_range(*range_text) : std::nullopt;
    if (!range) {
        limits.ports_reason = "no-range";
        return;
    }
    const auto reserved_text = setting("net/ipv4/ip_local_reserved_ports");
    const auto reserved = reserved_text ? parse_port_list(*reserved_text) : std::nullopt;
    const auto table = net::socket_table(net::SocketsWanted::all);
    if (!table || !table->complete) {
        limits.ports_reason = "no-table";
        return;
    }
    const std::vector<PortRange> left_out = reserved.value_or(std::vector<PortRange>());
    limits.udp_ports = count_ports(*table, Transport::udp, *range, left_out);
    limits.tcp_ports = count_ports(*table, Transport::tcp, *range, left_out);
}

void read_files(Limits& limits) {
    const auto text = setting("fs/file-nr");
    if (text) limits.files = parse_file_numbers(*text);
    rlimit own{};
    if (::getrlimit(RLIMIT_NOFILE, &own) != 0) return;
    // No limit is the greatest number, and more than JSON's readers take.
    constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
    limits.process_files = std::min<std::uint64_t>(own.rlim_cur, most);
    limits.process_files_hard = std::min<std::uint64_t>(own.rlim_max, most);
}

}  // namespace

p2pdiag_status check_limits(Run& run) {
    Limits limits;
    read_conntrack(limits);
    read_ports(limits);
    read_files(limits);
    return hand_over(run, judge(limits));
}

}  // namespace p2pdiag::network_plugin
