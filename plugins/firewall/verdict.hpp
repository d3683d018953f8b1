// From what was found out about a packet to what is said of it.
#pragma once

#include "walk.hpp"

namespace p2pdiag::firewall {

Verdict judge(const Findings& findings);

// "`udp dport 8000 accept` of the chain input in the table inet filter"
std::string named(const RuleRef& rule);

// "a; b; c and 4 more".
std::string joined(const std::vector<std::string>& parts, std::string_view separator);

// `fresh` does not pass; `answer` is the verdict of the same packet as an answer to one of ours.
Verdict join_answer(Verdict fresh, const Verdict& answer);

// Our packet passes; `answer` is the verdict of what comes back.
Verdict join_punching(Verdict sent, Verdict answer);

// Of a packet without a source to answer to.
Verdict unanswerable(Verdict sent);

}  // namespace p2pdiag::firewall
