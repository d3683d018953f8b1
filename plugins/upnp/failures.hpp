// What routers grant and refuse, in findings. Pure.
#pragma once

#include <p2pdiag/judgement.hpp>

#include "forward_step.hpp"

namespace p2pdiag::upnp_plugin {

// Adds what is to be said of a request that failed: code by the router's reason.
void add_failure(Judgement& judgement, const Try& asked, const portmap::Failure& failure);

// Adds what differs between what was asked for and what was granted: a permanent or a shorter
// lease.
void add_grant(Judgement& judgement, const Try& asked, const portmap::MapGrant& grant);

// "UDP port 8000".
std::string port_words(Transport transport, std::uint16_t port);

// "7200 s", "for good", "for an unknown time".
std::string lease_words(const std::optional<portmap::Seconds>& lease);

}  // namespace p2pdiag::upnp_plugin
