// DNS: any datagram is parsed or refused; names are bounded and harmless to show.
#include <algorithm>
#include <cstdlib>

#include "wire/dns/message.hpp"

using namespace p2pdiag;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

void require_name(const std::string& name) {
    require(name.size() <= dns::max_name);
    require(std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c <= '~'; }));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto message = dns::parse(ByteView(data, size));
    if (!message) return 0;
    require(message->questions.size() <= dns::max_questions);
    require(message->answers.size() <= dns::max_records);
    for (const dns::Question& question : message->questions) {
        require_name(question.name);
        require(!dns::to_string(question.type).empty());
    }
    for (const dns::Record& record : message->answers) {
        require_name(record.name);
        require_name(record.target);
    }
    return 0;
}
