// The flight recorder of a run: keeps the last packets in memory, and writes them once the run is
// over, each with the check and the transaction that it belongs to.
#include <cerrno>
#include <cstring>

#include "analysis.hpp"
#include "attribution.hpp"
#include "base/text.hpp"
#include "capture/pcapng_writer.hpp"
#include "capture/reader.hpp"
#include "ladder.hpp"
#include "live_checks.hpp"
#include "net/routes.hpp"
#include "ring.hpp"
#include "source.hpp"
#include "targets.hpp"

namespace p2pdiag::capture_plugin {

namespace {

// A run of minutes; what it and its targets say in them fits many times.
constexpr std::int64_t default_ring_mib = 32;
constexpr std::size_t write_batch = 1 << 20;
constexpr std::size_t most_note_bytes = 64 << 20;

// The handshakes of a run, in the report; `capture analyze` shows all of the file.
constexpr std::size_t report_columns = 6;
constexpr std::size_t report_rows = 60;

struct Order {
    HelperOrder helper;
    std::size_t ring_bytes = 0;
    int notes = -1;  // descriptors of the host's
    int file = -1;
};

std::vector<IpAddress> gateways() {
    std::vector<IpAddress> found;
    if (const auto routes = net::default_routes()) {
        for (const net::DefaultRoute& route : *routes) {
            if (route.gateway) found.push_back(*route.gateway);
        }
    }
    return found;
}

Order read_order(const json::object& input) {
    Order order;
    const auto links = net::interfaces();
    if (links) order.helper.interfaces = names_of(worth_listening(*links));
    order.helper.lenient = true;
    order.helper.filter = filter_for(targets_of(input, gateways()));
    std::int64_t ring_mib = default_ring_mib;
    if (const json::object* own = json::find_object(input, "options")) {
        ring_mib = json::find_integer(*own, "ring_mib").value_or(ring_mib);
        order.helper.snap_length = static_cast<unsigned>(
            json::find_integer(*own, "snaplen").value_or(default_snap_length));
    }
    order.ring_bytes = static_cast<std::size_t>(ring_mib) << 20;
    order.notes = static_cast<int>(json::find_integer(input, "notes").value_or(-1));
    order.file = static_cast<int>(json::find_integer(input, "file").value_or(-1));
    return order;
}

// What the host noted meanwhile, a line each. The descriptor's position is the host's.
Attribution read_notes(int file) {
    Attribution attribution;
    std::string text;
    std::string buffer(1 << 16, '\0');
    while (text.size() < most_note_bytes) {
        const ssize_t got =
            ::pread(file, buffer.data(), buffer.size(), static_cast<off_t>(text.size()));
        if (got <= 0) break;
        text.append(buffer, 0, static_cast<std::size_t>(got));
    }
    std::string_view rest = text;
    for (std::size_t end = rest.find('\n'); end != rest.npos; end = rest.find('\n')) {
        const auto note = json::parse(rest.substr(0, end));
        if (note && note->is_object()) attribution.note(note->get_object());
        rest.remove_prefix(end + 1);
    }
    return attribution;
}

// What was seen, and what is not in the file.
struct Recording {
    explicit Recording(std::size_t ring_bytes) : ring(ring_bytes) {}

    Ring ring;
    std::vector<capture::Interface> interfaces;
    std::uint64_t seen = 0;
    std::uint64_t claimed = 0;          // packets with a comment
    std::optional<std::uint64_t> lost;  // by the kernel; nothing = it did not say
    std::optional<std::int64_t> ended_ns;
    HelperResult helper;
    Analysis analysis{Filter{.stun_only = true}};
};

class Writer {
public:
    explicit Writer(int file) : file_(file) {}

    Bytes& bytes() { return bytes_; }
    // Errno, or 0.
    int flush(std::size_t unless_less_than) {
        if (error_ == 0 && bytes_.size() >= unless_less_than) {
            if (!write_all(file_, as_text(bytes_))) error_ = errno;
            bytes_.clear();
        }
        return error_;
    }

private:
    int file_;
    int error_ = 0;
    Bytes bytes_;
};

// When it ended: silence until then is silence. The loss is known of all interfaces together: of
// each only where it is none, or there is but one.
void append_statistics(Bytes& out, const Recording& recording) {
    if (!recording.ended_ns) return;
    const std::size_t count = recording.interfaces.size();
    const bool each_known = recording.lost && (*recording.lost == 0 || count == 1);
    for (std::uint32_t i = 0; i < count; ++i) {
        capture::Statistics statistics;
        statistics.interface = i;
        statistics.time_ns = *recording.ended_ns;
        if (each_known) statistics.dropped_by_system = *recording.lost;
        capture::append_statistics(out, statistics);
    }
}

// Errno, or 0.
int write_file(const Order& order, Recording& recording, const Attribution& attribution) {
    Writer writer(order.file);
    const std::string lost = "packets lost by the kernel: " +
                             (recording.lost ? std::to_string(*recording.lost) : "not known");
    capture::append_section(writer.bytes(), {"p2pdiag", {}, {lost}});
    for (const capture::Interface& interface : recording.interfaces) {
        capture::append_interface(writer.bytes(), interface);
    }
    capture::Dissector dissector;
    for (const KeptPacket& kept : recording.ring.packets()) {
        capture::Packet packet = kept.view();
        capture::Segment segment;
        std::string comment;
        if (dissector.dissect(packet, segment) == capture::Skipped::no) {
            comment = attribution.comment(segment, kept.time_ns);
        }
        const std::string_view comments[] = {comment};
        if (!comment.empty()) {
            ++recording.claimed;
            packet.comments = comments;
        }
        recording.analysis.add(packet);
        capture::append_packet(writer.bytes(), packet);
        if (const int error = writer.flush(write_batch)) return error;
    }
    append_statistics(writer.bytes(), recording);
    return writer.flush(0);
}

std::string summary_of(const Recording& recording) {
    std::vector<std::string> names;
    for (const capture::Interface& interface : recording.interfaces) {
        names.push_back(printable(interface.name));
    }
    const std::uint64_t kept = recording.ring.packets().size();
    std::string text = times(kept, "packet") + " on " + list_of(names) + ", " +
                       std::to_string(recording.claimed) + " of them the checks'";
    if (recording.ring.overwritten() > 0) {
        text +=
            "; the oldest " + std::to_string(recording.ring.overwritten()) + " had to make room";
    }
    if (recording.lost.value_or(0) > 0)
        text += "; the kernel lost " + times(*recording.lost, "packet");
    if (!recording.lost) text += "; whether packets were lost is not known";
    return text;
}

// Null where there is nothing to draw.
json::value handshakes(Recording& recording) {
    const bool lost =
        recording.lost != std::optional<std::uint64_t>(0) || recording.ring.overwritten() > 0;
    const Outcome outcome = recording.analysis.finish(lost, recording.ended_ns);
    const Ladder ladder = make_ladder(outcome, report_columns, report_rows);
    if (ladder.rows.empty()) return nullptr;
    return ladder_json(ladder);
}

std::string data_of(Recording& recording, const Order& order) {
    json::array names;
    for (const std::string& name : order.helper.interfaces)
        names.push_back(json::value(printable(name)));
    json::object data{{"packets", recording.ring.packets().size()},
                      {"claimed", recording.claimed},
                      {"overwritten", recording.ring.overwritten()},
                      {"lost", nullptr},
                      {"interfaces", std::move(names)},
                      {"filter", order.helper.filter},
                      {"ladder", handshakes(recording)}};
    if (recording.lost) data["lost"] = *recording.lost;
    return json::to_text(data);
}

p2pdiag_status refuse(Run& run, const Refusal& refusal) {
    if (!refusal.not_permitted) {
        run.summary(refusal.sentence);
        return P2PDIAG_ERROR;
    }
    report_not_permitted(run, Severity::warning, refusal);
    run.summary(refusal.text());
    return P2PDIAG_SKIP;
}

}  // namespace

p2pdiag_status record(Run& run) {
    const auto input = json::parse(run.input());
    if (!input || !input->is_object()) return P2PDIAG_ERROR;
    const Order order = read_order(input->get_object());
    if (order.helper.interfaces.empty()) {
        run.summary("no link is up");
        return P2PDIAG_SKIP;
    }
    const auto helper = HelperProcess::start(order.helper);
    if (!helper) return refuse(run, not_started(errno));
    auto reader = capture::Reader::open(helper->packets(run.cancel_fd(), TimePoint::max()));
    if (!reader) return refuse(run, refusal_of(helper->result()));
    run.progress(0, "recording on " + list_of(order.helper.interfaces));

    Recording recording(order.ring_bytes);
    for (capture::Packet packet; reader->next(packet); ++recording.seen) recording.ring.add(packet);
    recording.interfaces = reader->interfaces();
    recording.lost = reader->totals().lost;
    recording.ended_ns = reader->totals().ended_ns;
    recording.helper = helper->result();
    recording.ring.sort_by_time();

    const int error = write_file(order, recording, read_notes(order.notes));
    run.data(data_of(recording, order));
    if (error != 0) {
        run.summary(std::string("the file cannot be written: ") + std::strerror(error));
        return P2PDIAG_ERROR;
    }
    std::string summary = summary_of(recording);
    const bool ended_well = recording.helper.exit_code == 0;
    if (!ended_well) summary += "; it ended early: " + recording.helper.why();
    run.summary(summary);
    const bool whole = ended_well && recording.ring.overwritten() == 0 &&
                       recording.lost == std::optional<std::uint64_t>(0);
    return whole ? P2PDIAG_PASS : P2PDIAG_WARN;
}

}  // namespace p2pdiag::capture_plugin
