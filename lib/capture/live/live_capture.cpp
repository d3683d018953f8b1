#include "capture/live/live_capture.hpp"

#include <net/if.h>
#include <pcap/pcap.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "capture/live/own_addresses.hpp"

namespace p2pdiag::capture {

namespace {

LiveError from_activate(int status) {
    switch (status) {
        case PCAP_ERROR_PERM_DENIED:
        case PCAP_ERROR_PROMISC_PERM_DENIED: return LiveError::not_permitted;
        case PCAP_ERROR_NO_SUCH_DEVICE: return LiveError::no_such_interface;
        case PCAP_ERROR_IFACE_NOT_UP: return LiveError::not_up;
        default: return LiveError::failed;
    }
}

// The numbers of DLT_ and LINKTYPE_ differ in a few cases that pcap/dlt.h lists.
LinkType link_type_of(int dlt) {
    return dlt == DLT_RAW ? LinkType::raw : static_cast<LinkType>(dlt);
}
int dlt_of(LinkType type) { return type == LinkType::raw ? DLT_RAW : static_cast<int>(type); }

std::int64_t now_ns() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

// With precision "nano", tv_usec holds nanoseconds.
std::int64_t time_of(const pcap_pkthdr& header, bool nanoseconds) {
    const std::int64_t fraction = header.ts.tv_usec;
    return header.ts.tv_sec * 1'000'000'000 + (nanoseconds ? fraction : fraction * 1000);
}

// A compiled filter. What the kernel has not taken off a packet's front (a second tag, and the
// first one on some drivers) it would not see through by itself.
class Program {
public:
    Program(pcap_t* handle, const std::string& filter) {
        const bool tagged = ::pcap_datalink(handle) == DLT_EN10MB && !filter.empty();
        // "vlan" moves on what all that follows it looks at, so the plain case comes first.
        const std::string within = "(" + filter + ") or (vlan and (" + filter + "))";
        compiled_ = (tagged && compile(handle, within)) || compile(handle, filter);
    }
    ~Program() {
        if (compiled_) ::pcap_freecode(&code_);
    }
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    bool compiled() const { return compiled_; }
    bpf_program* code() { return &code_; }

private:
    bool compile(pcap_t* handle, const std::string& filter) {
        constexpr int optimize = 1;
        return ::pcap_compile(handle, &code_, filter.c_str(), optimize, PCAP_NETMASK_UNKNOWN) == 0;
    }

    bpf_program code_{};
    bool compiled_ = false;
};

struct Closer {
    void operator()(pcap_t* handle) const { ::pcap_close(handle); }
};
using Pcap = std::unique_ptr<pcap_t, Closer>;

}  // namespace

std::string_view to_string(LiveError error) {
    switch (error) {
        case LiveError::not_permitted: return "capturing is not permitted";
        case LiveError::no_such_interface: return "there is no such interface";
        case LiveError::not_up: return "the interface is down";
        case LiveError::bad_filter: return "the filter is not understood";
        case LiveError::gone: return "the interface disappeared";
        case LiveError::failed: break;
    }
    return "capturing failed";
}

struct LiveInterface::Handle {
    Pcap pcap;
    OwnAddresses own;
    bool nanoseconds = false;
};

LiveInterface::LiveInterface(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
LiveInterface::~LiveInterface() = default;
LiveInterface::LiveInterface(LiveInterface&& other) noexcept = default;
LiveInterface& LiveInterface::operator=(LiveInterface&& other) noexcept = default;

boost::system::result<LiveInterface, LiveProblem> LiveInterface::open(const std::string& name,
                                                                      const LiveOptions& options) {
    if (::if_nametoindex(name.c_str()) == 0) return LiveProblem{LiveError::no_such_interface, {}};
    char text[PCAP_ERRBUF_SIZE] = {};
    Pcap pcap(::pcap_create(name.c_str(), text));
    if (!pcap) return LiveProblem{LiveError::failed, text};
    pcap_t* handle = pcap.get();
    ::pcap_set_snaplen(handle,
                       static_cast<int>(std::min<std::size_t>(options.snap_length, max_packet)));
    ::pcap_set_promisc(handle, 0);
    // Since 1.5.0 libpcap hands packets over in blocks, which come late, unless told not to.
    ::pcap_set_immediate_mode(handle, 1);
    ::pcap_set_buffer_size(handle, static_cast<int>(options.buffer_bytes));
    ::pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO);
    const int status = ::pcap_activate(handle);
    if (status < 0) return LiveProblem{from_activate(status), ::pcap_geterr(handle)};
    if (::pcap_setnonblock(handle, 1, text) != 0) return LiveProblem{LiveError::failed, text};

    auto opened = std::make_unique<Handle>();
    opened->own = OwnAddresses::of(name);
    opened->nanoseconds = ::pcap_get_tstamp_precision(handle) == PCAP_TSTAMP_PRECISION_NANO;
    opened->pcap = std::move(pcap);
    LiveInterface result(std::move(opened));
    result.description_.name = name;
    result.description_.link_type = link_type_of(::pcap_datalink(handle));
    result.description_.snap_length = static_cast<std::uint32_t>(::pcap_snapshot(handle));
    return result;
}

boost::system::result<void, LiveProblem> LiveInterface::begin(const std::string& filter) {
    pcap_t* handle = handle_->pcap.get();
    Program program(handle, filter);
    if (!program.compiled()) return LiveProblem{LiveError::bad_filter, ::pcap_geterr(handle)};
    // What came before the filter was there is thrown away by libpcap.
    if (::pcap_setfilter(handle, program.code()) != 0) {
        return LiveProblem{LiveError::failed, ::pcap_geterr(handle)};
    }
    description_.filter = filter;
    return {};
}

int LiveInterface::fd() const { return ::pcap_get_selectable_fd(handle_->pcap.get()); }

bool LiveInterface::receive(std::uint32_t number, int most,
                            const std::function<void(const Packet&)>& on_packet,
                            LiveProblem& problem) {
    pcap_t* handle = handle_->pcap.get();
    for (int i = 0; i < most; ++i) {
        pcap_pkthdr* header = nullptr;
        const u_char* data = nullptr;
        const int status = ::pcap_next_ex(handle, &header, &data);
        if (status == 0) return true;
        if (status < 0) {
            const std::string detail = ::pcap_geterr(handle);
            const bool gone = ::if_nametoindex(description_.name.c_str()) == 0;
            problem = {gone ? LiveError::gone : LiveError::failed, detail};
            return false;
        }
        Packet packet;
        packet.interface = number;
        packet.link_type = description_.link_type;
        packet.time_ns = time_of(*header, handle_->nanoseconds);
        packet.original_size = header->len;
        packet.data = ByteView(data, header->caplen);
        packet.direction = handle_->own.direction(packet.link_type, packet.data);
        on_packet(packet);
    }
    return true;
}

Statistics LiveInterface::statistics(std::uint32_t number) const {
    Statistics result;
    result.interface = number;
    result.time_ns = now_ns();
    pcap_stat counts{};
    if (::pcap_stats(handle_->pcap.get(), &counts) != 0) return result;
    result.received = counts.ps_recv;
    // On Linux the kernel counts these (packet(7), PACKET_STATISTICS) …
    result.dropped_by_system = counts.ps_drop;
    // … while 0 here may as well mean that the driver does not (pcap_stats(3PCAP)).
    if (counts.ps_ifdrop != 0) result.dropped_by_interface = counts.ps_ifdrop;
    return result;
}

std::optional<bool> filter_matches(const std::string& filter, LinkType link_type, ByteView packet) {
    const Pcap handle(::pcap_open_dead(dlt_of(link_type), static_cast<int>(max_packet)));
    if (!handle) return std::nullopt;
    Program program(handle.get(), filter);
    if (!program.compiled()) return std::nullopt;
    pcap_pkthdr header{};
    header.caplen = header.len = static_cast<bpf_u_int32>(packet.size());
    return ::pcap_offline_filter(program.code(), &header, packet.data()) != 0;
}

}  // namespace p2pdiag::capture
