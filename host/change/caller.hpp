// Calls the functions of a change. The driver knows this interface alone, so that tests need no
// process.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "loader/loader.hpp"
#include "report/report.hpp"
#include "runner/collector.hpp"

namespace p2pdiag::change {

struct Call {
    const loader::Plugin* plugin = nullptr;
    const loader::Change* change = nullptr;
    std::string function;  // plan, apply, verify, revert, keep
    json::object input = {};
    Milliseconds deadline{0};  // from the start; 0 = none
    // What was begun is to be finished: only a second interrupt ends it, by force.
    bool patient = false;
    // The change's data as it comes, before it goes on; false asks it to stop.
    std::function<bool(const json::object&)> on_data = {};
    runner::Listeners listeners = {};  // its on_data is not used
};

class Caller {
public:
    virtual ~Caller() = default;

    // Runs all of them at once; when one ends the others are asked to stop. A result for each.
    virtual std::vector<report::CheckResult> run(std::vector<Call> calls) = 0;

    // How often the person wanted to stop so far.
    virtual int interrupts() = 0;
};

}  // namespace p2pdiag::change
