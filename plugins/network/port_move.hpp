// The change network.port, plan: the target port that the user's configuration says becomes
// another one, that is free. Pure.
#pragma once

#include <p2pdiag/judgement.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "config_file.hpp"
#include "port_edit.hpp"

namespace p2pdiag::network_plugin {

struct MoveWanted {
    std::uint16_t from = 0;           // the target port as it is
    std::optional<std::uint16_t> to;  // nothing: the next one that is free
    std::optional<ConfigFile> config;
};

// Why a program could not have the port by UDP and TCP, IPv4 and IPv6; empty where it could.
using PortQuestion = std::function<std::string(std::uint16_t)>;

Judgement plan_move(const MoveWanted& wanted, const ConfigText& file, const PortQuestion& trial);

}  // namespace p2pdiag::network_plugin
