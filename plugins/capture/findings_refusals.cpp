// Answers that said no.
#include "describe.hpp"
#include "findings_parts.hpp"
#include "refusals.hpp"

namespace p2pdiag::capture_plugin {

namespace {

// WANIPConnection:1 section 2.4: there is no such mapping, or the list of them is over. That is how
// a client finds out.
bool is_end_of_list(const RefusalKey& key) {
    constexpr int array_index_invalid = 713;
    constexpr int no_such_entry = 714;
    return key.protocol == Protocol::soap &&
           (key.code == array_index_invalid || key.code == no_such_entry);
}

// The first words of whoever may have credentials; what it does about it is not in the capture.
bool is_first_challenge(const RefusalKey& key, const Refused& refused) {
    return is_challenge(key) && !refused.credentials && refused.since == 1;
}

// RFC 5780 section 7: a server without a second address refuses what asks for it.
bool asks_for_elsewhere(const RefusalKey& key) {
    return is_stun(key) && key.subject.ends_with(" from elsewhere");
}

Severity severity_of(const RefusalKey& key, const Refused& refused) {
    const bool normal = refused.overcome || is_missing_name(key) || is_end_of_list(key) ||
                        is_first_challenge(key, refused) || asks_for_elsewhere(key) ||
                        key.protocol == Protocol::http;
    return normal ? Severity::info : Severity::warning;
}

// "718 ConflictInMappingEntry"; the numbers of DNS and TLS are known to nobody.
std::string answer_text(const RefusalKey& key, const Refused& refused) {
    const bool by_name = key.protocol == Protocol::dns || key.protocol == Protocol::tls;
    if (refused.name.empty()) return "error " + std::to_string(key.code);
    if (by_name || key.code == 0) return refused.name;
    return std::to_string(key.code) + ' ' + refused.name;
}

std::string refusal_text(const RefusalKey& key, const Refused& refused) {
    const std::string server = key.server.to_string();
    std::string what{to_string(key.protocol)};
    if (!refused.subject.empty()) what += ' ' + refused.subject;
    const std::string answer = answer_text(key, refused);
    if (is_missing_name(key)) {
        std::string text = server + " says that there is no such name: " + what + " (" + answer;
        if (refused.count > 1) text += ", " + std::to_string(refused.count) + " answers in all";
        return text + ')';
    }
    if (is_first_challenge(key, refused) && !refused.overcome) {
        return server + " wants credentials for " + what + " (" + answer +
               "), and no request with them is in the capture";
    }
    std::string text =
        server + " refused " + what + " of " + key.client.to_string() + ": " + answer;
    if (refused.count > 1) text += ", " + times(refused.count, "time");
    if (is_challenge(key) && refused.credentials) text += ", although it had credentials";
    if (refused.overcome) text += "; it agreed to the same later";
    return text;
}

}  // namespace

void add_refusals(FindingList& list, const Evidence& evidence) {
    for (const auto& [key, refused] : evidence.refusals) {
        if (refused.overcome && is_step(key)) continue;
        list.add({"capture.refused",
                  severity_of(key, refused),
                  refusal_text(key, refused),
                  {{"protocol", to_string(key.protocol)},
                   {"what", refused.subject},
                   {"code", key.code},
                   {"name", refused.name},
                   {"from", key.server.to_string()},
                   {"client", key.client.to_string()},
                   {"count", refused.count},
                   {"agreed_later", refused.overcome},
                   {"packet", refused.packet}}});
    }
}

}  // namespace p2pdiag::capture_plugin
