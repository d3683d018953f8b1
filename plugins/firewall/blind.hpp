// Of a machine whose rules, or a part of them, cannot be seen.
#pragma once

#include <p2pdiag/judgement.hpp>

#include <string>

#include "model.hpp"

namespace p2pdiag::firewall {

// `judgement` becomes unknown with that finding. Where rights are missing, the person is told to
// run `command` as root.
void become_blind(const World& world, const std::string& command, Judgement& judgement);

}  // namespace p2pdiag::firewall
