// RFC 5780 section 4.4: whose packets the NAT lets in.
#pragma once

#include "verdict.hpp"

namespace p2pdiag::nat {

enum class Passed { pending, yes, no, undecided };

// One filtering test with its controls.
struct Test {
    Passed passed = Passed::pending;
    Reason reason = Reason::pending;  // Reason::none once it is yes or no
    unsigned passing_sockets = 0;
    unsigned silent = 0;  // sends without an answer, beside an answered control
    // Loss does not explain the silence. Either a filter does, or these flows are lost as such:
    // time for the silent sockets to contact the other address themselves.
    bool silence_proven = false;
    bool wants_another = false;          // socket, for one passed and the other did not
    unsigned own_controls = 0;           // silent sockets that have done so …
    unsigned own_controls_answered = 0;  // … and were answered then
    unsigned controls_sent = 0;
    unsigned controls_answered = 0;
};

struct FilteringEvidence {
    Test address;  // the other address and port
    Test port;     // the same address, the other port
};

// `mapping_varies`: what judge_mapping() says so far.
FilteringEvidence judge_filtering(const Observations& seen, std::size_t server,
                                  bool mapping_varies);

// Who it is that filters, once it is known that somebody does: at this machine's interfaces the
// answers that are missing at the sockets are seen, or they are not.
FilteredBy judge_filterer(const Observations& seen);

// A server that was tested does not refuse to answer from its second address and port, and what
// this machine itself sends there is not answered: they are dead, or something on the way drops
// that.
bool second_address_is_silent(const Observations& seen);

// Behind a mapping for each destination, an answer from a second address meets a mapping that has
// never been used with it: where it came in once that address was contacted, and not before, it was
// one and the same mapping, and whoever saw two is mistaken.
bool controls_deny(const Observations& seen, const Field<Dependence>& varying_mapping);

Field<Dependence> combine(const FilteringEvidence& evidence);

// Of the servers tested so far, the one that decided; else the reason of the last.
Field<Dependence> judge_filtering(const Observations& seen, bool mapping_varies);

}  // namespace p2pdiag::nat
