// The reader of iptables-save, alone and in the place of what nft's JSON loses: any text is read or
// refused with a message that is safe to show, and any ruleset gets a verdict, within bounds.
#include "firewall.hpp"
#include "iptables_save.hpp"

using namespace p2pdiag;
using namespace p2pdiag::firewall;

namespace {

// A ruleset in which each of the rules may be one whose parameters were lost.
Ruleset without_parameters(Ruleset ruleset) {
    ruleset.source = Source::nft;
    for (Chain& chain : ruleset.chains) {
        for (Rule& rule : chain.rules) rule.steps = {Uncertain{{"xt match x", false}}};
    }
    return ruleset;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    for (const Family family : {Family::ipv4, Family::ipv6}) {
        const Reading reading = read_iptables_save(text, family, Source::iptables_legacy);
        if (!reading) {
            fuzz::require(!reading.error().message.empty());
            fuzz::require_harmless(reading.error().message);
            return 0;
        }
        fuzz::judge(*reading);
        Ruleset nft = without_parameters(*reading);
        replace_tables(nft, *reading);
        fuzz::judge(std::move(nft));
        Ruleset empty;
        replace_tables(empty, *reading);
        fuzz::judge(std::move(empty));
    }
    return 0;
}
