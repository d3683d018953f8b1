// A plan of `forward add` while it is being made, and the parts of it. Pure.
#pragma once

#include "forward_plan.hpp"

namespace p2pdiag::upnp_plugin {

struct Draft {
    const Wanted& wanted;
    const Situation& situation;
    Choice choice;
    Judgement result;
    json::array steps;
    json::array notes;

    void note(const std::string& text) { notes.push_back(json::value(text)); }
};

// A step that makes a forward or a pinhole by the first of `offers` that does it.
void add_new_step(Draft& draft, Transport transport, const std::vector<Offer>& offers,
                  const NonceSource& nonces);
// A step that gives an earlier forward of ours its whole time again, or makes it again where the
// router has lost it.
void add_renewal(Draft& draft, const OpenForward& open, const Offer& offer);

// The external port is somebody else's: whose, and which one is free.
void explain_taken(Draft& draft, const Offer& offer, Transport transport,
                   const portmap::IgdMapping& holder);
// NAT-PMP would move a forward that is there.
void explain_moving(Draft& draft, Transport transport, const OpenForward& ours);

// No step: there is nothing to be done, or nothing can be.
void explain_impossible(Draft& draft);

// Of a provider's NAT that was seen on the way.
void note_carrier(Draft& draft);

}  // namespace p2pdiag::upnp_plugin
