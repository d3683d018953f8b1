// Who is to be asked about an obstacle, and for what: a step, or words for what only the person
// can do. Pure.
#pragma once

#include <string>
#include <variant>

#include "allow_model.hpp"
#include "allow_step.hpp"

namespace p2pdiag::firewall {

// Why this program does not do it, and what the person can do.
struct Refusal {
    std::string text;
};

struct Remedy {
    AllowStep step;  // without aims
    World after;     // with it in place
};

// Of the first of the obstacles that stop `packet`; it is surely gone afterwards.
std::variant<Remedy, Refusal> find_remedy(const World& world, const Packet& packet,
                                          const Stopped& stopped, const Opening& opening);

}  // namespace p2pdiag::firewall
