// The readers of Windows' and macOS' rules, the recognition of formats before them, and what is
// said of packets: any file is read or refused with a message that is safe to show, and any ruleset
// gets a verdict, within bounds.
#include "firewall.hpp"
#include "foreign/foreign.hpp"

using namespace p2pdiag;
using namespace p2pdiag::firewall;

namespace {

// Commands may name programs in any script, but nothing that ends the line or turns it.
void require_line(std::string_view line) {
    for (const char c : line) fuzz::require(static_cast<unsigned char>(c) >= ' ' && c != '\x7f');
}

void judge(const ForeignRuleset& ruleset, Packet packet,
           const std::optional<std::string>& program) {
    for (const ForeignEntrance& entrance : find_entrances(ruleset)) {
        packet.interface = entrance.interface;
        if (entrance.address.family() == packet.family()) packet.destination = entrance.address;
        const Verdict verdict = assess_foreign(ruleset, packet, program);
        fuzz::check(verdict, Limits{});
        for (const std::string& open : verdict.open) fuzz::require_harmless(open);
        const Question question{packet.family(), packet.protocol, packet.destination_port,
                                entrance.interface};
        for (const std::string& line : remedy(ruleset, question, verdict, program))
            require_line(line);
        const Inquiry inquiry{packet.destination_port, {packet.protocol}};
        const std::vector<Entrance> entrances = {{entrance.interface, packet.destination}};
        for (const Asked& asked : ask_foreign(ruleset, entrances, inquiry, program)) {
            fuzz::check(asked.verdict, Limits{});
            for (const std::string& open : asked.verdict.open) fuzz::require_harmless(open);
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text = decode_file({reinterpret_cast<const char*>(data), size});
    fuzz::require_harmless(recognise(text).advice);
    for (const SavedTables& part : split_saves(text))
        fuzz::require(part.text.size() <= text.size());
    const ForeignReading reading = read_foreign(text);
    if (!reading) {
        fuzz::require(!reading.error().message.empty());
        fuzz::require_harmless(reading.error().message);
        return 0;
    }
    judge(*reading, fuzz::packet(Family::ipv4, protocol_udp), std::nullopt);
    judge(*reading, fuzz::packet(Family::ipv6, protocol_tcp), "C:\\Program Files\\Chat\\chat.exe");
    judge(*reading, fuzz::packet(Family::ipv4, protocol_tcp), "/Applications/Chat.app/Chat");
    return 0;
}
