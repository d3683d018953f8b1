// Whether UDP gets through at all.
#pragma once

#include "verdict.hpp"

namespace p2pdiag::nat {

enum class UdpPath {
    pending,
    works,            // some answer counted
    blocked,          // and it is not loss: TCP passes to one of several, or something said no
    tcp_only,         // silence, while TCP passes to one server and no other is a witness
    no_answer,        // silence, with nothing to tell why
    no_valid_answer,  // something came back, so UDP passes, but no answer that counts
};

UdpPath judge_udp(const Observations& seen);

// Known only where the network said so itself; "unknown" otherwise.
enum class FilteredBy { unknown, host, router };
FilteredBy judge_blocker(const Observations& seen);

}  // namespace p2pdiag::nat
