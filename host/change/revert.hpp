// Taking one record back, whoever asks for it.
#pragma once

#include "change/caller.hpp"
#include "change/events.hpp"
#include "change/journal.hpp"

namespace p2pdiag::change {

inline constexpr Milliseconds revert_deadline{30'000};

struct Reverted {
    report::CheckResult said;
    std::string problem = {};  // of the journal; empty = none
};

// The caller holds the lock of the record. When the plugin says that it is taken back the record is
// undone, otherwise it stays open with the reason. Cannot be stopped by one interrupt; after two it
// is not tried at all.
Reverted revert(Journal& journal, Caller& caller, const loader::Plugin& plugin,
                const loader::Change& change, const json::object& input, Record& record,
                const Events& events);

}  // namespace p2pdiag::change
