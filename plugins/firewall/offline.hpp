// Rules that come from files: of another machine, or of another time. Of that machine nothing else
// is known but what the person says.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "foreign/foreign.hpp"
#include "model.hpp"
#include "nft_json.hpp"

namespace p2pdiag::firewall {

struct RulesetFile {
    std::string name;  // as it was typed
    std::string text;  // what decode_file made of it
};

// At most max_ruleset_text bytes; "-" is the standard input.
boost::system::result<RulesetFile, ReadError> read_ruleset_file(const std::string& name);

struct Offline {
    // A Linux machine with one link of the name that was given, or of none; or another system.
    std::variant<World, ForeignRuleset> machine;
    // What the verdicts rest upon that these files do not tell, for people.
    std::vector<std::string> notes;
    // One sentence to go with what is let in: the files cannot show that they are whole. Or empty.
    std::string if_whole = {};
};

// All the files together are the rules of one machine, asked about by one family or both. What they
// surely leave out and could decide is noted as unseen, and so is what an empty file beside others
// should hold. The error names the file.
boost::system::result<Offline, ReadError> read_offline(const std::vector<RulesetFile>& files,
                                                       const std::string& interface);

}  // namespace p2pdiag::firewall
