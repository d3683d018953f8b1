#include "net/flow.hpp"

#include <utility>

namespace p2pdiag::net {

namespace {

thread_local FlowWatch* current = nullptr;

}  // namespace

std::string to_members(const Flow& flow) {
    const std::string_view protocol = flow.echo ? "icmp" : to_string(flow.protocol);
    std::string members = "\"protocol\":\"" + std::string(protocol) + '"';
    if (flow.local) members += ",\"local\":\"" + flow.local->to_string() + '"';
    if (flow.remote) members += ",\"remote\":\"" + flow.remote->to_string() + '"';
    return members;
}

FlowWatch::FlowWatch(OnFlow on_flow)
    : on_flow_(std::move(on_flow)), before_(std::exchange(current, this)) {}

FlowWatch::~FlowWatch() { current = before_; }

void tell_flow(const Flow& flow) {
    if (current != nullptr) current->on_flow_(flow);
}

}  // namespace p2pdiag::net
