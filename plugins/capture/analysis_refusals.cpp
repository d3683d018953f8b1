// Answers that say no, and what becomes of them.
#include <limits>

#include "analysis.hpp"
#include "refusals.hpp"

namespace p2pdiag::capture_plugin {

namespace {

bool same_matter(const RefusalKey& one, const RefusalKey& other) {
    return one.protocol == other.protocol && one.client == other.client &&
           one.server == other.server && one.subject == other.subject;
}

// An answer of any kind shows that the step which `key` asked for was taken; one that agrees
// settles every refusal of the same.
void overcome(Evidence& evidence, const RefusalKey& key, bool agreed) {
    RefusalKey first = key;
    first.code = std::numeric_limits<int>::min();
    for (auto it = evidence.refusals.lower_bound(first);
         it != evidence.refusals.end() && same_matter(it->first, key); ++it) {
        if (it->first.code == key.code && !agreed) continue;
        if (agreed || is_step(it->first)) {
            it->second.overcome = true;
            it->second.since = 0;
        }
    }
}

bool is_port_control(Protocol protocol) {
    return protocol == Protocol::natpmp || protocol == Protocol::pcp;
}

// The router has a protocol that both speak: that it has not the other one is no matter.
void overcome_versions(Evidence& evidence, const IpAddress& client, const Endpoint& server) {
    for (auto& [key, refused] : evidence.refusals) {
        const bool version = is_port_control(key.protocol) && key.code == port_control_version_code;
        if (version && key.client == client && key.server == server) refused.overcome = true;
    }
}

}  // namespace

void Analysis::notice(Described described) {
    const bool refuses = described.refusal.has_value();
    const Sequence said = add_message(std::move(described));
    if (refuses) note_verdict(Flow::no_message, said);
}

void Analysis::note_verdict(Sequence request, Sequence answer) {
    const Message* said = messages_.find(answer);
    if (said == nullptr) return;
    const Message* asked = messages_.find(request);
    if (is_port_control(said->protocol) &&
        (!said->refusal || said->refusal->code != port_control_version_code)) {
        overcome_versions(evidence_, said->to.address, said->from);
    }
    if (said->refusal) return note_refusal(asked, *said);
    if (asked == nullptr || said->kind != Kind::answer || evidence_.refusals.empty()) return;
    overcome(evidence_, {asked->protocol, asked->from.address, asked->to, asked->subject}, true);
}

void Analysis::note_refusal(const Message* asked, const Message& said) {
    RefusalKey key{asked == nullptr ? said.protocol : asked->protocol, said.to.address, said.from,
                   asked == nullptr ? "" : asked->subject, said.refusal->code};
    // Who answers from elsewhere was asked elsewhere.
    if (asked != nullptr) key.server = asked->to;
    overcome(evidence_, key, false);
    // A name that is not there is the same however many of them.
    if (is_missing_name(key)) key.subject.clear();
    Refused* refused = evidence_.refusal(key);
    if (refused == nullptr) return;
    if (refused->count++ == 0) {
        refused->packet = said.packet;
        refused->name = said.refusal->name;
        if (asked != nullptr) refused->subject = asked->subject;
    }
    ++refused->since;
    refused->overcome = false;
    refused->credentials = refused->credentials || (asked != nullptr && asked->credentials);
}

}  // namespace p2pdiag::capture_plugin
