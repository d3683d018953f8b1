// The reader of nft's JSON and the evaluator behind it: any text is read or refused with a message
// that is safe to show, and any ruleset gets a verdict, within bounds.
#include "firewall.hpp"
#include "nft_json.hpp"

using namespace p2pdiag::firewall;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    Reading reading = read_nft_json(text);
    if (!reading) {
        fuzz::require(!reading.error().message.empty());
        fuzz::require_harmless(reading.error().message);
        return 0;
    }
    settle_dormant(*reading, text);
    settle_devices(*reading, text);
    fuzz::judge(std::move(*reading));
    return 0;
}
